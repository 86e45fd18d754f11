//! YAML with templates, and rows of text.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use bench_import::{bfcl, code, inspect, lm_eval};

use super::{import_rows, imported, options, within_limit, write_repeated};

/// A task with a template, and a row for it.
fn write_task(folder: &Path, name: &str, template: &str) {
    let yaml = format!(
        "task: t\ndataset_path: json\noutput_type: generate_until\ntest_split: test\ndoc_to_target: a\ndoc_to_text: |-\n  {}\n",
        template.replace('\n', "\n  ")
    );
    fs::write(folder.join(name), yaml).unwrap();
}

fn import_task(folder: &Path, name: &str) -> String {
    let wanted = lm_eval::LmEval {
        task: folder.join(name).display().to_string(),
        data: Some(folder.join("rows.jsonl")),
        ..lm_eval::LmEval::default()
    };
    imported(lm_eval::import(&wanted, &options(folder, name)))
}

#[test]
fn yaml() {
    let cases = [
        ("thousand.yaml", "import-unreadable"),
        ("five-thousand.yaml", "import-unreadable"),
        ("laughs.yaml", "import-unreadable"),
        ("anchors.yaml", "import-unreadable"),
        ("keys.yaml", "import-unreadable"),
        ("including.yaml", "import-unreadable"),
        ("honest.yaml", "fine"),
    ];
    let write = |folder: &Path| {
        fs::write(folder.join("rows.jsonl"), "{\"a\": \"x\"}\n").unwrap();
        let text = "x".repeat(2_000_000);
        let aliases = |count: usize| format!("task: &a {text}\nb: [{}*a]\n", "*a, ".repeat(count));
        fs::write(folder.join("thousand.yaml"), aliases(1000)).unwrap();
        fs::write(folder.join("five-thousand.yaml"), aliases(5000)).unwrap();
        let laughs = (0..40).fold("a0: &a0 [lol]\n".to_owned(), |text, n| {
            format!("{text}a{}: &a{} [{}*a{n}]\n", n + 1, n + 1, format!("*a{n}, ").repeat(9))
        });
        fs::write(folder.join("laughs.yaml"), laughs).unwrap();
        let anchors: String = (0..250_000).map(|n| format!("- &a{n} x\n")).collect();
        fs::write(folder.join("anchors.yaml"), anchors).unwrap();
        let keys: String = (0..250_000).map(|n| format!("k{n}: 1\n")).collect();
        fs::write(folder.join("keys.yaml"), keys).unwrap();
        // Twenty files of three megabytes, each of which includes the next one.
        for n in 0..20 {
            let text = format!("include: included{}.yaml\ndescription{n}: {}\n", n + 1, "x".repeat(3_000_000));
            fs::write(folder.join(format!("included{n}.yaml")), text).unwrap();
        }
        fs::write(folder.join("included20.yaml"), "task: t\n").unwrap();
        fs::write(folder.join("including.yaml"), "include: included0.yaml\n").unwrap();
        write_task(folder, "honest.yaml", "{{a}} {% for x in [1, 2] %}{{x}}{% endfor %}");
    };
    within_limit("documents::yaml", &cases, write, import_task);
}

/// Templates of about a kilobyte that double something.
fn templates() -> Vec<(&'static str, String)> {
    let doubled =
        |line: &str, times: usize| format!("{{% set a = 'xxxxxxxx' %}}{}{{{{ a|length }}}}", line.repeat(times));
    vec![
        ("double25.yaml", doubled("{% set a = a ~ a %}", 25)),
        ("double34.yaml", doubled("{% set a = a ~ a %}", 34)),
        ("plus.yaml", doubled("{% set a = a + a %}", 34)),
        ("times.yaml", doubled("{% set a = a * 99 %}", 34)),
        ("join.yaml", doubled("{% set a = a|join(a) %}", 34)),
        ("replace.yaml", doubled("{% set a = a|replace('x', a) %}", 34)),
        ("method.yaml", doubled("{% set a = a.replace('x', a) %}", 34)),
        ("capture.yaml", doubled("{% set a %}{{ a }}{{ a }}{% endset %}", 34)),
        ("lists.yaml", "{% set a = ['x'] %}".to_owned() + &"{% set a = a + a %}".repeat(40) + "{{ a|join }}"),
        ("nested.yaml", "{% set a = ['x'] %}".to_owned() + &"{% set a = [a, a] %}".repeat(60) + "{{ a }}"),
        ("split.yaml", "{{ ('x ' * 8000000).split(' ')|length }}".to_owned()),
        ("upper.yaml", "{{ ['x' * 1000000] * 10000 | map('upper') | list }}".to_owned()),
        ("loop.yaml", format!("{{% for i in range(100000) %}}{}{{% endfor %}}", "x".repeat(10_000))),
        ("number.yaml", "{{ 2 ** 100000000 }}".to_owned()),
        (
            "literal.yaml",
            "[{% for i in range(100000) %}0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,{% endfor %}0]".to_owned(),
        ),
    ]
}

