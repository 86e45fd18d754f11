//! Tests of drivers against recorded traffic, and the entry point for fuzzing their decoders. Native builds only.
//!
//! The format of recordings is described in `plugins/drivers/FIXTURES.md`.

use std::marker::PhantomData;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::driver::{Decode, Driver, Encoded, HttpAnswer, LocatedEvent, ProbeAnswer, Target};
use crate::stream::{Framing, Out, Protocol, Stream};
use crate::types::{
    CacheMode, Event, Generation, HeaderPart, HttpResponse, Message, Problem, Prompt, ResponseHeader, Role, Sampling,
    Usage,
};

/// Why a recording cannot be used.
#[derive(Debug)]
pub enum RecordingError {
    /// The file cannot be read.
    Io(std::io::Error),
    /// The file is no recording.
    Json(serde_json::Error),
    /// A read has neither `text` nor `hex`, or broken `hex`.
    Read(usize),
}

/// What was asked.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordedRequest {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body as sent, cut after 2,000 characters.
    pub body: String,
}

/// Where a recording comes from.
#[derive(Debug, Clone, Deserialize)]
pub struct Meta {
    /// Name of the backend.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// `real server` or `documentation: ADDRESS`.
    pub recorded_from: String,
    /// What was asked.
    pub request: RecordedRequest,
}

#[derive(Deserialize)]
struct File {
    meta: Meta,
    status: u16,
    headers: Vec<(String, String)>,
    reads: Vec<ReadEntry>,
}

#[derive(Deserialize)]
struct ReadEntry {
    text: Option<String>,
    hex: Option<String>,
}

/// One recorded answer.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Where it comes from.
    pub meta: Meta,
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<ResponseHeader>,
    /// The body, one entry per read of the socket.
    pub reads: Vec<Vec<u8>>,
}

impl Recording {
    /// Loads a recording.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Self::parse(&std::fs::read(path).map_err(RecordingError::Io)?)
    }

    /// Reads a recording from the text of its file.
    pub fn parse(text: &[u8]) -> Result<Self, RecordingError> {
        let file: File = serde_json::from_slice(text).map_err(RecordingError::Json)?;
        let bytes = |(index, entry): (usize, ReadEntry)| match (entry.text, entry.hex) {
            (Some(text), None) => Ok(text.into_bytes()),
            (None, Some(hex)) => unhex(&hex).ok_or(RecordingError::Read(index)),
            _ => Err(RecordingError::Read(index)),
        };
        let reads = file.reads.into_iter().enumerate().map(bytes).collect::<Result<_, _>>()?;
        let headers = file.headers.into_iter().map(|(name, value)| ResponseHeader { name, value }).collect();
        Ok(Self { meta: file.meta, status: file.status, headers, reads })
    }

    /// The whole body.
    pub fn body(&self) -> Vec<u8> {
        self.reads.concat()
    }

    /// The answer as the host hands it over whole.
    pub fn response(&self) -> HttpResponse {
        HttpResponse { status: self.status, headers: self.headers.clone(), body: self.body() }
    }

    /// The answer to the probe `id`.
    pub fn answer(&self, id: &str) -> ProbeAnswer {
        ProbeAnswer::Http(HttpAnswer { id: id.to_owned(), response: Some(self.response()) })
    }

    /// Decodes the body in one batch, with the reads as recorded.
    pub fn decode<D: Decode>(&self) -> Result<Vec<LocatedEvent>, Problem> {
        let mut end = 0;
        let ends = self.reads.iter().map(|read| {
            end += u32::try_from(read.len()).unwrap_or(u32::MAX);
            end
        });
        whole(run::<D>(&self.headers, [(self.body(), ends.collect())]))
    }

    /// Decodes the body and checks that it makes no difference how it is batched: in one batch, read by read, and byte by
    /// byte, events are the same, and so are the reads that they are found in. Answers the events.
    ///
    /// # Panics
    /// Where they differ.
    pub fn decode_consistently<D: Decode>(&self) -> Result<Vec<LocatedEvent>, Problem> {
        let batch = self.decode::<D>();
        let single = self.reads.iter().map(|read| (read.clone(), vec![u32::try_from(read.len()).unwrap_or(u32::MAX)]));
        assert_eq!(whole(run::<D>(&self.headers, single)), batch, "read by read differs from one batch");
        let bytes = self.body().into_iter().map(|byte| (vec![byte], vec![1]));
        let split = whole(run::<D>(&self.headers, bytes)).map(|events| {
            let read_of = |byte: u32| {
                let mut end = 0;
                let held = self.reads.iter().position(|read| {
                    end += read.len();
                    end > byte as usize
                });
                held.map_or(u32::MAX, |read| u32::try_from(read).unwrap_or(u32::MAX))
            };
            let located = events.into_iter().map(|located| LocatedEvent { read: read_of(located.read), ..located });
            located.collect::<Vec<_>>()
        });
        assert_eq!(split, batch, "byte by byte differs from one batch");
        batch
    }
}

