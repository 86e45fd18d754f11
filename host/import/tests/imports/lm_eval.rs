//! Tasks of lm-eval. That prompts are those of lm-eval itself is compared by `tests/references/lm_eval_prompts.py`.

use std::path::PathBuf;

use bench_import::lm_eval::{Form, LmEval, import};
use bench_import::{ImportError, Imported, Options};
use bench_suite::TaskKind;
use serde_json::json;

use super::{Desk, only, refused};

const ROWS: &str = "{\"q\": \"1+1\", \"a\": \"2\"}\n{\"q\": \"2+2\", \"a\": \"4\"}\n{\"q\": \"3+3\", \"a\": \"6\"}\n";

const BASE: &str = r##"
task: sums
dataset_path: json
dataset_kwargs:
  data_files: {test: rows.jsonl}
test_split: test
output_type: generate_until
description: "Add.\n\n"
doc_to_text: "Q: {{q}}\nA:"
doc_to_target: "{{a}}"
fewshot_config: {sampler: first_n, split: test}
num_fewshot: 1
generation_kwargs: {until: ["\n"], max_gen_toks: 32, do_sample: false, temperature: 0.0}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true, regexes_to_ignore: [","]}
filter_list:
  - name: number
    filter:
      - {function: regex, regex_pattern: "([0-9]+)", group_select: -1}
      - {function: take_first}
"##;

fn task(desk: &Desk, yaml: &str) -> LmEval {
    desk.write("tasks/rows.jsonl", ROWS);
    LmEval { task: text(desk.write("tasks/sums.yaml", yaml)), ..LmEval::default() }
}

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

fn made(desk: &Desk, yaml: &str) -> Result<Imported, ImportError> {
    import(&task(desk, yaml), &desk.options())
}

#[test]
fn a_task_that_generates() {
    let desk = Desk::default();
    let (task, items) = only(&made(&desk, BASE).unwrap());
    assert_eq!((task.kind, task.template.raw, task.template.user.as_str()), (TaskKind::Generate, true, "{prompt}"));
    assert_eq!((task.generation.max_tokens, task.generation.stop.as_slice()), (32, &["\n".to_owned()][..]));
    assert_eq!(task.scorer.plugin, "exact-match");
    let config = json!({
        "ignore-case": true, "regexes-to-ignore": [","],
        "filters": [
            {"function": "regex", "regex-pattern": "([0-9]+)", "group-select": -1}, {"function": "take-first"}
        ]
    });
    assert_eq!(json!(task.scorer.config), config);
    assert_eq!(items[0]["prompt"], "Add.\n\nQ: 2+2\nA: 4\n\nQ: 1+1\nA:", "no item is its own example");
    assert_eq!(items[1]["prompt"], "Add.\n\nQ: 1+1\nA: 2\n\nQ: 2+2\nA:");
    assert_eq!((&items[2]["target"], &items[2]["id"], &items[2]["doc"]["q"]), (&json!("6"), &json!(2), &json!("3+3")));
}

#[test]
fn a_chat_has_the_description_as_system_message() {
    let desk = Desk::default();
    let wanted = LmEval { form: Form::Chat, few_shot: Some(0), ..task(&desk, BASE) };
    let (entry, items) = only(&import(&wanted, &desk.options()).unwrap());
    assert_eq!((entry.template.raw, entry.template.system.as_deref()), (false, Some("{system}")));
    assert_eq!((&items[0]["system"], &items[0]["prompt"]), (&json!("Add.\n\n"), &json!("Q: 1+1\nA:")));
}

