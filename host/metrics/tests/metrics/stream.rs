//! A small language for streams: every example starts at 1,000 ms and is written in milliseconds.

use bench_metrics::{Cache, Channel, Event, Expectation, Finish, Located, Observation, ServerTiming, Usage};

pub const MS: u64 = 1_000_000;

/// Started 2 ms after it was intended, first byte written 3 ms later, last byte 1 ms after that.
pub struct Stream(pub Observation);

impl Stream {
    pub fn new() -> Self {
        Self(Observation {
            intended: 1000 * MS,
            started: 1002 * MS,
            first_byte_written: Some(1005 * MS),
            last_byte_written: Some(1006 * MS),
            ended: 1006 * MS,
            reads: Vec::new(),
            events: Vec::new(),
            completed: true,
        })
    }

    /// A read `at` so many ms after the first byte was written, and what it held.
    pub fn read(mut self, at: u64, events: impl IntoIterator<Item = Event>) -> Self {
        let read = u32::try_from(self.0.reads.len()).unwrap();
        self.0.reads.push((1005 + at) * MS);
        self.0.ended = (1005 + at) * MS;
        self.0.events.extend(events.into_iter().map(|event| Located { read, event }));
        self
    }

    pub fn measure(&self, asked: &Expectation) -> bench_metrics::RequestMetrics {
        bench_metrics::request(&self.0, asked).unwrap()
    }
}

pub fn asked(prompt: u64, output: u64) -> Expectation {
    Expectation {
        prompt_tokens: Some(prompt),
        output_tokens: None,
        requested_output: output,
        cache: Cache::Cold,
        forced_length: false,
    }
}

pub fn text() -> Event {
    Event::Fragment { channel: Channel::Text, bytes: 4 }
}

pub fn reasoning() -> Event {
    Event::Fragment { channel: Channel::Reasoning, bytes: 4 }
}

pub fn so_far(completion: u64) -> Event {
    Event::Usage(Usage { completion: Some(completion), ..Usage::default() })
}

pub fn usage(prompt: u64, cached: u64, completion: u64) -> Event {
    Event::Usage(Usage { prompt: Some(prompt), cached: Some(cached), completion: Some(completion), reasoning: None })
}

pub fn finish() -> Event {
    Event::Finish(Finish::Length)
}

pub fn stop() -> Event {
    Event::Finish(Finish::Stop)
}

pub fn timing(timing: ServerTiming) -> Event {
    Event::ServerTiming(timing)
}
