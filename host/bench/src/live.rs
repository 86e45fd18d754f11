//! The live view: what a run says while it runs. On a terminal a bar with the current rate, elsewhere a line per step.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bench_record::WorkloadStatus;
use bench_run::{Progress, Reporter, Update};
use bench_text::{clean_name, clean_sentence};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::numbers::{figure, lasting};
use crate::output;

/// Prints updates to standard error.
pub struct Live {
    bar: Option<ProgressBar>,
    terminal: bool,
}

/// The rate of the last moment. It counts the chunks of the streams, since how many tokens each carries is only known once
/// they are decoded, which is after the window; hence the "about".
#[derive(Default)]
struct Current {
    seconds: f64,
    frames: u64,
    rate: f64,
}

impl Current {
    fn rate(&mut self, seconds: f64, frames: u64) -> f64 {
        let passed = seconds - self.seconds;
        if self.seconds == 0.0 && seconds > 0.0 {
            self.rate = frames as f64 / seconds;
        }
        if passed >= MOMENT {
            self.rate = frames.saturating_sub(self.frames) as f64 / passed;
            (self.seconds, self.frames) = (seconds, frames);
        }
        self.rate
    }
}

/// Seconds over which the current rate is taken.
const MOMENT: f64 = 0.9;

/// How often the bar is drawn while a window is open: rarely, since drawing takes time from the measured client.
const REDRAW: Duration = Duration::from_millis(500);

/// Notes that only say what is being done, and the words that stand before them.
const PROGRESS: [(&str, &str); 2] = [("sweep-step", "trying "), ("calibrating", "")];

impl Live {
    /// A view for this process's standard error.
    pub fn new() -> Live {
        Live { bar: None, terminal: std::io::stderr().is_terminal() }
    }

    /// Removes the bar.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn say(&mut self, text: &str) {
        self.clear();
        output::say(text);
    }

    /// Shows something passing.
    fn passing(&mut self, text: String) {
        if !self.terminal {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4)).with_style(
                ProgressStyle::with_template("  {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        });
        bar.set_message(clean_sentence(text).to_string());
        bar.tick();
    }

    /// A bar that reads the window's counters by itself, on a thread of its own.
    fn window(&mut self, label: String, requests: u64, progress: &Progress) {
        self.clear();
        if !self.terminal {
            return;
        }
        let counters = progress.clone();
        let current = Arc::new(Mutex::new(Current::default()));
        let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let seen = counters.snapshot();
            let done = seen.finished + seen.failed;
            let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
            let rate = current.rate(state.elapsed().as_secs_f64(), seen.frames);
            write!(out, "{done}/{requests} requests, about {} tok/s", figure(rate)).ok();
        };
        let style = ProgressStyle::with_template("  {spinner} {msg}  {elapsed}  {rate}");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(2));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()).with_key("rate", rate));
        bar.set_message(clean_sentence(label).to_string());
        bar.enable_steady_tick(REDRAW);
        self.bar = Some(bar);
    }
}

impl Reporter for Live {
    fn update(&mut self, update: Update<'_>) {
        match update {
            Update::Detecting => self.passing("looking for engines".to_owned()),
            Update::Simulating { endpoint } => {
                self.clear();
                output::warning(
                    &format!(
                        "no engine was found; this is a SIMULATION at {endpoint}, and its numbers say nothing about any model"
                    ),
                    Some("start an engine, or name its address with --endpoint"),
                );
            }
            Update::Launching { command } => self.say(&format!("starting {}", clean_sentence(command))),
            Update::Connected { title, endpoint, version, model, context_length } => {
                let version = version.map_or_else(String::new, |version| format!(" {}", clean_name(version)));
                let context = context_length.map_or_else(String::new, |tokens| format!(", context {tokens}"));
                let (title, endpoint) = (clean_name(title), clean_sentence(endpoint));
                self.say(&format!("{title}{version} at {endpoint}, model {}{context}", clean_name(model)));
            }
            Update::Hashing { done, total } => {
                let percent = if total > 0 { done as f64 / total as f64 * 100.0 } else { 0.0 };
                self.passing(format!("hashing the model's weights: {percent:.0} %"));
            }
            Update::Estimate { seconds, requests } => {
                self.say(&format!("{requests} requests, at most about {}", lasting(seconds)));
            }
            Update::Workload { label, title, number, of } => {
                let (label, title) = (clean_name(label), clean_name(title));
                self.say(&format!("[{number}/{of}] {label} {title}"));
            }
            Update::Preparing { phase, done, of } => self.passing(format!("{phase}: making prompts {done}/{of}")),
            Update::Window { phase, repeat, of, requests, progress } => {
                let which = repeat.map_or_else(|| "warm-up".to_owned(), |repeat| format!("repeat {repeat}/{of}"));
                self.window(format!("{phase} {which}"), requests, progress);
            }
            Update::WindowClosed => self.clear(),
            Update::PhaseDone { phase } => {
                self.clear();
                if let Some(reason) = &phase.skip_reason {
                    self.say(&format!("  {} skipped: {}", clean_name(&phase.id), clean_sentence(reason)));
                }
            }
            Update::WorkloadDone { workload } => {
                self.clear();
                // What was skipped has said so phase by phase.
                if let Some(problem) = workload.problem.as_ref().filter(|_| workload.status != WorkloadStatus::Skipped)
                {
                    let words = output::noted(&problem.message, &problem.code);
                    output::warning(&format!("{}: {words}", clean_name(&workload.label)), problem.hint.as_deref());
                }
            }
            Update::Task { name, title, number, of } => {
                let (name, title) = (clean_name(name), clean_name(title));
                self.say(&format!("[{number}/{of}] {name} {title}"));
            }
            Update::Samples { done, of } => self.passing(format!("{done}/{of} samples")),
            Update::TaskDone { eval } => {
                self.clear();
                if let Some(problem) = &eval.problem {
                    let words = output::noted(&problem.message, &problem.code);
                    output::warning(&format!("{}: {words}", clean_name(&eval.task)), problem.hint.as_deref());
                }
            }
            Update::Note { code, text } => match PROGRESS.iter().find(|(progress, _)| *progress == code) {
                Some((_, doing)) => self.say(&format!("  {doing}{}", clean_sentence(text))),
                None => {
                    self.clear();
                    output::note(text, code, None);
                }
            },
            _ => {}
        }
    }
}
