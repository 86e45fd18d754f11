"""What an item asks for, in the shapes of the public sets."""

import base64
import io
import json
import pickle
import zlib

# Unpacked tests beyond this are refused.
LARGEST_TESTS = 1 << 27


class BadTarget(Exception):
    """The item does not state its tests in a known way: the task's fault, not the model's."""


def fields_of(target, metadata):
    """One view of an item: its other fields, and on top of them the reference, where that is an object, too."""
    try:
        fields = json.loads(metadata) if metadata.strip() else {}
        reference = json.loads(target) if target.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadTarget(f"the item is no JSON: {error}") from None
    if type(fields) is not dict:
        raise BadTarget("the item's fields are no JSON object")
    if type(reference) is dict:
        return fields | reference
    if type(reference) is list and all(type(item) is str for item in reference):
        return fields | {"test_list": reference}
    if type(reference) is str:
        return fields | {"test": reference}
    raise BadTarget("the reference is neither an object nor a text of tests nor a list of these")


def shape_of(fields):
    if "base_input" in fields:
        return "evalplus"
    if "input_output" in fields or "public_test_cases" in fields or "inputs" in fields:
        return "livecodebench"
    if "test_list" in fields:
        return "mbpp"
    if "test" in fields:
        return "human-eval"
    raise BadTarget("the item has none of the fields `test`, `base_input`, `test_list`, `input_output`")


def text(fields, name, default=None):
    value = fields.get(name, default)
    if type(value) is not str:
        raise BadTarget(f"the field `{name}` is {'missing' if value is None else 'no text'}")
    return value


def texts(fields, name):
    value = fields.get(name) or []
    if type(value) is str:
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if type(value) is not list or not all(type(item) is str for item in value):
        raise BadTarget(f"the field `{name}` is no list of texts")
    return value


def cases(fields):
    """LiveCodeBench: inputs, expected outputs, and the name of the function, where one is called."""
    if "input_output" in fields:
        both = _json(fields["input_output"], "input_output")
        inputs, outputs, name = both.get("inputs"), both.get("outputs"), both.get("fn_name")
    elif "public_test_cases" in fields:
        tests = _tests(fields["public_test_cases"]) + _tests(fields.get("private_test_cases", []))
        inputs, outputs = [test["input"] for test in tests], [test["output"] for test in tests]
        about = fields.get("metadata") or {}
        name = _json(about, "metadata").get("func_name")
    else:
        inputs, outputs, name = fields.get("inputs"), fields.get("outputs"), fields.get("fn_name")
    sound = type(inputs) is type(outputs) is list and len(inputs) == len(outputs) > 0
    if not sound or not all(type(item) is str for item in inputs + outputs):
        raise BadTarget("there are not as many expected outputs as inputs, or they are no texts")
    return inputs, outputs, name


def _json(value, name):
    if type(value) is str:
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if type(value) is not dict:
        raise BadTarget(f"the field `{name}` is no JSON object")
    return value


def _tests(value):
    if type(value) is str:
        try:
            value = json.loads(value)
        except ValueError:
            value = _packed(value)
    sound = type(value) is list and all(
        type(test) is dict and type(test.get("input")) is type(test.get("output")) is str for test in value
    )
    if not sound:
        raise BadTarget("the test cases are no list of inputs and outputs")
    return value


class _TextOnly(pickle.Unpickler):
    def find_class(self, module, name):
        raise pickle.UnpicklingError("a pickled text names no classes")


def _packed(value):
    """The set's private tests: JSON, pickled as a text, compressed, in base64."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(value), LARGEST_TESTS)
        if unpacker.unconsumed_tail:
            raise BadTarget("the packed test cases are too long")
        return json.loads(_TextOnly(io.BytesIO(data)).load())
    except (ValueError, TypeError, zlib.error, pickle.UnpicklingError, EOFError) as error:
        raise BadTarget(f"the packed test cases cannot be read: {error}") from None


# MBPP+ keeps its inputs in JSON, which has no tuples: which arguments are to be made tuples, by the item's number.
_EACH_ARGUMENT = frozenset(
    [2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809]
)
_ITEMS_OF_EACH = frozenset([63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780])
_ITEMS_OF_FIRST = frozenset([75, 413, 444, 753])
_SECOND = frozenset([106, 750])
_FIRST_OF_TWO = frozenset([250, 405, 446, 617, 720, 763, 808])
_EACH_AND_ITEMS = frozenset([259, 401, 445])
_ALL_THE_WAY = frozenset([580, 615, 791])


def mbpp_arguments(task, inputs):
    """Arguments as evalplus 0.3.1 makes them from MBPP+'s JSON."""
    if task in _EACH_ARGUMENT:
        return [[tuple(one) for one in args] for args in inputs]
    if task in _ITEMS_OF_EACH:
        return [[[tuple(item) for item in one] for one in args] for args in inputs]
    if task in _ITEMS_OF_FIRST:
        return [[[tuple(item) for item in args[0]], args[1]] for args in inputs]
    if task in _SECOND:
        return [[args[0], tuple(args[1])] for args in inputs]
    if task == 115:
        return [[[set(item) if isinstance(item, list) and item else {} for item in args[0]]] for args in inputs]
    if task == 124:
        return [(float(args[0]), complex(args[1])) for args in inputs]
    if task in _FIRST_OF_TWO:
        return [[tuple(args[0]), args[1]] for args in inputs]
    if task in _EACH_AND_ITEMS:
        return [[tuple(tuple(item) for item in one) for one in args] for args in inputs]
    if task == 278:
        return [
            [tuple(tuple(item) if isinstance(item, list) else item for item in args[0])] for args in inputs
        ]
    if task == 307:
        return [[tuple(args[0]), args[1], args[2]] for args in inputs]
    if task == 722:
        return [[{key: tuple(value) for key, value in args[0].items()}, *args[1:]] for args in inputs]
    if task == 252:
        return [[complex(args[0])] for args in inputs]
    if task in _ALL_THE_WAY:
        return [_tuples(args) for args in inputs]
    return inputs


def _tuples(value):
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
