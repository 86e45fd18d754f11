//! The weights that a server of this machine really has.
//!
//! A server names its model by a path, and may name any file: the digest of a short secret gives the secret away. So a
//! file counts as weights only when it begins as weights do, and when the server has it open or mapped. Engines that
//! close their files after loading are believed for files of 1 MiB or more that the server's user can read.
//! Of any other file nothing is said, not even whether it exists.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bench_files::open_regular;

use super::{ModelFormat, WeightFile, gguf, gguf_shards, safetensors, weights_in};
use crate::Tree;

/// The smallest file that counts as weights although the server does not hold it open: 1 MiB. No secret is as large and
/// begins as weights do.
const SMALLEST_CLOSED: u64 = 1 << 20;
/// Processes below a server that are looked at. Engines have one per accelerator and a few more.
const MOST_PROCESSES: usize = 1024;

/// The open files of the model that a server has.
#[derive(Debug)]
pub struct ServedModel {
    pub(super) format: ModelFormat,
    pub(super) files: Vec<WeightFile>,
    pub(super) config: Option<File>,
}

impl ServedModel {
    /// Opens the files of the model that the process `server` named `path`. `tree` is where `/proc` is. A relative path is
    /// relative to the folder that the process runs in. `None` when this is not a model that the process has.
    pub fn find(tree: &Tree, server: u32, path: &Path) -> Option<ServedModel> {
        let server = Server::look(tree, server);
        let path = if path.is_absolute() { path.to_owned() } else { server.folder.clone()?.join(path) };
        let is_folder = std::fs::metadata(&path).ok()?.is_dir();
        let paths = if is_folder { weights_in(&path).ok()? } else { vec![path] };
        let (format, first) = server.open_weights(paths.first()?)?;
        let paths = match format {
            ModelFormat::Gguf if !is_folder => gguf_shards(&first.path).ok()?,
            _ => paths,
        };
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let (other, file) = server.open_weights(&path)?;
            if other != format {
                return None;
            }
            files.push(file);
        }
        let config = match format {
            ModelFormat::Safetensors => server.open_config(&files.first()?.path.with_file_name("config.json")),
            _ => None,
        };
        Some(ServedModel { format, files, config })
    }
}

/// A file of a file system.
type FileId = (u64, u64);

/// What is known of a server's processes.
struct Server {
    /// Files that they have open or mapped.
    held: BTreeSet<FileId>,
    /// Whose rights count for files that are closed by now. `None` when a path means another file to the server.
    user: Option<ServerUser>,
    /// The folder that the server runs in.
    folder: Option<PathBuf>,
}

impl Server {
    fn look(tree: &Tree, server: u32) -> Server {
        let held = processes(tree, server).into_iter().flat_map(|process| held_files(tree, process)).collect();
        let namespace = tree.link_name(&format!("/proc/{server}/ns/mnt"));
        let same_files = namespace.is_some() && namespace == tree.link_name("/proc/self/ns/mnt");
        Server {
            held,
            user: same_files.then(|| ServerUser::read(tree, server)).flatten().or_else(ServerUser::without_proc),
            folder: tree.link_target(&format!("/proc/{server}/cwd")),
        }
    }

    /// Opens a file that is weights of this server.
    fn open_weights(&self, path: &Path) -> Option<(ModelFormat, WeightFile)> {
        let mut file = open_regular(path).ok()?;
        let metadata = file.metadata().ok()?;
        let is_closed_weights = || metadata.len() >= SMALLEST_CLOSED && self.can_read(path, &metadata);
        if !self.held.contains(&file_id(&metadata)) && !is_closed_weights() {
            return None;
        }
        let format = header_format(&mut file)?;
        Some((format, WeightFile { path: path.to_owned(), file }))
    }

    /// Opens the description beside the weights, where the server can read it.
    fn open_config(&self, path: &Path) -> Option<File> {
        let file = open_regular(path).ok()?;
        let metadata = file.metadata().ok()?;
        (self.held.contains(&file_id(&metadata)) || self.can_read(path, &metadata)).then_some(file)
    }

    fn can_read(&self, path: &Path, metadata: &Metadata) -> bool {
        self.user.as_ref().is_some_and(|user| user.can_read(path, metadata))
    }
}

/// The format of a file by its content, when it is a format of weights.
fn header_format(file: &mut File) -> Option<ModelFormat> {
    let mut magic = [0_u8; 4];
    let is_gguf = file.read_exact(&mut magic).is_ok() && magic == gguf::MAGIC;
    file.seek(SeekFrom::Start(0)).ok()?;
    let header = BufReader::with_capacity(1 << 16, &mut *file);
    let is_understood = if is_gguf { gguf::parse(header).is_ok() } else { safetensors::parse(header).is_ok() };
    file.seek(SeekFrom::Start(0)).ok()?;
    is_understood.then_some(if is_gguf { ModelFormat::Gguf } else { ModelFormat::Safetensors })
}

