//! Reading a log line by line. The file may come from anywhere: lines, sizes and counts are bounded, and whatever is wrong with
//! a line is an error that names it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use bench_json::{Budget, DEFAULT_MEMORY, JsonError, measure, memory, plain_json, text_cost};
use serde::Deserialize;

use crate::error::{LineError, LineErrorKind, SamplesError};
use crate::record::{Key, SCHEMA_VERSION, SampleRecord};

/// How much of a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest line, in bytes.
    pub line_bytes: u64,
    /// Largest file, or content of an archive once unpacked, in bytes.
    pub file_bytes: u64,
    /// Most lines.
    pub lines: u64,
    /// Memory that the samples may take, in bytes.
    pub memory: u64,
}

/// The part of the memory that one line, or one entry of an archive, may take while it is read.
const PART_OF_MEMORY: u64 = 8;

impl Default for Limits {
    /// Lines of 24 MiB, files of 1 GiB, 20 million lines, and 192 MiB of memory. Where the user allows more memory, lines and
    /// files may be larger in proportion.
    fn default() -> Self {
        let memory = memory();
        let scale = |limit: u64| {
            let scaled = u128::from(limit) * u128::from(memory.max(DEFAULT_MEMORY)) / u128::from(DEFAULT_MEMORY);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        Self { line_bytes: scale(24 << 20), file_bytes: scale(1 << 30), lines: 20_000_000, memory }
    }
}

impl Limits {
    /// For a log that this program is writing. The user chose its size with the tasks, so only its lines have a bound.
    pub(crate) fn of_own_log() -> Self {
        Self { file_bytes: u64::MAX, lines: u64::MAX, memory: u64::MAX, ..Self::default() }
    }

    /// Memory that one line, or one entry of an archive, may take while it is read, in bytes.
    pub(crate) fn part(&self) -> u64 {
        self.memory / PART_OF_MEMORY
    }
}

/// The lines of a file, without their ends; blank ones are left out.
pub(crate) struct Lines<R> {
    input: R,
    limits: Limits,
    line: u64,
    bytes: u64,
    ended: bool,
}

/// A line as it stands in the file.
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) text: Vec<u8>,
    /// A newline follows it.
    pub(crate) whole: bool,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R, limits: Limits) -> Self {
        Self { input, limits, line: 0, bytes: 0, ended: false }
    }

    fn fails(&mut self, kind: LineErrorKind) -> Option<Result<Line, LineError>> {
        self.ended = true;
        Some(Err(LineError { line: self.line, kind }))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.line += 1;
            let mut text = Vec::new();
            // The newline, and one byte that tells a line of the greatest length from one that is too long.
            let bound = self.limits.line_bytes.saturating_add(2);
            match self.input.by_ref().take(bound).read_until(b'\n', &mut text) {
                Err(error) => return self.fails(LineErrorKind::Io(error)),
                Ok(0) => return None,
                Ok(read) => self.bytes = self.bytes.saturating_add(read as u64),
            }
            let whole = text.last() == Some(&b'\n');
            if whole {
                text.pop();
            }
            if text.len() as u64 > self.limits.line_bytes {
                return self.fails(LineErrorKind::TooLong { limit: self.limits.line_bytes });
            }
            if self.bytes > self.limits.file_bytes {
                return self.fails(LineErrorKind::TooMany { limit: self.limits.file_bytes, unit: "bytes" });
            }
            if self.line > self.limits.lines {
                return self.fails(LineErrorKind::TooMany { limit: self.limits.lines, unit: "lines" });
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                return Some(Ok(Line { number: self.line, text, whole }));
            }
        }
        None
    }
}

/// The samples of a log, one after the other. After an error that leaves no way to go on, such as a line that is too long,
/// nothing more comes.
pub struct Reader<R> {
    lines: Lines<R>,
    budget: Budget,
}

impl<R: BufRead> Reader<R> {
    /// Reads samples from anything.
    pub fn new(input: R, limits: Limits) -> Self {
        Self { lines: Lines::new(input, limits), budget: Budget::new(limits.memory) }
    }

