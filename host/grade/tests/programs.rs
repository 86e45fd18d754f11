//! What models write, honest and hostile, and the verdicts of the committed `code-exec` on it under the real host: faults of its
//! instances are verdicts as well, and no attempt at anything is a pass. A case is a file of the scorer's own folder of tests.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bench_grade::{GradeOptions, Grader, Grades, Verify};
use bench_plugin::scorer_types::Sample;
use bench_plugin::{Limits, Plugin};
use common::{HOST, sample};

/// Enough for every honest case, and a second of an endless one.
const FUEL: u64 = 3_000_000_000;

/// Compiled by one process, while the others wait for what it leaves in the cache.
static CODE_EXEC: LazyLock<Plugin> = LazyLock::new(|| {
    let turn = fs::File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-exec.lock")).unwrap();
    turn.lock().unwrap();
    let component = fs::read(root().join("registry/targets/scorer/code-exec/0.1.0.wasm")).unwrap();
    HOST.load(&component, Limits { memory: 256 << 20, ..Limits::SCORER }).unwrap()
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn grade(samples: &[Sample], config: &str, verify: Verify) -> Grades {
    let options = GradeOptions { fuel_per_sample: Some(FUEL), verify, ..GradeOptions::default() };
    Grader::new(&CODE_EXEC, config, options).unwrap().grade(samples).unwrap()
}

/// An answer, and the reasons that are right for it.
struct Case {
    sample: Sample,
    expected: Vec<String>,
}

/// The cases of a folder. The first two lines of a file name the task and the reasons.
fn cases(folder: &str) -> Vec<Case> {
    let tests = root().join("plugins/scorers/code-exec/tests");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(tests.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let case = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let mut parts = text.splitn(3, '\n');
        let task = parts.next().unwrap().strip_prefix("# task: ").unwrap();
        let expected = parts.next().unwrap().strip_prefix("# expect: ").unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        Case {
            sample: Sample {
                target: fs::read_to_string(tests.join(format!("tasks/{task}.json"))).unwrap(),
                ..sample(name, parts.next().unwrap())
            },
            expected: expected.split_whitespace().map(str::to_owned).collect(),
        }
    };
    paths.into_iter().map(case).collect()
}

/// Grades the cases of a folder and demands the first reason of each, which is the host's; the others are what other runtimes make
/// of the same program.
fn demand(folder: &str, verify: Verify) -> Grades {
    let cases = cases(folder);
    let samples: Vec<Sample> = cases.iter().map(|case| case.sample.clone()).collect();
    let grades = grade(&samples, "{}", verify);
    let mut differing = BTreeMap::new();
    for (case, verdict) in cases.iter().zip(&grades.verdicts) {
        let value = if case.expected[0] == "correct" { 1.0 } else { 0.0 };
        if verdict.reason.word() != case.expected[0] || verdict.value != value {
            let found = (verdict.reason.word().to_owned(), verdict.value, verdict.explanation.clone());
            differing.insert(&verdict.id, (&case.expected, found));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    grades
}

#[test]
fn honest_programs_pass_twice() {
    let grades = demand("honest", Verify::All);
    assert_eq!(grades.checked, grades.verdicts.len());
    assert!(grades.fuel.iter().all(|fuel| *fuel > 0));
}

#[test]
fn no_hostile_program_passes_and_each_gets_its_own_verdict() {
    let grades = demand("hostile", Verify::No);
    assert!(grades.verdicts.iter().all(|verdict| verdict.value == 0.0));
    // Those that end the instance: the verdict is the host's, in the words of its fault.
    let faults = [
        ("endless-loop", "it used up its fuel"),
        ("memory-string", "of memory"),
        ("deep-tuple", "it recursed too deeply"),
        ("waits-for-lock", "it trapped"),
    ];
    for (case, words) in faults {
        let verdict = grades.verdicts.iter().find(|verdict| verdict.id == case).unwrap();
        let said = verdict.explanation.as_ref().unwrap();
        assert!(said.contains("failed in `scorer.task.score`") && said.contains(words), "{case}: {said}");
    }
}

#[test]
fn each_shape_of_the_public_sets_has_a_program_that_passes_and_one_that_does_not() {
    // Fields of HumanEval, HumanEval+, MBPP, its setup, MBPP+, LiveCodeBench with standard input and with a function, both as
    // prepared for lm-eval and as published.
    let shapes = ["add", "plus", "listed", "tree", "mbpp-plus", "echo", "method", "published", "published-method"];
    let tests = root().join("plugins/scorers/code-exec/tests");
    let mut tasks: Vec<String> = fs::read_dir(tests.join("tasks"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    tasks.sort();
    let mut wanted = shapes.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(tasks, wanted);
    for folder in ["honest", "hostile"] {
        let found = cases(folder);
        for task in &tasks {
            let target = fs::read_to_string(tests.join(format!("tasks/{task}.json"))).unwrap();
            assert!(found.iter().any(|case| case.sample.target == target), "{folder}: no case of {task}");
        }
    }
}

#[test]
fn what_is_missing_is_said_by_name() {
    let target = fs::read_to_string(root().join("plugins/scorers/code-exec/tests/tasks/add.json")).unwrap();
    let missing = ["numpy", "pandas", "scipy", "sympy", "sortedcontainers", "networkx", "asyncio", "xml", "sqlite3"];
    let importing = |name: &&str| Sample {
        target: target.clone(),
        ..sample(name, &format!("import {name}\n\ndef add(a, b):\n    return a + b\n"))
    };
    let grades = grade(&missing.iter().map(importing).collect::<Vec<_>>(), "{}", Verify::No);
    for (name, verdict) in missing.iter().zip(&grades.verdicts) {
        // What would lead out of Python is more than missing.
        let reason = if *name == "sqlite3" { "forbidden" } else { "missing-module" };
        assert_eq!((verdict.value, verdict.reason.word()), (0.0, reason), "{name}");
        assert!(verdict.explanation.as_ref().unwrap().contains(*name), "{verdict:?}");
    }
}

#[test]
fn an_item_whose_tests_cannot_run_here_is_unscored_and_says_why() {
    let item = |id: &str, target: &str| Sample { target: target.to_owned(), ..sample(id, "def f(x):\n    return x\n") };
    let items = [
        item("a", r#"{"test_list": ["assert np.isclose(f(1), 1)"], "test_imports": ["import numpy as np"]}"#),
        item("b", r#"{"test_list": ["assert f(1) == "]}"#),
        item("c", r#"{"entry_point": "f", "prompt": "", "canonical_solution": "import numpy\n", "base_input": [[1]]}"#),
        item("d", r#"{"answer": 42}"#),
    ];
    let grades = grade(&items, "{}", Verify::No);
    for (verdict, said) in grades.verdicts.iter().zip(["numpy", "does not compile", "numpy", "test_list"]) {
        assert!(verdict.value.is_nan(), "{verdict:?}");
        let bench_plugin::scorer_types::Reason::GraderFailed(problem) = &verdict.reason else { panic!("{verdict:?}") };
        assert!(problem.code == "bad-target" && problem.message.contains(said), "{problem:?}");
        assert!(problem.hint.is_some());
    }
}
