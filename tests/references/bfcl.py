"""Compares the scorer `function-call` with `bfcl-eval`, and records vectors for `plugins/rules/calls/tests` to replay.

    pip install --no-deps bfcl-eval==2026.3.23
    pip install tree_sitter==0.21.3 tree-sitter-java==0.21.0 tree-sitter-javascript==0.21.4 tenacity overrides filelock==3.20.0
    python3 tests/references/bfcl.py                 grades some 45,000 answers with both
    python3 tests/references/bfcl.py --quick         grades some 14,000, in half a minute
    python3 tests/references/bfcl.py --record        records vectors/bfcl.jsonl anew
    python3 tests/references/bfcl.py --check         fails if the installed reference says otherwise than vectors/bfcl.jsonl
    python3 tests/references/bfcl.py --time          compares how long both take for the same answers, one after the other

The grader is `cargo run --release -p rules-calls --example grade-calls`, or the program that `--grader` names. An answer of which the
reference raises an exception while it checks has no verdict there; the scorer must say so and give it no credit.
"""

import argparse
import ast
import collections
import copy
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import types
import warnings

os.environ.setdefault("BFCL_PROJECT_ROOT", tempfile.mkdtemp(prefix="bfcl-"))
warnings.simplefilter("ignore")
# The table of models imports the client library of every vendor. All that is read from it is whether a model's backend takes
# dots in names of functions.
models = types.ModuleType("bfcl_eval.constants.model_config")
models.MODEL_CONFIG_MAPPING = {
    "dots": types.SimpleNamespace(underscore_to_dot=False),
    "underscores": types.SimpleNamespace(underscore_to_dot=True),
}
sys.modules["bfcl_eval.constants.model_config"] = models

import bfcl_eval  # noqa: E402
from bfcl_eval.constants.enums import Language, ReturnFormat  # noqa: E402
from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker  # noqa: E402
from bfcl_eval.model_handler.parser import java_parser, js_parser  # noqa: E402
from bfcl_eval.model_handler.utils import default_decode_ast_prompting  # noqa: E402
from bfcl_eval.utils import is_empty_output, is_function_calling_format_output  # noqa: E402

DATA = pathlib.Path(bfcl_eval.__file__).parent / "data"
VECTORS = pathlib.Path(__file__).parent / "vectors" / "bfcl.jsonl"
PARSERS = {"java": java_parser.parser, "javascript": js_parser.parser}
ROOT = pathlib.Path(__file__).parents[2]

PYTHON = ["simple_python", "multiple", "parallel", "parallel_multiple"]
LIVE = ["live_simple", "live_multiple", "live_parallel", "live_parallel_multiple"]
RELEVANCE = ["irrelevance", "live_irrelevance", "live_relevance"]
CODE = ["simple_java", "simple_javascript"]


def load(category):
    lines = (DATA / f"BFCL_v4_{category}.json").read_text().splitlines()
    items = {line["id"]: line for line in map(json.loads, lines)}
    answers = DATA / "possible_answer" / f"BFCL_v4_{category}.json"
    gold = {line["id"]: line["ground_truth"] for line in map(json.loads, answers.read_text().splitlines())} if answers.exists() else {}
    return [(id, item["function"], gold.get(id)) for id, item in items.items()]


# What the reference says: its runner, without files.


def decode(sample):
    if "tool_calls" in sample:
        return [{call["name"]: json.loads(call["arguments"])} for call in sample["tool_calls"]]
    formats = {"java": ReturnFormat.JAVA, "javascript": ReturnFormat.JAVASCRIPT}
    name = sample["config"].get("format", "python").replace("-", "_")
    return default_decode_ast_prompting(sample["answer"], formats.get(name) or ReturnFormat(name), sample["config"].get("tagged", False))


