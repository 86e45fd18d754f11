"""Logs of other tools: makes the recorded ones that the tests read, and has the tools read what `bench` wrote.

    python logs.py make host/samples/tests/fixtures   # needs lm_eval and inspect_ai; asks no real model
    python logs.py check FOLDER                       # every .eval, .json and lm-eval folder below it
    python logs.py same CONVERT host/samples/tests/fixtures

`make` runs the real tools on a few items with scripted answers. `check` prints one JSON object: what each tool found in each
file, so that a test can compare it with what was meant. `same` has CONVERT, the built example of `bench-samples`, read each recorded log and
write it again in its own form and in the other tool's, and fails unless the tools find in these what is in the original.
"""

import json
import math
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# A script beside this one is called as the package is.
sys.path.pop(0)

QUESTIONS = [
    ("What is 6 * 7?", "42", "6 * 7 is 42.\n#### 42"),
    ("What is 12 + 5?", "17", "Adding gives 18.\n#### 18"),
    ("What is 9 - 4?", "5", "I cannot say."),
    ("Wie viel ist 3 · 3?", "9", 'Neun, also "9".\n#### 9'),
]

CHOICES = [
    ("Which one is a colour?", ["stone", "red", "seven"], 1, [-9.25, -0.5, -12.0]),
    ("Which one is a number?", ["stone", "red", "seven"], 2, [-3.0, -2.5, -4.125]),
]


# --- lm-eval -----------------------------------------------------------------------------------------------------------


