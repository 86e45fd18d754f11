//! Reading comprehension as SQuAD grades it, and retrieval as RULER does.

mod ruler;
mod squad;

pub use ruler::{Mode, Ruler, RulerConfig, RulerFixed, RulerFixedConfig};
pub use squad::{Squad, SquadConfig, Version};
