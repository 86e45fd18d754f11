//! Grades many samples with one scorer component.
//!
//! - **All cores.** Samples are cut into blocks, which threads take one after another, each with an instance of its own.
//! - **Faults are kept apart.** A sample that traps, loops or returns nonsense gets a verdict `grader-failed` with the fault's code,
//!   and the others are graded. A sample is blamed only for what it does to an instance that has graded nothing else.
//! - **The same bytes everywhere.** Verdict and fuel of a sample depend on the component, its configuration and the set of samples,
//!   and on nothing else: neither on the order in which answers came nor on how many cores there are.
//! - **Trust is checked.** Samples are graded a second time in another order, in calls of another size; a scorer that answers
//!   differently is refused as `nondeterministic-scorer`.
//!
//! # What the fuel of a sample is
//! How many instructions a guest takes over a sample depends on what its instance did before: its allocator finds another
//! arrangement of free memory, caches of its regular expressions are filled. An instance per sample would make the count a
//! function of the sample alone, and costs many times what a simple verdict does. So history is fixed instead: samples are taken in
//! the order of their ids and epochs, in blocks whose size depends only on how many samples there are, each block on a fresh
//! instance with a fresh task, in calls that depend on the block alone. The fuel of a sample is an even share of what its call used.
//! It is 0 where grading failed.

mod block;
mod crew;
mod error;
mod grader;
mod seat;
mod verdict;
mod verify;

pub use error::GradeError;
pub use grader::{GradeOptions, Grader, Grades, Judged, Note};
pub use verdict::blame;
pub use verify::Verify;
