//! Weights that a server of this machine has, told from files that it merely names.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bench_machine::Tree;
use bench_machine::model::{ModelDigests, ServedModel};

/// A process that is ended with the test.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Server {
        Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// A server that holds a file open.
    fn holding(path: &Path) -> Server {
        Server::start(Command::new("sleep").arg("600").stdin(File::open(path).unwrap()))
    }

    /// A server that has no file of interest open.
    fn idle() -> Server {
        Server::start(Command::new("sleep").arg("600").stdin(Stdio::null()))
    }

    fn find(&self, path: &Path) -> Option<ServedModel> {
        ServedModel::find(&Tree::default(), self.0.id(), path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A GGUF file without metadata and tensors, of about `bytes` bytes.
fn gguf(path: &Path, bytes: usize) -> PathBuf {
    let header = [&b"GGUF"[..], &3_u32.to_le_bytes(), &[0; 16]].concat();
    fs::write(path, [header, vec![7; bytes]].concat()).unwrap();
    path.to_owned()
}

fn safetensors(path: &Path, bytes: usize) -> PathBuf {
    let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{bytes}],"data_offsets":[0,{bytes}]}}}}"#);
    fs::write(path, [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![7; bytes]].concat()).unwrap();
    path.to_owned()
}

const LARGE: usize = 1 << 20;

#[test]
fn weights_that_the_server_has_open_are_hashed() {
    let root = tempfile::tempdir().unwrap();
    let model = gguf(&root.path().join("m.gguf"), 100);
    let served = Server::holding(&model).find(&model).unwrap();
    // What is hashed is the file that was found, whatever has its name by now.
    fs::rename(&model, root.path().join("aside")).unwrap();
    fs::write(&model, "another file").unwrap();
    let digest = ModelDigests::new(root.path().join("cache")).digest_served(served, &mut |_| {}).unwrap();
    assert_eq!(digest.bytes, 124);
    assert_eq!(digest.facts.value().unwrap().format_version, Some(3));
}

#[test]
fn secrets_are_not_weights_even_when_the_server_has_them_open() {
    let root = tempfile::tempdir().unwrap();
    let secret = root.path().join("secret.txt");
    fs::write(&secret, "PIN=4711\n").unwrap();
    assert!(Server::holding(&secret).find(&secret).is_none());
    assert!(Server::idle().find(&secret).is_none());
    let named = root.path().join("secret.safetensors");
    fs::copy(&secret, &named).unwrap();
    assert!(Server::holding(&named).find(&named).is_none());
    let large = root.path().join("large");
    fs::write(&large, vec![b'x'; LARGE]).unwrap();
    assert!(Server::holding(&large).find(&large).is_none());
}

#[test]
fn weights_that_the_server_closed_are_large() {
    let root = tempfile::tempdir().unwrap();
    let (small, large) = (gguf(&root.path().join("s.gguf"), 100), gguf(&root.path().join("l.gguf"), LARGE));
    let server = Server::idle();
    assert!(server.find(&small).is_none());
    assert!(server.find(&large).is_some());
    assert!(server.find(&root.path().join("missing.gguf")).is_none());
}

#[test]
fn special_files_are_not_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let fifo = root.path().join("fifo.gguf");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert!(Server::idle().find(&fifo).is_none());
    assert!(Server::idle().find(Path::new("/dev/zero")).is_none());
}

#[test]
fn workers_of_the_server_count() {
    let root = tempfile::tempdir().unwrap();
    let model = gguf(&root.path().join("m.gguf"), 100);
    let mut command = Command::new("sh");
    // The shell waits for a worker, and says when that has the file open.
    command.args(["-c", "sleep 600 < \"$1\" & echo $!; wait", "sh"]).arg(&model).stdin(Stdio::null());
    let mut server = Server(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    let mut output = std::io::BufReader::new(server.0.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    let worker = line.trim().to_owned();
    let opened = PathBuf::from(format!("/proc/{worker}/fd/0"));
    while fs::read_link(&opened).ok().as_deref() != Some(&model.canonicalize().unwrap()) {
        assert!(Path::new("/proc").join(&worker).exists(), "the worker ended");
        std::thread::yield_now();
    }
    let found = server.find(&model).is_some();
    let stranger = Server::idle().find(&model).is_some();
    assert!(Command::new("kill").arg(&worker).status().unwrap().success());
    assert!(found && !stranger);
}

#[test]
fn relative_paths_begin_where_the_server_runs() {
    let root = tempfile::tempdir().unwrap();
    gguf(&root.path().join("l.gguf"), LARGE);
    let mut command = Command::new("sleep");
    let server = Server::start(command.arg("600").current_dir(root.path()));
    assert!(server.find(Path::new("l.gguf")).is_some());
    assert!(Server::idle().find(Path::new("l.gguf")).is_none());
}

#[test]
fn every_file_of_a_folder_is_weights() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    safetensors(&folder.join("a.safetensors"), LARGE);
    fs::write(folder.join("config.json"), r#"{"architectures":["TestModel"]}"#).unwrap();
    let server = Server::idle();
    let served = server.find(folder).unwrap();
    let digest = ModelDigests::new(folder.join("cache")).digest_served(served, &mut |_| {}).unwrap();
    assert_eq!(digest.facts.value().unwrap().architecture.as_deref(), Some("TestModel"));
    fs::write(folder.join("b.safetensors"), "PIN=4711\n").unwrap();
    assert!(server.find(folder).is_none());
}

#[test]
fn files_that_the_server_cannot_read_are_not_its_weights() {
    let root = tempfile::tempdir().unwrap();
    let model = gguf(&root.path().join("l.gguf"), LARGE);
    if fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap() != 0 {
        // Only root starts servers as other users. Another user's server is looked at with somebody else's files here.
        assert!(ServedModel::find(&Tree::default(), 1, &model).is_none());
        return;
    }
    let set_mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let server = Server::start(Command::new("sleep").arg("600").uid(65_534).gid(65_534));
    for (folder, file, is_weights) in [(0o755, 0o644, true), (0o755, 0o600, false), (0o700, 0o644, false)] {
        set_mode(root.path(), folder);
        set_mode(&model, file);
        assert_eq!(server.find(&model).is_some(), is_weights, "folder {folder:o}, file {file:o}");
    }
}
