"""Prints the cases of this folder as samples, one JSON object a line, each with the verdicts that are right for it.

A case is the answer of a model: its first two lines name the task, in `tasks/`, and the reasons that a verdict may have.
"""

import json
import pathlib

HERE = pathlib.Path(__file__).parent


def samples():
    for path in sorted([*HERE.glob("hostile/*"), *HERE.glob("honest/*")]):
        task, expect, answer = path.read_text().split("\n", 2)
        target = json.loads((HERE / "tasks" / f"{task.removeprefix('# task: ')}.json").read_text())
        yield {
            "id": f"{path.parent.name}/{path.stem}",
            "target": json.dumps(target),
            "metadata": "{}",
            "answer": answer,
            "expect": expect.removeprefix("# expect: ").split(),
        }


if __name__ == "__main__":
    for sample in samples():
        print(json.dumps(sample))