/// The recordings of the driver `D`.
#[derive(Debug)]
pub struct Fixtures<D> {
    folder: &'static str,
    of: PhantomData<fn() -> D>,
}

impl<D: Driver> Fixtures<D> {
    /// The recordings in this folder, `NAME.json` each.
    pub const fn new(folder: &'static str) -> Self {
        Self { folder, of: PhantomData }
    }

    /// One recording.
    ///
    /// # Panics
    /// Where it cannot be loaded.
    pub fn load(&self, name: &str) -> Recording {
        let path = Path::new(self.folder).join(format!("{name}.json"));
        Recording::load(&path).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
    }

    /// What the driver's decoder finds in a recording, with the reads that it was found in.
    ///
    /// # Panics
    /// Where the recording cannot be loaded or decoded.
    pub fn located(&self, name: &str) -> Vec<LocatedEvent> {
        self.load(name).decode::<D::Decoder>().unwrap_or_else(|problem| panic!("{name}: {problem:?}"))
    }

    /// What the driver's decoder finds in a recording.
    ///
    /// # Panics
    /// As [`located`](Self::located) does.
    pub fn events(&self, name: &str) -> Vec<Event> {
        self.located(name).into_iter().map(|located| located.event).collect()
    }

    /// The code of the problem that the driver sees in a recorded answer with an error status.
    ///
    /// # Panics
    /// Where the recording cannot be loaded.
    pub fn code(&self, name: &str) -> String {
        D::explain(self.load(name).response()).code
    }
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    rest.is_empty().then(|| bytes.collect())?
}

/// Everything a decoder said: the events, and the problem that ended it.
pub type Said = (Vec<LocatedEvent>, Option<Problem>);

/// Runs a decoder over batches of bytes and ends of reads, up to its first problem, and finishes it.
pub fn run<D: Decode>(headers: &[ResponseHeader], batches: impl IntoIterator<Item = (Vec<u8>, Vec<u32>)>) -> Said {
    let decoder = D::new(headers.to_vec());
    let mut events = Vec::new();
    for (bytes, ends) in batches {
        match decoder.push(bytes, ends) {
            Ok(more) => events.extend(more),
            Err(problem) => return (events, Some(problem)),
        }
    }
    match decoder.finish() {
        Ok(more) => events.extend(more),
        Err(problem) => return (events, Some(problem)),
    }
    (events, None)
}

fn whole((events, problem): Said) -> Result<Vec<LocatedEvent>, Problem> {
    problem.map_or(Ok(events), Err)
}

/// Feeds a decoder with hostile bytes: in one batch, and cut in pieces whose sizes the bytes themselves choose. Checks that
/// reads are in range and ascend, and that both ways give the same events.
///
/// # Panics
/// Where the decoder breaks a promise.
pub fn fuzz_decoder<D: Decode>(data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (events, problem) = run::<D>(&[], [(data.to_vec(), vec![length])]);
    assert!(events.iter().all(|located| located.read == 0), "one read, so every event is in it");
    let mut rest = data;
    let mut pieces = Vec::new();
    while let Some(first) = rest.first() {
        let (piece, more) = rest.split_at(usize::from(first % 23 + 1).min(rest.len()));
        pieces.push((piece.to_vec(), vec![u32::try_from(piece.len()).unwrap_or(u32::MAX)]));
        rest = more;
    }
    let reads = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let (split, split_problem) = run::<D>(&[], pieces);
    assert!(split.is_sorted_by_key(|located| located.read), "reads ascend");
    assert!(split.last().is_none_or(|located| located.read < reads), "reads are in range");
    // As text, because a hostile log-probability may be no number and so unequal to itself.
    let plain = |list: &[LocatedEvent]| list.iter().map(|located| format!("{:?}", located.event)).collect::<Vec<_>>();
    assert_eq!(plain(&split), plain(&events), "batching makes no difference");
    assert_eq!(split_problem, problem);
}