def reference(sample):
    """Value, what is wrong, and the calls."""
    category = sample["category"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calls = decode(sample)
    except Exception:
        calls = None
    if "relevance" in category:
        called = calls is not None and not is_empty_output(calls)
        return float(called != ("irrelevance" in category)), None, calls
    if calls is None:
        return 0.0, "ast_decoder:decoder_failed", None
    if not is_function_calling_format_output(calls):
        return 0.0, "ast_decoder:decoder_wrong_output_format", None
    language = {"simple_java": Language.JAVA, "simple_javascript": Language.JAVASCRIPT}.get(category, Language.PYTHON)
    model = "underscores" if sample["config"].get("underscores") else "dots"
    try:
        result = ast_checker(sample["function"], copy.deepcopy(calls), sample["target"], language, category, model)
    except Exception as error:
        return None, f"raises {type(error).__name__}", calls
    return float(result["valid"]), None if result["valid"] else result["error_type"], calls


def describe(calls):
    def text(value):
        return value if isinstance(value, str) else repr(value)

    def call(item):
        ((name, arguments),) = item.items()
        if not isinstance(arguments, dict):
            return f"{text(name)}({arguments!r})"
        return f"{text(name)}({', '.join(f'{text(key)}={value!r}' for key, value in arguments.items())})"

    return f"[{', '.join(map(call, calls))}]"


# Answers: what is wanted, and what comes of it by mistakes of every kind.


def pick(rng, accepted):
    options = [value for value in accepted if value != ""]
    return value_of(rng, rng.choice(options)) if options else ""


def value_of(rng, value):
    if isinstance(value, dict):
        chosen = {}
        for key, accepted in value.items():
            if not isinstance(accepted, list):
                chosen[key] = value_of(rng, accepted)
            elif "" not in accepted or rng.random() < 0.5:
                chosen[key] = pick(rng, accepted)
        return chosen
    if isinstance(value, list):
        return [value_of(rng, item) for item in value]
    return value


def gold(rng, target, optional=0.5):
    calls = []
    for wanted in target:
        ((name, parameters),) = wanted.items()
        arguments = {}
        for key, accepted in parameters.items():
            if "" in accepted and rng.random() > optional:
                continue
            chosen = pick(rng, accepted)
            if chosen != "" or accepted == [""]:
                arguments[key] = chosen
        calls.append((name, arguments))
    return calls


WORDS = ["Paris", "new york", "a.b", "x-1", "", "True", "[1]", "it's", 'say "hi"', "naïve", "2024-01-05", "3.5", "-4", "…"]
NUMBERS = [0, 1, -1, 2, 10, 100, 3.0, 2.5, -0.5, 1e3, 10**20, 1e300]


def other(rng, value):
    """Another value than this one, near it or far from it."""
    choices = [rng.choice(NUMBERS), rng.choice(WORDS), True, False, None, [], {}, [value], (value,), {"value": value}]
    if isinstance(value, bool):
        choices += [int(value), str(value), not value] * 3
    elif isinstance(value, int):
        choices += [float(value), str(value), value + 1, -value, value * 10, bool(value)] * 3
    elif isinstance(value, float):
        choices += [str(value), value + 0.5, -value, int(value) if abs(value) < 1e15 else 0, value * 10] * 3
    elif isinstance(value, str):
        spaced = value.replace(" ", rng.choice(["", "_", "-", ", "]))
        dotted = "".join(rng.choice([char, char, char + rng.choice(" .,-_/*^'\"")]) for char in value)
        choices += [value.upper(), value.lower(), value.title(), spaced, dotted, value + "s", value[:-1], value[::-1], value + "."] * 3
        choices += [value.replace("'", '"'), f" {value} ", value + "\n", value + "é"]
    elif isinstance(value, (list, tuple)):
        items = list(value)
        if items:
            at = rng.randrange(len(items))
            changed = items[:at] + [other(rng, items[at])] + items[at + 1 :]
            choices += [changed, changed, changed, items[:at] + items[at + 1 :], items[::-1], items + items[:1], tuple(items)] * 3
        choices += [items + ["x"], items + [1], {"items": items}]
    elif isinstance(value, dict):
        for key in value:
            changed = {**value, key: other(rng, value[key])}
            choices += [changed, changed, {k: v for k, v in value.items() if k != key}, {**value, key.upper(): value[key]}] * 2
        choices += [{**value, "extra": 1}, list(value.items()), dict(reversed(value.items()))]
    return rng.choice(choices)


def wrong_calls(rng, calls, target, functions):
    calls = copy.deepcopy(calls)
    if not calls:
        return [("nothing", {})]
    at = rng.randrange(len(calls))
    name, arguments = calls[at]
    kind = rng.randrange(14)
    if kind <= 4 and arguments:
        key = rng.choice(list(arguments))
        arguments[key] = other(rng, arguments[key])
    elif kind == 5 and arguments:
        del arguments[rng.choice(list(arguments))]
    elif kind == 6:
        properties = [key for function in functions for key in function["parameters"].get("properties", {})]
        arguments[rng.choice(properties + ["extra", "unit"])] = rng.choice([1, "x", "", [], True])
    elif kind == 7:
        names = [function["name"] for function in functions]
        calls[at] = (rng.choice(names + [name.upper(), name + "s", name.replace(".", "_"), name.split(".")[-1]]), arguments)
    elif kind == 8:
        rng.shuffle(calls)
    elif kind == 9:
        del calls[at]
    elif kind == 10:
        calls.append(copy.deepcopy(rng.choice(calls)))
    elif kind == 11 and arguments:
        key = rng.choice(list(arguments))
        arguments[rng.choice([key.upper(), key + "_", key.title()])] = arguments.pop(key)
    elif kind == 12:
        optional = [key for wanted in target for accepted in wanted.values() for key, values in accepted.items() if "" in values]
        if optional:
            arguments[rng.choice(optional)] = rng.choice(["", [], {}, None, 0, False, [{}]])
    else:
        items = list(arguments.items())
        rng.shuffle(items)
        calls[at] = (name, dict(items))
    return calls


def python_text(calls):
    def call(name, arguments):
        return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"

    return f"[{', '.join(call(*item) for item in calls)}]"


PIECES = [
    "(", ")", "[", "]", "{", "}", ",", "=", "'", '"', ":", ".", "-", "+", "~", "not ", "**", "*", "\\", "\n", "#", " ", "0", "1", "x", "é", "'''",
    "True", "None", "lambda: 1", " for x in y", " if a else b", "...", "f'{x}'", "b'x'", "r'\\d'", "u'x'", "1_000", "0x1f", "1e5", "2j", ":=",
    "a.b", "a[0]", "a[1:2]", "g(1)", "g(a=1)", "(1, 2)", "{1, 2}", "{'a': 1}", "2 + 3", "2 ** 3", "-(1)", "--1", "+5", "~5", "not True", "1 < 2",
    "a and b", "await x", "'a' 'b'", "'a' + 'b'", "[1] * 3", "7 // 2", "7 / 2", "-7 % 3", "1 << 3", "class", "from", "\t", "\r\n", "“", "$", "`", "1 / 0",
]


def wrong_text(rng, text):
    kind = rng.randrange(20)
    values = [match.span() for match in re.finditer(r"=('[^']*'|\"[^\"]*\"|-?[\d.]+|True|False)", text)]
    if kind <= 5 and values:
        start, end = rng.choice(values)
        return text[: start + 1] + rng.choice(PIECES) + text[end:]
    if kind == 6 and values:
        start, end = rng.choice(values)
        word = re.sub(r"\W+", "_", text[start + 1 : end].strip("'\""))
        return text[: start + 1] + word + text[end:]
    if kind == 7 and values:
        start, end = rng.choice(values)
        return text[: start + 1] + "(" + text[start + 1 : end] + rng.choice([")", ",)", " )", ""]) + text[end:]
    if kind == 8 and values:
        start, end = rng.choice(values)
        return re.sub(r"(\w+)=", "", text, count=1) if rng.random() < 0.5 else text[: start + 1] + "'a' " + text[start + 1 :]
    at = rng.randrange(len(text) + 1)
    if kind <= 11:
        return text[:at] + rng.choice(PIECES) + text[at:]
    if kind <= 13:
        return text[:at] + text[at + rng.randrange(1, 4) :]
    wraps = [
        "```python\n{}\n```", "```\n{}\n```", "`{}`", "Here is the call: {}", "{} is what you want.", "'{}'", '"{}"', "\n\n{}\n", "  {}  ", "[{}]", "({})",
        "{},", "{};", "{}\n{}", "<TOOLCALL>{}</TOOLCALL>", "x = {}", "# call\n{}", "{} # call", "{} + {}", "print({})", "\t{}", "{}.x", "{}(a=1)", "[{}][0]",
    ]
    if kind <= 15:
        return rng.choice(wraps).replace("{}", text)
    if kind == 16:
        return text.strip("[]")
    if kind == 17:
        return text.replace(", ", rng.choice([",", " ,  ", ",\n", "; ", " "]))
    if kind == 18:
        return text.replace("'", '"') if '"' not in text else text.replace("=", rng.choice([" = ", ": ", "=="]))
    return text[: rng.randrange(len(text) + 1)]


PROSE = [
    "", " ", "\n", "```\n```", "[]", "``", "[", "]", "()", "{}", "[{}]", "[[]]", "None", "I cannot help with that.", "Sorry", "No function fits.", "I don't know",
    "None of the functions can be used.", "The question lacks the parameter `city`.", "You can call foo(a=1) for that", "f", "f()", "f(a)", "[f()]", "f(a=1)",
    "[f(a=1), 2]", "[f(a=1), g]", "42", "'f(a=1)'", "f(a=1), g(b=2)", "{f(a=1)}", "(f(a=1),)", "f(a=1) or g()", "not f(a=1)", "f(a=1)(b=2)", "f.g.h(a=1)",
    "f()()", "f()[0](a=1)", "f[0].g(a=1)", "'x'.g(a=1)", "(lambda: 1)(a=2)", "f(**{'a': 1})", "f(*[1], a=2)", "f(a=1, *b)", "f(a=1, 2)", "f(**a, *b)",
    "f(a=1, a=2)", "f(a:=1)", "f(x for x in y)", "f(x for x in y, 1)", "f(a=x for x in y)", "f(,)", "f(a=1,)", "f(a=1,,)", "f(a=)", "f(=1)", "f(1=2)",
    "f(None=1)", "f(a.b=1)", "f(a=1 b=2)", "f(a=1)\n", "f(\n  a=1,\n  # why\n  b=2\n)", "f(a='x' \\\n 'y')", "f(a=0x)", "f(a=012)", "f(a=00)", "f(a=1__0)",
    "f(a=1_)", "f(a=.5)", "f(a=5.)", "f(a=1e)", "f(a=1abc)", "f(a=1if x else 2)", "f(a=1 if x else 2)", "f(a='\\x4')", "f(a='\\x41\\u00e9\\101\\q\\\n')",
    "f(a='\\U00110000')", "f(a=b'é')", "f(a=b'\\xff')", "f(a='a' b'b')", "f(a='''x\ny''')", "f(a='x\ny')", "f(a=rb'\\d', b=Rb'\\d')", "f(a=ur'x')",
    "f(a={**b})", "f(a={1: 2, 1.0: 3, True: 4})", "f(a={[1]: 2})", "f(a={(1, 2): 3})", "f(a={g(a=1): 2})", "f(a={g(): 2})", "f(a=[*b])", "f(a=g(1, x))",
    "f(a=g(b=h(c=1)))", "f(a=g(-1 ** 2, not x, (1,), ()))", "f(a=g()[1:2, ::3])", "f(a=x[1])", "f(a=x[1, 2])", "f(a=x[(1, 2)])", "f(a=x.y)", "f(a=x.y())",
    "f(a=x.y(b=1))", "f(a=...)", "f(a=-x)", "f(a=-True)", "f(a=~True)", "f(a=not None)", "f(a=-'x')", "f(a=- 5)", "f(a=-5.0)", "f(a=-2j)", "f(a=1+2j)",
    "f(a=1 - 2 - 3)", "f(a=2 ** 3 ** 2)", "f(a=-2 ** 2)", "f(a=2 ** -1)", "f(a=(1 + 2) * 3)", "f(a=7 // -2, b=7 % -2, c=-7 // 2)", "f(a=7.5 // 2, b=-7.5 % 2)",
    "f(a='ab' * 2, b=2 * [1], c=(1,) + (2,))", "f(a=1 / 0)", "f(a=1 + 'x')", "f(a='x' + 1)", "f(a=True + True, b=True & False)", "f(a=1 @ 2)", "f(a=5 & 3 | 8 ^ 1)",
    "f(a=10 ** 30)", "f(a=1.0 * 10 ** 30)", "f(a=x + 1)", "f(a=1 < 2)", "f(a=1 and 2)", "f(a=yield)", "f(a=(yield))", "f(a=await x)", "f(await x)", "f(lambda x, *y, z=1, **k: x)",
    "f(a=class)", "f(class=1)", "f(from='x')", "f(match=1, type=2, case=3, _=4)", "f(print=1)", "f(é=1)", "f(a=é)", "日本(a=1)", "f(a='日本')", "f (a = 1)", "f\n(a=1)", "[f\n(a=1)]",
    "f(a=1); g(b=2)", "f(a=1)\ng(b=2)", "import os", "x = f(a=1)", "f(a=1) if x else g()", "[f(a=i) for i in x]", "[f(a=1)][0]", "f(a=1).b", "f(a=1)[0]", "f(a=$x)", "f(a=x?)",
    "f(a='unclosed)", "f(a=[1, 2)", "f(a=(1, 2]", "f(a=1))", "((f(a=1)))", "f(a=1)\0", "f(a='\0')", "\x0cf(a=1)", "f(a=‘x’)", "f(a=1e400, b=-1e400)", "f(a={'b': {'c': [1, (2, 3)]}})",
    "f(a=" + "[" * 90 + "]" * 90 + ")", "f(a=" + "9" * 4300 + ")", "f(a=" + "9" * 4301 + ")", "f(a=1" + " + 1" * 50 + ")", "<tool_call>{\"name\": \"f\"}</tool_call>",
    '{"name": "f", "arguments": {"a": 1}}', '[{"name": "f", "arguments": {"a": 1}}]', '{"function": "f", "parameters": {}}',
]


def python_samples(rng, categories, per_item):
    for category in categories:
        for id, functions, target in load(category):
            base = dict(id=id, category=category, function=functions, target=target, config={})
            yield {**base, "answer": python_text(gold(rng, target, 0.0))}
            yield {**base, "answer": python_text(gold(rng, target, 1.0))}
            for _ in range(per_item):
                calls = gold(rng, target, rng.choice([0.0, 0.5, 1.0]))
                for _ in range(rng.choice([1, 1, 1, 2])):
                    calls = wrong_calls(rng, calls, target, functions)
                text = python_text(calls)
                yield {**base, "answer": wrong_text(rng, text) if rng.random() < 0.4 else text}
            if rng.random() < 0.3:
                yield {**base, "answer": rng.choice(PROSE)}
            if rng.random() < 0.2:
                calls = gold(rng, target)
                calls = [(name.replace(".", "_"), arguments) for name, arguments in calls]
                yield {**base, "answer": python_text(calls), "config": {"underscores": True}}


def relevance_samples(rng, count):
    items = {category: load(category) for category in RELEVANCE}
    python = load("simple_python")
    for text in PROSE * 2:
        category = rng.choice(RELEVANCE)
        id, functions, _ = rng.choice(items[category])
        yield dict(id=id, category=category, function=functions, target=[], config={}, answer=text)
    for _ in range(count):
        category = rng.choice(RELEVANCE)
        id, functions, _ = rng.choice(items[category])
        text = python_text(gold(rng, rng.choice(python)[2]))
        text = wrong_text(rng, text) if rng.random() < 0.8 else text
        yield dict(id=id, category=category, function=functions, target=[], config={}, answer=text)


def odd_value(rng, kind, depth=0):
    kind = kind if rng.random() < 0.85 else rng.choice(["integer", "string", "float", "boolean", "array", "dict"])
    if kind in ("array", "tuple") and depth < 3:
        inner = rng.choice(["integer", "string", "float", "dict", "array", "boolean"])
        return [odd_value(rng, inner, depth + 1) for _ in range(rng.randrange(4))]
    if kind in ("dict", "object") and depth < 3:
        shape = rng.random()
        values = {key: odd_value(rng, rng.choice(["integer", "string", "array"]), depth + 1) for key in rng.sample(["k", "m", "n"], rng.randrange(4))}
        return values if shape < 0.2 else {key: [value] + rng.choice([[], [""], [odd_value(rng, "string", 3)]]) for key, value in values.items()}
    if kind == "string" or kind == "any":
        return rng.choice(WORDS[:-1] + ["x", "Y z"])
    if kind == "boolean":
        return rng.choice([True, False])
    return rng.choice(NUMBERS[:-2]) if kind == "float" else rng.choice([0, 1, 2, -3, 10])


def odd_samples(rng, count):
    """Functions and references of shapes that no data set has, on which the reference may raise an exception."""
    kinds = ["integer", "string", "float", "boolean", "array", "tuple", "dict", "any"]
    for index in range(count):
        category = rng.choice(["simple_python", "multiple", "parallel"])
        functions, target = [], []
        for name in ["f", "g.h", "f_2"][: 1 if category == "simple_python" else rng.randrange(1, 4)]:
            properties, accepted = {}, {}
            for key in rng.sample(["a", "b", "c", "d"], rng.randrange(1, 4)):
                kind = rng.choice(kinds) if rng.random() < 0.97 else rng.choice(["number", "object", "list"])
                properties[key] = {"type": kind}
                inner = rng.choice(kinds)
                if kind in ("array", "tuple") and rng.random() < 0.95:
                    properties[key]["items"] = {"type": inner}
                options = []
                for _ in range(rng.randrange(1, 4)):
                    value = odd_value(rng, kind)
                    if isinstance(value, list) and rng.random() < 0.7:
                        value = [odd_value(rng, inner, 1) for _ in range(rng.randrange(3))]
                    options.append("" if rng.random() < 0.25 else value)
                accepted[key] = options
            required = [key for key in properties if rng.random() < 0.4]
            functions.append({"name": name, "description": "", "parameters": {"type": "dict", "properties": properties, "required": required}})
            target.append({name: accepted})
        target = target[:1] if category == "multiple" else target
        # Which of several odd things is met first depends on the order of keys, and the grader's input is in this one.
        target = json.loads(json.dumps(target, sort_keys=True))
        calls = gold(rng, target, rng.random())
        while rng.random() < 0.5:
            calls = wrong_calls(rng, calls, target, functions)
        yield dict(id=f"odd_{index}", category=category, function=functions, target=target, config={}, answer=python_text(calls))


def xml_escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def kind_of(rng, value):
    kinds = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "dict", tuple: "tuple", type(None): "null"}
    return kinds[type(value)] if rng.random() < 0.9 else rng.choice(list(kinds.values()) + ["number", "object"])


