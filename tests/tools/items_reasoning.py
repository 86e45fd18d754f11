"""Following where things go, comparing, and drawing conclusions. Answers are letters or yes and no."""

from items_arithmetic import PEOPLE
from make_corpus import Dice

OBJECTS = ["the key", "the red ball", "the map", "the blue cup", "the old coin", "the letter", "the torch", "the silver ring"]
BOXES = ["basket", "drawer", "crate", "chest", "jar", "suitcase"]
KINDS = ["blickets", "daxes", "feps", "gazzers", "kivs", "lorps", "modis", "tupas", "wugs", "zells"]
LETTERS = "ABCD"


def tracking(seed, count):
    """Objects that are moved from place to place; where is one of them at the end?"""
    dice = Dice(seed)
    for number in range(1, count + 1):
        places = shuffled(dice, BOXES)[:4]
        objects = shuffled(dice, OBJECTS)[:3]
        people = shuffled(dice, PEOPLE)[:3]
        where = {thing: dice.pick(places) for thing in objects}
        story = [f"{thing.capitalize()} is in the {where[thing]}." for thing in objects]
        for _ in range(4 + number % 8):
            person, thing = dice.pick(people), dice.pick(objects)
            if dice.below(3) == 0:
                other = dice.pick([one for one in objects if one != thing])
                where[thing], where[other] = where[other], where[thing]
                story.append(f"{person} swaps {thing} with {other}.")
            else:
                where[thing] = dice.pick([place for place in places if place != where[thing]])
                story.append(f"{person} moves {thing} to the {where[thing]}.")
        asked = dice.pick(objects)
        yield {
            "id": f"tracking-{number:03}",
            "question": " ".join(story) + f" Where is {asked} now?",
            "choices": [f"the {place}" for place in places],
            "answer": LETTERS[places.index(where[asked])],
            "steps": 4 + number % 8,
        }


def comparisons(seed, count):
    """A chain of comparisons; does a conclusion hold?"""
    dice = Dice(seed)
    for number in range(1, count + 1):
        people = shuffled(dice, PEOPLE)[: 3 + number % 3]
        facts = [f"{taller} is taller than {shorter}." for taller, shorter in zip(people, people[1:])]
        first, second = sorted(shuffled(dice, range(len(people)))[:2])
        holds = dice.below(2) == 0
        asked = (people[first], people[second]) if holds else (people[second], people[first])
        yield {
            "id": f"comparisons-{number:03}",
            "question": " ".join(shuffled(dice, facts)) + f" Is {asked[0]} taller than {asked[1]}?",
            "answer": "Yes" if holds else "No",
        }


def syllogisms(seed, count):
    """All and no, over words that mean nothing; does the conclusion follow?"""
    dice = Dice(seed)
    for number in range(1, count + 1):
        a, b, c = shuffled(dice, KINDS)[:3]
        premises, conclusion, holds = dice.pick([
            ((f"All {a} are {b}.", f"All {b} are {c}."), f"all {a} are {c}", True),
            ((f"All {a} are {b}.", f"No {b} are {c}."), f"no {a} are {c}", True),
            ((f"All {a} are {b}.", f"All {c} are {b}."), f"all {a} are {c}", False),
            ((f"All {a} are {b}.", f"Some {b} are {c}."), f"some {a} are {c}", False),
            ((f"Some {a} are {b}.", f"All {b} are {c}."), f"some {a} are {c}", True),
            ((f"No {a} are {b}.", f"All {c} are {b}."), f"no {a} are {c}", True),
            ((f"No {a} are {b}.", f"All {b} are {c}."), f"no {a} are {c}", False),
        ])
        yield {
            "id": f"syllogisms-{number:03}",
            "question": f"{premises[0]} {premises[1]} Does it follow that {conclusion}?",
            "answer": "Yes" if holds else "No",
        }


def shuffled(dice, items):
    """A new list in random order (Fisher and Yates)."""
    items = list(items)
    for place in range(len(items) - 1, 0, -1):
        other = dice.below(place + 1)
        items[place], items[other] = items[other], items[place]
    return items
