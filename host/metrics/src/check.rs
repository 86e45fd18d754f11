//! What cannot be true. A driver is not trusted: when its account contradicts the host's stamps or itself, no number is
//! computed from it.

use crate::observation::{Event, Observation, Usage};

/// Most tokens that one request may report. Far above any context length; a larger count is refused, so that a lie cannot
/// make the host reserve memory per token.
pub const MAX_TOKENS: u64 = 1 << 22;

/// A contradiction in an observation that makes its timing meaningless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inconsistency {
    /// An event names a read that never happened.
    ReadOutOfRange {
        /// Index of the event.
        event: usize,
        /// The read that it names.
        read: u32,
        /// How many reads there were.
        reads: usize,
    },
    /// An event names an earlier read than the event before it.
    EventsOutOfOrder {
        /// Index of the event.
        event: usize,
        /// The read that it names.
        read: u32,
        /// The read that the event before it names.
        previous: u32,
    },
    /// One stamp lies before another that must come first.
    StampsOutOfOrder {
        /// What must come first.
        earlier: &'static str,
        /// What must come later.
        later: &'static str,
        /// By how many nanoseconds the order is violated.
        by_ns: u64,
    },
    /// A running count went down.
    CountDecreased {
        /// Which count.
        count: &'static str,
        /// The value before.
        from: u64,
        /// The value after.
        to: u64,
    },
    /// More tokens from a cache than the prompt has.
    CachedExceedsPrompt {
        /// Cached tokens reported.
        cached: u64,
        /// Prompt tokens reported.
        prompt: u64,
    },
    /// Fewer tokens reported in total than ids delivered.
    FewerTokensThanIds {
        /// Tokens reported in total.
        completion: u64,
        /// Token ids delivered.
        ids: u64,
    },
    /// A count above [`MAX_TOKENS`].
    ImplausibleCount {
        /// Which count.
        count: &'static str,
        /// The value.
        value: u64,
    },
}

impl Inconsistency {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReadOutOfRange { .. } => "read-out-of-range",
            Self::EventsOutOfOrder { .. } => "events-out-of-order",
            Self::StampsOutOfOrder { .. } => "stamps-out-of-order",
            Self::CountDecreased { .. } => "count-decreased",
            Self::CachedExceedsPrompt { .. } => "cached-exceeds-prompt",
            Self::FewerTokensThanIds { .. } => "fewer-tokens-than-ids",
            Self::ImplausibleCount { .. } => "implausible-count",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ReadOutOfRange { .. } | Self::EventsOutOfOrder { .. } => {
                "The driver locates events wrongly. Report it to the driver's author with the run's trace.".to_owned()
            }
            Self::StampsOutOfOrder { .. } => {
                "The host's own stamps contradict each other; report it with the run's trace.".to_owned()
            }
            _ => {
                "The backend or its driver miscounts tokens. Compare with the raw answer in the run's trace.".to_owned()
            }
        })
    }
}

impl std::fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReadOutOfRange { event, read, reads } => {
                write!(f, "event {event} names read {read}, but there were {reads} reads")
            }
            Self::EventsOutOfOrder { event, read, previous } => {
                write!(f, "event {event} names read {read} after an event of read {previous}")
            }
            Self::StampsOutOfOrder { earlier, later, by_ns } => {
                write!(f, "the stamp of {later} lies {by_ns} ns before that of {earlier}")
            }
            Self::CountDecreased { count, from, to } => {
                write!(f, "the count of {count} tokens fell from {from} to {to}")
            }
            Self::CachedExceedsPrompt { cached, prompt } => {
                write!(f, "{cached} cached tokens reported for a prompt of {prompt}")
            }
            Self::FewerTokensThanIds { completion, ids } => {
                write!(f, "{completion} tokens reported in total, but {ids} token ids delivered")
            }
            Self::ImplausibleCount { count, value } => {
                write!(f, "{value} {count} tokens reported, more than the {MAX_TOKENS} that one request may have")
            }
        }
    }
}

impl std::error::Error for Inconsistency {}

