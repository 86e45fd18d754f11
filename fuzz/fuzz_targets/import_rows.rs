//! Any bytes as a data file of any format: an import gives an error or a suite, and takes no more memory than it may. Run it with
//! `-rss_limit_mb=512`.
#![no_main]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

use bench_fuzz::{Changes, Scratch, change, parquet_rows};
use bench_import::inspect::Inspect;
use bench_import::plain::Plain;
use bench_import::{code, inspect, plain};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 5] = ["rows.json", "rows.jsonl", "rows.csv", "rows.tsv", "rows.parquet"];
const STARTS: [&str; 6] = [
    "",
    "[{\"a\": ",
    "{\"a\": \"x\", \"input\": \"q\", \"target\": \"t\"}\n",
    "a,input,target\n1,q,t\n",
    "{\"version\": 2, \"status\": \"success\", \"eval\": {\"task\": \"t\"}, \"samples\": [{\"id\": 1, \"input\": ",
    "{\"task_id\": \"t/0\", \"prompt\": \"def f():\\n\", \"entry_point\": \"f\", \"test\": \"\", \"canonical_solution\": ",
];

static PARQUET: LazyLock<Vec<u8>> = LazyLock::new(parquet_rows);

thread_local! {
    static SCRATCH: Scratch = Scratch::default();
}

/// The importer, the format, how the file begins, the rest of it, and changes of an honest Parquet file.
type Input<'a> = (u8, u8, u8, bool, &'a [u8], Changes, Option<u32>);

fuzz_target!(|input: Input<'_>| {
    let (importer, name, start, is_packed, rest, changes, cut) = input;
    let name = NAMES[usize::from(name) % NAMES.len()];
    let mut bytes = if name == "rows.parquet" && !changes.is_empty() {
        change(&PARQUET, &changes, cut)
    } else {
        [STARTS[usize::from(start) % STARTS.len()].as_bytes(), rest].concat()
    };
    let name = if is_packed { format!("{name}.gz") } else { name.to_owned() };
    if is_packed {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&bytes).expect("memory takes what is written");
        bytes = packer.finish().expect("memory takes what is written");
    }
    SCRATCH.with(|scratch| {
        let file = scratch.write(&name, &bytes);
        let options = scratch.options();
        let _ = match importer % 3 {
            0 => plain::import(
                &Plain {
                    file,
                    fields: BTreeMap::from([("question".to_owned(), "a".to_owned())]),
                    template: Some("{question}".to_owned()),
                    scorer: "exact-match".to_owned(),
                    ..Plain::default()
                },
                &options,
            ),
            1 => inspect::import(&Inspect { file, scorer: "match".to_owned(), ..Inspect::default() }, &options),
            _ => code::import(&code::Code { file: Some(file), ..code::Code::default() }, &options),
        };
    });
});
