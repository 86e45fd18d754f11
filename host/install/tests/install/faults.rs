//! What is left when an installation is cut off anywhere, when the disk or the network misbehaves, and when names are traps.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bench_install::{Disk, Fetching, FileOps, Folder, InstallError, Sink, Transport, TransportError};
use bench_plugin::Kind;
use bench_registry::{Lock, hex};
use sha2::{Digest as _, Sha256};

use crate::support::*;

/// How the disk ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The process dies before an operation, and nothing after it happens.
    Before,
    /// It dies in the middle of one: a write leaves half of its bytes.
    Within,
    /// The disk is full from there on: nothing grows any more.
    Full,
}

/// A disk on which an operation is the last one.
#[derive(Debug)]
pub struct Dying {
    left: AtomicUsize,
    end: End,
}

impl Dying {
    /// One on which so many operations go well.
    pub fn after(steps: usize, end: End) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(steps), end })
    }

    fn step(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    fn over<T>(&self) -> io::Result<T> {
        match self.end {
            End::Full => Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device")),
            _ => Err(io::Error::other("the process was killed")),
        }
    }

    fn growing(&self, bytes: &[u8], write: impl Fn(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if self.step() {
            return write(bytes);
        }
        if self.end != End::Before && self.left.swap(0, Ordering::SeqCst) == 0 {
            write(&bytes[..bytes.len() / 2])?;
        }
        self.over()
    }
}

impl FileOps for Dying {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        if self.step() { Disk.create_folder(path) } else { self.over() }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.growing(bytes, |bytes| Disk.write(path, bytes))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.growing(bytes, |bytes| Disk.append(path, bytes))
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        if self.step() { Disk.sync(path) } else { self.over() }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.step() { Disk.rename(from, to) } else { self.over() }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.step() { Disk.remove(path) } else { self.over() }
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        Disk.read(path, limit)
    }

    fn make_runnable(&self, path: &Path) -> io::Result<()> {
        if self.step() { Disk.make_runnable(path) } else { self.over() }
    }
}

fn on(user: &User, author: &Author, now: i64, files: Arc<dyn FileOps>) -> bench_install::Installer {
    user.installer_over(vec![author.source("main")], options(day(now)), files)
}

/// What is installed is whole: everything that the lock lists is there and is what it was.
pub fn assert_whole(user: &User, at: &str) {
    let lock = Lock::read(&user.home().lock).unwrap_or_else(|error| panic!("{at}: {error}"));
    for item in lock.items() {
        user.home().store().read(&item.sha256, item.bytes).unwrap_or_else(|error| panic!("{at}: {error}"));
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &there);
        } else {
            fs::copy(&path, &there).unwrap();
        }
    }
}

#[test]
fn cut_off_anywhere_the_set_is_the_old_one_or_the_new_one() {
    let author = Author::new();
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0")], day(0));
    let before = User::new();
    wait(on(&before, &author, 0, Arc::new(Disk)).add(&[request("ollama")])).unwrap();
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.1"), component(Kind::Scorer, "match", "0.1.0")], day(1));
    for end in [End::Before, End::Within, End::Full] {
        let mut steps = 0;
        loop {
            let user = User::new();
            copy(&before.home().data, &user.home().data);
            let dying = Dying::after(steps, end);
            let at = format!("{end:?} after {steps} operations");
            let done = wait(on(&user, &author, 1, dying).add(&[request("ollama@=0.1.1"), request("match")]));
            assert_whole(&user, &at);
            let runs = (user.runs(Kind::Driver, "ollama").unwrap(), user.runs(Kind::Scorer, "match").is_some());
            let is_old = runs == ("0.1.0".to_owned(), false);
            let is_new = runs == ("0.1.1".to_owned(), true);
            assert!(is_old || is_new, "{at}: {runs:?}");
            if let Err(error) = &done {
                assert!(is_old || error.code() == "io", "{at}");
                // The next try goes through, with whatever was left behind.
                wait(on(&user, &author, 1, Arc::new(Disk)).add(&[request("ollama@=0.1.1"), request("match")]))
                    .unwrap_or_else(|error| panic!("{at}: {error}"));
            }
            assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.1", "{at}");
            // And the way back is open.
            on(&user, &author, 1, Arc::new(Disk)).rollback().unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_whole(&user, &at);
            if done.is_ok() {
                assert!(steps > 15, "an installation has more operations than {steps}");
                break;
            }
            steps += 1;
        }
    }
}

