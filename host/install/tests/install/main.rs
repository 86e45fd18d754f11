//! The user's side against registries that the author's side writes, and against ones that nobody should.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod attacks;
#[path = "../../../../tests/e2e/support/component.rs"]
mod component;
mod data;
mod delegations;
mod faults;
mod flow;
mod forge;
mod network;
mod program;
mod pulls;
#[path = "../../../oci/tests/oci/registry.rs"]
mod registry;
mod space;
mod support;
