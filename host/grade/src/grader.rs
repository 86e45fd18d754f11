//! A scorer of one configuration, over any number of samples.

use std::sync::atomic::{AtomicUsize, Ordering};

use bench_plugin::scorer_types::{Estimate, Graded, Info, Opinion, Sample, Verdict};
use bench_plugin::types::Generation;
use bench_plugin::{Fault, LARGEST_MEMORY, Limits, Plugin, Scored, Scorer, Task};

use crate::block::{self, Block};
use crate::crew::{Canonical, Crew, Keyed};
use crate::error::GradeError;
use crate::seat::Seat;
use crate::verdict;
use crate::verify::{self, Verify};

/// How to grade.
#[derive(Debug, Clone, Copy, Default)]
pub struct GradeOptions {
    /// Threads; as many as there are cores where absent. Results do not depend on it.
    pub workers: Option<usize>,
    /// Fuel that one sample may use; what the plugin's limits say where absent.
    pub fuel_per_sample: Option<u64>,
    /// How much is graded a second time.
    pub verify: Verify,
}

/// A scorer of one configuration.
#[derive(Debug)]
pub struct Grader<'p> {
    plugin: &'p Plugin,
    info: Info,
    config: String,
    limits: Limits,
    options: GradeOptions,
}

/// What came of grading.
#[derive(Debug, Clone, PartialEq)]
pub struct Grades {
    /// In the order of the samples.
    pub verdicts: Vec<Verdict>,
    /// Fuel of each sample, in the order of the samples; 0 where grading failed. Samples that were graded in one call have even
    /// shares of what it used.
    pub fuel: Vec<u64>,
    /// How many samples were graded a second time, with the same verdicts.
    pub checked: usize,
    /// What else is worth knowing.
    pub notes: Vec<Note>,
}

/// Something worth knowing about a set of verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Stable identifier.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// A sample and what the judge said to the scorer's questions about it, one opinion for each question.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The sample.
    pub sample: Sample,
    /// In the order of the questions.
    pub opinions: Vec<Opinion>,
}

/// Something to grade.
pub(crate) trait Item: Keyed + Sync {
    /// How many are graded in one call of the first pass.
    const MOST_TOGETHER: usize;

    fn sample(&self) -> &Sample;

    /// The verdict and its fuel, in a call of its own.
    fn grade(&self, scorer: &mut Scorer, task: &Task) -> Result<(Verdict, u64), Fault>;

    /// Several with as few calls as the interface allows, which use less between them than one item may.
    fn grade_together(items: &[&Self], scorer: &mut Scorer, task: &Task) -> Result<Scored, Fault>;

    /// Bytes of the sample's texts, about.
    fn bytes(&self) -> usize {
        let Sample { id, prompt, target, answer, reasoning, tool_calls, metadata, .. } = self.sample();
        let texts = [Some(id), Some(target), answer.as_ref(), reasoning.as_ref(), Some(metadata)];
        let messages = prompt.iter().map(|message| message.content.len());
        let calls = tool_calls.iter().map(|call| call.arguments.len());
        texts.into_iter().flatten().map(String::len).chain(messages).chain(calls).sum()
    }
}

impl Keyed for Sample {
    fn key(&self) -> (&str, u32) {
        (&self.id, self.epoch)
    }
}

impl Keyed for Judged {
    fn key(&self) -> (&str, u32) {
        self.sample.key()
    }
}

impl Keyed for Graded {
    fn key(&self) -> (&str, u32) {
        (&self.verdict.id, self.verdict.epoch)
    }
}

impl Item for Sample {
    const MOST_TOGETHER: usize = 64;

    fn sample(&self) -> &Sample {
        self
    }

    fn grade(&self, scorer: &mut Scorer, task: &Task) -> Result<(Verdict, u64), Fault> {
        scorer.score_one(task, self)
    }

    fn grade_together(items: &[&Self], scorer: &mut Scorer, task: &Task) -> Result<Scored, Fault> {
        scorer.score_together(task, items)
    }
}

impl Item for Judged {
    // The interface concludes on one sample at a time, so there is nothing to gain.
    const MOST_TOGETHER: usize = 1;

    fn sample(&self) -> &Sample {
        &self.sample
    }

    fn grade(&self, scorer: &mut Scorer, task: &Task) -> Result<(Verdict, u64), Fault> {
        scorer.conclude(task, &self.sample, &self.opinions)
    }

    fn grade_together(items: &[&Self], scorer: &mut Scorer, task: &Task) -> Result<Scored, Fault> {
        let mut scored = Scored { verdicts: Vec::with_capacity(items.len()), fuel: 0 };
        for item in items {
            let (verdict, fuel) = item.grade(scorer, task)?;
            scored.verdicts.push(verdict);
            scored.fuel = scored.fuel.saturating_add(fuel);
        }
        Ok(scored)
    }
}

/// The verdict on one item and its fuel; a fault is a verdict.
pub(crate) fn grade_one<I: Item>(seat: &mut Seat<'_>, item: &I) -> (Verdict, u64) {
    let graded = seat.attempt(|scorer, task| item.grade(scorer, task));
    graded.unwrap_or_else(|fault| (seat.blame(item.sample(), &fault), 0))
}

