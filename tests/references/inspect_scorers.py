#!/usr/bin/env python3
"""Compares scorers of ours with their references, sample by sample.

    pip install inspect_ai==0.3.285 math-verify==0.9.0 jsonschema==4.26.0
    pip install --no-deps lm_eval==0.4.13 'transformers<5'
    tests/references/inspect_scorers.py [--quick] [--record] [FAMILY ...]

Run with CPython 3.12, whose Unicode tables the scorers follow. Families and references:

    match includes answer pattern choice model-graded    inspect_ai, through its public scorers
    squad                                                the official SQuAD 2.0 rules in transformers, those of 1.1 restated
    ruler hendrycks                                      lm_eval
    json-schema                                          jsonschema
    math-equal numeric                                   math_verify; fractions and decimals
    edit-format                                          difflib and GNU patch

Ours are the examples `grade-*` of the rules crates, built by cargo unless `--bin FOLDER` says where they are. Every difference
that is not in DIFFERENCES fails the run. `--quick` takes a tenth of the samples, the same ones every time. `--record` writes the
vectors that the tests of the rules crates replay without Python.
"""

import argparse
import asyncio
import difflib
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
# Scripts beside this one are named after what they compare with, and must not be imported in its place.
sys.path[:] = [entry for entry in sys.path if pathlib.Path(entry or ".").resolve() != HERE]
ROOT = HERE.parent.parent
CRATES = {
    "match": "inspect", "includes": "inspect", "answer": "inspect", "pattern": "inspect", "choice": "inspect",
    "squad": "qa", "ruler": "qa", "json-schema": "structure", "edit-format": "structure",
    "numeric": "maths", "math-equal": "maths", "hendrycks": "maths", "model-graded": "judge",
}


class Case:
    """One sample with the reference's value and, where it has one, what it took to be the answer."""

    def __init__(self, scorer, config, sample, value, extracted=Ellipsis, note=None):
        self.scorer, self.config, self.sample = scorer, config, sample
        self.value, self.extracted, self.note = value, extracted, note


# ---------------------------------------------------------------- material

WORDS = "the a an Paris London cat blue answer is not 42 yes no True maybe Straße İstanbul naïve ﬁne ΣΑΣ office İ ſ K".split()
PUNCTUATION = ["", "", "", ".", ",", "!", "?", "...", "**", "$", ")", "(", "\"", "'", "`", "~", "。", "\u200b", "_", "%"]
SPACES = [" ", " ", " ", "\n", "\t", "  ", "\u00a0", "\u2003", "\x1c", "\r\n", "\x0b", "\u200b"]
NUMBERS = [
    "42", "-42", "+42", "42.0", "42.", "042", "1,234", "1234", "1,234.50", "$1,234.5", "€5", "£3.20", "\\$20", "1e3", "1E-5", "0.1",
    ".5", "-.5", "5%", "60%", "½", "2½", "-½", "3²", "10³", "2⁻¹", "−7", "١٢٣", "１２", "Ⅻ", "二十", "二〇二五", "一百零五", "3.14159265",
    "100005", "100015", "123456", "99999.5", "1_000", "nan", "inf", "-inf", "infinity", "1.2.3", "12abc", "<42", "~42", "(42)", "[42]",
    "42!", "'42'", "0", "-0", "0.00001234", "1/2", "3:15", "2,5", "1.234,5", "1 234", "五千万", "三点五", "廿一", "⅓", "1⅓", "๓", "③", "x", "",
    "负三", "兆", "10^3", "4e", "e5", "1e400", "1'000", "９．５", "12٫5", "²", "5²³", "零", "点", "两百", "½½", "0½", "1e5½",
]


def text(rng, most=8):
    parts = []
    for _ in range(rng.randint(0, most)):
        parts.append(rng.choice(WORDS if rng.random() < 0.6 else NUMBERS) + rng.choice(PUNCTUATION))
        parts.append(rng.choice(SPACES))
    return "".join(parts)


def number_text(rng):
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(NUMBERS)
    if kind < 0.7:
        return str(rng.randint(-2000, 200000))
    if kind < 0.85:
        return repr(round(rng.uniform(-1000, 1000), rng.randint(0, 7)))
    return "".join(rng.choice("0123456789.,-+eE½²百十万三五點 ") for _ in range(rng.randint(1, 6)))


def mutated(rng, value):
    if not value or rng.random() < 0.3:
        return value
    at = rng.randrange(len(value))
    return rng.choice([value.upper(), value.lower(), value + rng.choice(PUNCTUATION), value[:at], value[at:], value.title(),
                       rng.choice(PUNCTUATION) + value, value[:at] + rng.choice(SPACES) + value[at:]])


# ---------------------------------------------------------------- inspect_ai

def state(answer, choices=None):
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import TaskState
    return TaskState(model="mockllm/model", sample_id=1, epoch=1, input="question", messages=[], choices=choices,
                     output=ModelOutput.from_content("mockllm/model", answer))


def grade_with(scorer, answer, target, choices_state=None):
    from inspect_ai.scorer import Target, value_to_float
    score = asyncio.run(scorer(choices_state or state(answer), Target(target)))
    value = score.value
    if isinstance(value, float) and math.isnan(value):
        return None, score.answer
    return value_to_float()(value), score.answer