#[test]
fn jinja() {
    let cases: Vec<(&str, &str)> = templates()
        .iter()
        .map(|(name, _)| (*name, if *name == "literal.yaml" { "fine" } else { "import-template" }))
        .collect();
    let write = |folder: &Path| {
        fs::write(folder.join("rows.jsonl"), "{\"a\": \"x\"}\n").unwrap();
        templates().iter().for_each(|(name, template)| write_task(folder, name, template));
    };
    within_limit("documents::jinja", &cases, write, import_task);
}

#[test]
fn prompts_of_many_rows() {
    let cases = [("prompts.yaml", "input-takes-too-much-memory")];
    let write = |folder: &Path| {
        fs::write(folder.join("rows.jsonl"), "{\"a\": \"x\"}\n".repeat(1000)).unwrap();
        write_task(folder, "prompts.yaml", "{{ 'x' * 7000000 }}");
    };
    within_limit("documents::prompts_of_many_rows", &cases, write, import_task);
}

#[test]
fn rows_of_text() {
    let memory = "input-takes-too-much-memory";
    let cases = [
        ("zeros.jsonl", memory),
        ("zeros.json", memory),
        ("objects.json", memory),
        ("deep.jsonl", "import-row"),
        ("line.jsonl", "import-too-large"),
        ("many.jsonl", memory),
        ("packed.jsonl.gz", "import-too-large"),
        ("zeros.jsonl.gz", memory),
        ("sparse.csv", "import-too-large"),
        ("wide.csv", "import-row"),
        ("long.csv", "import-row"),
        ("nested.csv", memory),
        ("header.csv", "import-row"),
        ("empty.tsv", memory),
    ];
    let write = |folder: &Path| {
        write_repeated(folder, "zeros.jsonl", "{\"a\": [", "0,", 20_000_000, "0]}\n");
        write_repeated(folder, "zeros.json", "[{\"a\": [", "0,", 20_000_000, "0]}]\n");
        write_repeated(folder, "objects.json", "[{\"a\": [", "{\"\":0},", 5_000_000, "0]}]\n");
        write_repeated(folder, "deep.jsonl", "{\"a\": ", "[", 60_000_000, "\n");
        write_repeated(folder, "line.jsonl", "{\"a\": [", "0,", 150_000_000, "0]}\n");
        write_repeated(folder, "many.jsonl", "", "{\"a\":\"\"}\n", 300_000, "");
        write_repeated(folder, "wide.csv", "a,b\n", ",", 90_000_000, "\n");
        write_repeated(folder, "header.csv", "", "a,", 40_000_000, "\n");
        write_repeated(folder, "long.csv", "a,b\n\"", "x", 60_000_000, "\",y\n");
        write_repeated(folder, "nested.csv", "a\n\"[", "0,", 10_000_000, "0]\"\n");
        write_repeated(
            folder,
            "empty.tsv",
            &("\t".repeat(0) + &(0..1000).map(|n| format!("c{n}\t")).collect::<String>() + "a\n"),
            &("\t".repeat(1000) + "\n"),
            80_000,
            "",
        );
        fs::File::create(folder.join("sparse.csv")).unwrap().set_len(1 << 30).unwrap();
        // The members of such a file follow one another.
        let member = |text: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(text).unwrap();
            packer.finish().unwrap()
        };
        fs::write(folder.join("packed.jsonl.gz"), member(&[b' '; 1 << 20]).repeat(800)).unwrap();
        let zeros = member("0,".repeat(500_000).as_bytes()).repeat(40);
        fs::write(folder.join("zeros.jsonl.gz"), [member(b"{\"a\": ["), zeros, member(b"0]}")].concat()).unwrap();
    };
    within_limit("documents::rows_of_text", &cases, write, import_rows);
}

#[test]
fn rows_of_other_importers() {
    let memory = "input-takes-too-much-memory";
    let cases = [("inspect.json", memory), ("inspect.jsonl", memory), ("human-eval.jsonl", memory), ("bfcl", memory)];
    let write = |folder: &Path| {
        let begin = "{\"version\": 2, \"eval\": {\"task\": \"t\"}, \"samples\": [";
        write_repeated(folder, "inspect.json", begin, "0,", 30_000_000, "0]}\n");
        write_repeated(folder, "inspect.jsonl", "{\"input\": \"x\", \"target\": [", "0,", 20_000_000, "0]}\n");
        write_repeated(folder, "human-eval.jsonl", "{\"task_id\": 1, \"test\": [", "0,", 20_000_000, "0]}\n");
        fs::create_dir(folder.join("bfcl")).unwrap();
        let begin = "{\"id\": \"1\", \"question\": [";
        write_repeated(&folder.join("bfcl"), "BFCL_v4_simple_python.json", begin, "[],", 20_000_000, "[]]}\n");
    };
    let read = |folder: &Path, name: &str| {
        let file = folder.join(name);
        let options = options(folder, name);
        imported(match name {
            "human-eval.jsonl" => code::import(&code::Code { file: Some(file), ..code::Code::default() }, &options),
            "bfcl" => {
                let categories = vec!["simple_python".to_owned()];
                bfcl::import(&bfcl::Bfcl { from: Some(file), categories, ..bfcl::Bfcl::default() }, &options)
            }
            _ => {
                let wanted = inspect::Inspect { file, scorer: "match".to_owned(), ..inspect::Inspect::default() };
                inspect::import(&wanted, &options)
            }
        })
    };
    within_limit("documents::rows_of_other_importers", &cases, write, read);
}
