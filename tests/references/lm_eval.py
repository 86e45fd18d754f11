"""Grades the same answers with lm-eval and with the scorers of `rules-text`, and demands the same of every one.

    pip install lm_eval==0.4.13
    python3 tests/references/lm_eval.py                 2,500 answers per family, and the throughput of both
    python3 tests/references/lm_eval.py --quick         200 answers per family
    python3 tests/references/lm_eval.py --record        also writes vectors/lm_eval.jsonl for the tests of `rules-text`

lm-eval's own filters, metrics and `process_results` run here with the settings of its own task files; nothing of it is rebuilt. Ours
is the example `grade-text` of `rules-text`, built by cargo, or the program named with `--grade`. With `--wasm FOLDER`, the throughput
of the built components is measured as well: of grading alone with `--verdicts PROGRAM`, the example of `bench-grade`, and of
`bench score` as a whole with `--bench PROGRAM`.
"""

import argparse
import hashlib
import importlib.util
import json
import logging
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import types

# Nothing of the reference is downloaded.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
HERE = pathlib.Path(__file__).resolve().parent
# This file has the name of the package that it tests.
sys.path = [path for path in sys.path if pathlib.Path(path or ".").resolve() != HERE]

import yaml  # noqa: E402
from lm_eval.api import metrics  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.api.registry import get_aggregation, get_metric  # noqa: E402
from lm_eval.api.task import ConfigurableTask  # noqa: E402
from lm_eval.filters import build_filter_ensemble  # noqa: E402

logging.disable(logging.WARNING)
VECTORS = HERE / "vectors" / "lm_eval.jsonl"
TASKS = pathlib.Path(importlib.util.find_spec("lm_eval").origin).parent / "tasks"