def match_cases(rng, count):
    from inspect_ai.scorer import match
    for _ in range(count):
        location = rng.choice(["begin", "end", "any", "exact"])
        ignore_case, numeric = rng.random() < 0.7, rng.random() < 0.7
        make = number_text if numeric and rng.random() < 0.85 else (lambda rng: text(rng, 2))
        targets = [make(rng) for _ in range(rng.choice([1, 1, 1, 2]))]
        around = mutated(rng, rng.choice(targets)) if rng.random() < 0.7 else number_text(rng)
        answer = rng.choice([around, text(rng, 4) + around, around + rng.choice(SPACES) + text(rng, 4),
                             text(rng, 3) + around + rng.choice(PUNCTUATION) + rng.choice(SPACES) + text(rng, 2)])
        config = {"location": location, "ignore-case": ignore_case, "numeric": numeric}
        try:
            value, extracted = grade_with(match(location, ignore_case=ignore_case, numeric=numeric), answer, targets)
        except OverflowError:
            continue  # an integer beyond a float stops the reference
        yield Case("match", config, {"answer": answer, "target": targets}, value, extracted)


def includes_cases(rng, count):
    from inspect_ai.scorer import includes
    for _ in range(count):
        ignore_case = rng.random() < 0.7
        answer = text(rng)
        start = rng.randrange(len(answer) + 1)
        piece = answer[start:start + rng.randint(0, 8)]
        targets = [mutated(rng, piece) if rng.random() < 0.7 else text(rng, 2) for _ in range(rng.choice([1, 1, 2]))]
        value, extracted = grade_with(includes(ignore_case=ignore_case), answer, targets)
        yield Case("includes", {"ignore-case": ignore_case}, {"answer": answer, "target": targets}, value, extracted)


def answer_cases(rng, count):
    from inspect_ai.scorer import answer as scorer
    marks = ["ANSWER:", "Answer :", "answer:", "ANSWER\n:", "The answer:", "ANSWER", "**ANSWER:**", "AnſWER:", "ANSWER: ANSWER:"]
    bodies = ["A", "b", "C.", "D)", "yes", "no.", "yes!", "Yes ", "New York", "42", "é", "Straße", "A B", "", "\n\nA", "_A", "A_", "ſ", "K",
              "yes\r", "no\t", "A,", "a-b", "1.5", "(A)", "A\u00a0"]
    for _ in range(count):
        kind = rng.choice(["letter", "word", "line"])
        body = rng.choice(bodies)
        answer = (text(rng, 3) if rng.random() < 0.5 else "") + rng.choice(marks) + rng.choice(["", " ", "  ", "\n"]) + body
        if rng.random() < 0.4:
            answer += rng.choice(SPACES) + rng.choice(["", "because", "ANSWER: " + rng.choice(bodies), "\n", " \n "])
        targets = [rng.choice([body, body.strip(), body.strip(" .!)"), body.lower(), rng.choice(bodies)])]
        value, extracted = grade_with(scorer(kind), answer, targets)
        yield Case("answer", {"pattern": kind}, {"answer": answer, "target": targets}, value, extracted)


PATTERNS = [
    r"(\d+)", r"answer is (\w+)", r"(?:is|was)\s+(\S+)", r"(a)|(b)", r"(\w+) (\w+)", r"(?P<x>\w+)\W+(?P=x)", r"\bcat\b", r"(.*)", r"^(\w+)",
    r"(\w+)$", r"(?s)(.+)\Z", r"(\d*)", r"([A-Z]\w*)", r"(?<=is )(\w+)", r"(\w)(?!\w)", r"(?i:PARIS)|(London)", r"(no)?(yes)?", r"[^\W\d_]+",
    r"(\s+)", r"(?m)^(\S+)$", r"(k)", r"(s)", r"(\w+)\s*\n", r"(?x) ( \d+ ) # number",
]


def pattern_cases(rng, count):
    from inspect_ai.scorer import pattern as scorer
    for _ in range(count):
        pattern = rng.choice(PATTERNS)
        answer = text(rng)
        found = re.search(pattern, answer, re.IGNORECASE)
        captured = [g for g in (found.groups() or (found.group(0),)) if g is not None] if found else []
        pool = captured + WORDS + [""]
        targets = [rng.choice(captured) if captured and rng.random() < 0.6 else rng.choice(pool) for _ in range(rng.choice([1, 1, 2, 3]))]
        targets = [mutated(rng, target) if rng.random() < 0.2 else target for target in targets]
        ignore_case, match_all = rng.random() < 0.7, rng.random() < 0.3
        value, extracted = grade_with(scorer(pattern, ignore_case=ignore_case, match_all=match_all), answer, targets)
        config = {"pattern": pattern, "ignore-case": ignore_case, "match-all": match_all}
        yield Case("pattern", config, {"answer": answer, "target": targets}, value, extracted)


def choice_cases(rng, count):
    from inspect_ai.scorer import choice
    from inspect_ai.solver._multiple_choice import parse_answers, set_choices_based_on_generated_response
    labels = list("ABCDEFabcdef") + ["1", "2", "Z", "AB", "A,B", "A, B and C", "A and B", "a b", "", "A,", ",A", "(A)", "(b)", "$C$", "**D**",
                                     "** A, B **", "A.", "D..", "ſ", "all of them", "١", "A\nB", "$ A $"]
    for _ in range(count):
        number = rng.choice([2, 4, 4, 4, 5, 28, 40])
        multiple = rng.random() < 0.4
        label = rng.choice(labels)
        answer = rng.choice(["", text(rng, 3), "I think\n"]) + rng.choice(["ANSWER: ", "Answer:", "ANSWER:\n", "ANSWER : ", "answer "]) + label
        answer += rng.choice(["", "", ".", "\n", " because", "\nANSWER: " + rng.choice(labels), ". Done", "; A"])
        allowed = [chr(65 + i) if i < 26 else str(i - 25) for i in range(number)]
        target = rng.choice([[rng.choice(allowed)], [rng.choice(allowed[:4])], sorted(rng.sample(allowed[:6], min(2, number))), ["A", "B"], ["AB"],
                             ["a"], ["A,B"], ["B A"]])
        one = state(answer, [f"choice {i}" for i in range(number)])
        answers = parse_answers(one, multiple)
        if answers:
            set_choices_based_on_generated_response(one, answers)
        try:
            value, extracted = grade_with(choice(), answer, target, one)
        except ValueError:
            value, extracted = None, Ellipsis
        sample = {"answer": answer, "target": target, "metadata": {"choices": [str(i) for i in range(number)]}}
        yield Case("choice", {"multiple-correct": multiple}, sample, value, extracted or Ellipsis)


