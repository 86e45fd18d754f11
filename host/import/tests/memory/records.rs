//! Logs of samples, records, traces, suites and recorded loads.

use std::fs;
use std::io::{BufReader, Write as _};
use std::path::Path;
use std::sync::Arc;

use bench_load::{Length, Replay, ReplaySpec};
use bench_record::trace::{TraceLimits, read_trace};
use bench_record::{RecordError, read_record};
use bench_samples::{Limits, SamplesError, import::import};
use bench_suite::{Digest, Suite, SuiteError};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use super::{code, within_limit, write_repeated};

#[test]
fn sample_logs() {
    let memory = "input-takes-too-much-memory";
    let cases = [
        ("document.jsonl", memory),
        ("line.jsonl", "sample-too-long"),
        ("many.jsonl", memory),
        ("samples_t_2026-01-01T00.jsonl", memory),
        ("samples_answers_2026-01-01T00.jsonl", "not-a-sample"),
        ("samples_repeats_2026-01-01T00.jsonl", memory),
        ("log.json", memory),
        ("references.json", "not-a-sample-log"),
        ("large.json", "samples-too-large"),
    ];
    let write = |folder: &Path| {
        let sample = |document: &str, end: &str| {
            format!(
                "{{\"schema\": 1, \"task\": \"t\", \"id\": \"1\", \"epoch\": 0, \"document_sha256\": \"\", \"document\": {document}{end}"
            )
        };
        write_repeated(folder, "document.jsonl", &sample("[", ""), "0,", 8_000_000, "0]}\n");
        write_repeated(folder, "line.jsonl", &sample("[", ""), "0,", 150_000_000, "0]}\n");
        let mut file = std::io::BufWriter::new(fs::File::create(folder.join("many.jsonl")).unwrap());
        let mut record = bench_samples::SampleRecord::new("t", "", 0, 0.into(), Vec::new(), 0.into());
        record.answer = Some("x".repeat(1 << 20));
        for n in 0..300 {
            // The identifier is in none of the digests.
            record.id = n.to_string();
            writeln!(file, "{}", serde_json::to_string(&record).unwrap()).unwrap();
        }
        file.flush().unwrap();
        let line = |rest: &str| format!("{{\"doc_id\": 1, \"arguments\": [[\"x\", {{}}]], {rest}");
        let name = |task: &str| format!("samples_{task}_2026-01-01T00.jsonl");
        write_repeated(folder, &name("t"), &line("\"resps\": [], \"doc\": ["), "0,", 8_000_000, "0]}\n");
        write_repeated(folder, &name("answers"), &line("\"resps\": [["), "\"\",", 1_000_000, "\"\"]]}\n");
        let document = format!("\"doc\": \"{}\", \"resps\": [[", "x".repeat(4 << 20));
        write_repeated(folder, &name("repeats"), &line(&document), "\"\",", 4_000, "\"\"]]}\n");
        let begin = "{\"version\": 2, \"status\": \"\", \"eval\": {\"task\": \"t\"}, \"samples\": [";
        write_repeated(folder, "log.json", begin, "0,", 30_000_000, "0]}\n");
        write_repeated(folder, "large.json", begin, "0,", 150_000_000, "0]}\n");
        let text = "x".repeat(8 << 20);
        let begin = format!("{begin}{{\"id\": 1, \"attachments\": {{\"a\": \"{text}\"}}, \"input\": [");
        let message = "{\"role\": \"user\", \"content\": \"attachment://a\"},";
        write_repeated(folder, "references.json", &begin, message, 10_000, "{}]}]}\n");
    };
    let read = |folder: &Path, name: &str| code(import(&folder.join(name), Limits::default()), SamplesError::code);
    within_limit("records::sample_logs", &cases, write, read);
}

