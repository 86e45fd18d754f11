//! The invariants of `ARCHITECTURE.md`, checked against the crates, the sources and the committed files.
//!
//! A rule that only prose states is broken within a month. Each test here is one rule; a failure says where it is broken
//! and what to do. Sources are read as text with comments and literals blanked ([`project`]), which is no parser: a rule
//! is written so that the plain way of breaking it is caught, and the compiler or a type is asked where one can be.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod artefacts;
mod documents;
mod layers;
mod project;
mod purity;
mod sentences;
mod shape;
mod tampering;
mod window;
