//! Any text as a task of lm-eval, with any template over any row: an error or a suite, within the memory that an input may take and
//! the steps that a template may make. Run it with `-rss_limit_mb=512`.
#![no_main]

use bench_fuzz::Scratch;
use bench_import::lm_eval::{self, LmEval};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static SCRATCH: Scratch = Scratch::default();
}

/// Pieces of templates, which a mutation of single bytes would seldom find.
const PIECES: [&str; 44] = [
    "{{ ", " }}", "{% ", " %}", "{%- ", " -%}", "set a = ", "set b = ", "set a", "endset", "a", "b", "q", "list", "loop.index",
    "if ", "elif ", "else", "endif", "for x in ", "for x, y in ", "endfor", "raw", "endraw", " ~ ", " + ", " * ", " ** ", "[", "]",
    "(", ")", "'x'", "99", ", ", ": ", "|join", "|replace('x', a)", "|map('upper')", "|list", ".split(", ".join(", " in ", "x",
];

/// The text of the task or what is put before its template, the template by numbers of pieces and as text, and a row.
type Input<'a> = (bool, &'a str, Vec<u8>, &'a str, &'a str);

fuzz_target!(|input: Input<'_>| {
    let (is_whole, yaml, pieces, text, row) = input;
    let task = if is_whole {
        format!("task: t\ndataset_path: json\ntest_split: test\n{yaml}")
    } else {
        let template: String = pieces.iter().map(|piece| PIECES[usize::from(*piece) % PIECES.len()]).collect();
        let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
        format!(
            "task: t\ndataset_path: json\noutput_type: generate_until\ntest_split: test\ndoc_to_target: q\ndoc_to_text: {}\n\
             description: {}\n",
            quoted(&format!("{template}{text}")),
            quoted(yaml),
        )
    };
    let row = if row.starts_with('{') { row } else { "{\"q\": \"x y\", \"list\": [\"x\", 2, {\"a\": null}]}" };
    SCRATCH.with(|scratch| {
        let wanted = LmEval {
            task: scratch.write("task.yaml", task.as_bytes()).display().to_string(),
            data: Some(scratch.write("rows.jsonl", row.as_bytes())),
            ..LmEval::default()
        };
        let _ = lm_eval::import(&wanted, &scratch.options());
    });
});