def judge_cases(rng, count):
    from inspect_ai.model import ModelOutput, get_model
    from inspect_ai.scorer import model_graded_qa
    import tiktoken
    import types
    # The mock model counts tokens with a vocabulary from the network, and nobody reads the counts.
    tiktoken.get_encoding = lambda _: types.SimpleNamespace(encode=lambda text, **_: text.split())
    said = ["GRADE: C", "GRADE: I", "GRADE: P", "grade: c", "Grade : i", "GRADE: Correct", "GRADE: incorrect.", "GRADE: Partial", "GRADE: CI", "GRADE:",
            "GRADE: X", "downgrade: C", "GRADE: C\nBut then GRADE: I", "no grade", "", "GRADE:\u200bC", "GRADE: C because", "**GRADE:** C", "GRADE: **C**",
            "GRADE: yes", "SCORE 0.7", "SCORE 1", "SCORE 3", "SCORE yes", "I would not say GRADE: I, rather GRADE: C\n\nThanks", "GRADE: c.", "gRaDe:\n\nP"]
    for _ in range(count):
        judges = rng.choice([1, 1, 2, 3, 4])
        config = {"partial-credit": rng.random() < 0.5, "judges": judges, "majority": rng.choice(["strict", "mode"])}
        keywords = {"partial_credit": config["partial-credit"], "reducer": {"strict": "majority", "mode": "mode"}[config["majority"]]}
        kind = rng.random()
        if kind < 0.2:
            config["instructions"] = keywords["instructions"] = "Grade it."
        elif kind < 0.4:
            config["grade-pattern"] = keywords["grade_pattern"] = r"SCORE (\S+)|GRADE: ([CPI])"
        opinions = [rng.choice(said) for _ in range(judges)]
        models = [get_model("mockllm/model", memoize=False, custom_outputs=[ModelOutput.from_content("m", one)]) for one in opinions]
        value, _ = grade_with(model_graded_qa(model=models if judges > 1 else models[0], **keywords), "answer", "target")
        if value is not None and value > 1:
            value = None  # ours keeps to [0, 1]
        yield Case("model-graded", config, {"opinions": opinions}, value)


# ---------------------------------------------------------------- SQuAD, RULER

def official_squad():
    """The functions of the SQuAD 2.0 script, from the copy that transformers ships, without loading the rest of it."""
    import ast
    import collections
    import importlib.util
    import string
    folder = pathlib.Path(importlib.util.find_spec("transformers").submodule_search_locations[0])
    tree = ast.parse((folder / "data/metrics/squad_metrics.py").read_text())
    wanted = {"normalize_answer", "get_tokens", "compute_exact", "compute_f1"}
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    names = {"re": re, "string": string, "collections": collections}
    exec(compile(tree, "squad_metrics.py", "exec"), names)
    return names


def squad_cases(rng, count):
    official = official_squad()
    normal, exact, f1 = (official[name] for name in ("normalize_answer", "compute_exact", "compute_f1"))

    def f1_of_version_1(gold, answer):
        answer_words, gold_words = normal(answer).split(), normal(gold).split()
        same = sum((Counter(answer_words) & Counter(gold_words)).values())
        if same == 0:
            return 0.0
        precision, recall = same / len(answer_words), same / len(gold_words)
        return 2 * precision * recall / (precision + recall)

    for _ in range(count):
        version = rng.choice(["1.1", "2.0"])
        golds = [text(rng, 5) for _ in range(rng.choice([0, 1, 1, 2, 3]) if version == "2.0" else rng.choice([1, 2, 3]))]
        answer = mutated(rng, rng.choice(golds)) if golds and rng.random() < 0.7 else text(rng, rng.choice([0, 5]))
        if version == "2.0":
            against = [gold for gold in golds if normal(gold)] or [""]
            value, em = max(f1(gold, answer) for gold in against), max(exact(gold, answer) for gold in against)
        else:
            value, em = max(f1_of_version_1(gold, answer) for gold in golds), max(normal(gold) == normal(answer) for gold in golds)
        yield Case("squad", {"version": version}, {"answer": answer, "target": golds}, float(value), ("exact-match", float(em)))


def ruler_cases(rng, count):
    import importlib.util
    import types
    # Loading transformers takes what this comparison does not need.
    before = sys.modules.get("transformers")
    sys.modules["transformers"] = types.SimpleNamespace(AutoTokenizer=None)
    folder = pathlib.Path(importlib.util.find_spec("lm_eval").submodule_search_locations[0])
    specification = importlib.util.spec_from_file_location("ruler_common", folder / "tasks/ruler/common_utils.py")
    common = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(common)
    del sys.modules["transformers"]
    if before:
        sys.modules["transformers"] = before
    for _ in range(count):
        mode = rng.choice(["all", "part"])
        references = [rng.choice([str(rng.randint(1000000, 9999999)), rng.choice(WORDS), text(rng, 1)]) for _ in range(rng.randint(1, 5))]
        held = [mutated(rng, one) for one in references if rng.random() < 0.6]
        answer = rng.choice(["", "\x00", " "]) + rng.choice([", ", "\x01", "\n", " and "]).join(held) + rng.choice(["", text(rng, 3)])
        grade = {"all": common.string_match_all, "part": common.string_match_part}[mode]
        value = grade(common.postprocess_pred([answer]), [references])
        yield Case("ruler", {"mode": mode}, {"answer": answer, "target": references}, float(value))


