"""Runs an item's tests against a program in the box, by the rules of the set that the item is from."""

import ast
import builtins
import copy
import importlib
import json
import math
from decimal import Decimal, InvalidOperation

from code_exec import extraction, preload, problems
from code_exec.problems import BadTarget
from code_exec.remote import Unsupported


class Failed(Exception):
    """A test that the program does not pass, or a program that cannot be tested."""


class NotCode(Exception):
    """The answer is no program: it does not compile, or lacks what is asked for."""


class Result:
    """What came of the tests."""

    def __init__(self, total):
        self.total = total
        self.passed = 0
        self.failure = None
        self.base = None


def shown(value, longest=120):
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= longest else text[: longest - 1] + "…"


def run_each(tests, config):
    """Runs tests in order, as far as the first failure unless all are wanted."""
    result = Result(len(tests))
    for number, test in enumerate(tests):
        try:
            test()
            result.passed += 1
        except (BadTarget, Unsupported):
            raise
        except Exception as error:
            if result.failure is None:
                result.failure = (number, error)
            if not config.all_tests:
                break
    return result


def program_of(prompt, code, entry_point, config):
    """The program that an answer makes: the answer after the prompt, or after the prompt's imports and helpers alone."""
    mode = config.mode
    if mode == "auto":
        mode = "program" if extraction.defines(extraction.parses(code), entry_point) else "completion"
    if mode == "program":
        return extraction.preamble(prompt, entry_point) + code + "\n"
    return prompt + extraction.cut(code, config.stop) + "\n"