class Loader(yaml.SafeLoader):
    """Task files name functions of Python, which are not wanted here."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def task_file(path):
    return yaml.load((TASKS / path).read_text(encoding="utf-8"), Loader)


def filters_of(task):
    """The filters of a task by name, each a function from an answer and its document to what is left of it."""
    made = {}
    for entry in task.get("filter_list") or [{"name": "none", "filter": [{"function": "take_first"}]}]:
        parts = [(part["function"], {k: v for k, v in part.items() if k != "function"} or None) for part in entry["filter"]]
        made[entry["name"]] = build_filter_ensemble(entry["name"], parts)
    return made


def filtered_all(ensemble, answers, docs):
    instances = [Instance(request_type="generate_until", doc=doc, arguments=("",), idx=0) for doc in docs]
    for instance, answer in zip(instances, answers):
        instance.resps = [answer]
    ensemble.apply(instances)
    return [instance.filtered_resps[ensemble.name] for instance in instances]


def filtered(ensemble, answer, doc):
    return filtered_all(ensemble, [answer], [doc])[0]


def task(output_type, metric_list, target, choices=None, multiple=False):
    """As much of a task as `process_results` looks at."""
    stub = types.SimpleNamespace()
    stub.config = types.SimpleNamespace(process_results=None, doc_to_choice=None)
    stub.OUTPUT_TYPE = output_type
    stub._metric_fn_list = {name: get_metric(name) for name in metric_list}
    stub._metric_fn_kwargs = metric_list
    stub._aggregation_list, stub._higher_is_better = {}, {}
    stub.multiple_target, stub.multiple_input = multiple, 0
    stub.doc_to_target = lambda doc: target
    stub.doc_to_choice = lambda doc: choices
    stub.count_words, stub.count_bytes = ConfigurableTask.count_words, ConfigurableTask.count_bytes
    return stub


def process(stub, results):
    return ConfigurableTask.process_results(stub, {}, results)


def exact(answer, target, options):
    multiple = isinstance(target, list)
    return float(process(task("generate_until", {"exact_match": options}, target, multiple=multiple), [answer])["exact_match"])


def options_of(task_):
    entry = next(entry for entry in task_["metric_list"] if entry["metric"] == "exact_match")
    return {k: v for k, v in entry.items() if k.startswith("ignore") or k == "regexes_to_ignore"}


# Families: each yields (scorer, config, sample, expected verdict).

WORDS = ["Paris", "paris.", " the cat", "42", "É", "İstanbul", "ẞ", "x\0", "\0", "a\0b", "A,B", "3.14", "don't", "", "\n", "“Q”", "ΑΣ", "日本", "١٢", "no", "-", "e\u0301"]


def some_text(rng, parts, most=4):
    return "".join(rng.choice(parts) + rng.choice(["", " ", "\n", ".", ""]) for _ in range(rng.randint(0, most)))


def kebab(options):
    return {key.replace("_", "-"): value for key, value in options.items()}


def exact_match(rng, count):
    patterns = [",", r"\$", r"\.$", "(?s).*#### ", r"\d+", r"[aeiou]", r"\s+$", "(?i)THE", r"\bcat\b", "a|e", r"^\s*", "", r"\."]
    for _ in range(count):
        options = {}
        for name in ("ignore_case", "ignore_punctuation", "ignore_numbers"):
            if rng.random() < 0.4:
                options[name] = True
        if rng.random() < 0.5:
            options["regexes_to_ignore"] = rng.sample(patterns, rng.randint(0, 3))
        parts = []
        for _ in range(rng.choice([0, 0, 1, 2])):
            parts.append(rng.choice([
                {"function": "remove_whitespace"}, {"function": "lowercase"}, {"function": "uppercase"},
                {"function": "regex", "regex_pattern": rng.choice([r"(\d+)", r"(\w+)", r"(?:a|b)+", r"(a)|(b)", r"^(.*?)\s*$", r"x*"]),
                 "group_select": rng.choice([0, -1]), "fallback": rng.choice(["[invalid]", " none "])},
                {"function": "map", "mapping_dict": {"42": "a", "paris": "b"}, "default_value": "no"},
            ]))
        answer = some_text(rng, WORDS)
        variants = [answer, answer.lower(), answer.strip(), answer + "\0", answer + ".", rng.choice(WORDS)]
        targets = [rng.choice(variants) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        target = targets if len(targets) > 1 else targets[0]
        ensemble = build_filter_ensemble("f", [(part["function"], {k: v for k, v in part.items() if k != "function"}) for part in parts] + [("take_first", None)])
        left = filtered(ensemble, answer, {})
        config = kebab(options) | {"filters": [kebab(part) for part in parts]}
        yield "exact-match", config, {"answer": answer, "target": target}, {"value": exact(left, target, options)}


GSM8K_HAND = [
    ("The answer is 72.", "#### 72"), ("It costs $29.00", "29"), ("#### 29.00", "29"), ("72, altogether...", "72"), ("Total: 5. Done, ok.", "5"),
    ("x = 1,000 #### 1000", "1000"), ("so 72 clips (see fig 3).", "72"), ("**18**", "18"), ("$18$", "18"), ("#### 1,234.", "1234"),
    ("#### 12 #### 13", "13"), ("", "5"), ("####5", "5"), ("#### -5", "-5"), ("#### $5", "5"), ("The answer is -3,000", "-3000"), ("The answer is 7", "7"),
    ("The answer is 77", "7"), ("The final answer is $1,000.00", "1000.00"), ("- 5", "5"), ("5-3", "3"), ("...", "..."), ("[invalid]", "[invalid]"), ("١٢", "12"),
    ("#### 5\n", "5"), ("#### .", "."), ("#### 5..", "5."), ("a #### b #### 7 #### c", "7"), ("The answer is 1.\nThe answer is 2.", "1"),
]


def gsm8k(rng, count):
    formats = {
        "gsm8k": "gsm8k/gsm8k.yaml", "cot": "gsm8k/gsm8k-cot.yaml", "cot-llama": "gsm8k/gsm8k-cot-llama.yaml",
    }
    tasks = {name: task_file(path) for name, path in formats.items()}
    filters = {name: filters_of(task_) for name, task_ in tasks.items()}
    numbers = ["5", "72", "1,000", "29.00", "$18", "-4", "0.5", "1234567", "007", "3,", "12.", "$1,234.50", ".", ",", "$", "-"]
    words = ["The answer is ", "The final answer is ", "#### ", "so ", "= ", "(", ")", "\n", ". ", "...", "eggs ", "$", "**", "%", "é ", "####", "Total: "]
    made = [(answer, target, name, selected) for answer, target in GSM8K_HAND for name in formats for selected in ("strict-match", "flexible-extract")]
    while len(made) < count:
        answer = "".join(rng.choice(words) + (rng.choice(numbers) if rng.random() < 0.7 else "") for _ in range(rng.randint(0, 8)))
        target = rng.choice(numbers + ["Work: 2+3 = 5\n#### 5", "So 1,000 eggs.\n#### 1,000", "#### 72"])
        name, selected = rng.choice(list(formats)), rng.choice(["strict-match", "flexible-extract"])
        if rng.random() < 0.5:
            target = filtered(filters[name][selected], answer, {})
        made.append((answer, target, name, selected))
    for answer, target, name, selected in made[:max(count, 0)]:
        options = options_of(tasks[name]) if "metric_list" in tasks[name] else options_of(tasks["gsm8k"])
        scores = {which: exact(filtered(ensemble, answer, {}), target, options) for which, ensemble in filters[name].items()}
        yield "gsm8k", {"format": name, "filter": selected}, {"answer": answer, "target": target}, {"value": scores[selected], "sub_scores": scores}


def multiple_choice(rng, count):
    names = ["acc", "acc_norm", "acc_bytes", "exact_match", "acc_mutual_info"]
    texts = ["yes", "no", "Paris", "é" * 4, "日本", "a longer answer", "", "A", "B", "(C)", "😀"]
    for _ in range(count):
        choices = rng.sample(texts, rng.randint(1, 5))
        lls = [rng.choice([-1.0, -2.0, -3.5, 0.0, -rng.random() * 30, -float("1e-300")]) for _ in choices]
        greedy = [rng.random() < 0.3 for _ in choices]
        mutual = rng.random() < 0.5
        unconditional = [-rng.choice([1.0, 2.0, rng.random() * 20]) for _ in choices]
        kind = rng.random()
        gold = rng.randrange(len(choices)) if kind < 0.6 else rng.choice(texts) if kind < 0.8 else rng.choice([len(choices), 9]) if kind < 0.85 else None
        multiple = gold is None
        if multiple:
            gold = rng.sample(range(len(choices) + 1), rng.randint(1, len(choices)))
        wanted = {name: {} for name in names if name != "acc_mutual_info" or (mutual and not multiple)}
        stub = task("multiple_choice", wanted, gold, choices, multiple)
        results = list(zip(lls, greedy)) + (list(zip(unconditional, greedy)) if "acc_mutual_info" in wanted else [])
        with __import__("numpy").errstate(all="ignore"):
            scores = {name.replace("_", "-"): float(score) for name, score in process(stub, results).items()}
        metric = rng.choice(["acc", "acc-norm", "acc-bytes"] + (["acc-mutual-info"] if "acc_mutual_info" in wanted else []))
        likelihoods = [
            {"text": " " + choice, "logprob": ll, "greedy": said} | ({"unconditional": other} if "acc_mutual_info" in wanted else {})
            for choice, ll, said, other in zip(choices, lls, greedy, unconditional)
        ]
        yield "multiple-choice", {"metric": metric}, {"likelihoods": likelihoods, "target": gold}, {"value": scores[metric], "sub_scores": scores}


def multiple_choice_generative(rng, count):
    tasks = {"mmlu": task_file("mmlu/generative/_default_template_yaml"), "arc-chat": task_file("arc/arc_challenge_chat.yaml")}
    filters = {name: next(iter(filters_of(task_).values())) for name, task_ in tasks.items()}
    parts = ["A", "b", " C", "(D)", "D.", "\n", "\r\n", "The answer is B", "**A**", "\u00a0B\u2003", "A B", "", "\x1cA", "É", "A\0", "\v", "ａ"]
    for _ in range(count):
        name = rng.choice(list(tasks))
        answer = "".join(rng.choice(parts) for _ in range(rng.randint(0, 3)))
        index = rng.randrange(4)
        target = "ABCD"[index]
        left = filtered(filters[name], answer, {})
        if rng.random() < 0.5:
            index = next((i for i, letter in enumerate("ABCD") if letter in left.upper()), index)
            target = "ABCD"[index]
        value = exact(left, target, options_of(tasks[name]))
        yield "multiple-choice-generative", {"format": name}, {"answer": answer, "target": rng.choice([target, index])}, {"value": value}


def gpqa(rng, count):
    task_ = task_file("gpqa/cot_zeroshot/_gpqa_cot_zeroshot_yaml")
    filters = filters_of(task_)
    texts = ["10^4 eV", "Paris", "the Paris of the east", "- 5", "!", "É (x)", "A", "0.5", "CO2", "a b", "İ", "5", "  spaced  ", "“quoted”", "Guilty", "Guilty of Romance"]
    parts = ["The answer is ", "(A)", "(B)", "(C)", "D", ".", "\n", ": A", ":\n B", "Answer: C", "so ", "The correct answer is ", "(E)", "**(D)**", "é", "answer:", ":D", " "]
    docs = [{"choices": [rng.choice(texts) for _ in range(4)]} for _ in range(count)]
    answers = []
    for doc in docs:
        words = parts + doc["choices"] + [choice.upper() for choice in doc["choices"]]
        answers.append("".join(rng.choice(words) for _ in range(rng.randint(0, 6))))
    # All at once: the filter looks at every character there is before it begins.
    found = {which: filtered_all(ensemble, answers, docs) for which, ensemble in filters.items()}
    for index, (doc, answer) in enumerate(zip(docs, answers)):
        left = {which: texts[index] for which, texts in found.items()}
        selected = rng.choice(list(filters))
        target = f"({rng.choice('ABCD')})"
        if rng.random() < 0.5 and left[selected] != "[invalid]":
            target = left[selected]
        scores = {which: exact(text, target, options_of(task_)) for which, text in left.items()}
        yield "gpqa", {"filter": selected}, {"answer": answer, "target": target, "metadata": doc}, {"value": scores[selected], "sub_scores": scores}


def perplexity(rng, count):
    parts = ["word ", "two  words", "\n", "é", "日本 ", "\u00a0", "end.", "\t", "\x1c", " lead"]
    for _ in range(count):
        text = "".join(rng.choice(parts) for _ in range(rng.randint(1, 12)))
        lls = [-rng.random() * 9 for _ in range(rng.randint(1, 3))]
        items = process(task("loglikelihood_rolling", {"word_perplexity": {}, "byte_perplexity": {}, "bits_per_byte": {}}, text), [sum(lls)])
        scores = {name.replace("_", "-"): get_aggregation("bits_per_byte" if name == "bits_per_byte" else "weighted_perplexity")([item]) for name, item in items.items()}
        expected = {"value": scores.pop("word-perplexity"), "sub_scores": scores, "items": items}
        yield "perplexity", {}, {"target": text, "likelihoods": [{"text": "", "logprob": ll} for ll in lls]}, expected


FAMILIES = [exact_match, gsm8k, multiple_choice, multiple_choice_generative, gpqa, perplexity]


def ours(program, lines, rounds=0):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([*program, *(["--time", str(rounds)] if rounds else [])], input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"grade failed: {done.stderr.decode()}")
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return (answers, json.loads(done.stderr)["seconds"]) if rounds else answers


def same(expected, verdict):
    def near(a, b):
        return a is not None and b is not None and (a == b or math.isclose(a, b, rel_tol=1e-12))

    scores = expected.get("sub_scores", {})
    return near(expected["value"], verdict["value"]) and all(near(score, verdict["sub_scores"].get(name)) for name, score in scores.items())


def compare(program, count, recorded):
    different = 0
    for family in FAMILIES:
        cases = list(family(random.Random(4), count))
        lines = [{"scorer": scorer, "config": config, "sample": sample} for scorer, config, sample, _ in cases]
        verdicts = ours(program, lines)
        assert len(verdicts) == len(cases)
        off = [(line, case[3], verdict) for line, case, verdict in zip(lines, cases, verdicts) if not same(case[3], verdict)]
        right = sum(1 for case in cases if case[3]["value"] == 1.0)
        print(f"{family.__name__}: {len(cases) - len(off)} of {len(cases)} agree, {right} of them right")
        for line, expected, verdict in off[:20]:
            print("  ", json.dumps(line, ensure_ascii=False), "\n    lm-eval", expected, "\n    ours   ", verdict)
        different += len(off)
        recorded += [line | {"expect": {key: case[3][key] for key in ("value", "sub_scores") if key in case[3]}} for line, case in list(zip(lines, cases))[:250]]
        if family is perplexity:
            different += aggregate_perplexity(program, cases, verdicts)
    return different + aggregate_means(program)


def aggregate_perplexity(program, cases, verdicts):
    graded = [{"id": str(i), "value": verdict["value"], "sub_scores": verdict["sub_scores"]} for i, verdict in enumerate(verdicts)]
    (estimates,) = ours(program, [{"scorer": "perplexity", "graded": graded}])
    off = 0
    for name, rule in (("word_perplexity", "weighted_perplexity"), ("byte_perplexity", "weighted_perplexity"), ("bits_per_byte", "bits_per_byte")):
        expected = get_aggregation(rule)([case[3]["items"][name] for case in cases])
        found = next(estimate["value"] for estimate in estimates if estimate["metric"] == name.replace("_", "-"))
        agree = math.isclose(expected, found, rel_tol=1e-12)
        print(f"{name} of all: {found} ({'as' if agree else 'NOT as'} lm-eval)")
        off += not agree
    return off


def aggregate_means(program):
    rng = random.Random(5)
    off = 0
    for size in (2, 3, 10, 57, 400):
        values = [float(rng.random() < 0.7) for _ in range(size)]
        (estimates,) = ours(program, [{"scorer": "exact-match", "graded": [{"id": str(i), "value": value} for i, value in enumerate(values)]}])
        off += not math.isclose(estimates[0]["value"], metrics.mean(values), rel_tol=1e-14)
        off += not math.isclose(estimates[0]["standard_error"], metrics.mean_stderr(values), rel_tol=1e-12, abs_tol=1e-15)
    print("means and standard errors:", "NOT " * bool(off) + "as lm-eval")
    return off


def throughput(program, bench, verdicts, wasm):
    """Seconds for the same samples: the reference's filters and metric, our rules natively, and the component in its host."""
    rng = random.Random(6)
    sentence = "First, {0} eggs a day times {1} is {2}. She sells them for ${0} each, which makes ${1},{2:03}. "

    def prose():
        return "".join(sentence.format(rng.randint(1, 99), rng.randint(1, 99), rng.randint(1, 999)) for _ in range(rng.randint(2, 6)))

    for name, path, config in (("gsm8k", "gsm8k/gsm8k.yaml", {}), ("gpqa", "gpqa/cot_zeroshot/_gpqa_cot_zeroshot_yaml", {})):
        task_ = task_file(path)
        options, filters = options_of(task_), filters_of(task_)
        choices = {"choices": ["ten", "eleven", "twelve", "none of these"]}
        answers = [prose() + (f"#### {rng.randint(1, 999)}" if name == "gsm8k" else f"The answer is ({rng.choice('ABCD')}).") for _ in range(20_000)]
        targets = [f"{rng.randint(1, 999)}" if name == "gsm8k" else f"({rng.choice('ABCD')})" for _ in answers]
        begin = time.perf_counter()
        for ensemble in filters.values():
            # As lm-eval does: one call for all instances, then one document at a time.
            left = filtered_all(ensemble, answers, [choices] * len(answers))
            stub = task("generate_until", {"exact_match": options}, None)
            for text, target in zip(left, targets):
                stub.doc_to_target = lambda doc, target=target: target
                process(stub, [text])
        reference = time.perf_counter() - begin
        samples = [{"id": str(i), "answer": answer, "target": target, "metadata": choices if name == "gpqa" else {}} for i, (answer, target) in enumerate(zip(answers, targets))]
        _, native = ours(program, [{"scorer": name, "config": config, "sample": sample} for sample in samples], rounds=5)
        print(f"{name}, {len(answers)} samples: lm-eval {reference:.3f} s, ours natively {native:.4f} s, {reference / native:.0f} times as fast")
        path = next(iter(sorted(pathlib.Path(wasm).glob(f"{name}/*.wasm"))), None) if wasm else None
        if path and verdicts:
            sandboxed(verdicts, path, name, config, samples, reference)
        if path and bench:
            command(bench, path, name, samples, reference)


