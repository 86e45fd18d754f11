//! No input makes the process die of an allocation: every importer and reader, each over generated bombs, in a child process that
//! has 512 MiB of address space. The child has to end with the error that the bomb deserves, and not by a signal.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]
#![expect(clippy::print_stdout, reason = "the parent shows what its child printed when the child fails")]

mod archives;
mod documents;
mod parquet;
mod records;
mod thrift;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Address space of a child, in bytes.
const LIMIT: u64 = 512 << 20;

/// Names the folder of the bombs to a child.
const FOLDER: &str = "BENCH_MEMORY_TEST_FOLDER";

/// The part of a test that reads: it gives the code of the error for a name, or `fine`.
type Reader = fn(&Path, &str) -> String;

/// Runs a test in two processes. The first one writes bombs with `write` and begins the second one, which is the same test; the
/// second one takes the limit upon itself and reads what was written. `test` is the test's own name, and `cases` are names of
/// bombs with the codes that they deserve.
fn within_limit(test: &str, cases: &[(&str, &str)], write: impl Fn(&Path), read: Reader) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let limit = Rlimit { current: Some(LIMIT), maximum: Some(LIMIT) };
        setrlimit(Resource::As, limit).unwrap();
        for (name, code) in cases {
            println!("{name}");
            assert_eq!(read(&PathBuf::from(&folder), name), *code, "{name}");
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let out = [child.stdout, child.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(child.status.success(), "{test} ended with {}: {out:?}", child.status);
    assert!(out[0].contains("1 passed"), "the child ran no test: {out:?}");
}

/// The code of a result. What the error says is printed, and shown where a test fails.
fn code<T, E: std::fmt::Display>(result: Result<T, E>, code: impl Fn(&E) -> &'static str) -> String {
    match result {
        Ok(_) => "fine".to_owned(),
        Err(error) => {
            println!("{error:.300}");
            code(&error).to_owned()
        }
    }
}

/// Writes a file of `begin`, `count` times `part`, and `end`.
fn write_repeated(folder: &Path, name: &str, begin: &str, part: &str, count: usize, end: &str) {
    let mut file = std::io::BufWriter::new(fs::File::create(folder.join(name)).unwrap());
    file.write_all(begin.as_bytes()).unwrap();
    let block = part.repeat(1000);
    (0..count / 1000).for_each(|_| file.write_all(block.as_bytes()).unwrap());
    file.write_all(end.as_bytes()).unwrap();
    file.flush().unwrap();
}

/// What an import says, into a folder that is not there yet.
fn imported(result: Result<bench_import::Imported, bench_import::ImportError>) -> String {
    code(result, bench_import::ImportError::code)
}

/// Options of an import that writes below a folder.
fn options(folder: &Path, name: &str) -> bench_import::Options {
    let name = name.replace(['.', '_', '/'], "-");
    bench_import::Options { out: Some(folder.join("out").join(name)), ..bench_import::Options::default() }
}

/// Reads a data file as any rows.
fn import_rows(folder: &Path, name: &str) -> String {
    let wanted = bench_import::plain::Plain {
        file: folder.join(name),
        template: Some("{a}".to_owned()),
        target: Some("a".to_owned()),
        scorer: "exact-match".to_owned(),
        ..bench_import::plain::Plain::default()
    };
    imported(bench_import::plain::import(&wanted, &options(folder, name)))
}