#[test]
fn going_back_is_cut_off_anywhere_too() {
    let author = Author::new();
    author
        .publish(vec![component(Kind::Driver, "ollama", "0.1.0"), component(Kind::Driver, "ollama", "0.1.1")], day(0));
    let before = User::new();
    wait(on(&before, &author, 0, Arc::new(Disk)).add(&[request("ollama@=0.1.0")])).unwrap();
    wait(on(&before, &author, 0, Arc::new(Disk)).add(&[request("ollama@=0.1.1")])).unwrap();
    for steps in 0.. {
        let user = User::new();
        copy(&before.home().data, &user.home().data);
        let dying = Dying::after(steps, End::Within);
        let done = on(&user, &author, 0, dying).rollback();
        assert_whole(&user, "rollback");
        let runs = user.runs(Kind::Driver, "ollama").unwrap();
        assert!(runs == "0.1.1" || runs == "0.1.0");
        if done.is_ok() {
            assert_eq!((runs.as_str(), steps > 4), ("0.1.0", true));
            break;
        }
    }
}

/// Runs a test of this binary again, as a process whom permissions keep out although it is root's.
#[cfg(unix)]
fn without_privileges(test: &str) {
    let this = std::env::current_exe().unwrap();
    let ran = std::process::Command::new("setpriv")
        .arg("--bounding-set=-dac_override,-dac_read_search")
        .arg(this)
        .args(["--exact", test, "--nocapture"])
        .env("WITHOUT_PRIVILEGES", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}

#[cfg(unix)]
#[test]
fn a_home_that_can_only_be_read_is_said_so_and_runs() {
    use std::os::unix::fs::PermissionsExt as _;
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0"), component(Kind::Scorer, "match", "0.1.0")], day(0));
    wait(on(&user, &author, 0, Arc::new(Disk)).add(&[request("ollama")])).unwrap();
    let data = user.home().data;
    let modes = |mode: u32| {
        for folder in [data.clone(), data.join("store"), data.join("store/sha256")] {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    modes(0o555);
    fs::set_permissions(data.join("install.guard"), fs::Permissions::from_mode(0o444)).unwrap();
    // Who may do everything is not kept out by permissions.
    if fs::write(data.join("probe"), "x").is_ok() {
        assert!(std::env::var_os("WITHOUT_PRIVILEGES").is_none(), "the privileges were not dropped");
        return without_privileges("faults::a_home_that_can_only_be_read_is_said_so_and_runs");
    }
    let (before, previous) = (fs::read(&user.home().lock).unwrap(), fs::read(user.home().previous()).unwrap());
    let done = wait(on(&user, &author, 0, Arc::new(Disk)).add(&[request("match")]));
    assert_eq!(done.unwrap_err().code(), "io");
    let done = on(&user, &author, 0, Arc::new(Disk)).rollback();
    assert_eq!(done.unwrap_err().code(), "io");
    assert_eq!(on(&user, &author, 0, Arc::new(Disk)).prune(false).unwrap_err().code(), "io");
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.0");
    assert_eq!((fs::read(&user.home().lock).unwrap(), fs::read(user.home().previous()).unwrap()), (before, previous));
    modes(0o755);
}

/// A network that misbehaves.
#[derive(Debug)]
struct Bad {
    folder: Folder,
    how: How,
    broken: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Each connection ends after this many bytes of a target.
    Cut(usize),
    /// It ends there and says that this was all.
    Short(usize),
    /// It does not stop.
    Endless,
    /// The first answers are errors.
    Status(u16, usize),
    /// One bit of each target is another.
    Flipped,
    /// It begins somewhere else than it was asked to.
    FromTheBeginning,
}

struct Bent<'s> {
    sink: &'s mut dyn Sink,
    how: How,
    given: usize,
}

impl Sink for Bent<'_> {
    fn begin(&mut self, from: u64) -> io::Result<()> {
        self.sink.begin(from)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut bytes = bytes.to_vec();
        match self.how {
            How::Cut(most) | How::Short(most) => {
                let rest = most.saturating_sub(self.given).min(bytes.len());
                self.given += rest;
                self.sink.write(&bytes[..rest])?;
                return if rest < bytes.len() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) };
            }
            How::Flipped => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            _ => {}
        }
        self.sink.write(&bytes)
    }
}

impl Transport for Bad {
    fn get<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a, Option<Vec<u8>>> {
        self.folder.get(path, limit)
    }

    fn fetch<'a>(&'a self, path: &'a str, from: u64, limit: u64, sink: &'a mut dyn Sink) -> Fetching<'a, ()> {
        Box::pin(async move {
            let from = if self.how == How::FromTheBeginning { 0 } else { from };
            match self.how {
                How::Status(status, times) if self.broken.fetch_add(1, Ordering::SeqCst) < times => {
                    Err(TransportError::Status { path: path.to_owned(), status })
                }
                How::Endless => {
                    sink.begin(0).unwrap();
                    for _ in 0..=limit / 65_536 {
                        sink.write(&[0; 65_536]).unwrap();
                    }
                    Err(TransportError::TooLong { path: path.to_owned(), limit })
                }
                how => {
                    let mut bent = Bent { sink, how, given: 0 };
                    match self.folder.fetch(path, from, limit, &mut bent).await {
                        Err(_) if matches!(how, How::Short(_)) => Ok(()),
                        Err(_) if matches!(how, How::Cut(_)) => {
                            Err(TransportError::Wire(bench_wire::WireError::ClosedEarly {
                                bytes: 0,
                                reason: "cut".to_owned(),
                            }))
                        }
                        other => other,
                    }
                }
            }
        })
    }
}