/// The process and those that it started, directly or not: engines load weights in workers.
fn processes(tree: &Tree, server: u32) -> BTreeSet<u32> {
    let parent = |process: u32| {
        let stat = tree.value(&format!("/proc/{process}/stat"))?;
        // Field 4 of proc(5); the list starts with field 3.
        crate::conditions::linux::stat_fields(&stat)?.get(1)?.parse::<u32>().ok()
    };
    let parents: Vec<(u32, u32)> =
        tree.numbered("/proc", "").into_iter().filter_map(|process| Some((process, parent(process)?))).collect();
    let mut found = BTreeSet::from([server]);
    loop {
        let children: Vec<u32> = parents
            .iter()
            .filter(|(process, parent)| found.contains(parent) && !found.contains(process))
            .map(|(process, _)| *process)
            .collect();
        if children.is_empty() || found.len() > MOST_PROCESSES {
            return found;
        }
        found.extend(children);
    }
}

/// Files that a process has open, and files that it has mapped.
fn held_files(tree: &Tree, process: u32) -> Vec<FileId> {
    let folder = format!("/proc/{process}/fd");
    let open = tree.names(&folder).into_iter().filter_map(|name| {
        let metadata = tree.metadata(&format!("{folder}/{name}"))?;
        metadata.is_file().then(|| file_id(&metadata))
    });
    let maps = tree.text(&format!("/proc/{process}/maps")).into_value().unwrap_or_default();
    open.chain(maps.lines().filter_map(mapped_file)).collect()
}

/// The file of a line of `/proc/PID/maps`: `address permissions offset major:minor inode path`.
fn mapped_file(line: &str) -> Option<FileId> {
    let mut fields = line.split_ascii_whitespace();
    let (major, minor) = fields.nth(3)?.split_once(':')?;
    let inode: u64 = fields.next()?.parse().ok()?;
    let device = device_number(u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
    (inode != 0).then_some((device, inode))
}

/// A device as `stat` numbers it on Linux.
fn device_number(major: u32, minor: u32) -> u64 {
    let (major, minor) = (u64::from(major), u64::from(minor));
    ((major & 0xfff) << 8) | ((major & !0xfff) << 32) | (minor & 0xff) | ((minor & !0xff) << 12)
}

#[cfg(unix)]
fn file_id(metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere no process is found, so that no file is held.
#[cfg(not(unix))]
fn file_id(_metadata: &Metadata) -> FileId {
    (0, 0)
}

/// The user and the groups that a server runs as.
struct ServerUser {
    user: u32,
    groups: Vec<u32>,
}

impl ServerUser {
    /// The effective ids of a process, from `/proc/PID/status`.
    fn read(tree: &Tree, process: u32) -> Option<ServerUser> {
        let status = tree.value(&format!("/proc/{process}/status"))?;
        let numbers = |name: &str| -> Option<Vec<u32>> {
            let field = crate::surroundings::status_field(&status, name)?;
            Some(field.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect())
        };
        let mut groups = numbers("Groups").unwrap_or_default();
        groups.push(*numbers("Gid")?.get(1)?);
        Some(ServerUser { user: *numbers("Uid")?.get(1)?, groups })
    }

    /// Where there is no `/proc`, an ordinary user sees only servers of its own, which can read what it can read. Root sees
    /// those of all users, so only what everybody can read counts.
    #[cfg(all(unix, not(target_os = "linux")))]
    fn without_proc() -> Option<ServerUser> {
        // SAFETY: geteuid and getegid have no preconditions and cannot fail.
        let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
        let nobody = u32::MAX;
        Some(match user {
            0 => ServerUser { user: nobody, groups: Vec::new() },
            user => ServerUser { user, groups: vec![group] },
        })
    }

    #[cfg(any(not(unix), target_os = "linux"))]
    const fn without_proc() -> Option<ServerUser> {
        None
    }

    /// Whether the mode bits let the user read the file and pass the folders above it.
    #[cfg(unix)]
    fn can_read(&self, path: &Path, metadata: &Metadata) -> bool {
        const READ: u32 = 0o4;
        const PASS: u32 = 0o1;
        let Ok(path) = path.canonicalize() else { return false };
        let mut folders = path.ancestors().skip(1);
        self.may(metadata, READ)
            && folders.all(|folder| std::fs::metadata(folder).is_ok_and(|folder| self.may(&folder, PASS)))
    }

    #[cfg(unix)]
    fn may(&self, metadata: &Metadata, bit: u32) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let class = match metadata {
            _ if self.user == 0 => return true,
            file if file.uid() == self.user => 6,
            file if self.groups.contains(&file.gid()) => 3,
            _ => 0,
        };
        metadata.mode() >> class & bit != 0
    }

    #[cfg(not(unix))]
    fn can_read(&self, _path: &Path, _metadata: &Metadata) -> bool {
        let _ = (self.user, &self.groups);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{device_number, mapped_file};

    #[test]
    fn lines_of_maps_name_files() {
        let line = "7f0e7f200000-7f0e7f400000 r--s 00000000 103:02 12583021                  /models/a b.gguf";
        assert_eq!(mapped_file(line), Some((device_number(0x103, 2), 12_583_021)));
        assert_eq!(mapped_file("7ffd0-7ffd1 rw-p 00000000 00:00 0                          [stack]"), None);
        assert_eq!(mapped_file("nonsense"), None);
        assert_eq!(device_number(0x103, 2), 0x10302);
        assert_eq!(device_number(8, 0x101), 0x0010_0801);
    }
}