# ---------------------------------------------------------------- JSON

def random_json(rng, depth=3):
    kind = rng.random()
    if depth == 0 or kind < 0.5:
        return rng.choice([None, True, False, 0, 1, 1.0, -1, 2, 3, 7, 10, 0.3, 2.5, 1e10, "", "a", "ab", "abc", "é", "1", "2024-01-02", "naïve",
                           rng.randint(-50, 50), round(rng.uniform(-9, 9), 2)])
    if kind < 0.75:
        return [random_json(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    return {rng.choice("a b c d x1 y2 foo bar".split()): random_json(rng, depth - 1) for _ in range(rng.randint(0, 4))}


def random_schema(rng, depth=3, draft="2020-12"):
    modern, newest = draft != "7", draft == "2020-12"
    if rng.random() < 0.06:
        return rng.choice([True, False, {}])
    below = lambda: random_schema(rng, depth - 1, draft) if depth > 0 else rng.choice([True, {"type": "string"}, {"type": "integer"}, {"minimum": 1}])
    names = "a b c d x1 y2 foo bar".split()
    schema = {}
    for _ in range(rng.randint(1, 3)):
        keyword = rng.choice([
            "type", "type", "type", "properties", "properties", "required", "items", "enum", "const", "minimum", "maximum", "multipleOf", "minLength",
            "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "contains", "allOf", "anyOf", "oneOf", "not", "if", "additionalProperties",
            "patternProperties", "propertyNames", "minProperties", "maxProperties", "$ref", "exclusiveMinimum", "exclusiveMaximum", "dependencies",
            "prefix", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "minContains",
        ])
        kinds = ["null", "boolean", "object", "array", "number", "integer", "string"]
        if keyword == "type":
            schema["type"] = rng.choice([rng.choice(kinds), rng.choice(["object", "array"]), rng.sample(kinds, 3)])
        elif keyword in ("properties", "patternProperties"):
            keys = names if keyword == "properties" else ["^a", r"\d$", "o+", "^.$"]
            schema[keyword] = {rng.choice(keys): below() for _ in range(rng.randint(1, 3))}
        elif keyword == "required":
            schema[keyword] = rng.sample(names, rng.randint(0, 2))
        elif keyword == "items":
            schema[keyword] = below() if newest or rng.random() < 0.5 else [below() for _ in range(rng.randint(1, 2))]
            if not newest and rng.random() < 0.5:
                schema["additionalItems"] = below()
        elif keyword == "prefix" and newest:
            schema["prefixItems"] = [below() for _ in range(rng.randint(1, 2))]
        elif keyword == "enum":
            schema[keyword] = [random_json(rng, 1) for _ in range(rng.randint(1, 4))]
        elif keyword == "const":
            schema[keyword] = random_json(rng, 1)
        elif keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            schema[keyword] = rng.choice([0, 1, 2.5, -3, 10])
        elif keyword == "multipleOf":
            schema[keyword] = rng.choice([1, 2, 0.5, 0.1, 0.01, 3, 2.0])
        elif keyword in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
            schema[keyword] = rng.choice([0, 1, 2, 3, 2.0])
        elif keyword == "pattern":
            schema[keyword] = rng.choice(["^a", "b$", r"^\d+$", r"\w", "(?=a)ab", r"^\w+$", "é", "^$"])
        elif keyword == "uniqueItems":
            schema[keyword] = rng.random() < 0.9
        elif keyword in ("contains", "not", "additionalProperties", "propertyNames"):
            schema[keyword] = below()
        elif keyword == "minContains" and modern:
            schema["contains"] = below()
            schema[rng.choice(["minContains", "maxContains"])] = rng.choice([0, 1, 2])
        elif keyword in ("allOf", "anyOf", "oneOf"):
            schema[keyword] = [below() for _ in range(rng.randint(1, 3))]
        elif keyword == "if":
            schema["if"] = below()
            for branch in ("then", "else"):
                if rng.random() < 0.7:
                    schema[branch] = below()
        elif keyword == "$ref":
            schema[keyword] = rng.choice(["#/$defs/a", "#/$defs/b"])
        elif keyword == "dependencies" and not modern:
            schema[keyword] = {rng.choice(names): rng.choice([[rng.choice(names)], below()])}
        elif keyword == "dependentRequired" and modern:
            schema[keyword] = {rng.choice(names): [rng.choice(names)]}
        elif keyword == "dependentSchemas" and modern:
            schema[keyword] = {rng.choice(names): below()}
        elif keyword in ("unevaluatedProperties", "unevaluatedItems") and modern:
            schema[keyword] = rng.choice([False, below()])
    return schema


def schema_cases(rng, count):
    import jsonschema

    def strict(constant):
        raise ValueError(constant)

    addresses = {"7": "http://json-schema.org/draft-07/schema#", "2019-09": "https://json-schema.org/draft/2019-09/schema",
                 "2020-12": "https://json-schema.org/draft/2020-12/schema"}
    for _ in range(count):
        draft = rng.choice(list(addresses) + ["2020-12"])
        schema = {"$schema": addresses[draft], "$defs": {"a": random_schema(rng, 1, draft), "b": {"type": ["integer", "string"]}}}
        if isinstance(schema["$defs"]["a"], dict):
            schema["$defs"]["a"].pop("$ref", None)
        body = random_schema(rng, 3, draft)
        schema.update(body if isinstance(body, dict) else {"type": "object"})
        instance = random_json(rng)
        kind = schema.get("type")
        for _ in range(6):  # rarely of the type that is asked for by chance
            if kind in ("object", "array") and not isinstance(instance, {"object": dict, "array": list}[kind]):
                instance = random_json(rng)
        answer = json.dumps(instance, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]))
        fences = rng.choice(["none", "none", "allowed", "last"])
        wrapped = rng.random()
        shown = answer
        if fences != "none" and wrapped < 0.6:
            shown = f"```{rng.choice(['json', ''])}\n{answer}\n```"
            if fences == "last" and wrapped < 0.3:
                shown = "Here it is:\n" + shown + "\nDone."
        if rng.random() < 0.08:
            shown = answer = rng.choice([answer[:-1] + "]", "{'a': 1}", "[1,]", "NaN", "", answer + " x", "{\"a\": 01}", "// c\n" + answer, "\ufeff{}", "[1 2]"])
        try:
            value = json.loads(answer, parse_constant=strict)
        except ValueError:
            expected = 0.0
        else:
            try:
                jsonschema.validate(value, schema)
                expected = 1.0
            except jsonschema.ValidationError:
                expected = 0.0
            except (jsonschema.SchemaError, RecursionError):
                expected = None
        yield Case("json-schema", {"fences": fences}, {"answer": shown, "target": None, "metadata": {"schema": schema}}, expected)