    /// The next sample with the number of its line. Its memory stays spent.
    fn numbered(&mut self) -> Option<Result<(u64, SampleRecord), LineError>> {
        let line = match self.lines.next()? {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        let parsed = parse_within(&line.text, &self.budget).map_err(|kind| match kind {
            // A newer or a whole line is refused for what it is, wherever the file ends.
            LineErrorKind::NotASample(_) | LineErrorKind::NotUtf8 { .. } if !line.whole => LineErrorKind::Torn,
            kind => kind,
        });
        Some(parsed.map(|sample| (line.number, sample)).map_err(|kind| LineError { line: line.number, kind }))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<SampleRecord, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Samples are handed out one by one, so the memory that counts is that of one sample.
        let spent = self.budget.spent();
        let sample = self.numbered()?.map(|(_, sample)| sample);
        self.budget.give_back_to(spent);
        Some(sample)
    }
}

/// Reads one line.
///
/// # Errors
///
/// [`LineErrorKind::NotUtf8`], [`LineErrorKind::NotASample`], [`LineErrorKind::Newer`], [`LineErrorKind::MissingId`] or
/// [`LineErrorKind::Memory`].
pub fn parse(line: &[u8]) -> Result<SampleRecord, LineErrorKind> {
    parse_within(line, &Budget::default())
}

/// Bytes that a record takes beside its texts and values, at most.
const RECORD: u64 = size_of::<SampleRecord>() as u64;

/// Reads one line, whose memory stays spent.
fn parse_within(line: &[u8], budget: &Budget) -> Result<SampleRecord, LineErrorKind> {
    #[derive(Deserialize)]
    struct Version {
        schema: u64,
    }

    let text = std::str::from_utf8(line).map_err(|error| LineErrorKind::NotUtf8 { at: error.valid_up_to() })?;
    let plain = plain_json(text);
    let text = plain.as_ref();
    let newer = |found: u64| LineErrorKind::Newer { found, known: SCHEMA_VERSION };
    // The values of a line are counted before any is made. Those that are no JSON are told below.
    if let Err(JsonError::OverBudget(error)) = measure(text, budget) {
        return Err(LineErrorKind::Memory(error));
    }
    // The room of a list of records doubles.
    budget.spend(2 * RECORD).map_err(LineErrorKind::Memory)?;
    match serde_json::from_str::<SampleRecord>(text) {
        Ok(sample) if sample.schema > SCHEMA_VERSION => Err(newer(sample.schema.into())),
        Ok(sample) if sample.id.is_empty() => Err(LineErrorKind::MissingId),
        Ok(sample) => Ok(sample),
        Err(error) => match serde_json::from_str::<Version>(text) {
            // A newer line may have little in common with this version.
            Ok(version) if version.schema > u64::from(SCHEMA_VERSION) => Err(newer(version.schema)),
            _ => Err(LineErrorKind::NotASample(error.to_string())),
        },
    }
}

/// Opens the log at `path` for reading.
///
/// # Errors
///
/// [`SamplesError::Io`].
pub fn open(path: &Path, limits: Limits) -> Result<Reader<BufReader<File>>, SamplesError> {
    let file = open_file(path)?;
    Ok(Reader::new(BufReader::with_capacity(1 << 16, file), limits))
}

/// Opens a file that is one: a pipe would make the program wait.
pub(crate) fn open_file(path: &Path) -> Result<File, SamplesError> {
    bench_files::open_regular(path).map_err(SamplesError::File)
}

/// A whole log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// Its samples, in the order of the file.
    pub records: Vec<SampleRecord>,
    /// The number of a last line that ends in the middle and was left out.
    pub torn: Option<u64>,
}

/// Reads the log at `path` whole. A last line that ends in the middle is left out; nothing else is forgiven.
///
/// # Errors
///
/// [`SamplesError::Io`] or [`SamplesError::Line`], also for a sample that is there twice or was edited.
pub fn load(path: &Path, limits: Limits) -> Result<Loaded, SamplesError> {
    load_within(path, limits, &Budget::new(limits.memory))
}

/// Reads a log whole within a budget that it shares with other logs.
pub(crate) fn load_within(path: &Path, limits: Limits, budget: &Budget) -> Result<Loaded, SamplesError> {
    let reader = Reader { budget: budget.clone(), ..open(path, limits)? };
    collect(reader).map_err(SamplesError::line(path))
}

/// Reads all samples. See [`load`].
///
/// # Errors
///
/// What is wrong with the first line that is wrong.
pub fn collect<R: BufRead>(reader: Reader<R>) -> Result<Loaded, LineError> {
    let mut records = Vec::new();
    let torn = walk(reader, true, |sample| records.push(sample))?;
    Ok(Loaded { records, torn })
}

/// Hands the samples of a log out one after the other, checked as [`load`] checks them. Only the memory of one sample counts, so a
/// log may be larger than what its samples may take together. Gives the number of a last line that ends in the middle.
///
/// # Errors
///
/// What is wrong with the first line that is wrong.
pub fn for_each<R: BufRead>(reader: Reader<R>, take: impl FnMut(SampleRecord)) -> Result<Option<u64>, LineError> {
    walk(reader, false, take)
}

/// Reads all samples; where they are kept, their memory stays spent.
fn walk<R: BufRead>(
    mut reader: Reader<R>,
    are_kept: bool,
    mut take: impl FnMut(SampleRecord),
) -> Result<Option<u64>, LineError> {
    let mut torn = None;
    let mut lines: HashMap<Key, u64> = HashMap::new();
    loop {
        let spent = reader.budget.spent();
        let (line, sample) = match reader.numbered() {
            None => return Ok(torn),
            Some(Err(LineError { line, kind: LineErrorKind::Torn })) => {
                torn = Some(line);
                continue;
            }
            Some(found) => found?,
        };
        if let Some(part) = sample.wrong_digest() {
            return Err(LineError { line, kind: LineErrorKind::Altered { part } });
        }
        if let Some(first) = lines.insert(sample.key(), line) {
            return Err(LineError { line, kind: LineErrorKind::Duplicate { key: sample.key().to_string(), first } });
        }
        if !are_kept {
            reader.budget.give_back_to(spent);
            // Keys are kept to tell samples apart.
            let key = 2 * size_of::<Key>() as u64 + text_cost(sample.task.len()) + text_cost(sample.id.len());
            reader.budget.spend(key).map_err(|error| LineError { line, kind: LineErrorKind::Memory(error) })?;
        }
        take(sample);
    }
}

/// The samples that should be in a log and are not: each of `ids` of `task`, `epochs` times.
pub fn missing<'a>(
    records: &[SampleRecord],
    task: &str,
    ids: impl IntoIterator<Item = &'a str>,
    epochs: u32,
) -> Vec<Key> {
    let there: std::collections::HashSet<(&str, u32)> =
        records.iter().filter(|record| record.task == task).map(|record| (record.id.as_str(), record.epoch)).collect();
    let wanted = ids.into_iter().flat_map(|id| (0..epochs).map(move |epoch| (id, epoch)));
    wanted
        .filter(|sample| !there.contains(sample))
        .map(|(id, epoch)| Key { task: task.to_owned(), id: id.to_owned(), epoch })
        .collect()
}