def lm_eval_tasks(folder):
    """Two tasks over local files: one that generates, with two filters, and one that compares continuations."""
    rows = [{"question": q, "answer": a, "weight": 0.5, "tags": []} for q, a, _ in QUESTIONS]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    rows = [{"question": q, "choices": c, "gold": g} for q, c, g, _ in CHOICES]
    (folder / "kinds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    common = "dataset_path: json\ntest_split: test\nmetadata: {version: 1.0}\n"
    files = lambda name: f"dataset_kwargs:\n  data_files: {{test: {folder / name}}}\n"
    (folder / "sums.yaml").write_text(
        "task: sums\noutput_type: generate_until\n" + common + files("sums.jsonl") + """
doc_to_text: "{{question}}\\nAnswer:"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\\n\\n"], do_sample: false, temperature: 0.0}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true}
filter_list:
  - name: strict
    filter:
      - {function: regex, regex_pattern: "#### (\\\\-?[0-9]+)"}
      - {function: take_first}
  - name: flexible
    filter:
      - {function: regex, group_select: -1, regex_pattern: "([0-9]+)"}
      - {function: take_first}
""", encoding="utf-8")
    (folder / "kinds.yaml").write_text(
        "task: kinds\noutput_type: multiple_choice\n" + common + files("kinds.jsonl") + """
doc_to_text: "{{question}}\\nAnswer:"
doc_to_choice: "{{choices}}"
doc_to_target: gold
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
""", encoding="utf-8")


def make_lm_eval(out):
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    class Scripted(LM):
        """Answers as the lists above say."""

        def loglikelihood(self, requests, disable_tqdm=False):
            known = {(f"{q}\nAnswer:", c): (v, i == 1) for q, cs, _, vs in CHOICES for i, (c, v) in enumerate(zip(cs, vs))}
            return [known[(r.arguments[0], r.arguments[1].strip())] for r in requests]

        def loglikelihood_rolling(self, requests, disable_tqdm=False):
            return [-1.5 * len(r.arguments[0]) for r in requests]

        def generate_until(self, requests, disable_tqdm=False):
            known = {f"{q}\nAnswer:": answer for q, _, answer in QUESTIONS}
            return [known[r.arguments[0]] for r in requests]

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        lm_eval_tasks(folder)
        manager = TaskManager(include_path=str(folder), include_defaults=False)
        results = simple_evaluate(
            model=Scripted(), tasks=["sums", "kinds"], task_manager=manager, log_samples=True, bootstrap_iters=0,
        )
        samples = results.pop("samples")
        results = json.loads(json.dumps(results, default=str).replace(str(folder), "data"))
        tracker = EvaluationTracker(output_path=str(out))
        tracker.general_config_tracker.model_name = "scripted"
        tracker.general_config_tracker.model_name_sanitized = "scripted"
        # What the tool notes of the machine is nothing that a recorded log needs.
        for key in ("pretty_env_info", "git_hash", "upper_git_hash", "transformers_version"):
            results.pop(key, None)
        tracker.save_results_aggregated(results=results, samples=samples)
        for task, lines in samples.items():
            tracker.save_results_samples(task_name=task, samples=lines)


def check_lm_eval(results_file):
    """The tool's own table of the results, and what `datasets`-like readers take from the sample files."""
    from lm_eval.utils import get_file_datetime, get_file_task_name, make_table

    results = json.loads(results_file.read_text(encoding="utf-8"))
    found = {"table": make_table(results), "tasks": {}}
    for path in sorted(results_file.parent.glob("samples_*.jsonl")):
        if get_file_datetime(path.name) != get_file_datetime(results_file.stem):
            continue
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found["tasks"][get_file_task_name(path.name)] = check_lm_eval_lines(lines, results, get_file_task_name(path.name))
    return found


def check_lm_eval_lines(lines, results, task):
    from lm_eval.utils import handle_non_serializable, hash_string

    altered = 0
    for line in lines:
        doc = json.dumps(line["doc"], indent=2, default=handle_non_serializable, ensure_ascii=False)
        prompt = line["arguments"]["gen_args_0"]["arg_0"]
        digests = [hash_string(doc), hash_string(prompt), hash_string(line["target"])]
        altered += digests != [line["doc_hash"], line["prompt_hash"], line["target_hash"]]
    whole = hash_string("".join(line["doc_hash"] + line["prompt_hash"] + line["target_hash"] for line in lines))
    return {
        "lines": len(lines),
        "altered": altered,
        "task_hash": whole == results["task_hashes"][task],
        "metrics": sorted({metric for line in lines for metric in line["metrics"]}),
        "means": {
            f"{metric},{line['filter']}": [v[metric] for v in lines if v["filter"] == line["filter"] and metric in v]
            for line in lines for metric in line["metrics"]
        },
    }


# --- inspect -----------------------------------------------------------------------------------------------------------


def make_inspect(out):
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, ModelOutput, ModelUsage
    from inspect_ai.model import ContentReasoning, ContentText, get_model
    from inspect_ai.scorer import Score, accuracy, includes, match, mean, scorer, stderr
    from inspect_ai.solver import generate, system_message
    from inspect_ai.tool import ToolCall

    @scorer(metrics=[mean(), stderr()])
    def length():
        """One scorer that gives several values, and none where there is no answer."""

        async def score(state, target):
            text = state.output.completion
            if not text:
                return Score.unscored(reason="no_response", explanation="there is no answer")
            return Score(value=min(1.0, len(text) / 40), answer=text[:10], metadata={"letters": len(text)})

        return score

    def outputs():
        for epoch in range(2):
            for number, (_, _, answer) in enumerate(QUESTIONS):
                if number == 2 and epoch == 1:
                    output = ModelOutput.from_content("mockllm/model", "", stop_reason="content_filter")
                elif number == 3 and epoch == 1:
                    output = ModelOutput.for_tool_call("mockllm/model", "multiply", {"a": 3, "b": 3})
                elif number == 0 and epoch == 1:
                    content = [ContentReasoning(reasoning="six times seven"), ContentText(text=answer)]
                    output = ModelOutput.from_message(ChatMessageAssistant(content=content), stop_reason="max_tokens")
                else:
                    output = ModelOutput.from_content("mockllm/model", answer)
                output.usage = ModelUsage(input_tokens=11 + number, output_tokens=5, total_tokens=16 + number, reasoning_tokens=2)
                yield output

    def task(name, log_format, questions, long=""):
        dataset = [
            Sample(id=f"q{n}" if n else 1, input=q + long if n else [ChatMessageSystem(content="Be brief."), ChatMessageUser(content=q)],
                   target=[a, f"{a}.0"] if n == 3 else a, metadata={"level": n, "topic": "sums"}, choices=None)
            for n, (q, a, _) in enumerate(questions)
        ]
        made = Task(name=name, dataset=dataset, solver=[generate(tool_calls="none")], scorer=[match(location="end"), length()], epochs=2)
        eval(made, model=get_model("mockllm/model", custom_outputs=list(outputs())), log_dir=str(out), log_format=log_format,
             display="none", max_samples=1, max_connections=1, log_model_api=False)

    task("sums", "eval", QUESTIONS, long=" " + "Think about it. " * 20)
    task("sums-json", "json", QUESTIONS)


def deflated(source, target):
    """The same archive as versions of the tool before zstd wrote it."""
    import zipfile_zstd  # noqa: F401  (teaches zipfile to read the entries)

    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)