def load(channel, program, settings, **more):
    """Checks that it compiles, here, where it cannot do harm, and runs it in the box."""
    if len(program) > extraction.LONGEST_PROGRAM:
        raise NotCode(f"the program is longer than {extraction.LONGEST_PROGRAM} characters")
    try:
        compile(program, "<solution>", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise NotCode(f"line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise NotCode(f"does not compile: {error}") from None
    channel.load(program, settings, **more)


def find(channel, name):
    if name not in channel.names:
        raise NotCode(f"the program does not define `{name}`")
    return channel.function(name)


def trusted(code, name, names):
    """Runs code of the item's in the grader."""
    try:
        exec(compile(code, f"<{name}>", "exec", dont_inherit=True), names)
    except Exception as error:
        raise BadTarget(f"the {name} of the item cannot be run: {type(error).__name__}: {error}") from None


def compiled(code, name):
    try:
        return compile(code, f"<{name}>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise BadTarget(f"the {name} of the item does not compile: {error}") from None


def lend_names(names, code, channel):
    """Gives tests what they use of the program's without being able to mistake it for something else: names that neither the
    tests nor the language define, functions and classes as remotes, values as values, and modules as the grader's own."""
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    for name in sorted(used):
        if name in names or hasattr(builtins, name) or name not in channel.names:
            continue
        kind = channel.names[name]
        if kind == "module":
            if name in preload.MODULES:
                names[name] = importlib.import_module(name)
        elif kind == "object":
            names[name] = channel.value(channel.ask("peek", target=name).get("value"))
        else:
            names[name] = channel.function(name)


def human_eval(fields, code, channel, config):
    """HumanEval: a function `check` that takes the candidate."""
    prompt, entry_point = problems.text(fields, "prompt", ""), problems.text(fields, "entry_point")
    test = problems.text(fields, "test")
    check = compiled(test, "test")
    load(channel, program_of(prompt, code, entry_point, config), config.settings())
    candidate = find(channel, entry_point)
    names = {"__name__": "tests"}
    if extraction.parses(prompt) is not None:
        trusted(prompt, "prompt", names)
    names.pop(entry_point, None)
    lend_names(names, test, channel)
    names[entry_point] = candidate

    def test():
        exec(check, names)
        if not callable(names.get("check")):
            raise BadTarget("the test of the item defines no `check`")
        names["check"](candidate)

    return run_each([test], config)


def mbpp(fields, code, channel, config):
    """MBPP: assertions that call the function by its name."""
    tests = problems.texts(fields, "test_list")
    if config.challenge_tests:
        tests = tests + problems.texts(fields, "challenge_test_list")
    if not tests:
        raise BadTarget("the item has no tests")
    setup = "\n".join([*problems.texts(fields, "test_imports"), problems.text(fields, "test_setup_code", "")]).strip()
    names = {"__name__": "tests"}
    trusted(setup, "setup", names)
    channel.classes = {name: item for name, item in names.items() if type(item) is type and item.__module__ == "tests"}
    checks = [compiled(test, "test") for test in tests]
    load(channel, extraction.cut(code, config.stop) + "\n", config.settings(), setup=setup)
    lend_names(names, "\n".join(tests), channel)
    return run_each([lambda check=check: exec(check, names) for check in checks], config)


def evalplus(fields, code, channel, config):
    """HumanEval+ and MBPP+: inputs, and a canonical solution that says what they give."""
    prompt, entry_point = problems.text(fields, "prompt"), problems.text(fields, "entry_point")
    base, plus = fields.get("base_input"), fields.get("plus_input") or []
    if type(base) is not list or type(plus) is not list or not base + plus:
        raise BadTarget("`base_input` and `plus_input` are no lists of arguments")
    task = problems.text(fields, "task_id", "")
    is_mbpp = task.startswith("Mbpp/")
    inputs = base if config.base_only else base + plus
    try:
        inputs = problems.mbpp_arguments(int(task[5:]), inputs) if is_mbpp else inputs
        tolerance = float(fields.get("atol") or 0)
    except (ValueError, TypeError, LookupError) as error:
        raise BadTarget(f"the item's inputs are not what its number makes of them: {error}") from None
    reference = {"__name__": "reference"}
    trusted(prompt + problems.text(fields, "canonical_solution"), "canonical solution", reference)
    oracle = Oracle(entry_point, reference.get(entry_point), tolerance, is_mbpp)
    load(channel, program_of(prompt, code, entry_point, config), config.settings())
    candidate = find(channel, entry_point)
    result = run_each([lambda args=args: oracle.check(candidate, args) for args in inputs], config)
    result.base = result.failure is None or result.failure[0] >= len(base)
    return result


class Oracle:
    """Compares by the rules of evalplus 0.3.1."""

    # Whose order of items is free, and whose answer only has to be there.
    SETS = frozenset("""
    similar_elements find_char_long common_in_nested_lists extract_singly larg_nnum intersection_array find_dissimilar Diff
    """.split())
    PRESENT = frozenset(["check_str", "text_match_three", "text_starta_endb"])

    def __init__(self, entry_point, function, tolerance, is_mbpp):
        if not callable(function):
            raise BadTarget(f"the canonical solution does not define `{entry_point}`")
        self.entry_point = entry_point
        self.function = function
        self.tolerance = tolerance
        self.is_mbpp = is_mbpp

    def check(self, candidate, args):
        got = candidate(*args)
        if not self.is_mbpp and self.entry_point == "find_zero":
            value = sum(factor * math.pow(got, power) for power, factor in enumerate(args[0]))
            self.expect(abs(value) <= self.tolerance, args, got, "a zero")
            return
        expected = self.expected(args)
        same = got == expected
        if self.is_mbpp:
            same = self.mbpp(same, got, expected, args)
        # The tolerance stays once a number has asked for it: the reference keeps it in a variable of its loop.
        if self.tolerance == 0 and is_floats(expected):
            self.tolerance = 1e-6
        if not same and self.tolerance != 0:
            same = type(got) is type(expected) and close(got, expected, self.tolerance)
        self.expect(same, args, got, expected)

    def expected(self, args):
        try:
            expected = self.function(*copy.deepcopy(list(args)))
        except Exception as error:
            raise BadTarget(f"the canonical solution raises {type(error).__name__} on {shown(args)}") from None
        present = self.is_mbpp and self.entry_point in self.PRESENT
        return expected is not None if present else expected

    def expect(self, truth, args, got, expected):
        if not truth:
            raise Failed(f"{self.entry_point}{shown(tuple(args))} gives {shown(got)}, not {shown(expected)}")

    def mbpp(self, same, got, expected, args):
        name = self.entry_point
        if name == "are_equivalent":
            return True
        if name == "sum_div":
            return same or got == 0
        if name == "surface_Area":
            return same or abs(got - surface(*args)) <= self.tolerance
        if name == "digit_distance_nums":
            return same or got == digit_distance(*args)
        if name in self.SETS:
            return set(got) == set(expected)
        if name in self.PRESENT:
            return got == expected if isinstance(got, bool) else expected == (got is not None)
        return same


def surface(edge, height):
    """Of a square pyramid, with the height from its base to its tip."""
    return round(edge**2 + 2 * edge * math.sqrt((edge / 2) ** 2 + height**2))


def digit_distance(one, two):
    """Differences of digits, the shorter number padded with zeros."""
    one, two = str(one), str(two)
    width = max(len(one), len(two))
    return sum(abs(int(a) - int(b)) for a, b in zip(one.zfill(width), two.zfill(width)))


def is_floats(value):
    if isinstance(value, float):
        return True
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, float) for item in value)


def close(got, expected, tolerance):
    """numpy's `allclose(got, expected, rtol=1e-7, atol=tolerance)`, on values of one type."""
    if isinstance(expected, (list, tuple)):
        if not isinstance(got, (list, tuple)) or len(got) != len(expected):
            return False
        return all(close(one, other, tolerance) for one, other in zip(got, expected))
    if not isinstance(got, (int, float, complex)) or not isinstance(expected, (int, float, complex)):
        raise Failed(f"{shown(got)} is not {shown(expected)}, and these are not numbers")
    if not (sized(got) and sized(expected)):
        return False
    if got == expected:
        return True
    if not (finite(got) and finite(expected)):
        return False
    return abs(got - expected) <= tolerance + 1e-7 * abs(expected)


def sized(value):
    """Whether numpy has an array type for it; of other integers it cannot say whether they are close."""
    return not isinstance(value, int) or -(1 << 63) <= value < 1 << 64


def finite(value):
    return isinstance(value, complex) or math.isfinite(value)


# What LiveCodeBench puts before every program.
_STARS = """string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json
builtins typing""".split()
LIVECODEBENCH_HEAD = "".join(
    [f"from {name} import *\n" for name in _STARS]
    + [f"import {name}\n" for name in _STARS if name not in ("builtins", "typing")]
    + ["sys.setrecursionlimit(50000)\n"]
)


def livecodebench(fields, code, channel, config):
    """LiveCodeBench: a method called with JSON values, or a program that reads and writes text."""
    inputs, outputs, name = problems.cases(fields)
    if name is None:
        return stdio(inputs, outputs, code, channel, config)
    try:
        arguments = [[json.loads(line) for line in text.split("\n")] for text in inputs]
        expected = [json.loads(text) for text in outputs]
    except ValueError as error:
        raise BadTarget(f"a test case is no JSON: {error}") from None
    load(channel, LIVECODEBENCH_HEAD + "\n\n" + code, config.settings(50_000))
    owner = find(channel, "Solution")() if "class Solution" in code else None
    method = find(channel, name) if owner is None else getattr(owner, name)

    def test(args, wanted):
        got = method(*args)
        if isinstance(got, tuple):
            got = list(got)
        if not got == wanted:
            raise Failed(f"{name}{shown(tuple(args))} gives {shown(got)}, not {shown(wanted)}")

    return run_each([lambda pair=pair: test(*pair) for pair in zip(arguments, expected)], config)


def stdio(inputs, outputs, code, channel, config):
    load(channel, as_function(code), config.settings(50_000))
    find(channel, "wrapped_function")

    def test(text, wanted):
        difference = differs(channel.run("wrapped_function", text), wanted)
        if difference:
            raise Failed(difference)

    return run_each([lambda pair=pair: test(*pair) for pair in zip(inputs, outputs)], config)


def as_function(code):
    """A program as a function that can be called for each input, imports outside; its last `if __name__ == "__main__":` is
    taken for true."""
    tree = extraction.parses(code)
    if tree is None:
        return LIVECODEBENCH_HEAD + "\n" + code
    body = tree.body
    if body and isinstance(body[-1], ast.If) and ast.unparse(body[-1].test).strip() == "__name__ == '__main__'":
        body = body[:-1] + body[-1].body
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = [node for node in body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    if not rest:
        raise NotCode("the program does nothing")
    function = ast.parse("def wrapped_function():\n    pass")
    function.body[0].body = rest
    whole = ast.Module(body=imports + function.body, type_ignores=[])
    return LIVECODEBENCH_HEAD + "\n" + ast.unparse(ast.fix_missing_locations(whole)) + "\n"


def differs(got, wanted):
    """How an output differs from the expected one by LiveCodeBench's rules, or `None`: lines without the white space around
    them are equal as texts, or item by item as decimal numbers."""
    mine, theirs = stripped(got), stripped(wanted)
    if len(mine) != len(theirs):
        return f"the output has {len(mine)} lines, not {len(theirs)}"
    for number, (one, other) in enumerate(zip(mine, theirs), 1):
        if one != other and not same_numbers(one, other):
            return f"line {number} of the output is {shown(one)}, not {shown(other)}"
    return None


def stripped(text):
    return [line.strip() for line in text.strip().split("\n")]


def same_numbers(one, other):
    try:
        return [Decimal(item) for item in one.split()] == [Decimal(item) for item in other.split()]
    except (InvalidOperation, ValueError):
        return False


SHAPES = {"human-eval": human_eval, "evalplus": evalplus, "mbpp": mbpp, "livecodebench": livecodebench}
