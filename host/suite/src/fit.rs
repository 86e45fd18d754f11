//! Cutting a prompt to an exact number of tokens with a tokenizer that can only count whole prompts.
//!
//! Token counts do not add up over pieces of text, and a chat template adds tokens of its own, so the only honest way is
//! to ask for the count of the whole prompt, again and again, with other stretches of the corpus in it. The [`Fitter`] is
//! the state machine of that search and does no I/O: it hands out candidate texts and is told their counts.
//!
//! 1. Count the prompt without any text, which gives the template's share.
//! 2. Search the number of words: interpolate from the closest count so far, bisect when that is slow.
//! 3. When the count is a few tokens short, or the next word is too much: append short filler words, one token each in
//!    most vocabularies, or else cut the next word between its characters.
//!
//! Real tokenizers take four to eight counts. A tokenizer that cannot hit the target, or one that answers nonsense, ends the
//! search after at most [`MOST_ASKS`] counts with the largest prompt that stays below the target.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Corpus;

/// Most counts that a search asks for.
pub const MOST_ASKS: u32 = 24;

/// Counts of the word search after which it bisects.
const PATIENCE: u32 = 8;

/// A prompt that is at most this many tokens short is finished with fillers instead of words.
const NEARLY: u64 = 3;

/// Characters per token of English text in common vocabularies, for texts that cannot be counted.
const NOMINAL_CHARS: u64 = 4;

/// Most characters per token that the search follows a tokenizer to.
const MOST_CHARS: u64 = 16;

/// Appended to finish a prompt. The first is one token in practically every vocabulary; the others are for those where it
/// is not.
const FILLERS: [&str; 3] = [" a", ".", " I"];

/// Counts spent on one filler.
const ASKS_PER_FILLER: u32 = 3;

/// What the search wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextAsk {
    /// Count the whole prompt with this text in its place and call [`Fitter::answer`].
    Ask(String),
    /// The search is over.
    Done(Fitted),
}

/// How well a text fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// The prompt counts the target exactly.
    Exact,
    /// The closest that was found below the target.
    Below,
    /// The prompt is above the target even without any text.
    Above,
    /// Nothing was counted; the length is an estimate.
    Nominal,
}

/// A text of the right length, or as close as it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The text to put into the prompt; may be empty.
    pub text: String,
    /// Tokens of the whole prompt with this text, as counted. `None` when nothing was counted.
    pub tokens: Option<u64>,
    /// How well it fits.
    pub quality: Quality,
    /// Counts that were asked for.
    pub asks: u32,
}

impl Fitted {
    /// Whether the prompt counts the target exactly.
    pub fn exact(&self) -> bool {
        self.quality == Quality::Exact
    }
}

/// A text as the search sees it: so many words of the corpus, and what follows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    words: usize,
    tail: Tail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tail {
    None,
    /// So many times a filler, by its index.
    Filler(usize, u64),
    /// So many characters of the next word and the white space before it.
    Part(usize),
}

/// A candidate and its count.
type Counted = (usize, u64);

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// Searching the number of words.
    Words,
    /// Appending fillers to `words` words, which count `counted` without them.
    Fillers { words: usize, counted: u64, filler: usize, asks: u32 },
    /// Cutting word number `words`: more than `low` and fewer than `high` of its characters.
    Parts { words: usize, low: usize, high: usize },
}

/// The search for one text. See the module for how it goes.
#[derive(Debug, Clone)]
pub struct Fitter {
    corpus: Arc<Corpus>,
    offset: u64,
    target: u64,
    most_words: usize,
    /// The count of the prompt without any text.
    template: u64,
    stage: Stage,
    /// The most words known to be below the target; first none at all.
    low: Option<Counted>,
    /// The fewest words known to be above the target.
    high: Option<Counted>,
    /// Answers of the word search that fell on the same side of the target as the one before, without a break.
    streak: u32,
    /// The number of words that was asked about last.
    last_words: usize,
    /// The best text so far that is not above the target.
    best: Option<(Candidate, u64)>,
    tried: BTreeSet<Candidate>,
    pending: Option<Candidate>,
    asks: u32,
    done: Option<Fitted>,
}