#[test]
fn a_task_that_compares_likelihoods() {
    let desk = Desk::default();
    let yaml = r#"
task: kinds
dataset_path: json
dataset_kwargs: {data_files: {validation: [kinds.jsonl]}}
validation_split: validation
output_type: multiple_choice
doc_to_text: "{{q}}"
doc_to_choice: "{{choices.text}}"
doc_to_target: "{{choices.label.index(key)}}"
target_delimiter: "\n"
metric_list:
  - metric: acc_norm
  - metric: acc
"#;
    desk.write(
        "tasks/kinds.jsonl",
        "{\"q\": \"?\", \"choices\": {\"text\": [\"it's\", \"b\"], \"label\": [\"A\", \"B\"]}, \"key\": \"B\"}\n",
    );
    let (task, items) = only(&made(&desk, yaml).unwrap());
    assert_eq!(
        (task.kind, task.scorer.plugin.as_str(), task.template.delimiter.as_str()),
        (TaskKind::Loglikelihood, "multiple-choice", "\n")
    );
    assert_eq!(json!(task.scorer.config), json!({"metric": "acc-norm", "target-delimiter": "\n"}));
    assert_eq!((&items[0]["choices"], &items[0]["target"]), (&json!(["it's", "b"]), &json!(1)));
    let wanted = LmEval { form: Form::Chat, ..task_of(&desk) };
    let desk = Desk::default();
    refused(&desk, import(&wanted, &desk.options()), "import-option", &["--chat"]);
}

fn task_of(desk: &Desk) -> LmEval {
    LmEval { task: text(desk.path("tasks/sums.yaml")), ..LmEval::default() }
}

#[test]
fn includes_are_merged_and_the_task_itself_wins() {
    let desk = Desk::default();
    desk.write("tasks/base/_base.yaml", BASE.replace("num_fewshot: 1", "num_fewshot: 0"));
    desk.write("tasks/base/rows.jsonl", ROWS);
    desk.write("tasks/_more.yaml", "include: base/_base.yaml\ndescription: ''\ntask_list: [x]\n");
    let (_, items) = only(&made(&desk, "include: [_more.yaml]\ntask: other\ndoc_to_text: \"{{q}}=\"\n").unwrap());
    assert_eq!(items[0]["prompt"], "1+1=");
}

#[test]
fn the_package_knows_tasks_by_name() {
    let desk = Desk::default();
    desk.write("site/lm_eval/tasks/sums/sums_yaml", BASE);
    desk.write("site/lm_eval/tasks/sums/rows.jsonl", ROWS);
    desk.write("site/lm_eval/tasks/sums/a.yaml", "include: sums_yaml\ntask: sums_a\n");
    desk.write("site/lm_eval/tasks/sums/group.yaml", "group: all_sums\ntask: [sums_a, {task: sums_b}]\n");
    let ask = |name: &str| {
        let wanted = LmEval { task: name.to_owned(), from: Some(desk.path("site")), ..LmEval::default() };
        import(&wanted, &desk.options())
    };
    refused(&desk, ask("sums_b"), "import-not-there", &["sums_b"]);
    refused(&desk, ask("all_sums"), "import-refused", &["group all_sums"]);
    assert!(ask("all_sums").unwrap_err().hint().unwrap().contains("sums_a, sums_b"));
    assert_eq!(ask("sums_a").unwrap().name, "sums-a");
}

