"""Facts in a sentence, wanted as JSON of a given schema."""

from items_arithmetic import PEOPLE, THINGS
from items_reasoning import shuffled
from make_corpus import Dice

TOWNS = ["Aster", "Brook", "Dorn", "Ember", "Gale", "Juniper"]
COLOURS = ["red", "green", "blue", "black", "white"]


def schema(properties, required=None):
    return {"type": "object", "properties": properties, "required": required or list(properties),
            "additionalProperties": False}


def person(dice):
    name, age, town = dice.pick(PEOPLE), 18 + dice.below(60), dice.pick(TOWNS)
    value = {"name": name, "age": age, "town": town}
    wanted = schema({"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}, "town": {"type": "string"}})
    return f"{name}, who is {age} years old, lives in {town}.", wanted, value


def order(dice):
    lines = [{"item": item, "quantity": 1 + dice.below(20)} for item in shuffled(dice, THINGS)[: 2 + dice.below(3)]]
    value = {"customer": dice.pick(PEOPLE), "lines": lines, "express": dice.below(2) == 0}
    line = schema({"item": {"type": "string"}, "quantity": {"type": "integer", "minimum": 1}})
    wanted = schema({"customer": {"type": "string"}, "lines": {"type": "array", "items": line, "minItems": 1},
                     "express": {"type": "boolean"}})
    listed = ", ".join(f"{entry['quantity']} {entry['item']}" for entry in lines)
    speed = "by express delivery" if value["express"] else "by ordinary delivery"
    return f"{value['customer']} orders {listed}, to be sent {speed}.", wanted, value


def reading(dice):
    value = {"sensor": f"s{100 + dice.below(900)}", "celsius": (dice.below(700) - 200) / 10, "colour": dice.pick(COLOURS)}
    wanted = schema({"sensor": {"type": "string", "pattern": "^s[0-9]{3}$"}, "celsius": {"type": "number"},
                     "colour": {"enum": COLOURS}})
    return (f"The {value['colour']} sensor called {value['sensor']} reads {value['celsius']} degrees celsius.", wanted, value)


KINDS = [person, order, reading]


def structured(seed, count):
    dice = Dice(seed)
    for index in range(1, count + 1):
        text, wanted, value = KINDS[index % len(KINDS)](dice)
        yield {"id": f"structured-{index:03}", "text": text, "schema": wanted, "answer": value}