#[test]
fn run_records() {
    let memory = "input-takes-too-much-memory";
    let cases = [
        ("problems.json", memory),
        ("values.json", memory),
        ("requests.json", memory),
        ("large.json", "record-too-large"),
    ];
    let write = |folder: &Path| {
        let record = include_str!("../../../record/tests/golden/run-v1.json");
        let open = record.trim_end().strip_suffix('}').unwrap();
        let problem = "{\"code\":\"\",\"message\":\"\",\"hint\":null},";
        let problems = open.replacen("\"problems\": [", "\"problems\": [,", 1);
        let at = problems.find("\"problems\": [,").unwrap() + "\"problems\": [".len();
        write_repeated(folder, "problems.json", &problems[..at], problem, 2_500_000, &problems[at + 1..]);
        write_repeated(folder, "values.json", &format!("{open}, \"more\": ["), "0,", 30_000_000, "0]}");
        write_repeated(folder, "requests.json", &format!("{open}, \"more\": ["), "{},", 30_000_000, "0]}");
        write_repeated(folder, "large.json", &format!("{open}, \"more\": ["), "0,", 150_000_000, "0]}");
    };
    let read = |folder: &Path, name: &str| code(read_record(&folder.join(name)), RecordError::code);
    within_limit("records::run_records", &cases, write, read);
}

const SCHEMA: &str = "message bench_trace {
    required int32 request (INTEGER(32,false)); optional int32 read (INTEGER(32,false)); required int64 at_ns;
    optional int32 end (INTEGER(32,false)); optional byte_array bytes; optional int64 intended_ns; optional int64 connected_ns;
    optional int64 first_byte_written_ns; optional int64 last_byte_written_ns; optional int64 head_ns; optional int64 ended_ns;
    optional int32 status; optional byte_array headers (STRING); optional byte_array outcome (STRING);
}";

fn put<T: DataType>(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[T::T], levels: Option<&[i16]>) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels, None).unwrap();
    column.close().unwrap();
}

/// One request and `reads` of it, all of the same bytes; or that many requests without any.
fn trace(reads: usize, bytes: &[u8], are_requests: bool) -> Vec<u8> {
    let schema = Arc::new(parquet::schema::parser::parse_message_type(SCHEMA).unwrap());
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(vec![KeyValue::new("bench.trace.layout".to_owned(), "1".to_owned())]))
        .set_dictionary_page_size_limit(64 << 20)
        .set_compression(parquet::basic::Compression::SNAPPY)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let rows = reads + 1;
    let ordinals: Vec<i32> = (0..rows).map(|row| if are_requests { row as i32 } else { 0 }).collect();
    let of_reads: Vec<i16> = (0..rows).map(|row| i16::from(row > 0 && !are_requests)).collect();
    let of_requests: Vec<i16> = of_reads.iter().map(|level| 1 - level).collect();
    let none = vec![0_i16; rows];
    let count = of_requests.iter().filter(|level| **level > 0).count();
    put::<Int32Type>(&mut group, &ordinals, None);
    let read: Vec<i32> = (0..(rows - count) as i32).collect();
    put::<Int32Type>(&mut group, &read, Some(&of_reads));
    put::<Int64Type>(&mut group, &vec![1; rows], None);
    let ends: Vec<i32> = read.iter().map(|read| (*read + 1).wrapping_mul(bytes.len() as i32)).collect();
    put::<Int32Type>(&mut group, &ends, Some(&of_reads));
    let same = vec![ByteArray::from(bytes.to_vec()); rows - count];
    put::<ByteArrayType>(&mut group, &same, Some(&of_reads));
    put::<Int64Type>(&mut group, &vec![1; count], Some(&of_requests));
    (0..4).for_each(|_| put::<Int64Type>(&mut group, &[], Some(&none)));
    put::<Int64Type>(&mut group, &vec![1; count], Some(&of_requests));
    put::<Int32Type>(&mut group, &[], Some(&none));
    (0..2).for_each(|_| put::<ByteArrayType>(&mut group, &[], Some(&none)));
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn traces() {
    let cases = [("honest", "fine"), ("bytes", "bad-trace"), ("requests", "bad-trace"), ("footer", "bad-trace")];
    let write = |folder: &Path| {
        fs::write(folder.join("honest"), trace(10, b"x", false)).unwrap();
        let bomb = trace(4000, &[b'x'; 1 << 16], false);
        assert!(bomb.len() < 200_000, "{}", bomb.len());
        fs::write(folder.join("bytes"), bomb).unwrap();
        fs::write(folder.join("requests"), trace(600_000, b"", true)).unwrap();
        let footer = [&b"PAR1"[..], &vec![0; 90_000_000], &90_000_000_u32.to_le_bytes(), b"PAR1"].concat();
        fs::write(folder.join("footer"), footer).unwrap();
    };
    let read =
        |folder: &Path, name: &str| code(read_trace(&folder.join(name), TraceLimits::default()), RecordError::code);
    within_limit("records::traces", &cases, write, read);
}

