"""The verdict on a sample, in terms that know nothing of the component's interface."""

from code_exec import checks, extraction, problems, signs
from code_exec.checks import Failed, NotCode
from code_exec.problems import BadTarget
from code_exec.remote import Channel, Ended, Unsupported
from code_exec.values import Unsendable

# How a program ended before its tests did, and the verdict on that.
ENDINGS = {
    "output": ("out-of-resources", "it writes more than the limit"),
    "slept": ("timed-out", "it sleeps longer than the limit"),
    "forbidden": ("forbidden", "it asks for something that is not there"),
    "exit": ("tampered", "it ends the interpreter instead of giving a result"),
    "malformed": ("tampered", "it took over the interpreter"),
    "unsendable": ("wrong", "it returns a value that holds itself"),
}
RESOURCES = frozenset(["RecursionError", "MemoryError"])


class Grade:
    """`value` is not a number where the item cannot be graded."""

    def __init__(self, value, reason, explanation="", extracted=None, scores=()):
        self.value = value
        self.reason = reason
        self.explanation = explanation[:600]
        self.extracted = extracted
        self.scores = dict(scores)


def grade(sample, config, request):
    """`sample` has `target`, `metadata`, `answer` and `finish` (`length`, `content-filter` or anything else)."""
    answer = sample.answer
    if answer is None or not answer.strip():
        return Grade(0.0, "refused" if sample.finish == "content-filter" else "no-response")
    try:
        fields = problems.fields_of(sample.target, sample.metadata)
        shape = problems.shape_of(fields) if config.shape == "auto" else config.shape
        code = extraction.code_of(answer, config.extract, lambda tree: wanted(tree, fields))
        if code is None or not code.strip():
            return settled(Grade(0.0, "invalid-format", "there is no code in the answer"), sample)
        made = judged(shape, fields, code, config, Channel(request))
    except BadTarget as error:
        return Grade(float("nan"), "grader-failed", str(error))
    except Exception as error:
        # A defect of this scorer is nobody's wrong answer.
        return Grade(float("nan"), "grader-failed", f"the grader fails: {type(error).__name__}: {error}")
    made.extracted = code
    return settled(made, sample)


def wanted(tree, fields):
    """Whether a block of an answer defines what the item names."""
    name = fields.get("entry_point")
    if type(name) is str:
        return extraction.defines(tree, name)
    return tree is not None and bool(tree.body)


def settled(made, sample):
    """Why a wrong answer is wrong, where it was cut."""
    if made.value == 0.0 and made.reason in ("wrong", "invalid-format") and sample.finish == "length":
        made.reason = "truncated"
    return made


def judged(shape, fields, code, config, channel):
    try:
        result = checks.SHAPES[shape](fields, code, channel, config)
        made = of_result(result, config)
    except NotCode as error:
        made = Grade(0.0, "invalid-format", str(error))
    except Ended:
        made = of_ending(channel)
    except Unsendable as error:
        raise BadTarget(f"the tests cannot be handed to the program: {error}") from None
    except Unsupported as error:
        raise BadTarget(str(error)) from None
    except Exception as error:
        if not hasattr(error, "of_solution"):
            raise
        made = of_error(error)
    if channel.ended is not None and made.value > 0:
        # A test that catches everything has caught the end of the program as well.
        made = of_ending(channel)
    return with_signs(made, code, channel)


def of_result(result, config):
    scores = {}
    if result.base is not None:
        scores["base-pass"] = 1.0 if result.base else 0.0
    if config.all_tests:
        scores["tests-passed"] = result.passed / result.total
    if result.failure is None:
        return Grade(1.0, "correct", scores=scores)
    number, error = result.failure
    made = of_error(error)
    if result.total > 1:
        made.explanation = f"test {number + 1} of {result.total}: {made.explanation}"
    made.scores = scores
    return made


def of_error(error):
    """What a test or the program itself raised."""
    if isinstance(error, Failed):
        return Grade(0.0, "wrong", str(error))
    kind = getattr(error, "of_solution", None)
    if kind is None:
        kind, text = type(error).__name__, str(error)
        return Grade(0.0, "wrong", f"a test fails: {kind}" + (f": {text}" if text else ""))
    reason = "out-of-resources" if kind in RESOURCES else "wrong"
    if isinstance(error, ModuleNotFoundError):
        reason = "missing-module"
    return Grade(0.0, reason, f"the program raises {kind}: {error}")


def of_ending(channel):
    how, what = channel.ended
    reason, explanation = ENDINGS.get(how, ENDINGS["malformed"])
    return Grade(0.0, reason, f"{explanation} ({what})" if what else explanation)


def with_signs(made, code, channel):
    """An attempt on the grader or on what lies outside is never a pass."""
    for reason in ("tampered", "forbidden"):
        seen = [what for kind, what in channel.signs if kind == reason]
        if seen:
            made.value, made.reason = 0.0, reason
            made.explanation = f"the program tried: {'; '.join(seen)}"[:600]
            made.scores = {name: 0.0 for name in made.scores}
            return made
    if made.value == 0.0 and made.reason == "wrong":
        odd = [what for kind, what in channel.signs if kind == "odd"] + signs.of(code)
        if odd:
            made.reason = "tampered"
            made.explanation = f"{made.explanation}; the program {'; '.join(odd)}"[:600]
    return made
