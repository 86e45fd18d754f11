//! Looks at a component before it is compiled, and has it count what it does.
//!
//! [`Outline`] has the names of what a component exports and imports, and [`Shape`] how large and how deeply nested it is,
//! compared with bounds on what a compiler is given.
//!
//! An engine's own count of fuel calls back into the engine from every loop, since fuel may be filled up there, and so a compiler has
//! to keep everything that a loop works on safe from that call. That takes a third of a grader's speed. Here the count is part of
//! the program instead: each core module of a component adds to a counter that they share, and ends with a trap where it is
//! used up. Nothing comes back from a trap, so loops stay in registers. And since the count is in the program, every engine that
//! runs it counts the same.
//!
//! What is counted: every instruction that a function executes is one unit, except `nop`, `drop` and those that only give structure
//! (`block`, `loop`, `else`, `end`, `return`, `unreachable`); each entry of a function is one more; and instructions over a whole
//! range of a memory or table cost one unit for 16 bytes or one element beside that. The count is compared with the limit where a
//! function and where a turn of a loop begins, so no program runs on without meeting it. What components inside of a component
//! hand to each other is paid for by its length and by the call.
//!
//! No I/O, and no engine: bytes go in, and bytes come out.

mod body;
mod component;
mod crossing;
mod module;
mod outline;
mod shape;

pub use component::metered;
pub use outline::Outline;
pub use shape::{Measure, Shape, ShapeError, TooComplex};

/// What the names of the functions begin with that metered components export, and no name that a plugin exports does.
pub const EXPORTS: &str = "bench-meter";

/// What a metered component exports for each of its counters, from 0 on: `func(counter: s64) -> s64`. It sets the counter and returns
/// what it was. A counter rises towards 0, and a program that brings it there ends, so what may be used is set as a negative number. A
/// component made of components has a counter for each that has code.
pub fn export(counter: u32) -> String {
    match counter {
        0 => EXPORTS.to_owned(),
        inner => format!("{EXPORTS}-n{inner}"),
    }
}

/// Changes whenever the same component comes out as other bytes or counts other units; part of what compiled code is kept under.
pub const VERSION: u32 = 2;

/// What a component may use while it is made, before anybody sets the counter.
pub const TO_START: i64 = 10_000_000_000;

/// Why a component cannot be metered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeterError {
    /// It is no component, or a broken one.
    #[error("{0}")]
    Invalid(String),
    /// It is put together in a way, or uses a feature of WebAssembly, that is not counted.
    #[error("{0} cannot be metered")]
    Unsupported(&'static str),
}

impl MeterError {
    /// Stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "not-a-component",
            Self::Unsupported(_) => "not-countable",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Invalid(_) => None,
            Self::Unsupported(_) => {
                Some("build it with 32-bit memories and without exceptions, and let components share functions alone")
            }
        }
    }
}

/// Errors of readers and re-encoders.
type Failure = wasm_encoder::reencode::Error<MeterError>;

/// What stops a re-encoder.
fn unsupported(what: &'static str) -> Failure {
    Failure::UserError(MeterError::Unsupported(what))
}