def check_inspect(path):
    """The log as the tool's own reader sees it."""
    from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

    log = read_eval_log(str(path))
    number = lambda value: None if isinstance(value, float) and math.isnan(value) else value
    found = {
        "status": log.status,
        "task": log.eval.task,
        "model": log.eval.model,
        "scores": [
            {"name": score.name, "scored": score.scored_samples, "unscored": score.unscored_samples,
             "metrics": {name: number(metric.value) for name, metric in score.metrics.items()}}
            for score in (log.results.scores if log.results else [])
        ],
        "samples": [
            {"id": sample.id, "epoch": sample.epoch, "target": sample.target, "answer": sample.output.completion,
             "stop": sample.output.stop_reason, "error": sample.error.message if sample.error else None,
             "scores": {name: [number(score.value), score.answer, score.reason] for name, score in (sample.scores or {}).items()}}
            for sample in log.samples or []
        ],
    }
    found["summaries"] = len(read_eval_log_sample_summaries(str(path)))
    return found


# --- command line ------------------------------------------------------------------------------------------------------


def make(out):
    make_lm_eval(out / "lm-eval")
    make_inspect(out / "inspect")
    for path in sorted((out / "inspect").glob("*.eval")):
        path.rename(out / "inspect" / "sums.eval")
        deflated(out / "inspect" / "sums.eval", out / "inspect" / "sums-deflate.eval")
    for path in sorted((out / "inspect").glob("*sums-json*.json")):
        path.rename(out / "inspect" / "sums.json")


def check(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name.startswith("results_") and path.suffix == ".json":
            found[name] = check_lm_eval(path)
        elif path.suffix in (".eval", ".json"):
            found[name] = check_inspect(path)
    print(json.dumps(found, indent=2, ensure_ascii=False))


def essence(path):
    """What must survive: of inspect's logs each sample with its scores, of lm-eval's each task with its values."""
    if path.is_dir():
        results = next(path.rglob("results_*.json"), None)
        if results is None:
            return {log.stem: essence(log) for log in path.rglob("*.eval")}
        tasks = check_lm_eval(results)["tasks"]
        broken = {name: task for name, task in tasks.items() if task["altered"] or not task["task_hash"]}
        assert not broken, f"{path.name}: digests that are not lm-eval's: {broken}"
        return {name: {"lines": task["lines"], "means": task["means"]} for name, task in tasks.items()}
    samples = check_inspect(path)["samples"]
    # We write grades as the numbers that they are worth, and every identifier as text.
    worth = {"C": 1.0, "I": 0.0}
    scored = lambda sample: {name: worth.get(value[0], value[0]) for name, value in sample["scores"].items()}
    kept = lambda sample: {key: sample[key] for key in ("epoch", "target", "answer")}
    return [{**kept(sample), "id": str(sample["id"]), "scores": scored(sample)} for sample in samples]


def same(convert, folder):
    differences = 0
    with tempfile.TemporaryDirectory() as out:
        out = Path(out)
        for source in [folder / "lm-eval", *sorted((folder / "inspect").iterdir())]:
            own_form = "lm-eval" if source.is_dir() else "inspect"
            # A folder has several tasks, and inspect's files hold one each.
            for form, name in [("lm-eval", f"{source.name}-lm-eval"), ("inspect", source.name if source.is_dir() else f"{source.name}.eval")]:
                written = out / name
                subprocess.run([convert, source, form, written], check=True)
                own = form == own_form
                found = essence(written)
                if own and found != essence(source):
                    differences += 1
                    print(f"{source.name} as {form}:\n  was   {essence(source)}\n  found {found}")
                assert found, f"{source.name} as {form}: the tool finds nothing in it"
    print(f"{differences} logs differ")
    sys.exit(differences > 0)


if __name__ == "__main__":
    if sys.argv[1] == "same":
        same(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        {"make": make, "check": check}[sys.argv[1]](Path(sys.argv[2]))