/// A protocol without the fast path: every message is parsed in full.
#[derive(Debug, Default)]
pub struct FullParse<P>(P);

impl<P: Protocol> Protocol for FullParse<P> {
    const FRAMING: Framing = P::FRAMING;

    fn message(&mut self, kind: &[u8], data: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        let result = self.0.message(kind, data, out);
        out.repeatable([]);
        result
    }

    fn document(&mut self, body: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        self.0.document(body, out)
    }

    fn comment(&mut self, text: &[u8], out: &mut Out<'_>) {
        self.0.comment(text, out);
    }

    fn complete(&self) -> bool {
        self.0.complete()
    }
}

/// A decoder over a protocol.
pub trait OverProtocol: Decode {
    /// What its messages mean.
    type Protocol: Protocol;
}

impl<P: Protocol> OverProtocol for Stream<P> {
    type Protocol = P;
}

/// Checks that the fast path gives what the full parse gives.
///
/// # Panics
/// Where they differ.
pub fn assert_fast_path_is_exact<P: Protocol>(data: &[u8]) {
    let ends = vec![u32::try_from(data.len()).unwrap_or(u32::MAX)];
    let fast = run::<Stream<P>>(&[], [(data.to_vec(), ends.clone())]);
    let full = run::<Stream<FullParse<P>>>(&[], [(data.to_vec(), ends)]);
    // As text, because a hostile log-probability may be no number and so unequal to itself.
    assert_eq!(format!("{fast:?}"), format!("{full:?}"), "the fast path differs from the full parse");
}

/// The visible text of an answer.
pub fn text(events: &[LocatedEvent]) -> String {
    let fragments = events.iter().filter_map(|located| match &located.event {
        Event::Text(text) => Some(text.as_str()),
        _ => None,
    });
    fragments.collect()
}

/// The last token counts of an answer.
pub fn usage(events: &[LocatedEvent]) -> Option<Usage> {
    events.iter().rev().find_map(|located| match &located.event {
        Event::Usage(usage) => Some(*usage),
        _ => None,
    })
}

/// A plain generation request for one user message, cold and without options.
pub fn chat(content: &str, max_tokens: u32) -> Generation {
    let message = Message { role: Role::User, content: content.to_owned(), tool_calls: Vec::new(), tool_call_id: None };
    generation(Prompt::Messages(vec![message]), max_tokens)
}

/// A plain generation request for raw text, cold and without options.
pub fn raw(text: &str, max_tokens: u32) -> Generation {
    generation(Prompt::Text(text.to_owned()), max_tokens)
}

/// A request for one user message whose answer has 64 tokens whatever the model would say, with a salt.
pub fn forced() -> Generation {
    Generation { force_length: true, salt: Some("salt-1".to_owned()), ..chat("Hello", 64) }
}

fn generation(prompt: Prompt, max_tokens: u32) -> Generation {
    Generation {
        prompt,
        tools: Vec::new(),
        max_tokens,
        force_length: false,
        stop: Vec::new(),
        sampling: Sampling { temperature: None, top_p: None, top_k: None, seed: None },
        cache: CacheMode::Cold,
        salt: None,
        logprobs: None,
    }
}

/// A target without a known version, with these driver parameters.
pub fn target(params: &Value) -> Target {
    Target { model: "the-model".to_owned(), version: None, params: params.to_string() }
}

/// The JSON body of a request.
///
/// # Panics
/// Where the body is no JSON.
pub fn body(encoded: &Encoded) -> Value {
    serde_json::from_slice(&encoded.request.body).unwrap_or_else(|error| panic!("the body is no JSON: {error}"))
}

/// Whether a request carries the secret `api-key` as a bearer token.
pub fn carries_the_key(encoded: &Encoded) -> bool {
    let value = [HeaderPart::Text("Bearer ".to_owned()), HeaderPart::Secret("api-key".to_owned())];
    encoded.request.headers.iter().any(|header| header.name == "authorization" && header.value == value)
}

/// The event for token counts.
pub fn counts(prompt: u64, cached: Option<u64>, completion: u64, reasoning: Option<u64>) -> Event {
    Event::Usage(Usage {
        prompt_tokens: Some(prompt),
        cached_tokens: cached,
        completion_tokens: Some(completion),
        reasoning_tokens: reasoning,
    })
}

/// The event for a fragment of visible text.
pub fn fragment(text: &str) -> Event {
    Event::Text(text.to_owned())
}
