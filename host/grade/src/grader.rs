//! A scorer of one configuration, over any number of samples.

use bench_plugin::scorer_types::{Estimate, Graded, Info, Opinion, Sample, Verdict};
use bench_plugin::types::Generation;
use bench_plugin::{Fault, LARGEST_MEMORY, Limits, Plugin, Scorer, Task};

use crate::crew::{Crew, Keyed, block_size, canonical, in_order_of_items};
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
    /// Fuel of each sample, in the order of the samples; 0 where grading failed.
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
    fn sample(&self) -> &Sample;

    /// The verdict and its fuel, in a call of its own.
    fn grade(&self, scorer: &mut Scorer, task: &Task) -> Result<(Verdict, u64), Fault>;

    /// Several with as few calls as the interface allows.
    fn grade_together(items: &[&Self], scorer: &mut Scorer, task: &Task) -> Result<Vec<Verdict>, Fault>;
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
    fn sample(&self) -> &Sample {
        self
    }

    fn grade(&self, scorer: &mut Scorer, task: &Task) -> Result<(Verdict, u64), Fault> {
        scorer.score_one(task, self)
    }

    fn grade_together(items: &[&Self], scorer: &mut Scorer, task: &Task) -> Result<Vec<Verdict>, Fault> {
        let samples: Vec<Sample> = items.iter().copied().cloned().collect();
        scorer.score(task, &samples).map(|scored| scored.verdicts)
    }
}

impl Item for Judged {
    fn sample(&self) -> &Sample {
        &self.sample
    }

    fn grade(&self, scorer: &mut Scorer, task: &Task) -> Result<(Verdict, u64), Fault> {
        scorer.conclude(task, &self.sample, &self.opinions)
    }

    fn grade_together(items: &[&Self], scorer: &mut Scorer, task: &Task) -> Result<Vec<Verdict>, Fault> {
        items.iter().map(|item| item.grade(scorer, task).map(|(verdict, _)| verdict)).collect()
    }
}

/// A verdict, what it took, and whether its texts had to be cut.
pub(crate) struct One {
    pub(crate) verdict: Verdict,
    fuel: u64,
    cut: bool,
}

/// Grades one item; a fault is a verdict.
pub(crate) fn grade_one<I: Item>(seat: &mut Seat<'_>, item: &I) -> One {
    let graded = seat.attempt(|scorer, task| item.grade(scorer, task));
    let (mut verdict, fuel) = graded.unwrap_or_else(|fault| (seat.blame(item.sample(), &fault), 0));
    let cut = verdict::trim(&mut verdict);
    One { verdict, fuel, cut }
}

impl<'p> Grader<'p> {
    /// A scorer of this configuration, a JSON object; blank text is an empty one.
    ///
    /// # Errors
    /// [`GradeError::Load`] where the plugin is no scorer, [`GradeError::Open`] where it does not take the configuration.
    pub fn new(plugin: &'p Plugin, config: &str, options: GradeOptions) -> Result<Grader<'p>, GradeError> {
        let config = if config.trim().is_empty() { "{}" } else { config };
        let limits = plugin.limits();
        let limits = Limits { fuel: options.fuel_per_sample.unwrap_or(limits.fuel), ..limits };
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
        let order = canonical(samples)?;
        let asked = self.crew().over(&order, block_size(samples.len()), |seat, block| {
            let ask = |place: &usize| {
                let sample = &samples[*place];
                let questions = seat.attempt(|scorer, task| scorer.questions(task, sample));
                questions.map_err(|fault| verdict::failed(sample, &fault))
            };
            block.iter().map(ask).collect::<Vec<_>>()
        })?;
        Ok(in_order_of_items(&order, asked))
    }

    /// The metrics of a task, the headline first. Verdicts are added up in the order of their ids and epochs, so that the same
    /// verdicts give the same bytes in whatever order they come; explanations are left out.
    ///
    /// # Errors
    /// [`GradeError::Aggregate`]; [`GradeError::Duplicate`] where two verdicts are on the same sample.
    pub fn aggregate(&self, graded: &[Graded]) -> Result<Vec<Estimate>, GradeError> {
        let order = canonical(graded)?;
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

    fn grade_items<I: Item>(&self, items: &[I]) -> Result<Grades, GradeError> {
        let order = canonical(items)?;
        let crew = self.crew();
        let graded = crew.over(&order, block_size(items.len()), |seat, block| {
            block.iter().map(|place| grade_one(seat, &items[*place])).collect::<Vec<_>>()
        })?;
        let (mut verdicts, mut fuel, mut cut) = (Vec::new(), Vec::new(), 0usize);
        for one in in_order_of_items(&order, graded) {
            verdicts.push(one.verdict);
            fuel.push(one.fuel);
            cut += usize::from(one.cut);
        }
        let mut notes = Vec::new();
        if cut > 0 {
            let message = format!("overlong texts in the verdicts on {cut} samples were cut");
            notes.push(Note { code: "verdict-text-cut", message });
        }
        let checked = if self.info.deterministic {
            verify::check(&crew, &self.info, self.options.verify, items, &order, &verdicts)?
        } else {
            let message =
                format!("{} {} says of itself that it is not deterministic", self.info.name, self.info.version);
            notes.push(Note { code: "declared-nondeterministic", message });
            0
        };
        Ok(Grades { verdicts, fuel, checked, notes })
    }
}
