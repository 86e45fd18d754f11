//! Grading what was answered before, without asking anybody.

use bench_grade::{GradeError, Grader};
use bench_samples::{SampleRecord, ScorerRecord};

use crate::grading::{Scores, grade};

/// Grades samples of one task and writes the verdicts into them. Samples whose failure says nothing about the model are not
/// graded, and lose the verdict that they have.
///
/// # Errors
///
/// See [`GradeError`].
pub fn regrade(grader: &Grader<'_>, scorer: &ScorerRecord, records: &mut [SampleRecord]) -> Result<Scores, GradeError> {
    grade(grader, scorer, records, None)
}