# ---------------------------------------------------------------- edits

LINES = ["def f(x):", "    return x", "", "x = 1", "y = 2", "# note", "class A:", "    pass", "print(x)", "import os", "    if x:", "        y = x + 1"]


def edit_cases(rng, count):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for index in range(count):
            old = [rng.choice(LINES) + (str(rng.randint(0, 9)) if rng.random() < 0.5 else "") for _ in range(rng.randint(1, 14))]
            new = list(old)
            for _ in range(rng.randint(1, 3)):
                at = rng.randrange(len(new) + 1)
                action = rng.random()
                if action < 0.4:
                    new.insert(at, rng.choice(LINES))
                elif action < 0.7 and at < len(new):
                    new[at] = new[at] + "  # changed"
                elif at < len(new):
                    del new[at]
            before, after = ("".join(line + "\n" for line in lines) for lines in (old, new))
            expected = after if rng.random() < 0.8 else before + "z = 3\n"
            form = rng.choice(["search-replace", "unified-diff", "whole"])
            config = {"format": form, "whitespace": rng.choice(["exact", "trailing"]), "placement": rng.choice(["text", "strict"])}
            same = after == expected
            if config["whitespace"] == "trailing":
                bare = lambda value: re.sub(r"\n*\Z", "", "\n".join(line.rstrip() for line in value.split("\n")))
                same = bare(after) == bare(expected)
            value, reason = (1.0, "correct") if same else (0.0, "wrong")
            if form == "unified-diff":
                diff = list(difflib.unified_diff(old, new, "a/f", "b/f", lineterm="", n=rng.choice([0, 1, 3])))
                if not diff:
                    continue
                broken = rng.random() < 0.3
                if broken:
                    at = rng.randrange(2, len(diff))
                    diff[at] = rng.choice([diff[at] + "?", "?" + diff[at], "@@ nonsense"])
                answer = "\n".join(diff) + "\n"
                numbers = config["placement"] == "strict"
                (folder / "f").write_text(before)
                run = subprocess.run(["patch", "--fuzz=0", "--batch", "--silent", "--reject-file=-", "f"], input=answer, text=True,
                                     cwd=folder, capture_output=True)
                for leftover in folder.glob("f.*"):
                    leftover.unlink()
                if run.returncode == 0:
                    result = (folder / "f").read_text()
                    if result != after and numbers:
                        continue  # patch moved a hunk, which strict placement does not
                    same = (result == expected) if config["whitespace"] == "exact" else bare(result) == bare(expected)
                    value, reason = (1.0, "correct") if same else (0.0, "wrong")
                else:
                    value, reason = 0.0, "broken"
                if broken and value == 0:
                    reason = "broken"
            elif form == "whole":
                answer = rng.choice(["Here:\n", ""]) + "```python\n" + after + rng.choice(["```", "```\nDone", ""])
                if not answer.rstrip().endswith("```") and "```\nDone" not in answer:
                    value, reason = 0.0, "invalid-format"
            else:
                blocks = []
                for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
                    if tag != "equal":
                        blocks.append((a, b, c, d))
                if not blocks:
                    continue
                # One block from the first change to the last, with a line of context where there is one.
                a, b, c, d = blocks[0][0], blocks[-1][1], blocks[0][2], blocks[-1][3]
                lead, trail = min(1, a), min(1, len(old) - b)
                search, replace = old[a - lead:b + trail], new[c - lead:d + trail]
                places = [i for i in range(len(old)) if search and old[i:i + len(search)] == search]
                answer = "f.py\n```\n<<<<<<< SEARCH\n" + "".join(line + "\n" for line in search) + "=======\n"
                answer += "".join(line + "\n" for line in replace) + ">>>>>>> REPLACE\n```\n"
                if not search:
                    value, reason = 0.0, "does-not-apply"
                elif config["placement"] == "strict" and len(places) > 1:
                    value, reason = 0.0, "does-not-apply"
                elif places and places[0] != a - lead:
                    result = "".join(line + "\n" for line in old[:places[0]] + replace + old[places[0] + len(search):])
                    same = (result == expected) if config["whitespace"] == "exact" else bare(result) == bare(expected)
                    value, reason = (1.0, "correct") if same else (0.0, "wrong")
                broken = rng.random()
                if broken < 0.1:
                    answer, value, reason = answer.replace("=======\n", ""), 0.0, "invalid-format"
                elif broken < 0.2:
                    answer, value, reason = answer.replace(">>>>>>> REPLACE", ""), 0.0, "invalid-format"
                elif broken < 0.3 and search:
                    answer = answer.replace("SEARCH\n" + search[0], "SEARCH\n" + search[0] + "?", 1)
                    value, reason = 0.0, "does-not-apply"
            sample = {"answer": answer, "target": expected, "metadata": {"file": before}}
            yield Case("edit-format", config, sample, value, ("reason", reason))


