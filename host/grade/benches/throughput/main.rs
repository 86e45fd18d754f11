//! Samples per second and core of scorer components, against the same rules compiled natively: rounds of the two in turns, and
//! the median of their ratios, so that whatever else the machine does hits both.
//!
//! Times are of whole calls: copying samples into the sandbox and lifting verdicts out are part of the cost. The native scorer is
//! given copies of its own as well, since it takes samples by value like the component. `call` is one call for so many samples,
//! `graded` is what users have: [`Grader`] on one thread, without the second pass.
//!
//! `--task=NAME` measures one scorer, `--folder=FOLDER` other builds than those of the registry.

mod tasks;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bench_grade::{GradeOptions, Grader, Verify};
use bench_plugin::{Fault, Host, HostOptions, Limits, with_room};
use tasks::{TASKS, Task};

/// Samples of a round.
const SAMPLES: usize = 8_192;

/// Samples per call.
const CALLS: [usize; 2] = [1, 64];

/// What a component should reach of its native twin.
const WANTED: f64 = 0.7;

fn main() -> Result<(), Box<dyn Error>> {
    let host = Host::new(HostOptions { cache: None });
    row(["scorer", "in calls of", "samples/s", "native", "ratio"]);
    let mut slow = Vec::new();
    for task in TASKS.iter().filter(|task| argument("--task=").is_none_or(|wanted| task.name == wanted)) {
        let ratio = measure(&host, task)?;
        if ratio < WANTED {
            slow.push(format!("{} {ratio:.2}", task.name));
        }
    }
    say(&format!(
        "graded at less than {WANTED} of native: {}",
        if slow.is_empty() { "none".into() } else { slow.join(", ") }
    ));
    Ok(())
}

/// Prints the rows of a task; the ratio as users have it.
fn measure(host: &Host, task: &Task) -> Result<f64, Box<dyn Error>> {
    let samples: Vec<_> = (0..SAMPLES).map(|number| (task.item)(number).host(number)).collect();
    let native: Vec<_> = (0..SAMPLES).map(|number| (task.item)(number).guest(number)).collect();
    let twin = (task.twin)(task.config)?;
    let plugin = host.load(&std::fs::read(component(task.name))?, Limits::DEFAULT)?;
    let outside = || native.chunks(64).flat_map(|call| twin(call.to_vec())).map(|verdict| verdict.value).sum();
    for call in CALLS {
        let mut scorer = plugin.scorer()?;
        let opened = scorer.open(task.config)?;
        let mut all = || -> Result<f64, Fault> {
            samples.chunks(call).try_fold(0.0, |sum, call| {
                let scored = scorer.score(&opened, call)?;
                Ok(scored.verdicts.iter().fold(sum, |sum, verdict| sum + verdict.value))
            })
        };
        // As whoever makes many calls, on one thread.
        compare((task.name, &call.to_string()), &mut || Ok(with_room(&mut all)?), outside)?;
    }
    let options = GradeOptions { workers: Some(1), verify: Verify::No, ..GradeOptions::default() };
    let grader = Grader::new(&plugin, task.config, options)?;
    let mut inside = || Ok(grader.grade(&samples)?.verdicts.iter().map(|verdict| verdict.value).sum());
    // Whoever grades a set has all of its verdicts at once.
    let outside = || {
        let verdicts: Vec<_> = native.chunks(64).flat_map(|call| twin(call.to_vec())).collect();
        verdicts.iter().map(|verdict| verdict.value).sum()
    };
    compare((task.name, "graded"), &mut inside, outside)
}

/// Runs both in turns, demands the same sum of values, prints a row and gives the ratio of their speeds.
fn compare(
    (task, what): (&str, &str),
    inside: &mut dyn FnMut() -> Result<f64, Box<dyn Error>>,
    outside: impl Fn() -> f64,
) -> Result<f64, Box<dyn Error>> {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 25 } else { 1 };
    let (mut sandboxed, mut native, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms caches and the guest's memory.
    for round in 0..=rounds {
        let start = Instant::now();
        let graded = inside()?;
        let middle = Instant::now();
        let wanted = outside();
        let end = Instant::now();
        if graded != wanted || !(1.0..SAMPLES as f64).contains(&wanted) {
            return Err(format!("{task}: values add up to {graded} inside and {wanted} outside").into());
        }
        if round > 0 {
            let (inside, outside) = ((middle - start).as_secs_f64(), (end - middle).as_secs_f64());
            sandboxed.push(SAMPLES as f64 / inside);
            native.push(SAMPLES as f64 / outside);
            ratios.push(outside / inside);
        }
    }
    let ratio = median(ratios);
    let (sandboxed, native) = (format!("{:.0}", median(sandboxed)), format!("{:.0}", median(native)));
    row([task, what, &sandboxed, &native, &format!("{ratio:.2}")]);
    Ok(ratio)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn row([task, call, sandboxed, native, ratio]: [&str; 5]) {
    say(&format!("{task:<16}{call:>12}{sandboxed:>12}{native:>12}{ratio:>8}"));
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn say(line: &str) {
    println!("{line}");
}

fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned))
}

fn component(name: &str) -> PathBuf {
    let registry = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registry/targets/scorer");
    argument("--folder=").map_or_else(registry, PathBuf::from).join(name).join("0.1.0.wasm")
}
