//! Records in other forms.

use bench_record::export::{EXPORTERS, exporter, metric_reference};
use bench_record::parse;

use super::fixture::run;

#[test]
fn every_form_is_found_by_its_name() {
    for form in EXPORTERS {
        assert_eq!(exporter(form.name()).unwrap().extension(), form.extension());
        assert!(!form.export(&[run("a", &[5000, 5100])]).unwrap().is_empty());
    }
    assert!(exporter("papyrus").is_none());
}

#[test]
fn json_is_the_record() {
    let record = run("a", &[5000]);
    let text = exporter("json").unwrap().export(std::slice::from_ref(&record)).unwrap();
    assert_eq!(parse(text.as_bytes(), "x").unwrap(), record);
    let two = exporter("json").unwrap().export(&[record.clone(), record]).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&two).unwrap().as_array().unwrap().len(), 2);
}

#[test]
fn csv_has_a_line_per_metric_and_as_many_fields_as_names() {
    let record = run("a", &[5000, 5100, 5200]);
    let text = exporter("csv").unwrap().export(std::slice::from_ref(&record)).unwrap();
    let mut lines = text.split_terminator("\r\n");
    let fields = lines.next().unwrap().split(',').count();
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), record.workloads[0].phases[0].summary.metrics.len());
    assert!(lines.iter().all(|line| line.split(',').count() == fields));
    let decode = lines.iter().find(|line| line.contains(",decode_tps,tok/s,")).unwrap();
    let median = record.workloads[0].phases[0].summary.median("decode_tps").unwrap();
    assert!(decode.contains(&format!(",decode_tps,tok/s,{median},")));
}

#[test]
fn csv_has_lines_for_stages_and_the_error_of_the_client() {
    let mut record = run("a", &[5000]);
    record.load = Some("constant:10/s".into());
    record.workloads[0].phases = vec![super::load::open_loop(0)];
    let text = exporter("csv").unwrap().export(&[record]).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").filter(|line| line.contains(",ttft_ms,ms,")).collect();
    let [whole, first, second] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(whole.contains(",constant:10/s,,,10,10,1,10,"), "{whole}");
    assert!(first.contains(",stage-1,10,10,1,") && second.contains(",stage-2,10,10,1,"), "{first}");
    assert!(whole.ends_with(",0.05,,kernel"), "{whole}");
}

#[test]
fn csv_disarms_what_a_server_put_into_a_name() {
    let mut record = run("a", &[5000]);
    record.model.id = "=HYPERLINK(\"http://x\")".into();
    record.backend.as_mut().unwrap().name = "a,b\r\nc".into();
    let text = exporter("csv").unwrap().export(&[record]).unwrap();
    assert!(text.contains("\"'=HYPERLINK(\"\"http://x\"\")\""));
    assert!(text.contains("\"a,b\r\nc\""));
}

#[test]
fn markdown_names_the_definition_of_every_number() {
    let record = run("a", &[5000, 5100, 5200]);
    let text = exporter("markdown").unwrap().export(&[record]).unwrap();
    assert!(text.contains("## W1 chat-short"));
    assert!(text.contains("| `decode_tps` | tok/s | "));
    assert!(text.contains("- `decode_tps` (tok/s): Tokens that arrived"));
    assert!(text.contains("3 of 3"));
    assert!(!text.contains("Simulation"));
}

#[test]
fn markdown_says_what_is_simulated_or_quick_or_missing() {
    let mut record = run("a", &[5000]);
    record.simulated = true;
    record.suite.quick = true;
    record.model.id = "a|b<script>".into();
    record.workloads[0].status = bench_record::WorkloadStatus::Failed;
    let problem = bench_record::Problem {
        code: "stalled".into(),
        message: "the backend stalled".into(),
        hint: Some("wait".into()),
    };
    record.workloads[0].problem = Some(problem);
    let text = exporter("markdown").unwrap().export(&[record]).unwrap();
    assert!(text.contains("**Simulation") && text.contains("**Quick"));
    assert!(text.contains("failed: the backend stalled"));
    assert!(text.contains("a\\|b&lt;script>"));
}

#[test]
fn the_reference_lists_every_metric() {
    let text = metric_reference();
    assert_eq!(text.lines().count(), bench_metrics::METRICS.len() + 2);
    assert!(text.lines().all(|line| line.matches(" | ").count() == 5 || line.starts_with("|---")));
}
