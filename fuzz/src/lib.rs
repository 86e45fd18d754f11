//! What several targets share: a folder for files that readers open by path, and honest files to begin from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use tempfile::TempDir;

/// A folder of this process, in memory where the system has such a place.
pub struct Scratch {
    folder: TempDir,
}

impl Default for Scratch {
    fn default() -> Self {
        let memory = Path::new("/dev/shm");
        let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        Self { folder: made.expect("a folder for files can be made") }
    }
}

impl Scratch {
    /// Writes a file, in folders if its name has some, and gives its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is below a folder")).expect("folders can be made");
        fs::write(&path, bytes).expect("a file can be written");
        path
    }

    /// The path of a name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Removes a folder with all that is in it, if it is there.
    pub fn clear(&self, name: &str) {
        let _ = fs::remove_dir_all(self.path(name));
    }

    /// Options of an import that writes the folder `out`, which is emptied first.
    pub fn options(&self) -> bench_import::Options {
        self.clear("out");
        bench_import::Options { out: Some(self.path("out")), ..bench_import::Options::default() }
    }
}

/// Bytes to change in an honest file: places, which count modulo its length, and what is put there.
pub type Changes = Vec<(u32, u8)>;

/// An honest file with some bytes changed, and cut at a place if there is one.
pub fn change(honest: &[u8], changes: &Changes, cut: Option<u32>) -> Vec<u8> {
    let mut bytes = honest.to_vec();
    for (at, byte) in changes {
        let at = *at as usize % bytes.len();
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut as usize % (bytes.len() + 1));
    }
    bytes
}

/// A Parquet file with a text, a number that may be missing and a list.
pub fn parquet_rows() -> Vec<u8> {
    let schema = "message rows {
        required binary a (UTF8);
        optional int64 n;
        optional group l (LIST) { repeated group list { optional int32 element; } }
    }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).expect("the schema is sound"));
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::default()))
        .expect("the file can be begun");
    let mut group = writer.next_row_group().expect("a group can be begun");
    let texts = ["one", "two", "one", "four"].map(|text| ByteArray::from(text.as_bytes().to_vec()));
    column::<ByteArrayType>(&mut group, &texts, None, None);
    column::<Int64Type>(&mut group, &[1, 2, 3], Some(&[1, 0, 1, 1]), None);
    column::<Int32Type>(&mut group, &[1, 2, 3], Some(&[3, 3, 0, 1, 3]), Some(&[0, 1, 0, 0, 0]));
    group.close().expect("the group is whole");
    writer.into_inner().expect("the file is whole")
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    definitions: Option<&[i16]>,
    repetitions: Option<&[i16]>,
) {
    let mut column = group.next_column().expect("the schema has the column").expect("there is a next column");
    column.typed::<T>().write_batch(values, definitions, repetitions).expect("the values fit the column");
    column.close().expect("the column is whole");
}

/// A trace of two requests, as runs write it.
pub fn trace(scratch: &Scratch) -> Vec<u8> {
    use bench_record::trace::{TraceHead, TraceRead, TraceRequest, TraceWriter};

    let path = scratch.path("honest/trace.parquet");
    let run = bench_record::RunId::new("20260101-000000-aaaaaa").expect("a name of a run");
    let mut writer = TraceWriter::create(&path, &run).expect("the trace can be begun");
    for ordinal in 0..2 {
        let request = TraceRequest {
            ordinal,
            intended_ns: 10,
            started_ns: 20,
            first_byte_written_ns: Some(30),
            last_byte_written_ns: Some(40),
            ended_ns: 90,
            head: Some(TraceHead { status: 200, at_ns: 50, headers: vec![("a".to_owned(), "b".to_owned())] }),
            body: bytes::Bytes::from_static(b"data: {}\n\ndata: [DONE]\n\n"),
            reads: vec![TraceRead { end: 10, at_ns: 60 }, TraceRead { end: 24, at_ns: 70 }],
            ..TraceRequest::default()
        };
        writer.push(&request).expect("the request is sound");
    }
    writer.finish().expect("the trace is whole");
    fs::read(path).expect("the trace is there")
}