# ---------------------------------------------------------------- mathematics

def hendrycks_cases(rng, count):
    import importlib.util
    folder = pathlib.Path(importlib.util.find_spec("lm_eval").submodule_search_locations[0])
    source = (folder / "tasks/hendrycks_math/utils.py").read_text()
    names = {}
    exec(compile(source[source.index("# string normalization"):] if "# string normalization" in source else source[source.index("def is_equiv"):], "utils.py", "exec"), names)
    equal = names["is_equiv"]
    pieces = ["\\frac12", "\\frac{1}{2}", "\\dfrac{3}{4}", "\\tfrac1{2}", "1/2", "-1/2", "x/2", "0.5", ".5", " .5", "\\sqrt3", "\\sqrt{3}", "\\sqrt", "\\frac",
              "\\frac1", "x=5", "k = 7", "10\\%", "50 \\text{ cm}", "\\text{ a}\\text{ b}", "\\left(1,2\\right)", "90^\\circ", "90^{\\circ}", "\\$5", "2\\!000", "\n",
              " 3 ", "", "a", "\\\\frac{1}{2}", "+3", "03/4", "3/4", "١/2", "\\text{yes}", "x+y=2", "1/2/3", "{.5}", "é", "\\sqrt é", "5", "\\fraca"]
    for _ in range(count):
        one, other = ("".join(rng.choice(pieces) for _ in range(rng.choice([1, 1, 1, 2]))) for _ in range(2))
        if rng.random() < 0.35:
            other = rng.choice([one.replace(" ", ""), one.replace("dfrac", "frac"), one + " ", one.replace("\\left", "").replace("\\right", ""), one])
        if "boxed" in one:
            continue
        yield Case("math-equal", {"rules": "hendrycks", "part": "whole"}, {"answer": other, "target": one}, float(equal(other, one)))


def math_values(rng):
    """Pairs of reference and answer as LaTeX, most of them the same value written twice."""
    n = lambda low=-20, high=20: rng.randint(low, high)
    p = lambda high=12: rng.randint(2, high)
    kind = rng.choice(["integer", "fraction", "decimal", "root", "tuple", "set", "interval", "matrix", "polynomial", "equation", "percent", "pi", "power",
                       "list", "inequality", "text", "thousands", "mixed", "complex", "union", "infinite"])
    wrong = rng.random() < 0.35
    if kind == "integer":
        a = n()
        return kind, str(a), rng.choice([f"{a + wrong}", f"{a + wrong}.0", f"{2 * (a + wrong)}/2", f"+{a + wrong}" if a >= 0 else f"{a + wrong}", f"{a + wrong - 3} + 3"])
    if kind == "fraction":
        a, b = n() or 1, p()
        f = p(5)
        c = a + wrong
        return kind, rng.choice([f"\\frac{{{a}}}{{{b}}}", f"{a}/{b}"]), rng.choice([f"\\dfrac{{{c * f}}}{{{b * f}}}", f"\\frac{{{c}}}{{{b}}}", f"{c}/{b}", f"{c / b:.6f}", f"{c / b:.3f}"])
    if kind == "decimal":
        a = round(rng.uniform(-20, 20), rng.randint(1, 4))
        return kind, repr(a), rng.choice([repr(a), f"{a:.7f}", repr(round(a + 0.01, 6)), f"{a:.1f}"])
    if kind == "root":
        a, b = p(6), rng.choice([2, 3, 5, 7])
        return kind, f"{a}\\sqrt{{{b}}}", rng.choice([f"\\sqrt{{{a * a * b + wrong}}}", f"{a}\\sqrt {b}", f"\\frac{{{a * b}}}{{\\sqrt{{{b}}}}}", f"{(a * math.sqrt(b)):.6f}", f"{a + wrong}\\cdot\\sqrt{{{b}}}"])
    if kind == "tuple":
        a, b, c = n(), n(), n()
        return kind, f"({a}, {b}, {c})", rng.choice([f"({a},{b},{c + wrong})", f"\\left({a}, {b}, {c}\\right)", f"({b}, {a}, {c})", f"({a}, {b})"])
    if kind in ("set", "list"):
        items = rng.sample(range(-9, 10), 3)
        moved = rng.sample(items, 3)
        if wrong:
            moved[0] += 20
        shown = (lambda values: "\\{" + ", ".join(map(str, values)) + "\\}") if kind == "set" else (lambda values: ", ".join(map(str, values)))
        return kind, shown(items), shown(moved)
    if kind == "interval":
        a, b = sorted(rng.sample(range(-9, 10), 2))
        left, right = rng.choice(["[)", "(]", "[]", "()"])
        return kind, f"{left}{a}, {b}{right}", rng.choice([f"\\left{left}{a},{b + wrong}\\right{right}", f"{left}{a}, {b}]", f"({a},{b}{right}"])
    if kind == "infinite":
        a = n()
        return kind, f"(-\\infty, {a})", rng.choice([f"(-\\infty,{a + wrong})", f"(-\\infty, {a}]"])
    if kind == "union":
        a, b = sorted(rng.sample(range(-9, 10), 2))
        return kind, f"(-\\infty, {a}) \\cup ({b}, \\infty)", rng.choice([f"(-\\infty,{a})\\cup({b},\\infty)", f"(-\\infty,{a}]\\cup({b},\\infty)", f"({b},\\infty)\\cup(-\\infty,{a})"])
    if kind == "matrix":
        cells = [n(-5, 5) for _ in range(4)]
        other = list(cells)
        if wrong:
            other[rng.randrange(4)] += 1
        shown = lambda c: f"\\begin{{pmatrix}} {c[0]} & {c[1]} \\\\ {c[2]} & {c[3]} \\end{{pmatrix}}"
        return kind, shown(cells), shown(other)
    if kind == "polynomial":
        a, b = n(1, 6), n(1, 6)
        return kind, f"(x+{a})(x-{b})", rng.choice([f"x^2 + {a - b}x - {a * b + wrong}" if a >= b else f"x^2 - {b - a}x - {a * b + wrong}", f"(x-{b})(x+{a + wrong})", f"x^{{2}}+{a}x-{b}x-{a * b}"])
    if kind == "equation":
        a = n()
        return kind, f"x = {a}", rng.choice([f"x={a + wrong}", f"{a + wrong}", f"y={a}", f"x = {2 * a}/2"])
    if kind == "inequality":
        a = n()
        return kind, f"x > {a}", rng.choice([f"x>{a + wrong}", f"{a} < x", f"x \\ge {a}", f"x < {a}"])
    if kind == "percent":
        a = n(1, 99)
        return kind, f"{a}\\%", rng.choice([f"{a + wrong}\\%", f"{a + wrong}", f"{a / 100}"])
    if kind == "pi":
        a, b = n(1, 9), p()
        return kind, f"\\frac{{{a}\\pi}}{{{b}}}", rng.choice([f"\\frac{{{a + wrong}}}{{{b}}}\\pi", f"{a}\\pi/{b}", f"{a * math.pi / b:.6f}"])
    if kind == "power":
        a, b = p(9), p(4)
        return kind, f"{a}^{{{b}}}", rng.choice([f"{a}^{b}", f"{a ** b + wrong}"])
    if kind == "text":
        word = rng.choice(["yes", "even", "no solution", "Thursday"])
        return kind, f"\\text{{{word}}}", rng.choice([f"\\text{{{word}}}", "\\text{odd}", f"\\text{{{word.lower()}}}"])
    if kind == "thousands":
        a = rng.randint(1000, 99999)
        return kind, str(a), rng.choice([f"{a + wrong:,}", f"{a:,}".replace(",", "{,}"), f"{a}"])
    if kind == "mixed":
        a, b = n(1, 5), p(6)
        return kind, f"\\frac{{{a * b + 1}}}{{{b}}}", rng.choice([f"{a}\\frac{{1}}{{{b}}}", f"{a}\\frac{{2}}{{{b}}}", f"{a} + \\frac{{1}}{{{b}}}"])
    a, b = n(1, 9), n(1, 9)
    return kind, f"{a}+{b}i", rng.choice([f"{a + wrong}+{b}i", f"{b}i + {a}", f"{a}-{b}i"])


