"""Runs scorer components in another runtime and demands the verdicts of `bench`, bit by bit.

    pip install wasmtime==50.0.1
    cargo build --release -p bench-grade --example verdicts
    python tests/references/other_runtime.py target/release/examples/verdicts                  every scorer of the registry
    python tests/references/other_runtime.py target/release/examples/verdicts --quick          fewer samples, for CI
    python tests/references/other_runtime.py target/release/examples/verdicts --scorer X.wasm --config '{}' [--samples FILE]

The other runtime is wasmtime's Python package, another version than the one in `bench`, called by the component model's
dynamic interface with this script's own mapping of records. There, samples are graded in the order given, fifty at a time, by one instance
with no fuel; in `bench`, in calls of other samples by many. Components that import WASI are left out.

Samples are made from a seed, of everything that has made graders differ: numbers in many notations, white space, Unicode, JSON, code, calls,
choices, empty and missing answers. Most are no sensible task for most scorers; then the refusal must be the same. `--samples` takes
lines of the form that the example `verdicts` takes instead.
"""

import argparse
import json
import pathlib
import random
import struct
import subprocess
import sys
import time

import wasmtime
from wasmtime import component

ROOT = pathlib.Path(__file__).parents[2]
INTERFACE = "bench:plugin/scorer@0.1.0"
BATCH = 50

# Scorers that refuse an empty configuration.
CONFIGS = {
    "answer": '{"pattern": "word"}',
    "answer-fixed": '{"pattern": "word"}',
    "pattern": '{"pattern": "(?:is|:)\\\\s*\\\\(?(\\\\w+)"}',
    "pattern-fixed": '{"pattern": "(?:is|:)\\\\s*\\\\(?(\\\\w+)"}',
}