def formatted(rng, calls, name):
    if name == "json":
        items = [{"function": function, "parameters": arguments} for function, arguments in calls]
        text = json.dumps(items, indent=rng.choice([None, 2]), ensure_ascii=rng.random() < 0.5)
        return rng.choice(["{}", "```json\n{}\n```", "Sure: {}", "{} done [1]", "[{}]"]).replace("{}", text)
    functions = []
    for function, arguments in calls:
        params = []
        for key, value in arguments.items():
            text = xml_escape(value if isinstance(value, str) else repr(value))
            kind = kind_of(rng, value)
            kind = f' type="{kind}"' if rng.random() < 0.95 else ""
            if name == "verbose-xml":
                params.append(f'<param name="{key}" value="{text}"{kind}/>')
            else:
                params.append(f'<param name="{key}"{kind}>{rng.choice(["", " "])}{text}</param>')
        body = "".join(params)
        if name == "verbose-xml" and rng.random() < 0.8:
            body = f"<params>{body}</params>"
        functions.append(f'<function name="{function}">{body}</function>')
    text = f"<functions>{''.join(functions)}</functions>"
    return rng.choice(["{}", "```xml\n{}\n```", "Sure: {} done"]).replace("{}", text)


MARKUP = ["<", ">", "&", "&amp;", "&#65;", "&#x41;", "&nope;", "<!-- c -->", "<![CDATA[x]]>", "</param>", '"', "'", " a=1", " a='1'", "<?p?>", "\n", "{", "}", "[", "]", ",", ":", "NaN", "1e5", "\\u00e9"]