impl<'p> Grader<'p> {
    /// A scorer of this configuration, a JSON object; blank text is an empty one.
    ///
    /// # Errors
    /// [`GradeError::Load`] where the plugin is no scorer, [`GradeError::Open`] where it does not take the configuration.
    pub fn new(plugin: &'p Plugin, config: &str, options: GradeOptions) -> Result<Grader<'p>, GradeError> {
        let config = if config.trim().is_empty() { "{}" } else { config };
        let limits = plugin.limits();
        let limits = match options.fuel_per_sample {
            Some(fuel) => Limits { fuel, program_fuel: fuel, ..limits },
            None => limits,
        };
        let mut scorer = plugin.scorer_within(limits)?;
        scorer.open(config).map_err(GradeError::Open)?;
        Ok(Grader { plugin, info: scorer.info().clone(), config: config.to_owned(), limits, options })
    }

    /// What the scorer says about itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        self.plugin.digest()
    }

    /// The verdicts on these samples. For fuel that can be compared, hand over all samples of a task at once.
    ///
    /// # Errors
    /// [`GradeError::Duplicate`] and [`GradeError::Nondeterministic`].
    pub fn grade(&self, samples: &[Sample]) -> Result<Grades, GradeError> {
        self.grade_items(samples)
    }

    /// The verdicts on samples that a judge was asked about.
    ///
    /// # Errors
    /// As [`Grader::grade`].
    pub fn conclude(&self, judged: &[Judged]) -> Result<Grades, GradeError> {
        self.grade_items(judged)
    }

    /// What to ask the judge about each sample, in the order of the samples; nothing where the verdict needs no judge. A sample
    /// about which nothing can be asked has its verdict at once.
    ///
    /// # Errors
    /// As [`Grader::grade`].
    pub fn questions(&self, samples: &[Sample]) -> Result<Vec<Result<Vec<Generation>, Verdict>>, GradeError> {
        let canonical = Canonical::of(samples)?;
        let mut asked: Vec<_> = samples.iter().map(|_| Ok(Vec::new())).collect();
        let size = self.block(samples.len());
        let blocks = canonical.order.chunks(size).zip(asked.chunks_mut(size));
        self.crew().over(blocks, |seat, (places, asked)| {
            for (place, slot) in places.iter().zip(asked) {
                let sample = &samples[*place];
                let questions = seat.attempt(|scorer, task| scorer.questions(task, sample));
                *slot = questions.map_err(|fault| verdict::failed(sample, &fault));
            }
        })?;
        Ok(canonical.undo(asked))
    }

    /// The metrics of a task, the headline first. Verdicts are added up in the order of their ids and epochs, so that the same
    /// verdicts give the same bytes in whatever order they come; explanations are left out.
    ///
    /// # Errors
    /// [`GradeError::Aggregate`]; [`GradeError::Duplicate`] where two verdicts are on the same sample.
    pub fn aggregate(&self, graded: &[Graded]) -> Result<Vec<Estimate>, GradeError> {
        let Canonical { order, .. } = Canonical::of(graded)?;
        let one = |place: usize| {
            let Graded { verdict, cluster, group } = &graded[place];
            let verdict = Verdict { explanation: None, ..verdict.clone() };
            Graded { verdict, cluster: cluster.clone(), group: group.clone() }
        };
        let sorted: Vec<Graded> = order.into_iter().map(one).collect();
        // All verdicts of a task are in the guest's memory at once here, unlike samples.
        let limits = Limits { memory: self.limits.memory.max(LARGEST_MEMORY), ..self.limits };
        let mut scorer = self.plugin.scorer_within(limits)?;
        let task = scorer.open(&self.config).map_err(GradeError::Open)?;
        scorer.aggregate(&task, &sorted).map_err(GradeError::Aggregate)
    }

    fn crew(&self) -> Crew<'_> {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Crew {
            plugin: self.plugin,
            limits: self.limits,
            config: &self.config,
            workers: self.options.workers.unwrap_or_else(cores),
        }
    }

    /// Samples in a block. Where each sample has an instance of its own anyway, nothing is gained by more than one.
    fn block(&self, samples: usize) -> usize {
        if self.info.fresh_instance { 1 } else { block::size(samples) }
    }

    fn grade_items<I: Item>(&self, items: &[I]) -> Result<Grades, GradeError> {
        let canonical = Canonical::of(items)?;
        let crew = self.crew();
        let (mut verdicts, mut fuel) = (vec![None; items.len()], vec![0; items.len()]);
        let cut = AtomicUsize::new(0);
        let size = self.block(items.len());
        let slots = verdicts.chunks_mut(size).zip(fuel.chunks_mut(size));
        let blocks = canonical.order.chunks(size).zip(slots);
        crew.over(blocks, |seat, (places, (verdicts, fuel))| {
            let cut_here = block::grade(seat, items, Block { places, verdicts, fuel });
            cut.fetch_add(cut_here, Ordering::Relaxed);
        })?;
        // Every place is in a block, and had its verdict there.
        let verdicts = canonical.undo(verdicts.into_iter().flatten().collect());
        let fuel = canonical.undo(fuel);
        let cut = cut.into_inner();
        let mut notes = Vec::new();
        if cut > 0 {
            let message = format!("overlong texts in the verdicts on {cut} samples were cut");
            notes.push(Note { code: "verdict-text-cut", message });
        }
        let checked = if self.info.deterministic {
            verify::check(&crew, &self.info, self.options.verify, items, &canonical.order, &verdicts)?
        } else {
            let message =
                format!("{} {} says of itself that it is not deterministic", self.info.name, self.info.version);
            notes.push(Note { code: "declared-nondeterministic", message });
            0
        };
        Ok(Grades { verdicts, fuel, checked, notes })
    }
}