REASONING = ["", "Let me think. ", "Step 1: 3 + 4 = 7. Step 2: 7 * 6 = 42.\n", "First, we note that\n\n", "思考：", "So we get $x^2$. "]
VALUES = [
    "42", "-42", "42.0", "4.2e1", "1,234,567", "$42", "42%", "3/4", "\\frac{3}{4}", "\\boxed{42}", "0.75", "½", "٤٢", "inf", "nan", "1e400", "-0",
    "A", "B", "(C)", "D.", "a", "ANSWER: B", "The answer is (A).", "Paris", "paris", "The Paris", "  Paris\t", "PARIS!", "Zürich", "Zu\u0308rich",
    "東京", "ﬁne", "Straße", "STRASSE", "İstanbul", "\u00a0Paris\u2003", "yes", "No", "true", "null", "", " ", "\n",
    '{"name": "f", "arguments": {"x": 1}}', '[{"f": {"x": [1.0]}}]', "f(x=1, y='two')", "[f(x=1), g(y=[1, 2])]", '{"a": [1, 2, {"b": null}]}',
    "```json\n{\"a\": 1}\n```", "```python\ndef f():\n    return 42\n```", "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "#### 42", "The final answer is 42.",
    "I cannot help with that.", "P.S. done", "<<Title>>\n* one\n* two", "***", "\"quoted\"", "\\text{B}", "(1, 2)", "{1, 2}", "x = 7", "10^3", "\\sqrt{2}",
]
TARGETS = [
    "42", 42, 42.0, "Paris", ["Paris", "paris"], "B", 1, ["42", "forty-two"], "", [], {}, None, True, {"text": ["Paris"], "answer_start": [0]}, "#### 42",
    {"answers": ["Paris"]}, [{"f": {"x": [1, 1.0], "y": ["two", ""]}}], {"a": 1}, "\\frac{3}{4}", "(1,2)", ["東京"], "Straße", -42, "1e3", [[1]],
]
METADATA = [
    {}, {"choices": ["Paris", "Rome", "Oslo", "Zürich"]}, {"tools": [{"name": "f", "description": "", "parameters": {"type": "dict", "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}, "required": ["x"]}}]},
    {"instruction_id_list": ["punctuation:no_comma", "change_case:english_lowercase"], "kwargs": [{}, {}], "prompt": "Say something."},
    {"instruction_id_list": ["keywords:existence", "detectable_format:number_bullet_lists"], "kwargs": [{"keywords": ["paris"]}, {"num_bullets": 2}], "prompt": "p"},
    {"schema": {"type": "object", "required": ["a"]}}, {"question": "Where?", "context": "Paris is in France."}, {"choices": 7},
]
FINISHES = [None, "Stop", "Stop", "Stop", "Length", "ToolCalls", "ContentFilter", {"Other": "eos"}]


def make(count):
    """Samples as the example `verdicts` takes them."""
    chance = random.Random(20240229)

    def text():
        parts = [chance.choice(REASONING), chance.choice(VALUES)]
        if chance.random() < 0.3:
            parts.append(chance.choice([".", "\n", " ", "\r\n", "!", "\u2028"]) + chance.choice(VALUES))
        return "".join(parts)

    for number in range(count):
        calls = [
            {"id": f"call-{call}", "name": chance.choice(["f", "g", "f.g"]), "arguments": chance.choice(['{"x": 1}', '{"x": "1", "y": "two"}', "{", "[]"])}
            for call in range(chance.choice([0, 0, 0, 1, 2]))
        ]
        likelihoods = [
            {
                "text": chance.choice(VALUES),
                "logprob": chance.choice([-0.5, -chance.random() * 40, 0.0]),
                "tokens": chance.randrange(4),
                "greedy": chance.choice([None, True, False]),
                "unconditional": chance.choice([None, -chance.random() * 50]),
            }
            for _ in range(chance.choice([0, 0, 2, 4]))
        ]
        yield {
            "id": f"item-{number // 2:05}",
            "epoch": number % 2,
            "prompt": [
                {"role": "System", "content": "Answer.", "tool_calls": [], "tool_call_id": None},
                {"role": "User", "content": text(), "tool_calls": [], "tool_call_id": None},
            ][chance.randrange(2):],
            "target": json.dumps(chance.choice(TARGETS), ensure_ascii=chance.random() < 0.5),
            "answer": None if chance.random() < 0.05 else text(),
            "reasoning": chance.choice([None, None, "Hm."]),
            "tool_calls": calls,
            "finish": chance.choice(FINISHES),
            "likelihoods": likelihoods,
            "metadata": json.dumps(chance.choice(METADATA)),
        }


def kebab(name):
    return "".join("-" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("-").replace("_", "-")


def record(fields):
    made = component.Record()
    for name, value in fields.items():
        setattr(made, kebab(name), value)
    return made


def lower(sample):
    """A sample as the dynamic interface takes it."""

    def message(fields):
        return record({**fields, "role": kebab(fields["role"]), "tool_calls": [record(call) for call in fields["tool_calls"]]})

    finish = sample["finish"]
    if isinstance(finish, dict):
        finish = component.Variant("other", finish["Other"])
    elif finish is not None:
        finish = component.Variant(kebab(finish))
    return record(
        {
            **sample,
            "prompt": [message(fields) for fields in sample["prompt"]],
            "tool_calls": [record(call) for call in sample["tool_calls"]],
            "likelihoods": [record(likelihood) for likelihood in sample["likelihoods"]],
            "finish": finish,
        }
    )


def bits(value):
    return "nan" if value != value else struct.pack(">d", value).hex()


def lift(verdict):
    """A verdict as the example `verdicts` writes it, without fuel."""
    payload = verdict.reason.payload
    if verdict.reason.tag == "grader-failed":
        payload = [payload.code, payload.message, payload.hint]
    scores = [[score.name, bits(score.value), score.unit, getattr(score, "higher-is-better")] for score in getattr(verdict, "sub-scores")]
    return [
        verdict.id, verdict.epoch, bits(verdict.value), [verdict.reason.tag, payload], verdict.extracted, verdict.explanation, scores,
    ]


class Other:
    """A scorer in the other runtime."""

    def __init__(self, path, config):
        engine = wasmtime.Engine()
        loaded = component.Component.from_file(engine, str(path))
        self.imports_wasi = any(name.startswith("wasi:") for name in loaded.type.imports(engine))
        if self.imports_wasi:
            return
        self.store = wasmtime.Store(engine)
        self.instance = component.Linker(engine).instantiate(self.store, loaded)
        self.interface = self.instance.get_export_index(self.store, INTERFACE)
        created = self.call("[static]task.create", config)
        self.problem = created.payload if getattr(created, "tag", "ok") == "err" else None
        if isinstance(created, component.Record):
            self.problem = created
        self.task = getattr(created, "payload", created)

    def call(self, name, *arguments):
        function = self.instance.get_func(self.store, self.instance.get_export_index(self.store, name, self.interface))
        result = function(self.store, *arguments)
        function.post_return(self.store)
        return result

    def score(self, samples):
        verdicts = []
        for start in range(0, len(samples), BATCH):
            batch = [lower(sample) for sample in samples[start : start + BATCH]]
            verdicts += [lift(verdict) for verdict in self.call("[method]task.score", self.task, batch)]
        return verdicts


def compare(ours, path, config, samples):
    """Whether both say the same."""
    name = path.parent.name if path.parent.parent.name == "scorer" else path.stem
    other = Other(path, config)
    if other.imports_wasi:
        print(f"{name:<24} left out: it imports WASI")
        return True
    lines = "".join(json.dumps(sample) + "\n" for sample in samples)
    done = subprocess.run([ours, str(path), config], input=lines, capture_output=True, encoding="utf-8", check=False)
    if other.problem is not None:
        same = done.returncode != 0 and other.problem.code in done.stderr
        print(f"{name:<24} the configuration is refused as {other.problem.code}" + ("" if same else f", but not by bench: {done.stderr}"))
        return same
    if done.returncode != 0:
        print(f"{name:<24} FAILED in bench: {done.stderr.strip()}")
        return False
    mine = [json.loads(line)[:-1] for line in done.stdout.split("\n") if line]
    start = time.perf_counter()
    theirs = other.score(samples)
    took = time.perf_counter() - start
    differing = [(one, two) for one, two in zip(mine, theirs, strict=True) if json.dumps(one) != json.dumps(two)]
    kinds = sorted({verdict[3][0] for verdict in mine})
    print(f"{name:<24} {len(mine)} verdicts, {len(differing)} differ, {took:.1f} s there ({', '.join(kinds)})")
    for one, two in differing[:5]:
        print(f"  bench: {json.dumps(one)}\n  other: {json.dumps(two)}")
    return not differing


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("verdicts", help="the built example `verdicts`")
    parser.add_argument("--scorer", type=pathlib.Path, help="a component instead of those in the registry")
    parser.add_argument("--config", default=None, help="its configuration")
    parser.add_argument("--samples", type=pathlib.Path, help="samples instead of generated ones")
    parser.add_argument("--quick", action="store_true", help="200 samples instead of 2,000")
    options = parser.parse_args()
    if options.samples:
        samples = [json.loads(line) for line in options.samples.read_text(encoding="utf-8").split("\n") if line]
    else:
        samples = list(make(200 if options.quick else 2_000))
    found = [options.scorer] if options.scorer else sorted((ROOT / "registry/targets/scorer").glob("*/*.wasm"))
    if not found:
        sys.exit("there is no scorer in the registry")
    same = [compare(options.verdicts, path, options.config or CONFIGS.get(path.parent.name, "{}"), samples) for path in found]
    print(f"{sum(same)} of {len(same)} scorers say the same")
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