impl Fitter {
    /// Starts the search for a text of `corpus` from word `offset` on (modulo its words) that makes the whole prompt count
    /// `target` tokens.
    pub fn new(corpus: Arc<Corpus>, offset: u64, target: u32) -> Self {
        let target = u64::from(target);
        let by_chars = corpus.words_for_chars(offset, target * MOST_CHARS + 1);
        let by_words = usize::try_from(target * 4 + 64).unwrap_or(usize::MAX);
        Self {
            offset,
            target,
            most_words: by_chars.min(by_words),
            template: 0,
            corpus,
            stage: Stage::Words,
            low: None,
            high: None,
            streak: 0,
            last_words: 0,
            best: None,
            tried: BTreeSet::new(),
            pending: None,
            asks: 0,
            done: None,
        }
    }

    /// The text for a backend that cannot count: four characters per token, less the `other_chars` characters that the
    /// prompt has without the text. The quality says that it is an estimate.
    pub fn nominal(corpus: &Corpus, offset: u64, target: u32, other_chars: u64) -> Fitted {
        let chars = (u64::from(target) * NOMINAL_CHARS).saturating_sub(other_chars);
        let text =
            if chars == 0 { String::new() } else { corpus.stretch(offset, corpus.words_for_chars(offset, chars)) };
        Fitted { text, tokens: None, quality: Quality::Nominal, asks: 0 }
    }

    /// What to do next. Without an [`answer`](Self::answer) in between it says the same again.
    #[expect(clippy::should_implement_trait, reason = "an iterator would not wait for the answer")]
    pub fn next(&mut self) -> NextAsk {
        if let Some(done) = &self.done {
            return NextAsk::Done(done.clone());
        }
        let candidate = match self.pending {
            Some(candidate) => Some(candidate),
            None if self.asks >= MOST_ASKS => None,
            None => self.choose(),
        };
        match candidate {
            Some(candidate) => {
                self.pending = Some(candidate);
                NextAsk::Ask(self.render(candidate))
            }
            None => NextAsk::Done(self.finish(Quality::Below)),
        }
    }

    /// Takes the count of the whole prompt with the text that was asked about. Without a question it does nothing.
    pub fn answer(&mut self, count: u64) {
        let Some(candidate) = self.pending.take() else { return };
        self.asks += 1;
        self.tried.insert(candidate);
        if count <= self.target && self.best.is_none_or(|(_, best)| best < count) {
            self.best = Some((candidate, count));
        }
        if count == self.target {
            self.finish(Quality::Exact);
            return;
        }
        match self.stage {
            Stage::Words => self.learn_words(candidate.words, count),
            Stage::Fillers { words, counted, filler, asks } => {
                self.stage = Stage::Fillers { words, counted, filler, asks: asks + 1 };
                self.learn_filler(candidate, counted, count);
            }
            Stage::Parts { words, low, high } => {
                if let Tail::Part(chars) = candidate.tail {
                    let (low, high) = if count < self.target { (chars, high) } else { (low, chars) };
                    self.stage = Stage::Parts { words, low, high };
                }
            }
        }
    }

    fn learn_words(&mut self, words: usize, count: u64) {
        if words == 0 {
            self.template = count;
        }
        let last_was_low = self.low.is_some_and(|(low, _)| self.last_words == low);
        self.streak = if last_was_low == (count < self.target) { self.streak + 1 } else { 0 };
        self.last_words = words;
        if count < self.target {
            self.low = Some((words, count));
        } else if words == 0 {
            // Nothing to search: the prompt is too long as it is.
            self.best = Some((Candidate { words, tail: Tail::None }, count));
            self.finish(Quality::Above);
        } else {
            self.high = Some((words, count));
        }
    }

    /// After a filler missed, the number that would have hit, were every filler worth as much as those seen.
    fn learn_filler(&mut self, candidate: Candidate, counted: u64, count: u64) {
        let (Tail::Filler(filler, repeats), Stage::Fillers { words, asks, .. }) = (candidate.tail, self.stage) else {
            return;
        };
        let short = self.target.saturating_sub(counted);
        let gained = count.saturating_sub(counted);
        // Integer division: a filler of two tokens that is asked to fill three of them is asked for once.
        let wanted = (u128::from(short) * u128::from(repeats)).checked_div(u128::from(gained)).unwrap_or(0);
        let wanted =
            Candidate { words, tail: Tail::Filler(filler, u64::try_from(wanted).unwrap_or(0).min(self.target)) };
        let worth_asking = wanted.tail > Tail::Filler(filler, 0) && !self.tried.contains(&wanted);
        if worth_asking && asks < ASKS_PER_FILLER {
            self.pending = Some(wanted);
        } else {
            self.stage = Stage::Fillers { words, counted, filler: filler + 1, asks: 0 };
        }
    }