def math_cases(rng, count):
    from math_verify import parse, verify
    for _ in range(count):
        kind, gold, answer = math_values(rng)
        shape = rng.choice(["${}$", "\\boxed{{{}}}", "The answer is ${}$.", "So $\\boxed{{{}}}$ it is."])
        shown = shape.format(answer)
        value = verify(parse(f"${gold}$"), parse(shown))
        yield Case("math-equal", {}, {"answer": shown, "target": gold}, float(value), note=kind)


def numeric_cases(rng, count):
    from fractions import Fraction
    for _ in range(count):
        sign = rng.choice([1, 1, -1])
        kind = rng.choice(["integer", "decimal", "thousands", "fraction", "mixed", "scientific", "ten", "percent", "unit", "latex"])
        a, b, c = rng.randint(0, 999999), rng.randint(1, 99), rng.randint(2, 99)
        minus = "-" if sign < 0 else ""
        config = {}
        if kind == "integer":
            exact, shown = Fraction(a), f"{minus}{a}"
        elif kind == "decimal":
            exact, shown = Fraction(a, 1000), f"{minus}{a // 1000}.{a % 1000:03d}"
        elif kind == "thousands":
            exact, shown = Fraction(a), f"{minus}{rng.choice(['$', ''])}{a:,}"
        elif kind in ("fraction", "latex"):
            exact, shown = Fraction(b, c), f"{minus}{b}/{c}" if kind == "fraction" else f"{minus}\\frac{{{b}}}{{{c}}}"
        elif kind == "mixed":
            whole = b % 9 + 1
            exact, shown = whole + Fraction(1, c), f"{minus}{whole} 1/{c}"
        elif kind == "scientific":
            power = rng.randint(-6, 6)
            exact, shown = Fraction(b, 10) * Fraction(10) ** power, f"{minus}{b // 10}.{b % 10}e{power}"
        elif kind == "ten":
            power = rng.randint(-6, 6)
            exact, shown = b * Fraction(10) ** power, minus + rng.choice([f"{b} × 10^{power}", f"{b}x10^{{{power}}}", f"{b} \\times 10^{{{power}}}"])
        elif kind == "percent":
            config["percent"] = "ratio"
            exact, shown = Fraction(b, 100), f"{minus}{b}{rng.choice(['%', ' %', ' percent', chr(92) + '%'])}"
        else:
            config["units"] = {"m": 1, "km": 1000, "cm": 0.01}
            unit = rng.choice(["m", "km", "cm"])
            exact, shown = b * {"m": Fraction(1), "km": Fraction(1000), "cm": Fraction(1, 100)}[unit], f"{minus}{b} {unit}"
        exact *= sign
        config["relative"] = rng.choice([1e-9, 0.01])
        off = rng.choice([Fraction(0), Fraction(0), Fraction(1, 10**12), Fraction(1, 200), Fraction(1, 50), Fraction(-1, 50), Fraction(1)])
        target = float(exact * (1 + off))
        correct = abs(float(exact) - target) <= config["relative"] * abs(target)
        answer = rng.choice(["{}", "The answer is {}.", "First 17, then {}", "\\boxed{{{}}}", "**{}**", "It costs {}!", "= {}"]).format(shown)
        yield Case("numeric", config, {"answer": answer, "target": target}, float(correct), note=kind)


