//! Components in OCI registries, as a convenience.
//!
//! A registry of this kind signs nothing: whoever runs it, or gets in between, can put anything under any tag. So nothing here is believed
//! for where it came from. A reference carries the digest of a manifest, the manifest that of the component, and bytes that have another
//! one are thrown away. A tag serves to be told which digest it has now, and to push.
//!
//! The protocol is spoken here, over the project's own connections, and not by a library: those at hand read bodies before they know how
//! long they are, follow redirects to anywhere, and send logins to whatever place a server names.

mod challenge;
mod client;
mod error;
mod layout;
mod logins;
mod place;
mod push;
mod reference;

pub use client::{Access, Blob, Client, LARGEST_MANIFEST, Settings};
pub use error::OciError;
pub use layout::{Artifact, Layer};
pub use logins::{HOST_VARIABLE, Login, Logins, PASSWORD_VARIABLE, USER_VARIABLE};
pub use push::{expect_name, push};
pub use reference::{Digest, Reference, SCHEME};
