//! Scorer model-graded; its rules are in `rules-judge`.

bench_scoring::export_scorer!(rules_judge::ModelGraded);