def format_samples(rng, per_item):
    for category in ["simple_python", "live_simple", "multiple", "parallel"]:
        for id, functions, target in load(category):
            for _ in range(per_item):
                name = rng.choice(["json", "verbose-xml", "concise-xml", "python"])
                calls = gold(rng, target)
                if rng.random() < 0.4:
                    calls = wrong_calls(rng, calls, target, functions)
                calls = [(function, json.loads(json.dumps(arguments))) for function, arguments in calls]
                text = python_text(calls) if name == "python" else formatted(rng, calls, name)
                if rng.random() < 0.25:
                    at = rng.randrange(len(text) + 1)
                    text = text[:at] + rng.choice(MARKUP) + text[at + rng.choice([0, 0, 1, 3]) :]
                config = {"format": name}
                if rng.random() < 0.4:
                    config["tagged"] = True
                    text = rng.choice(["<TOOLCALL>{}</TOOLCALL>", "Call: <TOOLCALL> {} </TOOLCALL> ok", "<TOOLCALL>{}", "{}"]).replace("{}", text)
                yield dict(id=id, category=category, function=functions, target=target, config=config, answer=text)


def sensitivity_samples(rng, per_item):
    """Items as the format-sensitivity set has them: what they are asked in is in their ids alone."""
    for category, ids in json.loads((DATA / "BFCL_v4_format_sensitivity.json").read_text()).items():
        for id, functions, target in load(category):
            for _ in range(per_item if id in ids else 0):
                name = rng.choice(["json", "verbose_xml", "concise_xml", "python"])
                tagged = rng.random() < 0.5
                calls = gold(rng, target)
                if rng.random() < 0.4:
                    calls = wrong_calls(rng, calls, target, functions)
                calls = [(function, json.loads(json.dumps(arguments))) for function, arguments in calls]
                text = python_text(calls) if name == "python" else formatted(rng, calls, name.replace("_", "-"))
                text = f"<TOOLCALL>{text}</TOOLCALL>" if tagged == (rng.random() < 0.9) else text
                documents = rng.choice(["python", "xml", "json"])
                variation = f"ret_fmt={name}&tool_call_tag={tagged}&func_doc_fmt={documents}&prompt_fmt=plaintext&style=classic"
                id = f"format_sensitivity_{rng.randrange(5200)}:{variation}:{id.split(':')[-1]}"
                config = {"format": name, "tagged": tagged}
                yield dict(id=id, category="format_sensitivity", function=functions, target=target, config=config, answer=text)


