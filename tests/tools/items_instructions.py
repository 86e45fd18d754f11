"""Requests with conditions that a program can check, named as IFEval names them."""

from items_reasoning import shuffled
from make_corpus import Dice

SUBJECTS = [
    "a lighthouse at night", "the first day of a new job", "how bread is baked", "a walk through a market", "why leaves fall",
    "a letter to a neighbour", "the rules of a simple game", "how to repair a bicycle tyre", "a train that is late",
    "what a good teacher does", "a garden in winter", "the sounds of a harbour",
]
WORDS = ["river", "window", "quiet", "copper", "morning", "basket", "thunder", "lantern", "pepper", "harvest"]
FORMS = ["a short text", "a description", "a few sentences", "a paragraph or more"]


def words(dice):
    relation, limit = dice.pick([("at least", 20 + 10 * dice.below(6)), ("less than", 60 + 10 * dice.below(6))])
    return (f"Use {relation} {limit} words.", "length_constraints:number_words",
            {"relation": relation, "num_words": limit})


def sentences(dice):
    relation, limit = dice.pick([("at least", 3 + dice.below(3)), ("less than", 4 + dice.below(5))])
    return (f"Use {relation} {limit} sentences.", "length_constraints:number_sentences",
            {"relation": relation, "num_sentences": limit})


def existence(dice):
    chosen = shuffled(dice, WORDS)[:2]
    return (f"Include the words {chosen[0]} and {chosen[1]}.", "keywords:existence", {"keywords": chosen})


def forbidden(dice):
    chosen = shuffled(dice, WORDS)[:2]
    return (f"Do not use the words {chosen[0]} and {chosen[1]}.", "keywords:forbidden_words", {"forbidden_words": chosen})


def frequency(dice):
    word, count = dice.pick(WORDS), 2 + dice.below(3)
    return (f"The word {word} should appear at least {count} times.", "keywords:frequency",
            {"relation": "at least", "keyword": word, "frequency": count})


def no_comma(_):
    return "Do not use any commas.", "punctuation:no_comma", {}


def lower(_):
    return ("Write in English and in lower-case letters only.", "change_case:english_lowercase", {})


def upper(_):
    return ("Write in English and in capital letters only.", "change_case:english_capital", {})


def title(_):
    return "Give it a title in double angular brackets, such as <<a title>>.", "detectable_format:title", {}


def bullets(dice):
    count = 2 + dice.below(4)
    return (f"Write exactly {count} bullet points, each on a line that begins with an asterisk, such as:\n* a point",
            "detectable_format:number_bullet_lists", {"num_bullets": count})


def highlights(dice):
    count = 1 + dice.below(3)
    return (f"Highlight at least {count} parts with asterisks, such as *a highlighted part*.",
            "detectable_format:number_highlighted_sections", {"num_highlights": count})


def postscript(_):
    return ("At the end add a postscript that begins with P.S.", "detectable_content:postscript",
            {"postscript_marker": "P.S."})


def placeholders(dice):
    count = 1 + dice.below(3)
    return (f"Include at least {count} placeholders in square brackets, such as [name].",
            "detectable_content:number_placeholders", {"num_placeholders": count})


def ending(_):
    phrase = "That is all there is to say."
    return (f"End with exactly this sentence and nothing after it: {phrase}", "startend:end_checker", {"end_phrase": phrase})


def quotation(_):
    return "Put the whole answer into double quotation marks.", "startend:quotation", {}


def json_only(_):
    return ("The whole answer must be JSON; a fence of three backticks around it is allowed.",
            "detectable_format:json_format", {})


LENGTH = [words, sentences]
CONTENT = [existence, forbidden, frequency]
FORM = [no_comma, lower, upper, title, bullets, highlights, postscript, placeholders, ending, quotation, json_only]


def instructions(seed, count):
    dice = Dice(seed)
    for index in range(1, count + 1):
        chosen = [FORM[index % len(FORM)]]
        # A whole answer in JSON leaves no room for other forms.
        if chosen[0] is not json_only:
            chosen += shuffled(dice, [dice.pick(LENGTH), dice.pick(CONTENT)])[: index % 3]
        parts = [make(dice) for make in chosen]
        conditions = " ".join(condition for condition, _, _ in parts)
        prompt = f"Write {dice.pick(FORMS)} about {dice.pick(SUBJECTS)}. {conditions}"
        yield {
            "id": f"instructions-{index:03}",
            "prompt": prompt,
            "instruction_id_list": [name for _, name, _ in parts],
            "kwargs": [kwargs for _, _, kwargs in parts],
        }
