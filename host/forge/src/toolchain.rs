//! Finds a compiler that can build for `wasm32-unknown-unknown`.
//!
//! With rustup's target installed the project's own toolchain does it. Where targets cannot be installed, Debian ships a
//! compiler together with the standard library's source, which is then built along.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::ForgeError;

/// The target of every guest.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// A usable toolchain.
#[derive(Debug)]
pub struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    build_std: bool,
    linker: Option<PathBuf>,
    /// What `rustc --version` prints, recorded beside the digests.
    pub version: String,
    sysroot: PathBuf,
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    output(Command::new(rustc).args(["--print", "sysroot"])).map(PathBuf::from)
}

fn has_target(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
}

/// `rust-lld` of the project's toolchain, for a distribution's compiler that comes without a wasm linker.
fn rust_lld() -> Option<PathBuf> {
    let root = sysroot(Path::new("rustc"))?;
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let path = root.join("lib/rustlib").join(host).join("bin/rust-lld");
    path.is_file().then_some(path)
}

/// All usable toolchains, the simplest first.
pub fn usable() -> Vec<Toolchain> {
    [rustup(), debian()].into_iter().flatten().collect()
}

fn rustup() -> Option<Toolchain> {
    let rustc = PathBuf::from("rustc");
    let sysroot = sysroot(&rustc)?;
    let version = output(Command::new(&rustc).arg("--version"))?;
    has_target(&sysroot).then(|| Toolchain {
        cargo: PathBuf::from("cargo"),
        rustc,
        build_std: false,
        linker: None,
        version,
        sysroot,
    })
}

fn debian() -> Option<Toolchain> {
    let rustc = PathBuf::from("/usr/bin/rustc");
    let cargo = PathBuf::from("/usr/bin/cargo");
    let sysroot = sysroot(&rustc)?;
    let version = output(Command::new(&rustc).arg("--version"))?;
    let source = sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml");
    (cargo.is_file() && source.is_file()).then_some(())?;
    Some(Toolchain { cargo, rustc, build_std: true, linker: Some(rust_lld()?), version, sysroot })
}

/// The toolchain that built the committed components when it is here, else the first usable one.
///
/// # Errors
/// [`ForgeError::NoToolchain`].
pub fn choose(recorded: Option<&str>) -> Result<Toolchain, ForgeError> {
    let mut all = usable();
    let same = all.iter().position(|toolchain| Some(toolchain.version.as_str()) == recorded);
    if all.is_empty() {
        return Err(ForgeError::NoToolchain);
    }
    Ok(all.swap_remove(same.unwrap_or(0)))
}

/// What to build.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The workspace or package.
    pub folder: &'a Path,
    /// Cargo's target folder.
    pub target: &'a Path,
    /// Cargo's profile.
    pub profile: &'a str,
    /// Packages of the workspace.
    pub packages: &'a [String],
    /// The lock file must not change.
    pub locked: bool,
}

impl Toolchain {
    /// A command that builds for the guest target, with paths of this machine kept out of the result.
    pub fn command(&self, job: &Job<'_>) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(job.folder).args(["build", "--profile", job.profile, "--target", TARGET]);
        if job.locked {
            command.arg("--locked");
        }
        if self.build_std {
            command.args(["-Z", "build-std=std,panic_abort"]).env("RUSTC_BOOTSTRAP", "1");
        }
        for package in job.packages {
            command.args(["--package", package]);
        }
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
            let home = std::env::var_os("HOME")?;
            Some(PathBuf::from(home).join(".cargo"))
        });
        let mut flags = vec!["-Ctarget-feature=+simd128".to_owned()];
        let mut remap = |from: &Path, to: &str| flags.push(format!("--remap-path-prefix={}={to}", from.display()));
        remap(job.folder, "/bench");
        if let Some(home) = &cargo_home {
            remap(home, "/cargo");
        }
        remap(&self.sysroot, "/rust");
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        // `cargo xtask` sets these for its children, and they would override the toolchain chosen here.
        command.env("RUSTC", &self.rustc).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
        command.env("CARGO_TARGET_DIR", job.target);
        command
    }
}
