//! Any account of a request, true or not: no panic, and no metric that is not a finite number.
#![no_main]

use bench_metrics::{
    Cache, Channel, Event, Expectation, Finish, Located, Observation, Outcome, Sample, ServerTiming, Usage, WindowSpan,
    request, summarise,
};
use libfuzzer_sys::arbitrary::{Error, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut input = Unstructured::new(input);
    // The first bytes say how much is left to chance: a wholly random account contradicts itself at once.
    let Ok((asked, observations)) = requests(&mut input) else { return };
    let metrics: Vec<_> = observations.iter().filter_map(|seen| request(seen, &asked).ok()).collect();
    for metrics in &metrics {
        finite(&format!("{metrics:?}"));
    }
    let sample = |(at, metrics)| Sample {
        repeat: at as u32 % 3,
        turn: at as u32 / 3,
        resent: 0,
        outcome: Outcome::Completed(metrics),
    };
    let mut samples: Vec<_> = metrics.iter().enumerate().map(sample).collect();
    samples.push(Sample {
        repeat: 0,
        turn: 9,
        resent: 1,
        outcome: Outcome::Failed { code: "stall", wall_ms: Some(1.0) },
    });
    samples.push(Sample { repeat: 1, turn: 9, resent: 0, outcome: Outcome::NotSent { code: "stopped" } });
    let spans: Vec<_> = observations
        .iter()
        .enumerate()
        .map(|(at, seen)| WindowSpan { repeat: at as u32 % 3, opened: seen.intended, closed: seen.ended })
        .collect();
    finite(&format!("{:?}", summarise(&samples, &spans)));
    finite(&format!("{:?}", summarise(&samples, &[])));
});

/// `Debug` writes these words for numbers that are none; they are part of no name.
fn finite(text: &str) {
    assert!(
        !text.contains("NaN") && !text.contains(": inf") && !text.contains("-inf") && !text.contains("(inf"),
        "{text}"
    );
}

fn requests(input: &mut Unstructured<'_>) -> Result<(Expectation, Vec<Observation>), Error> {
    let asked = Expectation {
        prompt_tokens: input.arbitrary()?,
        output_tokens: count(input)?,
        requested_output: input.arbitrary::<u16>()?.into(),
        cache: if input.arbitrary()? { Cache::Cold } else { Cache::Warm },
        forced_length: input.arbitrary()?,
    };
    let number = input.int_in_range(1..=4)?;
    Ok((asked, (0..number).map(|_| observation(input)).collect::<Result<_, _>>()?))
}

fn observation(input: &mut Unstructured<'_>) -> Result<Observation, Error> {
    let lies = input.ratio(1, 8)?;
    let mut now = u64::from(input.arbitrary::<u32>()?);
    let mut stamp = |input: &mut Unstructured<'_>| {
        if lies {
            return input.arbitrary();
        }
        now += u64::from(input.arbitrary::<u32>()? >> input.int_in_range(0..=31)?);
        Ok(now)
    };
    let intended = stamp(input)?;
    let started = stamp(input)?;
    let first_byte_written = Some(stamp(input)?).filter(|_| !lies || input.arbitrary().unwrap_or_default());
    let last_byte_written = Some(stamp(input)?).filter(|_| input.ratio(7, 8).unwrap_or_default());
    let reads = (0..input.int_in_range(0..=24)?).map(|_| stamp(input)).collect::<Result<Vec<_>, _>>()?;
    let ended = stamp(input)?;
    let mut read = 0;
    let mut events = Vec::new();
    let mut done = Counts::default();
    while !reads.is_empty() && input.ratio(31, 32)? && events.len() < 64 {
        read =
            if lies { input.arbitrary()? } else { (read + u32::from(input.ratio(2, 3)?)).min(reads.len() as u32 - 1) };
        events.push(Located { read, event: event(input, &mut done)? });
    }
    let completed = input.ratio(7, 8)?;
    Ok(Observation { intended, started, first_byte_written, last_byte_written, ended, reads, events, completed })
}

/// Counts that only rise, as an honest backend's do.
#[derive(Default)]
struct Counts {
    completion: u64,
}

fn event(input: &mut Unstructured<'_>, done: &mut Counts) -> Result<Event, Error> {
    Ok(match input.int_in_range(0..=15)? {
        0 => Event::Start,
        1..=6 => Event::Fragment {
            channel: *input.choose(&[Channel::Text, Channel::Reasoning, Channel::ToolCall])?,
            bytes: input.arbitrary::<u32>()? >> input.int_in_range(0..=31)?,
        },
        7 => Event::TokenIds(input.int_in_range(0..=9)?),
        8 => Event::Usage(Usage {
            prompt: count(input)?,
            cached: count(input)?,
            completion: count(input)?,
            reasoning: count(input)?,
        }),
        9..=11 => {
            done.completion += input.int_in_range(0..=9)?;
            let prompt = Some(100);
            Event::Usage(Usage { prompt, cached: Some(7), completion: Some(done.completion), reasoning: None })
        }
        12 => Event::ServerTiming(ServerTiming {
            queue_ms: input.arbitrary()?,
            load_ms: input.arbitrary()?,
            prefill_ms: input.arbitrary()?,
            prefill_tokens: count(input)?,
            decode_ms: input.arbitrary()?,
            decode_tokens: count(input)?,
            draft_tokens: count(input)?,
            accepted_tokens: count(input)?,
        }),
        13 => Event::Finish(input.choose(&[Finish::Stop, Finish::Length, Finish::ToolCalls])?.clone()),
        14 => Event::Error,
        _ => Event::Other,
    })
}

/// Nothing, a small count, or any.
fn count(input: &mut Unstructured<'_>) -> Result<Option<u64>, Error> {
    Ok(match input.int_in_range(0..=3)? {
        0 => None,
        1 => Some(input.arbitrary()?),
        _ => Some(input.int_in_range(0..=4096)?),
    })
}