/// Every contradiction in `seen`; empty when its timing can be trusted.
pub(crate) fn inconsistencies(seen: &Observation) -> Vec<Inconsistency> {
    let mut found = Vec::new();
    stamps(seen, &mut found);
    locations(seen, &mut found);
    counts(seen, &mut found);
    found
}

fn stamps(seen: &Observation, found: &mut Vec<Inconsistency>) {
    let mut order = |earlier: (&'static str, u64), later: (&'static str, u64)| {
        if later.1 < earlier.1 {
            let by_ns = earlier.1 - later.1;
            found.push(Inconsistency::StampsOutOfOrder { earlier: earlier.0, later: later.0, by_ns });
        }
    };
    let started = ("the start", seen.started);
    let ended = ("the end", seen.ended);
    order(started, ended);
    if let Some(first) = seen.first_byte_written {
        order(started, ("the first byte written", first));
        order(("the first byte written", first), ended);
        if let Some(last) = seen.last_byte_written {
            order(("the first byte written", first), ("the last byte written", last));
        }
    }
    if let Some(last) = seen.last_byte_written {
        order(started, ("the last byte written", last));
        order(("the last byte written", last), ended);
    }
    if let (Some(first), Some(last)) = (seen.reads.first(), seen.reads.last()) {
        order(started, ("the first read", *first));
        order(("the last read", *last), ended);
    }
    // One report per request is enough: a stream with one bad stamp tends to have thousands.
    if let Some([a, b]) = seen.reads.array_windows::<2>().find(|[a, b]| b < a) {
        order(("a read", *a), ("the read after it", *b));
    }
}

fn locations(seen: &Observation, found: &mut Vec<Inconsistency>) {
    let mut previous = 0;
    for (event, located) in seen.events.iter().enumerate() {
        let read = located.read;
        if seen.reads.get(read as usize).is_none() {
            found.push(Inconsistency::ReadOutOfRange { event, read, reads: seen.reads.len() });
            return;
        }
        if read < previous {
            found.push(Inconsistency::EventsOutOfOrder { event, read, previous });
            return;
        }
        previous = read;
    }
}

fn counts(seen: &Observation, found: &mut Vec<Inconsistency>) {
    let mut last = Usage::default();
    let mut ids: u64 = 0;
    for located in &seen.events {
        match &located.event {
            Event::TokenIds(count) => ids += u64::from(*count),
            Event::Usage(usage) => {
                running("prompt", &mut last.prompt, usage.prompt, found);
                running("cached", &mut last.cached, usage.cached, found);
                running("completion", &mut last.completion, usage.completion, found);
                running("reasoning", &mut last.reasoning, usage.reasoning, found);
            }
            _ => {}
        }
    }
    // A count of none is no lie about timing: it is left out, with a flag.
    if let (Some(cached), Some(prompt)) = (last.cached, last.prompt)
        && cached > prompt
        && prompt > 0
    {
        found.push(Inconsistency::CachedExceedsPrompt { cached, prompt });
    }
    if let Some(completion) = last.completion
        && completion < ids
        && completion > 0
    {
        found.push(Inconsistency::FewerTokensThanIds { completion, ids });
    }
    for (count, value) in [
        ("prompt", last.prompt),
        ("completion", last.completion),
        ("reasoning", last.reasoning),
        ("identified", Some(ids)),
    ] {
        if let Some(value) = value.filter(|v| *v > MAX_TOKENS) {
            found.push(Inconsistency::ImplausibleCount { count, value });
        }
    }
}

/// Reports a fall once per count and keeps the highest value seen, so that one slip is one finding.
fn running(count: &'static str, last: &mut Option<u64>, now: Option<u64>, found: &mut Vec<Inconsistency>) {
    let Some(now) = now else { return };
    if let Some(before) = *last
        && now < before
    {
        let known = |f: &Inconsistency| matches!(f, Inconsistency::CountDecreased { count: c, .. } if *c == count);
        if !found.iter().any(known) {
            found.push(Inconsistency::CountDecreased { count, from: before, to: now });
        }
        return;
    }
    *last = Some(now);
}
