//! Verdicts of the host's own making, and what it does to those of a scorer.

use bench_plugin::scorer_types::{Info, Reason, Sample, Verdict};
use bench_plugin::types::Problem;
use bench_plugin::{Fault, FaultKind};

/// Bytes of a text in a verdict that are kept. A scorer may take ten megabytes to be the answer; nobody reads them.
const LONGEST_TEXT: usize = 64 << 10;

/// The call in which a scorer may run what a model wrote.
const SCORE: &str = "scorer.task.score";

/// The verdict on a sample over which a scorer failed on an instance that had graded nothing before: unscored, but for one that
/// runs what a model wrote, whose program that then was.
pub fn blame(scorer: &Info, sample: &Sample, fault: &Fault) -> Verdict {
    let ran_program = scorer.fresh_instance && fault.export == SCORE;
    let reason = if ran_program { of_program(&fault.kind) } else { None };
    match reason {
        Some(reason) => ended(sample, reason, fault),
        None => failed(sample, fault),
    }
}

/// The verdict on a sample whose grading failed.
pub(crate) fn failed(sample: &Sample, fault: &Fault) -> Verdict {
    let problem = fault.problem().cloned().unwrap_or_else(|| Problem {
        code: fault.code().to_owned(),
        message: fault.to_string(),
        hint: fault.hint(),
    });
    Verdict {
        id: sample.id.clone(),
        epoch: sample.epoch,
        value: f64::NAN,
        reason: Reason::GraderFailed(problem),
        extracted: None,
        explanation: None,
        sub_scores: Vec::new(),
    }
}

/// Why a program that a model wrote is wrong, where it ended the instance that ran it. It is the program's doing, so it counts:
/// an unscored sample would let a model hide a bad answer behind a crash. `None` for what no program can bring about, and for a
/// deadline on the clock: another machine might have made it.
fn of_program(fault: &FaultKind) -> Option<Reason> {
    match fault {
        // The clock is frozen, so what waits would do so for ever.
        FaultKind::Fuel | FaultKind::Waited => Some(Reason::TimedOut),
        FaultKind::Memory { .. } | FaultKind::Stack => Some(Reason::OutOfResources),
        FaultKind::Trap(_) | FaultKind::BadValue(_) | FaultKind::Lie(_) => Some(Reason::Tampered),
        _ => None,
    }
}

/// The verdict on a program that ended the instance that ran it.
fn ended(sample: &Sample, reason: Reason, fault: &Fault) -> Verdict {
    Verdict {
        id: sample.id.clone(),
        epoch: sample.epoch,
        value: 0.0,
        reason,
        extracted: None,
        explanation: Some(fault.to_string()),
        sub_scores: Vec::new(),
    }
}

/// Cuts texts to the length that is kept. Answers whether it had to.
pub(crate) fn trim(verdict: &mut Verdict) -> bool {
    let mut cut = false;
    let mut trim = |text: &mut String| {
        if text.len() > LONGEST_TEXT {
            text.truncate(text.floor_char_boundary(LONGEST_TEXT));
            text.shrink_to_fit();
            cut = true;
        }
    };
    verdict.extracted.as_mut().map(&mut trim);
    verdict.explanation.as_mut().map(&mut trim);
    match &mut verdict.reason {
        Reason::Other(text) => trim(text),
        Reason::GraderFailed(problem) => {
            trim(&mut problem.code);
            trim(&mut problem.message);
            problem.hint.as_mut().map(&mut trim);
        }
        _ => {}
    }
    for score in &mut verdict.sub_scores {
        trim(&mut score.name);
        trim(&mut score.unit);
    }
    cut
}

