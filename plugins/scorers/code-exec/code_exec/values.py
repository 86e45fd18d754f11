"""Values on their way between the two interpreters, as JSON.

Leaves are themselves; everything else is an object of one member whose name says what it is. What arrives is built anew from
plain types, so that nothing of the sender's making, no `__eq__` and no `__class__`, takes part in a comparison.
"""

import collections
import datetime
import decimal
import fractions

LEAVES = frozenset({int, str, float, bool, type(None)})
# Beyond this an integer travels in hex: decimal digits are quadratic, and limited.
WIDE = 1 << 8192
# Nesting beyond this is refused, well before an interpreter's own limit.
DEPTH = 400

SEQUENCES = {list: "l", tuple: "t", set: "s", frozenset: "f"}
PLAIN_BASES = (bool, int, float, complex, str, bytes, bytearray, tuple, list, set, frozenset, dict)


class Malformed(Exception):
    """What arrived is not of this form: it was not written by `encode`."""


class Unsendable(Exception):
    """A value that nests too deeply, or holds itself."""


def encode(value, other, depth=0):
    """The JSON of a value. `other(value, depth)` gives the JSON of what is not plain."""
    kind = type(value)
    if kind in LEAVES:
        if kind is int and not -WIDE < value < WIDE:
            return {"i": hex(value)}
        return value
    if depth > DEPTH:
        raise Unsendable("a value nests too deeply, or holds itself")
    tag = SEQUENCES.get(kind)
    if tag is not None:
        return {tag: _encode_all(value, other, depth + 1)}
    if kind is dict:
        return {"d": _encode_items(value, other, depth + 1)}
    writer = WRITERS.get(kind)
    if writer is not None:
        return writer(value, other, depth + 1)
    return other(value, depth + 1)


def _encode_all(items, other, depth):
    return [
        item if type(item) in LEAVES and (type(item) is not int or -WIDE < item < WIDE) else encode(item, other, depth)
        for item in items
    ]


def _encode_items(value, other, depth):
    return [[encode(key, other, depth), encode(item, other, depth)] for key, item in dict.items(value)]


def plain_base(value):
    """The plain value inside an instance of a subclass of a plain type, by the plain type's own methods; or `None`."""
    kind = type(value)
    base = next((base for base in PLAIN_BASES if issubclass(kind, base)), None)
    if base is None:
        return None
    if base in (int, float, complex):
        return base, base.__pos__(value)
    if base is str:
        return base, str.__str__(value)
    if base is dict:
        return base, dict(dict.items(value))
    return base, base(base.__iter__(value))


def _named(name, payload):
    return {"x": [name, payload]}


WRITERS = {
    bytes: lambda value, other, depth: {"b": value.hex()},
    bytearray: lambda value, other, depth: _named("bytearray", value.hex()),
    complex: lambda value, other, depth: _named("complex", [value.real, value.imag]),
    range: lambda value, other, depth: {"g": [encode(part, other) for part in (value.start, value.stop, value.step)]},
    slice: lambda value, other, depth: _named(
        "slice", [encode(part, other, depth) for part in (value.start, value.stop, value.step)]
    ),
    type(...): lambda value, other, depth: _named("ellipsis", None),
    decimal.Decimal: lambda value, other, depth: _named("decimal", str(value)),
    fractions.Fraction: lambda value, other, depth: _named("fraction", [hex(value.numerator), hex(value.denominator)]),
    collections.deque: lambda value, other, depth: _named("deque", [value.maxlen, _encode_all(value, other, depth)]),
    collections.Counter: lambda value, other, depth: _named("counter", _encode_items(value, other, depth)),
    collections.OrderedDict: lambda value, other, depth: _named("ordered", _encode_items(value, other, depth)),
    collections.defaultdict: lambda value, other, depth: _named("defaultdict", _encode_items(value, other, depth)),
    datetime.date: lambda value, other, depth: _named("date", value.isoformat()),
    datetime.time: lambda value, other, depth: _named("time", value.isoformat()),
    datetime.datetime: lambda value, other, depth: _named("datetime", value.isoformat()),
    datetime.timedelta: lambda value, other, depth: _named(
        "timedelta", [value.days, value.seconds, value.microseconds]
    ),
}


def decode(node, foreign, depth=0):
    """The value of a JSON node. `foreign(tag, body, depth)` gives the value of what `other` wrote."""
    kind = type(node)
    if kind in LEAVES:
        return node
    if kind is not dict or len(node) != 1 or depth > 2 * DEPTH:
        raise Malformed("not a value")
    ((tag, body),) = node.items()
    reader = READERS.get(tag)
    try:
        if reader is not None:
            return reader(body, foreign, depth + 1)
        return foreign(tag, body, depth + 1)
    except Malformed:
        raise
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        raise Malformed(f"not a value of kind `{tag}`") from error


def _all(body, foreign, depth):
    if type(body) is not list:
        raise Malformed("not a list")
    return [item if type(item) in LEAVES else decode(item, foreign, depth) for item in body]


def _items(body, foreign, depth):
    return {decode(key, foreign, depth): decode(item, foreign, depth) for key, item in body}


def _named_value(body, foreign, depth):
    name, payload = body
    return NAMED[name](payload, foreign, depth)


def _deque(payload, foreign, depth):
    longest, items = payload
    return collections.deque(_all(items, foreign, depth), longest)


READERS = {
    "i": lambda body, foreign, depth: int(body, 16),
    "l": _all,
    "t": lambda body, foreign, depth: tuple(_all(body, foreign, depth)),
    "s": lambda body, foreign, depth: set(_all(body, foreign, depth)),
    "f": lambda body, foreign, depth: frozenset(_all(body, foreign, depth)),
    "d": _items,
    "b": lambda body, foreign, depth: bytes.fromhex(body),
    "g": lambda body, foreign, depth: range(*_all(body, foreign, depth)),
    "x": _named_value,
}

NAMED = {
    "bytearray": lambda body, foreign, depth: bytearray.fromhex(body),
    "complex": lambda body, foreign, depth: complex(float(body[0]), float(body[1])),
    "slice": lambda body, foreign, depth: slice(*_all(body, foreign, depth)),
    "ellipsis": lambda body, foreign, depth: ...,
    "decimal": lambda body, foreign, depth: decimal.Decimal(str(body)),
    "fraction": lambda body, foreign, depth: fractions.Fraction(int(body[0], 16), int(body[1], 16)),
    "deque": _deque,
    "counter": lambda body, foreign, depth: collections.Counter(_items(body, foreign, depth)),
    "ordered": lambda body, foreign, depth: collections.OrderedDict(_items(body, foreign, depth)),
    "defaultdict": lambda body, foreign, depth: collections.defaultdict(None, _items(body, foreign, depth)),
    "date": lambda body, foreign, depth: datetime.date.fromisoformat(body),
    "time": lambda body, foreign, depth: datetime.time.fromisoformat(body),
    "datetime": lambda body, foreign, depth: datetime.datetime.fromisoformat(body),
    "timedelta": lambda body, foreign, depth: datetime.timedelta(*(int(part) for part in body)),
}