    /// The next candidate; `None` when there is nothing left to try.
    fn choose(&mut self) -> Option<Candidate> {
        if let Stage::Words = self.stage {
            if let Some(words) = self.choose_words() {
                return Some(Candidate { words, tail: Tail::None });
            }
            let (words, counted) = self.low?;
            self.stage = Stage::Fillers { words, counted, filler: 0, asks: 0 };
        }
        if let Stage::Fillers { words, counted, filler, .. } = self.stage {
            if filler < FILLERS.len() {
                return Some(Candidate { words, tail: Tail::Filler(filler, self.target.saturating_sub(counted)) });
            }
            let high = self.part(words).chars().count();
            self.stage = Stage::Parts { words, low: 0, high };
        }
        let Stage::Parts { words, low, high } = self.stage else { return None };
        let middle = low + (high - low) / 2;
        (middle > low).then_some(Candidate { words, tail: Tail::Part(middle) })
    }

    /// The next number of words, strictly between the known bounds; `None` when the rest is for fillers.
    fn choose_words(&self) -> Option<usize> {
        let Some((low, low_count)) = self.low else { return Some(0) };
        let short = self.target.saturating_sub(low_count);
        let most = self.high.map_or(self.most_words, |(high, _)| high - 1);
        if low >= most || (short <= NEARLY && low > 0) {
            return None;
        }
        let guess = match self.high {
            None if low == 0 => scale(short, 3, 4),
            None => {
                // All words cost about the same.
                low.saturating_add(scale(short, low as u64, low_count.saturating_sub(self.template)).max(1))
            }
            Some((high, _)) if self.asks > PATIENCE => low + (high - low) / 2,
            Some((high, high_count)) => {
                let over = high_count.saturating_sub(self.target);
                let (width, rise) = ((high - low) as u64, high_count.saturating_sub(low_count));
                // From the closer end, where the error of the interpolation is smaller, and in longer steps the longer the
                // search creeps up to the target from one side, so that the target is soon between two close numbers.
                let longer = 1_usize << self.streak.min(16);
                if short <= over {
                    low.saturating_add(scale(short, width, rise).saturating_mul(longer))
                } else {
                    high.saturating_sub(scale(over, width, rise).saturating_mul(longer))
                }
            }
        };
        Some(guess.clamp(low + 1, most))
    }

    fn part(&self, words: usize) -> String {
        if words == 0 {
            return self.corpus.word(self.offset).to_owned();
        }
        let (at, after) = self.at(words);
        format!("{}{}", self.corpus.gap_after(at), self.corpus.word(after))
    }

    /// Offsets of the last of `words` words and of the one after it.
    fn at(&self, words: usize) -> (u64, u64) {
        // Reduced first, so that the sum cannot wrap, which would break the modulo.
        let after = self.offset % self.corpus.words() as u64 + words as u64;
        (after.saturating_sub(1), after)
    }

    fn render(&self, candidate: Candidate) -> String {
        let mut text = self.corpus.stretch(self.offset, candidate.words);
        match candidate.tail {
            Tail::None => {}
            Tail::Filler(filler, count) => {
                let unit = FILLERS.get(filler).copied().unwrap_or("");
                text.extend(std::iter::repeat_n(unit, usize::try_from(count).unwrap_or(0)));
            }
            Tail::Part(chars) => text.extend(self.part(candidate.words).chars().take(chars)),
        }
        text
    }

    fn finish(&mut self, quality: Quality) -> Fitted {
        let (candidate, tokens) = match self.best {
            Some((candidate, tokens)) => (candidate, Some(tokens)),
            None => (Candidate { words: 0, tail: Tail::None }, None),
        };
        let done = Fitted { text: self.render(candidate), tokens, quality, asks: self.asks };
        self.done = Some(done.clone());
        done
    }
}

/// `amount × times / by` without overflow; `amount` where `by` is 0.
fn scale(amount: u64, times: u64, by: u64) -> usize {
    let scaled = (u128::from(amount) * u128::from(times)).checked_div(u128::from(by)).unwrap_or(u128::from(amount));
    usize::try_from(scaled).unwrap_or(usize::MAX)
}
