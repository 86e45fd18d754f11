//! Any archive as a suite, and any manifest with any items: an error or a suite. Run it with `-rss_limit_mb=512`.
#![no_main]

use std::io::{Cursor, Write as _};

use bench_fuzz::{Changes, change};
use bench_suite::{Digest, Files, Suite, SuiteError};
use bench_unpack::archive::{Archive, ArchiveLimits};
use libfuzzer_sys::fuzz_target;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// Memory that the files of an archive may take.
const BYTES: u64 = 160 << 20;

/// Lines that are put before a manifest's own text, the items, more of the manifest, and changes of the archive.
type Input<'a> = (bool, &'a [u8], &'a str, Changes, Option<u32>);

fuzz_target!(|input: Input<'_>| {
    let (is_packed, items, more, changes, cut) = input;
    let digest = Digest::of(items);
    let manifest = format!(
        "schema = 1\nname = \"s\"\nversion = \"1.0.0\"\ntitle = \"t\"\nlicence = \"CC0-1.0\"\nmin-host = \">=0.1.0\"\nworkloads = []\n\n\
         [[tasks]]\nname = \"t\"\ntitle = \"t\"\nsummary = \"t\"\n[tasks.data]\nfile = \"t.jsonl\"\nsha256 = \"{digest}\"\n\
         licence = \"CC0-1.0\"\nsource = \"t\"\n[tasks.fields]\ntarget = \"answer\"\n[tasks.template]\nuser = \"{{question}}\"\n\
         [tasks.generation]\nmax-tokens = 16\n[tasks.scorer]\nplugin = \"exact-match\"\nversion = \"^0.1\"\n{more}"
    );
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let method = if is_packed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    for (name, bytes) in [("suite.toml", manifest.as_bytes()), ("t.jsonl", items)] {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(name, options).expect("the names differ");
        archive.write_all(bytes).expect("memory takes what is written");
    }
    let honest = archive.finish().expect("the archive is whole").into_inner();
    let limits = ArchiveLimits { entries: 10_000, entry_bytes: BYTES, bytes: BYTES };
    let Ok(mut archive) = Archive::open(Cursor::new(change(&honest, &changes, cut)), limits) else { return };
    let mut files = Files::new();
    let mut taken = 0;
    for index in 0..archive.len() {
        let Ok((name, true)) = archive.entry(index) else { return };
        let Ok(bytes) = archive.read(index, BYTES) else { return };
        taken += bytes.len() as u64;
        assert!(taken <= BYTES, "{taken} bytes were unpacked");
        files.insert(name, bytes);
    }
    let read = Suite::from_files(&files);
    // Otherwise no input would come beyond the manifest.
    let is_plain = changes.is_empty() && cut.is_none() && more.is_empty();
    assert!(!is_plain || !items.is_empty() || read.is_ok() || matches!(read, Err(SuiteError::Data { .. })), "{read:?}");
});