/// What differs between two verdicts on one sample, if anything does. Values are compared as bits: what is not a number equals
/// itself here, and zero is not minus zero.
pub(crate) fn difference(first: &Verdict, second: &Verdict) -> Option<String> {
    let same = |one: f64, other: f64| one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan());
    if !same(first.value, second.value) {
        return Some(format!("its value was {} and then {}", first.value, second.value));
    }
    if first.reason != second.reason {
        return Some(format!("its reason was {:?} and then {:?}", first.reason, second.reason));
    }
    if first.extracted != second.extracted {
        return Some("something else was taken to be the answer".to_owned());
    }
    if first.explanation != second.explanation {
        return Some("its explanation changed".to_owned());
    }
    let sub_scores = first.sub_scores.len() == second.sub_scores.len()
        && first.sub_scores.iter().zip(&second.sub_scores).all(|(one, other)| {
            same(one.value, other.value)
                && (&one.name, &one.unit, one.higher_is_better) == (&other.name, &other.unit, other.higher_is_better)
        });
    (!sub_scores).then(|| "its sub-scores changed".to_owned())
}

#[cfg(test)]
mod tests {
    use bench_plugin::scorer_types::{Info, Reason, Sample, Verdict};
    use bench_plugin::types::Metric;
    use bench_plugin::{Fault, FaultKind};

    use super::{LONGEST_TEXT, SCORE, blame, difference, trim};

    fn verdict() -> Verdict {
        Verdict {
            id: "a".to_owned(),
            epoch: 0,
            value: f64::NAN,
            reason: Reason::Other("none".to_owned()),
            extracted: None,
            explanation: None,
            sub_scores: vec![Metric { name: "x".to_owned(), value: 0.0, unit: String::new(), higher_is_better: None }],
        }
    }

    #[test]
    fn what_is_not_a_number_equals_itself_and_zero_has_a_sign() {
        assert_eq!(difference(&verdict(), &verdict()), None);
        let mut negative = verdict();
        negative.sub_scores[0].value = -0.0;
        assert!(difference(&verdict(), &negative).is_some());
        let other = Verdict { extracted: Some(String::new()), ..verdict() };
        assert!(difference(&verdict(), &other).is_some());
    }

    #[test]
    fn the_clock_never_decides_on_an_answer() {
        let scorer = Info {
            name: "runs-programs".to_owned(),
            version: "0.1.0".to_owned(),
            summary: String::new(),
            reference: String::new(),
            config_schema: "{}".to_owned(),
            metrics: Vec::new(),
            deterministic: true,
            unbounded: false,
            fresh_instance: true,
            needs_judge: false,
            needs_likelihoods: false,
        };
        let sample = Sample {
            id: "a".to_owned(),
            epoch: 0,
            prompt: Vec::new(),
            target: String::new(),
            answer: Some("while True: pass".to_owned()),
            reasoning: None,
            tool_calls: Vec::new(),
            finish: None,
            likelihoods: Vec::new(),
            metadata: "{}".to_owned(),
        };
        let fault = |kind| Fault {
            plugin: "runs-programs 0.1.0".to_owned(),
            digest: String::new(),
            export: SCORE,
            kind,
            frames: Vec::new(),
        };
        let late = blame(&scorer, &sample, &fault(FaultKind::Deadline));
        assert!(late.value.is_nan());
        assert!(matches!(late.reason, Reason::GraderFailed(problem) if problem.code == "plugin-deadline"));
        // Fuel is the same everywhere, so a program that uses it up is wrong.
        let endless = blame(&scorer, &sample, &fault(FaultKind::Fuel));
        assert_eq!((endless.value, endless.reason), (0.0, Reason::TimedOut));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut long = Verdict { explanation: Some("é".repeat(LONGEST_TEXT) + "x"), ..verdict() };
        assert!(trim(&mut long));
        assert_eq!(long.explanation.as_ref().map(String::len), Some(LONGEST_TEXT));
        let mut odd = Verdict { extracted: Some("x".to_owned() + &"é".repeat(LONGEST_TEXT)), ..verdict() };
        assert!(trim(&mut odd));
        assert_eq!(odd.extracted.as_ref().map(String::len), Some(LONGEST_TEXT - 1));
        assert!(!trim(&mut verdict()));
    }
}
