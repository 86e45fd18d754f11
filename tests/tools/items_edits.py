"""Small changes to small files, wanted as search-and-replace blocks."""

from items_arithmetic import THINGS
from make_corpus import Dice

NOUNS = ["total", "count", "price", "weight", "height", "score", "limit", "budget"]


def rename(dice):
    old, new = dice.pick(NOUNS), dice.pick(NOUNS)
    while new == old:
        new = dice.pick(NOUNS)
    factor = 2 + dice.below(8)
    before = f"def scaled({old}):\n    \"\"\"Scales a number.\"\"\"\n    return {old} * {factor}\n\n\ndef shown(text):\n    return text.strip()\n"
    after = before.replace(old, new, 2) if before.count(old) == 2 else before.replace(old, new)
    return f"In the function scaled, rename the parameter {old} to {new}.", "scale.py", before, after


def constant(dice):
    name, old, new = dice.pick(NOUNS).upper(), 10 + dice.below(40), 60 + dice.below(40)
    before = f"import sys\n\n{name} = {old}\nTIMEOUT = 30\n\n\ndef allowed(value):\n    return value <= {name}\n"
    return f"Change {name} from {old} to {new}.", "limits.py", before, before.replace(f"{name} = {old}", f"{name} = {new}")


def operator(dice):
    thing = dice.pick(THINGS)
    before = (f"def has_enough({thing}, wanted):\n    return {thing} > wanted\n\n\n"
              f"def missing({thing}, wanted):\n    return max(0, wanted - {thing})\n")
    after = before.replace(f"{thing} > wanted", f"{thing} >= wanted")
    return (f"has_enough should also be true when there are exactly as many {thing} as wanted. Correct the comparison.",
            "stock.py", before, after)


def added(dice):
    first, second = dice.pick(THINGS), dice.pick(NOUNS)
    before = f"# {first}\n[display]\n{second} = true\ncolour = \"blue\"\n"
    after = before + "width = 80\n"
    return "Add the setting width with the value 80 as the last line, in the style of the others.", "settings.toml", before, after


KINDS = [rename, constant, operator, added]


def edits(seed, count):
    dice = Dice(seed)
    seen = set()
    while len(seen) < count:
        task, path, before, after = KINDS[len(seen) % len(KINDS)](dice)
        if (task, before) in seen:
            continue
        seen.add((task, before))
        yield {"id": f"edits-{len(seen):03}", "task": task, "path": path, "file": before, "answer": after}
