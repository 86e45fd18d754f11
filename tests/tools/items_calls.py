"""Questions that one call of a tool answers, and some that none does. The reference has the shape of BFCL's possible answers:
for each argument the values that count, with "" where leaving it out counts as well."""

from items_reasoning import shuffled
from make_corpus import Dice

CITIES = ["Lisbon", "Oslo", "Nairobi", "Quito", "Hanoi", "Turin", "Perth", "Riga", "Accra", "Cork"]
UNITS = ["celsius", "fahrenheit"]
CURRENCIES = ["EUR", "USD", "JPY", "CHF", "NOK", "KES"]
NAMES = ["Ana Lima", "Bo Lund", "Chidi Eze", "Dara Kim", "Elif Demir"]
SUBJECTS = ["the invoice", "the broken lamp", "next week's visit", "the missing parcel", "the new contract"]


def tool(name, description, properties, required):
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": description, "parameters": parameters}


def text(description, **more):
    return {"type": "string", "description": description, **more}


def integer(description):
    return {"type": "integer", "description": description}


def number(description):
    return {"type": "number", "description": description}


TOOLS = {
    "get_weather": tool(
        "get_weather", "The weather of a city in the coming days.",
        {"city": text("Name of the city."), "days": integer("How many days ahead, 1 to 7."),
         "unit": text("Unit of the temperature; celsius unless asked otherwise.", enum=UNITS)},
        ["city", "days"],
    ),
    "convert_currency": tool(
        "convert_currency", "Converts an amount from one currency to another.",
        {"amount": number("How much."), "source": text("Currency code to convert from, such as EUR."),
         "target": text("Currency code to convert to.")},
        ["amount", "source", "target"],
    ),
    "create_reminder": tool(
        "create_reminder", "Reminds the user of something at a time of day.",
        {"subject": text("What to be reminded of."), "hour": integer("Hour from 0 to 23."),
         "minute": integer("Minute from 0 to 59."), "repeat": {"type": "boolean", "description": "Every day; off by default."}},
        ["subject", "hour", "minute"],
    ),
    "send_message": tool(
        "send_message", "Sends a message to people of the address book.",
        {"recipients": {"type": "array", "items": {"type": "string"}, "description": "Full names."},
         "subject": text("What the message is about.")},
        ["recipients", "subject"],
    ),
    "rectangle_area": tool(
        "rectangle_area", "The area of a rectangle.",
        {"width": integer("Width in metres."), "height": integer("Height in metres.")}, ["width", "height"],
    ),
}


def weather(dice):
    city, days = dice.pick(CITIES), 1 + dice.below(7)
    unit = dice.pick(["", *UNITS])
    said = f" in degrees {unit}" if unit else ""
    accepted = {"city": [city], "days": [days], "unit": [unit] if unit == "fahrenheit" else ["celsius", ""]}
    return f"What will the weather be in {city} for the next {days} days{said}?", {"get_weather": accepted}


def money(dice):
    amount, (source, target) = 5 * (1 + dice.below(400)), shuffled(dice, CURRENCIES)[:2]
    accepted = {"amount": [amount, float(amount)], "source": [source], "target": [target]}
    return f"How much are {amount} {source} in {target}?", {"convert_currency": accepted}


def reminder(dice):
    subject, hour, minute = dice.pick(SUBJECTS), dice.below(24), 5 * dice.below(12)
    daily = dice.below(2) == 0
    said = "every day " if daily else ""
    accepted = {"subject": [subject, subject.removeprefix("the ")], "hour": [hour], "minute": [minute],
                "repeat": [True] if daily else [False, ""]}
    return f"Remind me {said}of {subject} at {hour:02}:{minute:02}.", {"create_reminder": accepted}


def message(dice):
    people, subject = shuffled(dice, NAMES)[: 1 + dice.below(3)], dice.pick(SUBJECTS)
    accepted = {"recipients": [people], "subject": [subject, subject.removeprefix("the ")]}
    return f"Send a message about {subject} to {' and '.join(people)}.", {"send_message": accepted}


def area(dice):
    width, height = 2 + dice.below(60), 2 + dice.below(60)
    return (f"A field is {width} metres wide and {height} metres high. What is its area?",
            {"rectangle_area": {"width": [width], "height": [height]}})


KINDS = [weather, money, reminder, message, area]


def calls(seed, count):
    """One call, among one tool, several tools, or several calls at once."""
    dice = Dice(seed)
    for index in range(1, count + 1):
        category = ["simple", "multiple", "parallel"][index % 3]
        kind = KINDS[index % len(KINDS)]
        questions, wanted = [], []
        for _ in range(2 if category == "parallel" else 1):
            question, call = kind(dice)
            while question in questions:
                question, call = kind(dice)
            questions.append(question)
            wanted.append(call)
        name = next(iter(wanted[0]))
        others = [other for other in TOOLS if other != name]
        offered = [name] + (shuffled(dice, others)[:3] if category == "multiple" else [])
        yield {
            "id": f"calls-{index:03}",
            "category": category,
            "question": " ".join(questions),
            "tools": [TOOLS[offer] for offer in shuffled(dice, offered)],
            "answer": wanted,
        }


def calls_none(seed, count):
    """Questions for which none of the offered tools is any use."""
    dice = Dice(seed)
    for index in range(1, count + 1):
        kind = KINDS[index % len(KINDS)]
        question, call = kind(dice)
        name = next(iter(call))
        others = [other for other in TOOLS if other != name]
        yield {
            "id": f"calls-none-{index:03}",
            "category": "irrelevance",
            "question": question,
            "tools": [TOOLS[offer] for offer in shuffled(dice, others)[: 1 + dice.below(3)]],
            "answer": [],
        }
