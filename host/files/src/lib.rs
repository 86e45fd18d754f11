//! Files on a machine that has other users.
//!
//! - [`PrivateFolder`] is a folder that only this user can write. It is opened once and used by its descriptor, so an
//!   exchange of a folder above it has no effect. Entries are checked for kind, owner, mode and links.
//! - [`StagedFile`] is a new file under a random name. It gets its real name when it is complete.
//! - [`open_regular`] and [`read_bounded`] read files that the user named. A FIFO, a device or a socket is an error and
//!   never makes the program wait.
//!
//! # Which folders are private
//!
//! The folder belongs to the effective user, and neither group nor others can write it. Each folder above it belongs to
//! root or to the effective user, and neither group nor others can write it unless it is sticky, as `/tmp` is. When the
//! effective user is root, each folder above it belongs to root. `sshd` has the same rules for its files. A group may write
//! when the user is its only member: some systems give each user such a group, and make folders that it can write.
//!
//! New folders get the mode 0700 and new files 0600, whatever the umask is.
//!
//! # Other systems
//!
//! On systems that are not Unix the functions work by path, and **no owner, mode or link is checked**. Only kinds of
//! files and sizes are checked there.

mod error;
mod folder;
#[cfg(unix)]
mod groups;
mod names;
mod output;
mod regular;
mod staged;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "portable.rs")]
mod system;

pub use error::FilesError;
pub use folder::PrivateFolder;
pub use names::staged_name;
pub use output::{
    append_private, create_new_private, create_private_folder, stage_private, write_output, write_private,
};
pub use regular::{open_no_link, open_regular, read_bounded, read_trusted};
pub use staged::StagedFile;