#[test]
fn suites() {
    let memory = "input-takes-too-much-memory";
    let cases = [("zeros", memory), ("objects", memory), ("many", memory)];
    let write = |folder: &Path| {
        for (name, begin, part, count, end) in [
            ("zeros", "{\"id\": 1, \"a\": [", "0,", 20_000_000, "0]}\n"),
            ("objects", "{\"id\": 1, \"a\": [", "{\"\":0},", 5_000_000, "0]}\n"),
            ("many", "", "", 0, ""),
        ] {
            let suite = folder.join(name);
            fs::create_dir(&suite).unwrap();
            write_repeated(&suite, "data.jsonl", begin, part, count, end);
            if name == "many" {
                let lines: String = (0..900_000).map(|n| format!("{{\"id\": {n}, \"a\": \"\"}}\n")).collect();
                fs::write(suite.join("data.jsonl"), lines).unwrap();
            }
            let sha256 = Digest::of(&fs::read(suite.join("data.jsonl")).unwrap());
            let manifest = format!(
                "schema = 1\nname = \"s\"\nversion = \"1.0.0\"\ntitle = \"t\"\nlicence = \"MIT\"\nmin-host = \">=0.1.0\"\n\n[[tasks]]\n\
                 name = \"t\"\ntitle = \"t\"\ndata = {{ file = \"data.jsonl\", sha256 = \"{sha256}\", licence = \"MIT\", source = \"s\" }}\n\
                 scorer = {{ plugin = \"match\", version = \"^0.1\" }}\nfields = {{ target = \"\" }}\ntemplate = {{ user = \"{{id}}\" }}\n"
            );
            fs::write(suite.join("suite.toml"), manifest).unwrap();
        }
    };
    let read = |folder: &Path, name: &str| code(Suite::load(&folder.join(name)), SuiteError::code);
    within_limit("records::suites", &cases, write, read);
}

#[test]
fn recorded_loads() {
    let cases = [("blocks", "bad-trace"), ("hidden", "fine")];
    let write = |folder: &Path| {
        let line = |input: u32, ids: usize| {
            format!(
                "{{\"timestamp\":0,\"input_length\":{input},\"output_length\":1,\"hash_ids\":[{}0]}}\n",
                "0,".repeat(ids)
            )
        };
        fs::write(folder.join("blocks"), line(1 << 24, 32_000).repeat(700)).unwrap();
        // Ids that a prompt has no room for are dropped, and with them their memory.
        fs::write(folder.join("hidden"), line(1, 400_000).repeat(140)).unwrap();
    };
    let read = |folder: &Path, name: &str| {
        let spec = ReplaySpec { path: folder.join(name), speed: 1.0, format: None };
        let file = BufReader::new(fs::File::open(folder.join(name)).unwrap());
        code(Replay::read(file, &spec, Length { duration: None, requests: None }), bench_load::LoadError::code)
    };
    within_limit("records::recorded_loads", &cases, write, read);
}