def record(name, sample):
    """A line of a sample log of ours."""
    def sha256(value):
        return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()

    line = {"schema": 1, "task": name, "id": sample["id"], "status": {"state": "answered"}, "answer": sample["answer"], "finish": "stop"}
    for field, value in (("document", sample["metadata"]), ("prompt", [{"role": "user", "content": "?"}]), ("target", sample["target"])):
        line |= {field: value, f"{field}_sha256": sha256(value)}
    return json.dumps(line) + "\n"


def sandboxed(verdicts, path, name, config, samples, reference):
    """The component on one core, as the reference is, and on all: grading, and nothing around it."""
    empty = {"epoch": 0, "prompt": [], "reasoning": None, "tool_calls": [], "finish": "Stop", "likelihoods": []}
    lines = (empty | sample | {field: json.dumps(sample[field]) for field in ("target", "metadata")} for sample in samples)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([verdicts, str(path), json.dumps(config), "--time"], input=text, capture_output=True, text=True, check=True)
    for cores, seconds in zip(("one core", "all cores"), map(float, done.stdout.split())):
        print(f"{name}: the component on {cores} {seconds:.4f} s, {reference / seconds:.0f} times as fast as lm-eval")


def command(bench, path, name, samples, reference):
    """The whole command, the second time: the first compiles."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "samples.jsonl"
        log.write_text("".join(record(name, sample) for sample in samples), encoding="utf-8")
        for _ in range(2):
            begin = time.perf_counter()
            subprocess.run([bench, "score", str(log), "--scorer", str(path)], capture_output=True, check=True)
            seconds = time.perf_counter() - begin
    print(f"{name}: bench score {seconds:.3f} s in all, files and start included, {reference / seconds:.1f} times as fast as lm-eval")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--grade")
    parser.add_argument("--bench")
    parser.add_argument("--verdicts")
    parser.add_argument("--wasm")
    arguments = parser.parse_args()
    program = [arguments.grade] if arguments.grade else ["cargo", "run", "--quiet", "--release", "--package", "rules-text", "--example", "grade-text", "--"]
    recorded = []
    different = compare(program, 200 if arguments.quick else 2500, recorded)
    if arguments.record:
        VECTORS.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in recorded), encoding="utf-8", newline="")
        print(VECTORS, len(recorded), "vectors")
    if not arguments.quick:
        throughput(program, arguments.bench, arguments.verdicts, arguments.wasm)
    sys.exit(bool(different))


main()