# ---------------------------------------------------------------- differences and the comparison

# Where the reference differs from ours, and why: family, which cases, the reason.
DIFFERENCES = [
    ("pattern", lambda case, verdict: "(?P=x)" in case.config["pattern"] and "İ" in case.sample["answer"],
     "CPython folds İ to i in a back-reference that ignores case, which is no folding of Unicode's"),
]

FAMILIES = {
    "match": match_cases, "includes": includes_cases, "answer": answer_cases, "pattern": pattern_cases, "choice": choice_cases,
    "model-graded": judge_cases, "squad": squad_cases, "ruler": ruler_cases, "json-schema": schema_cases, "edit-format": edit_cases,
    "hendrycks": hendrycks_cases, "math-equal": math_cases, "numeric": numeric_cases,
}
SAMPLES = {"match": 6000, "model-graded": 2000, "json-schema": 12000}
RECORDED = 150


def ours(crate, cases, folder):
    name = f"grade-{crate}"
    command = [str(folder / name)] if folder else ["cargo", "run", "-q", "-p", f"rules-{crate}", "--example", name]
    def line(case):
        if crate == "judge":
            return {"config": case.config, "opinions": case.sample["opinions"]}
        return {"scorer": case.scorer, "config": case.config, "sample": case.sample}
    lines = "".join(json.dumps(line(case)) + "\n" for case in cases)
    run = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=ROOT)
    if run.returncode:
        sys.exit(f"{name}: {run.stderr[-2000:]}")
    verdicts = [json.loads(line) for line in run.stdout.splitlines()]
    if len(verdicts) != len(cases):
        sys.exit(f"{name}: {len(verdicts)} verdicts for {len(cases)} samples")
    return verdicts


def agrees(case, verdict):
    if (case.value is None) != (verdict["value"] is None) or (case.value is not None and abs(case.value - verdict["value"]) > 1e-12):
        return False
    if isinstance(case.extracted, tuple):
        name, value = case.extracted
        if name == "reason":
            broken = ("does-not-apply", "invalid-format", "wrong")
            return verdict["reason"] in (broken if value == "broken" else (value, "no-response"))
        return verdict["sub_scores"].get(name) == value
    return case.extracted is Ellipsis or case.extracted == verdict["extracted"] or not (case.extracted or verdict["extracted"])


def difference(family, case, verdict):
    return next((reason for name, fits, reason in DIFFERENCES if name == family and fits(case, verdict)), None)


def numerals():
    """The table of numeric characters of `rules-inspect`, from this interpreter."""
    import unicodedata
    from fractions import Fraction
    rows = []
    for code in range(0x110000):
        value = unicodedata.numeric(chr(code), None)
        if value is None:
            continue
        digit = unicodedata.digit(chr(code), None) is not None
        if rows and rows[-1][1] + 1 == code and rows[-1][3] == digit and value == rows[-1][2] + (code - rows[-1][0]):
            rows[-1][1] = code
        else:
            rows.append([code, code, value, digit])
    lines, line = [], "   "
    for first, last, value, digit in rows:
        value = Fraction(value).limit_denominator(1000)
        row = f" ({first}, {last}, {value.numerator}, {value.denominator}, {str(digit).lower()}),"
        if len(line) + len(row) > 118:
            lines.append(line)
            line = "   "
        line += row
    path = ROOT / "plugins/rules/inspect/src/numerals.rs"
    head = path.read_text().split("&[\n", 1)[0]
    path.write_text(head + "&[\n" + "\n".join(lines + [line]) + "\n];\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("families", nargs="*", choices=[*FAMILIES, []])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--record", action="store_true", help="write the vectors that the tests replay")
    parser.add_argument("--bin", type=pathlib.Path, help="folder of the built examples")
    parser.add_argument("--show", type=int, default=10, help="how many differences to print of each family")
    parser.add_argument("--numerals", action="store_true", help="write the table of numeric characters and stop")
    arguments = parser.parse_args()
    if arguments.numerals:
        return numerals()
    failed = False
    for family in arguments.families or FAMILIES:
        count = SAMPLES.get(family, 3000)
        cases = list(FAMILIES[family](random.Random(f"bench {family}"), count // 10 if arguments.quick else count))
        verdicts = ours(CRATES[family], cases, arguments.bin)
        unexplained, explained = [], Counter()
        for case, verdict in zip(cases, verdicts):
            if not agrees(case, verdict):
                reason = difference(family, case, verdict)
                explained[reason] += 1
                if reason is None:
                    unexplained.append((case, verdict))
        right = sum(case.value == 1 for case in cases)
        print(f"{family}: {len(cases)} samples, {right} correct by the reference, {len(unexplained)} unexplained differences")
        for reason, number in explained.items():
            if reason:
                print(f"  {number} differ: {reason}")
        for case, verdict in unexplained[:arguments.show]:
            print(f"  {case.note or ''} {json.dumps(case.config, ensure_ascii=False)} {json.dumps(case.sample, ensure_ascii=False)[:700]}")
            print(f"    reference {case.value} {case.extracted!r}, ours {json.dumps({k: verdict.get(k) for k in ('value', 'reason', 'extracted', 'explanation')}, ensure_ascii=False)[:400]}")
        failed |= bool(unexplained)
        if arguments.record:
            record(family, [(c, v) for c, v in zip(cases, verdicts) if agrees(c, v)][:RECORDED])
    sys.exit(failed)


def record(family, pairs):
    with open(HERE / "vectors" / f"{family}.jsonl", "w", encoding="utf-8") as file:
        for case, verdict in pairs:
            line = {"scorer": case.scorer, "config": case.config, "sample": case.sample, "value": case.value}
            if isinstance(case.extracted, str):
                line["extracted"] = case.extracted
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
