"""Word problems whose numbers are worked out step by step."""

from make_corpus import Dice

PEOPLE = ["Ana", "Bo", "Chidi", "Dara", "Elif", "Femi", "Goran", "Hana", "Ivo", "Jun", "Kaya", "Lev", "Mina", "Noor"]
THINGS = ["apples", "bolts", "candles", "dishes", "envelopes", "flags", "gloves", "hooks", "labels", "marbles", "nails"]
PLACES = ["shelf", "van", "market stall", "store room", "workshop", "cellar", "library", "greenhouse"]


def shares(dice):
    """Boxes, some given away, the rest shared out evenly."""
    person, things, place = dice.pick(PEOPLE), dice.pick(THINGS), dice.pick(PLACES)
    people = 2 + dice.below(5)
    each = 3 + dice.below(20)
    boxes = 2 + dice.below(7)
    total = people * each
    per_box = total // boxes + 1 + dice.below(9)
    given = per_box * boxes - total
    text = (
        f"{person} has {boxes} boxes in the {place}, each with {per_box} {things}. {person} gives away {given} {things} "
        f"and shares the rest evenly among {people} people. How many {things} does each person get?"
    )
    return text, each


def prices(dice):
    """Two kinds of goods bought, paid with a note."""
    person = dice.pick(PEOPLE)
    first, second = dice.pick(THINGS), dice.pick(THINGS)
    while second == first:
        second = dice.pick(THINGS)
    a, b = 2 + dice.below(8), 2 + dice.below(8)
    x, y = 3 + dice.below(15), 3 + dice.below(15)
    spent = a * x + b * y
    note = (spent // 50 + 1) * 50
    text = (
        f"{person} buys {a} {first} at {x} coins each and {b} {second} at {y} coins each, and pays with a note of {note} "
        f"coins. How many coins does {person} get back?"
    )
    return text, note - spent


def tank(dice):
    """A rate in, a rate out, and a time."""
    rate_in = 20 + dice.below(60)
    rate_out = 3 + dice.below(rate_in - 5)
    minutes = 4 + dice.below(40)
    start = 10 * dice.below(30)
    text = (
        f"A tank holds {start} litres. A pump adds {rate_in} litres a minute while a leak loses {rate_out} litres a minute. "
        f"How many litres does the tank hold after {minutes} minutes?"
    )
    return text, start + (rate_in - rate_out) * minutes


def trips(dice):
    """Distances there and back on several days."""
    person, place = dice.pick(PEOPLE), dice.pick(PLACES)
    distance, days, extra = 2 + dice.below(18), 3 + dice.below(10), 1 + dice.below(30)
    text = (
        f"The {place} is {distance} kilometres from {person}'s home. {person} goes there and back on each of {days} days, and on "
        f"the last day also walks {extra} kilometres in a park. How many kilometres is that altogether?"
    )
    return text, 2 * distance * days + extra


def ages(dice):
    """Ages in years to come."""
    older, younger = dice.pick(PEOPLE), dice.pick(PEOPLE)
    while younger == older:
        younger = dice.pick(PEOPLE)
    age, factor, years = 3 + dice.below(12), 2 + dice.below(4), 2 + dice.below(15)
    text = (
        f"{older} is {factor} times as old as {younger}, who is {age}. How old will the two be together in {years} years, "
        f"adding both ages?"
    )
    return text, age + factor * age + 2 * years


def expression(dice):
    """An expression with brackets."""
    a, b, c, d = (2 + dice.below(40) for _ in range(4))
    forms = [
        (f"({a} + {b}) * {c} - {d}", (a + b) * c - d),
        (f"{a} * {b} - {c} * {d}", a * b - c * d),
        (f"{a} + {b} * ({c} - {d})", a + b * (c - d)),
        (f"({a} - {b}) * ({c} + {d})", (a - b) * (c + d)),
    ]
    text, value = dice.pick(forms)
    return f"Work out {text}.", value


KINDS = [shares, prices, tank, trips, ages, expression]


def arithmetic(seed, count):
    dice = Dice(seed)
    seen = set()
    while len(seen) < count:
        kind = KINDS[len(seen) % len(KINDS)]
        question, answer = kind(dice)
        if question in seen:
            continue
        seen.add(question)
        yield {"id": f"arithmetic-{len(seen):03}", "kind": kind.__name__, "question": question, "answer": answer}