def structured_samples(rng, per_item):
    for category in ["simple_python", "live_multiple", "parallel_multiple"]:
        for id, functions, target in load(category):
            for _ in range(per_item):
                calls = gold(rng, target)
                if rng.random() < 0.6:
                    calls = wrong_calls(rng, calls, target, functions)
                underscores = rng.random() < 0.4
                tool_calls = []
                for name, arguments in calls:
                    text = json.dumps(arguments, ensure_ascii=rng.random() < 0.5)
                    if rng.random() < 0.1:
                        at = rng.randrange(len(text) + 1)
                        text = text[:at] + rng.choice(MARKUP) + text[at + rng.choice([0, 1]) :]
                    if rng.random() < 0.02:
                        text = rng.choice(["", "[]", "null", "1", '"x"', "{}", '{"a": 1, "a": 2}', '{"a": NaN}', "{'a': 1}", '{"a": 1,}', '{"a": 01}'])
                    tool_calls.append({"name": name.replace(".", "_") if underscores else name, "arguments": text})
                config = {"underscores": underscores} if underscores else {}
                yield dict(id=id, category=category, function=functions, target=target, config={**config, "source": "calls"}, tool_calls=tool_calls)


def code_value(rng, value, language, kind, nested):
    """A value as source of Java or JavaScript."""
    java = language == "java"
    if kind == "any" and isinstance(value, str):
        return value if rng.random() < 0.5 and re.fullmatch(r"[A-Za-z_]\w*", value) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        suffix = {"long": "L", "float": "f" if java else "", "Bigint": "n"}.get(kind, "")
        return f"{value}{suffix}"
    if isinstance(value, list):
        items = ", ".join(code_value(rng, item, language, nested or "any", None) for item in value)
        if not java:
            return rng.choice([f"[{items}]", f"[{items}]", f"new Array({items})"])
        if kind == "Array":
            return f"new {rng.choice(['int', 'String', 'Object'])}[]{{{items}}}"
        return rng.choice([f"new ArrayList<>(Arrays.asList({items}))", f"new ArrayList<Integer>() {{{{ {' '.join(f'add({i.strip()});' for i in items.split(','))} }}}}"])
    if isinstance(value, dict):
        if java:
            puts = " ".join(f"put({json.dumps(key)}, {code_value(rng, item, language, 'any', None)});" for key, item in value.items())
            return rng.choice(["new HashMap<String, Object>() {{ %s }}", "new HashMap<>() {{ %s }}", "new HashMap<String, String>()"]).replace("%s", puts)
        entries = ", ".join(f"{rng.choice([key, repr(key)])}: {code_value(rng, item, language, 'any', None)}" for key, item in value.items())
        return "{%s}" % entries
    return "null" if value is None else json.dumps(value, ensure_ascii=False)


