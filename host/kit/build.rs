//! Embeds what new plugins are given: the interfaces, the templates and the SDK.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = here.join("../..").canonicalize()?;
    let mut code = String::new();
    let folders = [
        ("WIT", root.join("wit")),
        ("TEMPLATES", here.join("templates")),
        ("SDK", root.join("plugins/sdk/src")),
        ("PACKED", root.join("plugins/packed/src")),
    ];
    for (name, folder) in folders {
        println!("cargo::rerun-if-changed={}", folder.display());
        writeln!(code, "/// Files by path.\npub(crate) static {name}: &[(&str, &str)] = &[")?;
        files(&folder, "", &mut code)?;
        writeln!(code, "];")?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("embedded.rs"), code)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

fn files(folder: &Path, prefix: &str, code: &mut String) -> Result<(), Box<dyn Error>> {
    let mut entries =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a file name is not UTF-8")?;
        if path.is_dir() {
            files(&path, &format!("{prefix}{name}/"), code)?;
        } else {
            writeln!(code, "    ({:?}, include_str!({path:?})),", format!("{prefix}{name}"))?;
        }
    }
    Ok(())
}
