"""The configuration of a task."""

import json
import math
import re

SHAPES = ("auto", "human-eval", "evalplus", "mbpp", "livecodebench")
MODES = ("auto", "completion", "program")
EXTRACT = ("auto", "raw", "first-fence", "last-fence", "until-fence")
INTERVALS = ("auto", "wilson", "t", "clustered", "bootstrap")
REDUCER = re.compile(r"mean|median|majority|max|pass[@^][1-9][0-9]{0,5}", re.ASCII)

_AGGREGATE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "reduce": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["mean"],
            "description": "What becomes of the repeats of an item: mean, median, majority, max, pass@K, pass^K.",
        },
        "interval": {"enum": list(INTERVALS), "default": "auto"},
        "level": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.95},
    },
}

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "shape": {
            "enum": list(SHAPES),
            "default": "auto",
            "description": "How the item states its tests; `auto` goes by its fields.",
        },
        "mode": {
            "enum": list(MODES),
            "default": "auto",
            "description": "Whether the answer continues the prompt or is a program of its own; `auto`: a program where it "
            "defines the function that is asked for.",
        },
        "extract": {
            "enum": list(EXTRACT),
            "default": "auto",
            "description": "Where in the answer the code is: in a fenced block, all of it, or before the first fence.",
        },
        "stop": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "description": "A completion is cut before the first of these.",
        },
        "base-only": {"type": "boolean", "default": False, "description": "evalplus: leave out the additional inputs."},
        "challenge-tests": {"type": "boolean", "default": False, "description": "mbpp: run these as well."},
        "all-tests": {
            "type": "boolean",
            "default": False,
            "description": "Go on after the first failure, to report the share of tests passed.",
        },
        "output-limit": {"type": "integer", "minimum": 0, "maximum": 1 << 26, "default": 1 << 22},
        "recursion-limit": {"type": "integer", "minimum": 100, "maximum": 100_000, "default": 1000},
        "aggregate": _AGGREGATE,
    },
}


class BadConfig(Exception):
    """What is wrong with a configuration."""


class Config:
    """A checked configuration, with a member for each property."""

    def __init__(self, text):
        try:
            given = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            raise BadConfig(f"the configuration of code-exec is no JSON: {error}") from None
        checked = _object(given, SCHEMA, "")
        self.shape = checked["shape"]
        self.mode = checked["mode"]
        self.extract = checked["extract"]
        self.stop = checked["stop"]
        self.base_only = checked["base-only"]
        self.challenge_tests = checked["challenge-tests"]
        self.all_tests = checked["all-tests"]
        self.output_limit = checked["output-limit"]
        self.recursion_limit = checked["recursion-limit"]
        aggregate = checked["aggregate"]
        self.reduce, self.interval, self.level = aggregate["reduce"], aggregate["interval"], aggregate["level"]
        for name in self.reduce:
            if not REDUCER.fullmatch(name):
                raise BadConfig(f"`aggregate.reduce`: there is no reducer `{name}`")
        if not self.reduce:
            raise BadConfig("`aggregate.reduce` is empty")

    def settings(self, recursion=None):
        """What the box is told of its limits."""
        return {"output": self.output_limit, "recursion": recursion or self.recursion_limit, "patience": 3.0}


def _object(given, schema, path):
    if type(given) is not dict:
        raise BadConfig(f"`{path or 'the configuration'}` is no object")
    known = schema["properties"]
    for name in given:
        if name not in known:
            raise BadConfig(f"unknown field `{path}{name}`, expected one of {', '.join(known)}")
    checked = {}
    for name, rule in known.items():
        if rule.get("type") == "object":
            checked[name] = _object(given.get(name, {}), rule, f"{name}.")
        elif name in given:
            checked[name] = _value(given[name], rule, f"{path}{name}")
        else:
            checked[name] = rule["default"]
    return checked


def _value(value, rule, path):
    if "enum" in rule:
        sound = type(value) is str and value in rule["enum"]
    elif rule["type"] == "boolean":
        sound = type(value) is bool
    elif rule["type"] == "integer":
        sound = type(value) is int and rule["minimum"] <= value <= rule["maximum"]
    elif rule["type"] == "number":
        sound = type(value) in (int, float) and math.isfinite(value) and 0 < value < 1
    else:
        sound = type(value) is list and all(type(item) is str and item for item in value)
    if not sound:
        raise BadConfig(f"`{path}` is {json.dumps(value)[:80]}, which is not {rule.get('enum') or 'in its range'}")
    return value