CODE_PIECES = [
    "(", ")", "[", "]", "{", "}", ",", "=", "'", '"', ";", ".", "-", "+", "!", "\n", "//", "/*", " ", "1", "x", "true", "null", "new Foo(1, x)", "a.b", "a.b(c)", "a[0]", "(int) x", "x -> x",
    "new int[]{1, 2}", "new int[5]", "Foo.class", "'c'", "1 + 2", "a ? b : c", "Foo::bar", "1.5f", "10L", "{a: 1}", "[1, [2]]", "() => 1", "`t`", "/re/g", "function(a) { return a; }", "é", "...x", "a, b",
]


def code_samples(rng, per_item):
    for category in CODE:
        language = category.removeprefix("simple_")
        for id, functions, target in load(category):
            properties = functions[0]["parameters"]["properties"]
            base = dict(id=id, category=category, function=functions, target=target)
            for index in range(per_item):
                calls = gold(rng, target, rng.choice([0.0, 1.0]))
                if index > 1 and rng.random() < 0.6:
                    calls = wrong_calls(rng, calls, target, functions)
                rendered = []
                for name, arguments in calls:
                    texts = {}
                    for key, value in arguments.items():
                        about = properties.get(key, {"type": "any"})
                        value = json.loads(json.dumps(value))
                        texts[key] = code_value(rng, value, language, about["type"], about.get("items", {}).get("type"))
                    rendered.append((name, texts))
                if rng.random() < 0.35:
                    tool_calls = []
                    for name, texts in rendered:
                        unquoted = {k: v[1:-1] if v[:1] == '"' == v[-1:] and rng.random() < 0.9 else v for k, v in texts.items()}
                        unquoted = {k: (1 if rng.random() < 0.02 else v) for k, v in unquoted.items()}
                        tool_calls.append({"name": name, "arguments": json.dumps(unquoted)})
                    yield {**base, "config": {"source": "calls"}, "tool_calls": tool_calls}
                    continue
                text = ", ".join(f"{name}({', '.join(f'{key}={value}' for key, value in texts.items())})" for name, texts in rendered)
                if rng.random() < 0.5:
                    text = f"[{text}]"
                if index > 1 and rng.random() < 0.3:
                    at = rng.randrange(len(text) + 1)
                    text = text[:at] + rng.choice(CODE_PIECES) + text[at + rng.choice([0, 0, 0, 1, 4]) :]
                if rng.random() < 0.03:
                    text = rng.choice(PROSE[:40] + ["I will call foo(a=1).", "foo(a=1); bar(b=2);", "foo(1, x)", "foo(x)", "foo(x, y)", "new Foo().bar(a=1)"])
                yield {**base, "config": {"format": language}, "answer": text}


