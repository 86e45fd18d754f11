//! The binary under test.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The binary with a home folder of its own.
pub struct Bench {
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// Variables that would change what the binary does: keys of hosted services make `detect` list them.
const FOREIGN: [&str; 11] = [
    "BENCH_API_KEY",
    "BENCH_OCI_HOST",
    "BENCH_OCI_USER",
    "BENCH_OCI_PASSWORD",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "OPENROUTER_API_KEY",
    "TOGETHER_API_KEY",
    "FIREWORKS_API_KEY",
    "GROQ_API_KEY",
    "NO_COLOR",
];

impl Bench {
    /// A fresh home. Compiled plugins are shared between tests, since compiling all of them takes longer than any test.
    pub fn new() -> Bench {
        let home = TempDir::new().unwrap();
        let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        let cache = home.path().join("cache");
        fs::create_dir_all(&compiled).unwrap();
        fs::create_dir(&cache).unwrap();
        link(&compiled, &cache.join("compiled"));
        Bench { home, environment: Vec::new() }
    }

    /// With an environment variable set.
    pub fn with(mut self, name: &str, value: &str) -> Bench {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The home folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path in the home folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file into the home folder.
    #[track_caller]
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The command, ready for more arguments.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command
            .args(arguments)
            .env("BENCH_HOME", self.home.path())
            .env("DOCKER_CONFIG", self.home.path())
            .current_dir(self.home.path());
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Starts, and leaves it running.
    #[track_caller]
    pub fn spawn<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// `bench run --quick` of some workloads with the generic driver, and the record that it wrote.
    #[track_caller]
    pub fn quick(&self, endpoint: &str, workloads: &str, more: &[&str]) -> (Ran, Value) {
        let ran = self.quick_without_record(endpoint, workloads, more);
        let record = fs::read(self.path("record.json")).unwrap_or_else(|_| panic!("there is no record: {ran}"));
        (ran, serde_json::from_slice(&record).unwrap())
    }

    /// The same where no record is expected.
    #[track_caller]
    pub fn quick_without_record(&self, endpoint: &str, workloads: &str, more: &[&str]) -> Ran {
        let fixed = ["run", "--quick", "--plugin", "openai", "--endpoint", endpoint, "--workload", workloads];
        let json = ["--json", "record.json"];
        self.run(fixed.iter().chain(&json).chain(more))
    }

    /// A quick run of one workload under a load of its own.
    #[track_caller]
    pub fn under(&self, endpoint: &str, workload: &str, load: &str, more: &[&str]) -> (Ran, Value) {
        self.quick(endpoint, workload, &[&["--load", load], more].concat())
    }

    /// The folders of the stored runs.
    pub fn runs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("runs")) else { return Vec::new() };
        let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        runs.sort();
        runs
    }
}

/// A run of the binary that is over.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Ran {
    /// Expects an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Expects a failure: its exit code, its stable code, a hint, nothing on standard output, and words of its message.
    #[track_caller]
    pub fn fails(self, exit: i32, code: &str, words: &[&str]) -> Ran {
        let ran = self.exits(exit);
        assert_eq!(ran.stdout, "", "a failed command prints no data: {ran}");
        assert!(ran.stderr.contains("error: "), "{ran}");
        assert!(ran.stderr.contains(&format!("[{code}]")), "no code {code}: {ran}");
        for word in words {
            assert!(ran.stderr.contains(word), "no word `{word}`: {ran}");
        }
        assert!(!ran.stderr.contains("panicked"), "{ran}");
        ran
    }

    /// Expects a hint with these words.
    #[track_caller]
    pub fn hints(self, words: &str) -> Ran {
        let hint = self.stderr.split_once("hint: ").map(|(_, hint)| hint).unwrap_or_default();
        assert!(!hint.is_empty() && hint.contains(words), "no hint with `{words}`: {self}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON: {error}\n{self}"))
    }
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}

/// Elsewhere every test compiles for itself.
#[cfg(not(unix))]
fn link(_to: &Path, _at: &Path) {}
