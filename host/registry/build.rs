//! Embeds the bundle: the components that `registry/bundle.json` lists, and the files of `suites/`. A component whose bytes
//! do not have the listed digest stops the build.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest as _, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let mut code = String::new();
    components(&root.join("registry"), &mut code)?;
    suites(&root.join("suites"), &mut code)?;
    own_root(&root.join("registry/metadata"), &mut code)?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("bundle.rs"), code)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

fn components(registry: &Path, code: &mut String) -> Result<(), Box<dyn Error>> {
    let manifest = registry.join("bundle.json");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let bundle: serde_json::Value = serde_json::from_slice(&fs::read(&manifest)?)?;
    let entries = bundle["components"].as_array().ok_or("bundle.json: `components` is not a list")?;
    writeln!(
        code,
        "/// The components that the binary carries, by kind and name.\npub(crate) static COMPONENTS: &[Component] = &["
    )?;
    for entry in entries {
        let text = |key: &str| entry[key].as_str().ok_or(format!("bundle.json: an entry has no `{key}`"));
        let path = registry.join(text("path")?);
        println!("cargo::rerun-if-changed={}", path.display());
        let found: String = Sha256::digest(fs::read(&path)?).iter().map(|byte| format!("{byte:02x}")).collect();
        if found != text("sha256")? {
            return Err(format!("{} does not have the digest of bundle.json", path.display()).into());
        }
        let kind = match text("kind")? {
            "driver" => "Driver",
            "workload" => "Workload",
            "scorer" => "Scorer",
            "publisher" => "Publisher",
            other => return Err(format!("bundle.json: unknown kind `{other}`").into()),
        };
        writeln!(
            code,
            "    Component {{ kind: Kind::{kind}, name: {:?}, version: {:?}, sha256: {found:?}, bytes: include_bytes!({path:?}) }},",
            text("name")?,
            text("version")?,
        )?;
    }
    writeln!(code, "];")?;
    Ok(())
}

/// The latest root of the project's own registry. Clients follow it to later ones, and take none from anywhere else.
fn own_root(metadata: &Path, code: &mut String) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", metadata.display());
    let mut latest: Option<(u64, PathBuf)> = None;
    for path in sorted(metadata)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let version = name.strip_suffix(".root.json").and_then(|version| version.parse().ok());
        if let Some(version) = version.filter(|version| latest.as_ref().is_none_or(|(known, _)| known < version)) {
            latest = Some((version, path));
        }
    }
    let (_, path) = latest.ok_or("registry/metadata has no root")?;
    writeln!(
        code,
        "/// The root of the project's own registry.\npub(crate) static OWN_ROOT: &[u8] = include_bytes!({path:?});"
    )?;
    Ok(())
}

fn suites(folder: &Path, code: &mut String) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    writeln!(
        code,
        "/// The suites that the binary carries, each as its files.\npub(crate) static SUITES: &[Suite] = &["
    )?;
    for suite in sorted(folder)? {
        if !suite.is_dir() {
            continue;
        }
        let name = suite.file_name().and_then(|name| name.to_str()).ok_or("a suite's folder name is not UTF-8")?;
        writeln!(code, "    Suite {{ name: {name:?}, files: &[")?;
        files(&suite, "", code)?;
        writeln!(code, "    ] }},")?;
    }
    writeln!(code, "];")?;
    Ok(())
}

fn files(folder: &Path, prefix: &str, code: &mut String) -> Result<(), Box<dyn Error>> {
    for path in sorted(folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a file name is not UTF-8")?;
        if path.is_dir() {
            files(&path, &format!("{prefix}{name}/"), code)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            writeln!(code, "        ({:?}, include_bytes!({path:?})),", format!("{prefix}{name}"))?;
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
