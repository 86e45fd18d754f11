"""Compares the prompts, references and choices that `bench suite import lm-eval` makes with those of lm-eval itself.

    python lm_eval_prompts.py path/to/bench    # needs lm_eval; asks no model and no network

Rows are made up for each task, in the shape of its data set, with quotes, braces, line ends and letters of other alphabets in them.
Prints one line a task, and ends with 1 where anything differs.
"""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

# The comparison of scorers, which stands beside this script, is called as the package is.
sys.path.pop(0)

import lm_eval  # noqa: E402
from lm_eval.api.task import ConfigurableTask  # noqa: E402
from lm_eval.tasks._yaml_loader import load_yaml  # noqa: E402

WORDS = ["tea", "it's", 'a "quote"', "{brace}", "naïve", "東京", "two\nlines", "  spaced ", "7", "back\\slash", "100%", "<b>"]


def text(dice, least=1, most=6):
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(least, most)))


def texts(dice, count):
    found = []
    while len(found) < count:
        one = text(dice)
        if one not in found and not one.strip().isdigit():
            found.append(one)
    return found


def lettered(dice, key):
    letters = ["A", "B", "C", "D"]
    return {key: text(dice), "choices": {"text": texts(dice, 4), "label": letters}, "answerKey": dice.choice(letters)}


def grade_school(dice):
    return {"question": text(dice), "answer": f"{text(dice)}\n#### {dice.randint(-9, 999)}"}


def mmlu(dice):
    return {"question": text(dice), "choices": texts(dice, 4), "answer": dice.randrange(4)}


# Task, its file in the package, how a row is made, examples (None: as many as the task says), and options of the import.
TASKS = [
    ("gsm8k", "gsm8k/gsm8k.yaml", grade_school, None, []),
    ("gsm8k", "gsm8k/gsm8k.yaml", grade_school, 0, []),
    ("gsm8k_cot", "gsm8k/gsm8k-cot.yaml", grade_school, None, []),
    ("arc_easy", "arc/arc_easy.yaml", lambda dice: lettered(dice, "question"), 3, []),
    ("openbookqa", "openbookqa/openbookqa.yaml", lambda dice: lettered(dice, "question_stem"), 2, []),
    ("mmlu_anatomy", "mmlu/default/mmlu_anatomy.yaml", mmlu, 5, []),
    ("mmlu_anatomy_generative", "mmlu/generative/mmlu_anatomy.yaml", mmlu, 5, []),
    ("piqa", "piqa/piqa.yaml", lambda dice: {
        "goal": text(dice), "sol1": text(dice), "sol2": text(dice) + ".", "label": dice.randrange(2)}, 4, []),
    ("sciq", "sciq/sciq.yaml", lambda dice: dict(zip(
        ["distractor1", "distractor2", "distractor3", "correct_answer"], texts(dice, 4)),
        support=text(dice), question=text(dice)), 1, []),
    ("sst2", "glue/sst2/default.yaml", lambda dice: {"sentence": text(dice), "label": dice.randrange(2)}, 6, []),
    ("triviaqa", "triviaqa/default.yaml", lambda dice: {
        "question": text(dice), "answer": {"aliases": texts(dice, dice.randint(1, 3))}}, 5, []),
    ("nq_open", "nq_open/nq_open.yaml", lambda dice: {"question": text(dice), "answer": texts(dice, 2)}, 3, []),
    ("truthfulqa_mc1", "truthfulqa/truthfulqa_mc1.yaml", lambda dice: {
        "question": text(dice), "mc1_targets": {"choices": texts(dice, 3), "labels": [1, 0, 0]}}, None, []),
    ("bbh_zeroshot_boolean_expressions", "bbh/zeroshot/boolean_expressions.yaml", lambda dice: {
        "input": text(dice), "target": dice.choice(["True", "False"])}, None, ["--filter", "flexible-extract"]),
]


def splits(config):
    """The splits that are asked about and that examples are drawn from."""
    asked = config.get("test_split") or config.get("validation_split")
    named = (config.get("fewshot_config") or {}).get("split") or config.get("fewshot_split")
    return asked, named or config.get("training_split") or config.get("validation_split") or asked


def compare(bench, folder, place, name, file, row, count, options):
    dice = random.Random(f"{place} {name}")
    config = load_yaml(Path(lm_eval.__file__).parent / "tasks" / file)
    asked, drawn = splits(config)
    files = {}
    for split in {asked, drawn}:
        files[split] = folder / f"{place}-{split}.jsonl"
        rows = [row(dice) for _ in range(40)]
        files[split].write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    config |= {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {split: str(path) for split, path in files.items()}},
    }
    for other in ("training_split", "validation_split", "test_split"):
        if config.get(other) not in files:
            config[other] = None
    config.pop("group", None)
    task = ConfigurableTask(config=config)
    task.set_fewshot_seed(1234)
    shots = (config.get("num_fewshot") or 0) if count is None else count
    out = folder / f"suite-{place}"
    package = Path(lm_eval.__file__).parent
    command = [bench, "suite", "import", "lm-eval", name, "--from", str(package), "--data", str(files[asked])]
    command += ["--few-shot-data", str(files[drawn]), "--out", str(out), "--name", "x", *options]
    command += [] if count is None else ["--few-shot", str(count)]
    made = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if made.returncode:
        return [made.stderr.strip()]
    items = [json.loads(line) for line in (out / "data" / "x.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = []
    for doc, item in zip(task.eval_docs, items, strict=True):
        expected = {"prompt": task.fewshot_context(doc, shots), "target": task.doc_to_target(doc)}
        if task.config.doc_to_choice is not None:
            expected["choices"] = task.doc_to_choice(doc)
        elif isinstance(expected["target"], list):
            expected["target"] = [str(one) for one in expected["target"]]
        else:
            expected["target"] = str(expected["target"])
        wrong += [f"{key}: {item.get(key)!r} and not {value!r}" for key, value in expected.items() if item.get(key) != value]
    return wrong


def main(bench):
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for place, (name, file, row, count, options) in enumerate(TASKS):
            wrong = compare(bench, Path(folder), place, name, file, row, count, options)
            failed |= bool(wrong)
            print(f"{name}: {'40 items agree' if not wrong else f'{len(wrong)} differ, such as {wrong[0]}'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
