//! Zip archives: logs of inspect, wheels, and the archives of registries.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use bench_import::lm_eval;
use bench_registry::{ArchiveLimits, unpack};
use bench_samples::{Limits, SamplesError, import::import};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::{code, imported, options, within_limit};

const HEADER: &str = r#"{"version": 2, "status": "success", "eval": {"task": "t"}}"#;

/// A text many times over, packed; packing the whole would take minutes.
enum Packed {
    /// The packed bytes, and how many they unpack to.
    Deflated(Vec<u8>, usize),
    Zstd(Vec<u8>, usize),
    Stored(Vec<u8>),
}

/// A text of about a megabyte, `times` over.
fn deflated(text: &[u8], times: usize) -> Packed {
    let mut packer = flate2::Compress::new(flate2::Compression::best(), false);
    let mut block = Vec::with_capacity(text.len() + 1024);
    // After a full flush nothing before it is referred to, so the bytes may be repeated.
    packer.compress_vec(text, &mut block, flate2::FlushCompress::Full).unwrap();
    let end = [3, 0];
    Packed::Deflated([block.repeat(times), end.to_vec()].concat(), text.len() * times)
}

/// A text of about a megabyte, `times` over. Frames follow one another.
fn zstd(text: &[u8], times: usize) -> Packed {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Zstd);
    zip.start_file("x", options).unwrap();
    zip.write_all(text).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let mut zip = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let mut frame = Vec::new();
    zip.by_index_raw(0).unwrap().read_to_end(&mut frame).unwrap();
    Packed::Zstd(frame.repeat(times), text.len() * times)
}