#[test]
fn the_filters_of_gsm8k_are_its_scorer() {
    let metric = r#####"
metric_list:
  - {metric: exact_match, ignore_case: true, ignore_punctuation: false, regexes_to_ignore: [",", "\\$", "(?s).*#### ", "\\.$"]}
filter_list:
  - name: strict-match
    filter: [{function: regex, regex_pattern: "#### (\\-?[0-9\\.\\,]+)"}, {function: take_first}]
  - name: flexible-extract
    filter: [{function: regex, group_select: -1, regex_pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)"}, {function: take_first}]
"#####;
    let yaml = format!("{}{metric}", BASE.split("metric_list").next().unwrap());
    let desk = Desk::default();
    let (entry, _) = only(&made(&desk, &yaml).unwrap());
    assert_eq!(
        (entry.scorer.plugin.as_str(), json!(entry.scorer.config)),
        ("gsm8k", json!({"filter": "flexible-extract", "format": "gsm8k"}))
    );
    // With another option it is no longer that, and somebody has to choose.
    let other = yaml.replace("ignore_case: true", "ignore_case: false");
    let desk = Desk::default();
    refused(&desk, made(&desk, &other), "import-refused", &["strict-match and flexible-extract"]);
    let wanted = LmEval { filter: Some("strict-match".to_owned()), ..task(&desk, &other) };
    let result = import(&wanted, &desk.options()).unwrap();
    assert_eq!(only(&result).0.scorer.plugin, "exact-match");
    assert!(result.notes.iter().any(|note| note.message.contains("flexible-extract")));
    let wanted = LmEval { filter: Some("none".to_owned()), ..wanted };
    let desk = Desk::default();
    refused(&desk, import(&wanted, &desk.options()), "import-option", &["no filter none"]);
}

#[test]
fn what_has_no_counterpart_is_refused_by_its_name() {
    for (from, to, words) in [
        ("task: sums", "task: sums\nprocess_docs: !function utils.docs", &["process_docs", "utils.docs"][..]),
        ("task: sums", "task: sums\nprocess_results: !function utils.grade", &["process_results", "utils.grade"]),
        ("doc_to_target: \"{{a}}\"", "doc_to_target: !function utils.target", &["doc_to_target", "utils.target"]),
        ("sampler: first_n", "sampler: first_n, samples: !function utils.shots", &["fewshot_config", "utils.shots"]),
        ("sampler: first_n", "sampler: balanced", &["balanced"]),
        ("sampler: first_n", "sampler: first_n, fewshot_indices: [1]", &["fewshot_indices"]),
        ("task: sums", "task: sums\nsurprise: 1", &["surprise"]),
        ("task: sums", "task: sums\ndoc_to_image: image", &["doc_to_image"]),
        ("generate_until", "loglikelihood_rolling", &["loglikelihood_rolling"]),
        ("generate_until", "loglikelihood", &["loglikelihood"]),
        ("metric: exact_match", "metric: bleu", &["bleu"]),
        ("aggregation: mean", "aggregation: !function utils.mean", &["utils.mean"]),
        ("aggregation: mean", "aggregation: median", &["aggregation"]),
        ("ignore_case: true", "hf_evaluate: true", &["hf_evaluate"]),
        ("ignore_case: true", "ignore_case: [1]", &["ignore_case"]),
        ("function: take_first", "function: majority_vote", &["majority_vote"]),
        ("group_select: -1", "flags: 1", &["flags"]),
        ("do_sample: false", "num_beams: 4", &["num_beams"]),
        ("max_gen_toks: 32", "max_gen_toks: many", &["max_gen_toks"]),
    ] {
        assert!(BASE.contains(from), "{from}");
        let desk = Desk::default();
        refused(&desk, made(&desk, &BASE.replace(from, to)), "import-refused", words);
    }
    let several = BASE.replace("metric_list:", "metric_list:\n  - metric: f1");
    let desk = Desk::default();
    let error = made(&desk, &several).unwrap_err();
    assert!(error.to_string().contains("f1") && error.hint().unwrap().contains("--metric exact_match"), "{error}");
    let wanted = LmEval { metric: Some("exact_match".to_owned()), ..task(&desk, &several) };
    let result = import(&wanted, &desk.options()).unwrap();
    assert!(result.notes.iter().any(|note| note.code == "metric-left-out" && note.message.contains("f1")));
}

#[test]
fn rows_that_do_not_fit_are_named() {
    for (from, to, words) in [
        ("{{q}}", "{{question}}", &["doc_to_text", "line 1", "undefined"][..]),
        ("{{a}}", "{{a.encode()}}", &["doc_to_target", "encode"]),
        ("{{q}}", "{{q", &["doc_to_text"]),
        ("num_fewshot: 1", "num_fewshot: 3", &["num_fewshot", "3 examples"]),
    ] {
        let desk = Desk::default();
        refused(&desk, made(&desk, &BASE.replacen(from, to, 1)), "import-template", words);
    }
}

#[test]
fn data_that_is_elsewhere_is_asked_for() {
    let remote =
        BASE.replace("dataset_path: json", "dataset_path: someone/sums").replace("split: test}", "split: train}");
    let desk = Desk::default();
    refused(&desk, made(&desk, &remote), "import-option", &["--data", "someone/sums"]);
    let rows = desk.write("rows.csv", "q,a\n1+1,2\n");
    let wanted = LmEval { data: Some(rows.clone()), ..task(&desk, &remote) };
    refused(&desk, import(&wanted, &desk.options()), "import-option", &["--few-shot-data", "`train`"]);
    let wanted = LmEval { few_shot_data: Some(rows), ..wanted };
    let options = Options { name: Some("mine".to_owned()), ..desk.options() };
    assert_eq!(import(&wanted, &options).unwrap().tasks, [("mine".to_owned(), "exact-match".to_owned(), 1)]);
}