FAMILIES = {
    "python": lambda rng, size: python_samples(rng, PYTHON, size),
    "live": lambda rng, size: python_samples(rng, LIVE, max(1, size // 2)),
    "relevance": lambda rng, size: relevance_samples(rng, 700 * size),
    "odd": lambda rng, size: odd_samples(rng, 1000 * size),
    "formats": lambda rng, size: format_samples(rng, size),
    "sensitivity": lambda rng, size: sensitivity_samples(rng, 2 * size),
    "structured": lambda rng, size: structured_samples(rng, max(1, size // 2)),
    "code": lambda rng, size: code_samples(rng, 4 * size),
}


def samples(family, size, seed=1):
    rng = random.Random(f"{family} {seed}")
    for sample in FAMILIES[family](rng, size):
        try:
            json.dumps(sample, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            continue
        yield sample


# What the scorer says.


def line(sample, scorer="function-call"):
    answered = {key: sample[key] for key in ("answer", "tool_calls") if key in sample}
    config = {} if sample["category"] == "format_sensitivity" else {"category": sample["category"], **sample["config"]}
    inner = {"id": sample["id"], "target": sample["target"], "metadata": {"function": sample["function"]}, **answered}
    return json.dumps({"scorer": scorer, "config": config, "sample": inner})


def grade(grader, lines, *arguments):
    run = subprocess.run([*grader, *arguments], input="\n".join(lines) + "\n", capture_output=True, text=True, cwd=ROOT)
    if run.returncode:
        sys.exit(run.stderr)
    return [json.loads(answer) for answer in run.stdout.splitlines()], run.stderr


# The reference evaluates arithmetic with `eval`, in which a name or a call has a value: the one place where it runs what a
# model wrote. The scorer computes literals only, so that an answer that needs more than these is read by the reference alone.
def is_evaluated(text):
    class Found(Exception):
        pass

    def look(node):
        if isinstance(node, ast.BinOp):
            for inner in ast.walk(node):
                if isinstance(inner, (ast.Name, ast.Call, ast.Attribute, ast.Compare, ast.IfExp, ast.Lambda, ast.Mod, ast.BoolOp, ast.Set)):
                    raise Found
                # Powers of floats can differ in their last bit.
                if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Pow) and re.search(r"[.\de]e|\.", ast.unparse(inner)):
                    raise Found
                if isinstance(inner, (ast.JoinedStr, ast.ListComp, ast.GeneratorExp, ast.Subscript, ast.NamedExpr, ast.Starred)):
                    raise Found
        for child in ast.iter_child_nodes(node):
            look(child)

    text = text.strip("`\n ")
    text = text if text.startswith("[") else "[" + text
    text = text if text.endswith("]") else text + "]"
    try:
        look(ast.parse(text.strip().strip("'"), mode="eval"))
    except Found:
        return True
    except Exception:
        return False
    return False


# Its parser of Java and JavaScript puts in what is missing from a broken source, where that is cheap by its own tables, and then
# reports no error. The scorer refuses what is broken.
def is_repaired(text, form):
    text = text.strip("`\n ")
    text = text if text.startswith("[") else "[" + text
    text = text if text.endswith("]") else text + "]"
    # No call of Java has the semicolon that it needs.
    source = text[1:-1] + (";" if form == "java" else "")
    as_it_is, repaired = (PARSERS[form].parse(source.encode()).root_node.sexp() for source in (text[1:-1], source))
    return "ERROR" not in as_it_is and ("MISSING" in repaired or "ERROR" in repaired)


def is_elsewhere(sample):
    """Does the answer need what the scorer leaves to the reference?"""
    if "answer" not in sample:
        return None
    form = sample["config"].get("format", "python")
    if form == "python":
        return "evaluated" if is_evaluated(sample["answer"]) else None
    if form in PARSERS:
        return "repaired" if is_repaired(sample["answer"], form) else None
    return None


def agree(wanted, verdict):
    value, kind, calls = wanted
    if value is None:
        return verdict["value"] is None or (verdict["value"] == 0 and verdict["reason"] == "reference-stops")
    if verdict["value"] != value:
        return False
    extracted = verdict["extracted"]
    if calls and extracted is not None and is_function_calling_format_output(calls):
        described = describe(calls)
        if described.isascii() and described.isprintable() and "\\x" not in described and described != extracted:
            return False
    # Which of two reasons an answer of code is refused for depends on how tree-sitter repairs what cannot be parsed.
    explained = verdict.get("explanation") or ""
    return not kind or not explained or explained.startswith((kind, "ast_decoder")) or kind.startswith("ast_decoder")


def compare(grader, size, families):
    failed = False
    for family in families:
        made = list(samples(family, size))
        verdicts, _ = grade(grader, [line(sample) for sample in made])
        counts, different = collections.Counter(), []
        for sample, verdict in zip(made, verdicts, strict=True):
            wanted = reference(sample)
            elsewhere = is_elsewhere(sample)
            counts["right" if wanted[0] else "raises" if wanted[0] is None else "wrong"] += 1
            if elsewhere:
                counts[elsewhere] += 1
            elif not agree(wanted, verdict):
                different.append((sample, wanted, verdict))
        print(f"{family:12} {len(made):6} answers, {dict(counts)}: {len(different)} differ")
        for sample, wanted, verdict in different[:12]:
            answered = sample.get("answer", sample.get("tool_calls"))
            print(f"  {sample['id']} {sample['config']}\n    {answered!r}\n    reference {wanted}\n    scorer    {verdict}\n    target {sample['target']}")
        failed |= bool(different)
    return failed


def chosen():
    """A spread of answers for the vectors: some of each kind of result in each category."""
    for family in FAMILIES:
        counts = collections.Counter()
        for sample in samples(family, 2, seed=2):
            if is_elsewhere(sample):
                continue
            value, kind, _ = reference(sample)
            key = (sample["category"], sample["config"].get("format"), value, kind)
            counts[key] += 1
            if counts[key] <= 7 and len(json.dumps(sample)) < 6000:
                yield sample, value, kind


def bare(function):
    """What the checker reads of a description."""

    def about(parameter):
        kind = parameter.get("items", {}).get("type")
        return {"type": parameter["type"], **({"items": {"type": kind}} if kind else {})}

    parameters = function["parameters"]
    properties = {name: about(parameter) for name, parameter in parameters["properties"].items()}
    return {"name": function["name"], "parameters": {"properties": properties, "required": parameters["required"]}}


def vectors():
    functions, lines = {}, []
    for sample, value, kind in chosen():
        described = [bare(function) for function in sample["function"]]
        key = json.dumps(described)
        if key not in functions:
            functions[key] = len(functions)
            lines.append(json.dumps({"function": described}))
        lines.append(json.dumps({**sample, "function": functions[key], "value": value, "kind": kind}))
    return "\n".join(lines) + "\n"


def timed(grader):
    made = [sample for sample in samples("python", 2) if "answer" in sample]
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        for sample in made:
            reference(sample)
        seconds.append(time.perf_counter() - begin)
    _, said = grade(grader, [line(sample) for sample in made], "--time", "5")
    ours = json.loads(said.splitlines()[-1])["seconds"]
    print(f"{len(made)} answers: reference {min(seconds):.3f} s, scorer {ours:.3f} s, {min(seconds) / ours:.1f} times")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--grader")
    parser.add_argument("--family", choices=FAMILIES, action="append")
    parser.add_argument("--size", type=int)
    arguments = parser.parse_args()
    if arguments.record:
        VECTORS.write_text(vectors())
        return
    if arguments.check:
        sys.exit(vectors() != VECTORS.read_text() and "the reference says otherwise than the vectors")
    cargo = ["cargo", "run", "--quiet", "--release", "-p", "rules-calls", "--example", "grade-calls", "--"]
    grader = [arguments.grader] if arguments.grader else cargo
    if arguments.time:
        timed(grader)
        return
    size = arguments.size or (1 if arguments.quick else 6)
    sys.exit(compare(grader, size, arguments.family or FAMILIES))


if __name__ == "__main__":
    main()