/// An archive. What is packed has no checksum, since nobody should come to its end. With `names`, the last entry has that many
/// names, which end in a number of three digits.
fn archive(entries: &[(&str, Packed)], names: usize) -> Vec<u8> {
    let (mut out, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for (place, (name, packed)) in entries.iter().enumerate() {
        let (method, bytes, sum, unpacked) = match packed {
            Packed::Stored(bytes) => (0_u16, bytes, crc32fast::hash(bytes), bytes.len()),
            Packed::Deflated(bytes, unpacked) => (8, bytes, 0, *unpacked),
            Packed::Zstd(bytes, unpacked) => (93, bytes, 0, *unpacked),
        };
        let start = out.len() as u32;
        let size = (bytes.len() as u32).to_le_bytes();
        let unpacked = (unpacked as u32).to_le_bytes();
        // Version, flags, method, time and date, checksum, sizes, lengths.
        let head = |name: &str| {
            let mut head = [20, 0, 0, 0].to_vec();
            head.extend([method.to_le_bytes(), [0, 0], [0x21, 0x58]].concat());
            head.extend([sum.to_le_bytes(), size, unpacked].concat());
            head.extend((name.len() as u16).to_le_bytes());
            head.extend([0, 0]);
            head
        };
        out.extend([&b"PK\x03\x04"[..], &head(name), name.as_bytes(), bytes].concat());
        let copies = if place + 1 == entries.len() { names } else { 1 };
        for n in 0..copies {
            let name = if copies == 1 { (*name).to_owned() } else { name.replacen("000", &format!("{n:03}"), 1) };
            directory.extend(
                [&b"PK\x01\x02\x14\0"[..], &head(&name), &[0; 10], &start.to_le_bytes(), name.as_bytes()].concat(),
            );
            count += 1;
        }
    }
    let start = (out.len() as u32).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    let counts = count.to_le_bytes();
    out.extend([&directory[..], b"PK\x05\x06\0\0\0\0", &counts, &counts, &size, &start, &[0, 0]].concat());
    out
}

/// An archive of a log with these entries beside its header.
fn log(entries: Vec<(&'static str, Packed)>, names: usize) -> Vec<u8> {
    let header = ("header.json", Packed::Stored(HEADER.as_bytes().to_vec()));
    archive(&std::iter::once(header).chain(entries).collect::<Vec<_>>(), names)
}

#[test]
fn logs() {
    let cases = [
        ("three.eval", "archive-ratio"),
        ("large.eval", "samples-too-large"),
        ("zstd.eval", "archive-ratio"),
        ("overlap.eval", "archive-overlap"),
        ("values.eval", "input-takes-too-much-memory"),
        ("directory.eval", "archive-entries"),
        ("sum.eval", "input-takes-too-much-memory"),
    ];
    let write = |folder: &Path| {
        let put = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
        let zeros = "0,".repeat(500_000);
        let zeros = zeros.as_bytes();
        let name = "samples/1_000.json";
        let three = ["samples/1_000.json", "samples/2_000.json", "samples/3_000.json"];
        put("three.eval", log(three.map(|name| (name, deflated(zeros, 60))).into(), 1));
        put("large.eval", log(vec![(name, deflated(zeros, 250))], 1));
        put("zstd.eval", log(vec![(name, zstd(zeros, 250))], 1));
        put("overlap.eval", log(vec![(name, deflated(zeros, 200))], 150));
        let stored = [b"[", &zeros.repeat(10)[..], b"0]"].concat();
        put("values.eval", log(vec![(name, Packed::Stored(stored))], 1));
        put("directory.eval", [b"PK\x03\x04".to_vec(), b"PK\x01\x02".repeat(3_000_000)].concat());
        // Honest samples of two megabytes, which take more than they may together.
        let text = "x".repeat(2 << 20);
        let sample = |n: usize| {
            let json = format!("{{\"id\": {n}, \"input\": \"{text}\", \"target\": \"\"}}").into_bytes();
            (&*format!("samples/{n}_1.json").leak(), Packed::Stored(json))
        };
        put("sum.eval", log((0..40).map(sample).collect(), 1));
    };
    let read = |folder: &Path, name: &str| code(import(&folder.join(name), Limits::default()), SamplesError::code);
    within_limit("archives::logs", &cases, write, read);
}

#[test]
fn wheels() {
    let cases = [("bomb.whl", "import-too-large"), ("overlap.whl", "import-unreadable")];
    let write = |folder: &Path| {
        let block = "a: x\n".repeat(200_000);
        let entry = |name| vec![(name, deflated(block.as_bytes(), 60))];
        fs::write(folder.join("bomb.whl"), archive(&entry("lm_eval/tasks/task.yaml"), 1)).unwrap();
        fs::write(folder.join("overlap.whl"), archive(&entry("lm_eval/tasks/t000.yaml"), 150)).unwrap();
    };
    let read = |folder: &Path, name: &str| {
        let wanted =
            lm_eval::LmEval { task: "task".to_owned(), from: Some(folder.join(name)), ..lm_eval::LmEval::default() };
        imported(lm_eval::import(&wanted, &options(folder, name)))
    };
    within_limit("archives::wheels", &cases, write, read);
}

#[test]
fn suites_and_registries() {
    let refused = "registry-name";
    let cases = [("zeros.zip", refused), ("overlap.zip", refused), ("large.zip", refused)];
    let write = |folder: &Path| {
        let put = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
        let entry = |text: &[u8], times| vec![("a000.json", deflated(text, times))];
        put("zeros.zip", archive(&entry(&[b'0'; 1 << 20], 500), 1));
        put("overlap.zip", archive(&entry(&[b'0'; 1 << 20], 100), 150));
        // No more than a hundred times its bytes, and more than a suite may have.
        let noise = |n: u32| [&n.wrapping_mul(2_654_435_761).to_le_bytes()[..], &[b' '; 500]].concat();
        let noise: Vec<u8> = (0..2000).flat_map(noise).collect();
        put("large.zip", archive(&entry(&noise, 400), 1));
    };
    let read = |folder: &Path, name: &str| {
        let bytes = fs::read(folder.join(name)).unwrap();
        match unpack(&bytes, ArchiveLimits::suite()) {
            Ok(_) => "fine".to_owned(),
            Err(_) => "registry-name".to_owned(),
        }
    };
    within_limit("archives::suites_and_registries", &cases, write, read);
}
