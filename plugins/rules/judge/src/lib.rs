//! Answers graded by a model. The scorer writes the questions and reads the opinions; asking is the host's business, so that a
//! judge is reached the same way as any other model and a recorded opinion can be read again.

mod grades;
mod model_graded;
mod template;

pub use model_graded::{Majority, ModelGraded, ModelGradedConfig, Preset};