fn over_a_bad_network(how: How) -> (User, Result<(), InstallError>) {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Scorer, "match", "0.1.0")], day(0));
    let bad = Bad { folder: Folder::new(author.path()), how, broken: AtomicUsize::new(0) };
    let mut installer = user.installer(vec![author.source_by("main", Arc::new(bad))], day(0));
    let done = wait(installer.add(&[request("match")])).map(drop);
    (user, done)
}

#[test]
fn a_connection_that_breaks_is_gone_on_with() {
    let size = embedded(Kind::Scorer, "match").len();
    for how in [How::Cut(size / 3 + 1), How::Cut(size / 17), How::Status(503, 2), How::FromTheBeginning] {
        let (user, done) = over_a_bad_network(how);
        done.unwrap_or_else(|error| panic!("{how:?}: {error}"));
        assert!(user.runs(Kind::Scorer, "match").is_some());
    }
}

#[test]
fn what_is_wrong_is_thrown_away() {
    for (how, code) in [
        (How::Short(1000), "registry-mismatch"),
        (How::Endless, "registry-mismatch"),
        (How::Flipped, "registry-mismatch"),
        (How::Cut(0), "registry-unreachable"),
        (How::Status(500, usize::MAX), "registry-unreachable"),
        (How::Status(418, usize::MAX), "registry-unreachable"),
    ] {
        let (user, done) = over_a_bad_network(how);
        assert_eq!(done.unwrap_err().code(), code, "{how:?}");
        assert!(!user.home().lock.exists());
        let partial = user.home().store().root().join("partial");
        let left: u64 = fs::read_dir(partial).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert_eq!(left, 0, "{how:?}");
    }
}

#[test]
fn what_an_earlier_try_left_is_gone_on_with_or_thrown_away() {
    let bytes = embedded(Kind::Scorer, "match");
    let sha256 = hex(&Sha256::digest(&bytes));
    let half = bytes[..bytes.len() / 2].to_vec();
    let mut damaged = half.clone();
    damaged[7] ^= 1;
    let longer = [bytes.clone(), vec![0; 10]].concat();
    for left in [half, damaged, longer, bytes.clone(), Vec::new()] {
        let (author, user) = (Author::new(), User::new());
        author.publish(vec![component(Kind::Scorer, "match", "0.1.0")], day(0));
        let partial = user.home().store().root().join("partial");
        fs::create_dir_all(&partial).unwrap();
        fs::write(partial.join(&sha256), &left).unwrap();
        wait(on(&user, &author, 0, Arc::new(Disk)).add(&[request("match")])).unwrap();
        assert!(user.runs(Kind::Scorer, "match").is_some());
    }
}

#[cfg(unix)]
#[test]
fn links_in_the_store_lead_nowhere() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Scorer, "match", "0.1.0")], day(0));
    let bytes = embedded(Kind::Scorer, "match");
    let sha256 = hex(&Sha256::digest(&bytes));
    let elsewhere = user.folder.path().join("elsewhere");
    fs::write(&elsewhere, "the user's own").unwrap();
    let place = user.home().store().path(&sha256).unwrap();
    let partial = user.home().store().root().join("partial").join(&sha256);
    for link in [&place, &partial] {
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&elsewhere, link).unwrap();
    }
    wait(on(&user, &author, 0, Arc::new(Disk)).add(&[request("match")])).unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "the user's own");
    assert!(fs::symlink_metadata(&place).unwrap().is_file());
    assert!(user.runs(Kind::Scorer, "match").is_some());
}

#[test]
fn a_lock_that_is_damaged_stops_runs_and_changes() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Scorer, "match", "0.1.0")], day(0));
    wait(on(&user, &author, 0, Arc::new(Disk)).add(&[request("match")])).unwrap();
    let text = fs::read_to_string(user.home().lock).unwrap();
    fs::write(user.home().lock, &text[..text.len() / 2]).unwrap();
    assert_eq!(
        bench_registry::Shelf::open(&user.home().lock, user.home().store()).unwrap_err().code(),
        "lock-unreadable"
    );
    assert_eq!(wait(on(&user, &author, 0, Arc::new(Disk)).update(&[])).unwrap_err().code(), "lock-unreadable");
    // The way back is open, to the set before, and that stays the one before.
    fs::write(user.home().previous(), &text).unwrap();
    on(&user, &author, 0, Arc::new(Disk)).rollback().unwrap();
    assert!(user.runs(Kind::Scorer, "match").is_some());
    assert_eq!(fs::read_to_string(user.home().previous()).unwrap(), text);
}
