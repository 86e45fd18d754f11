"""Facts to hide in a long text. Where they go and how long the text is says the suite; the host cuts it to a length in tokens of the
model's own."""

from items_reasoning import shuffled
from make_corpus import Dice

CITIES = ["Aster", "Brook", "Cinder", "Dorn", "Ember", "Fallow", "Gale", "Hollow", "Isle", "Juniper", "Kestrel", "Larch"]


def needles(seed, count):
    """The codes of three gates, of which one, two or three are asked for."""
    dice = Dice(seed)
    for number in range(1, count + 1):
        wanted = 1 + number % 3
        cities = shuffled(dice, CITIES)[:3]
        codes = [str(1_000_000 + dice.below(9_000_000)) for _ in cities]
        facts = " ".join(f"The code of the {city} gate is {code}." for city, code in zip(cities, codes))
        asked = " and ".join(f"the {city} gate" for city in cities[:wanted])
        verb, plural = ("are", "codes") if wanted > 1 else ("is", "code")
        yield {
            "id": f"needle-{number:03}",
            "facts": facts,
            "question": f"What {verb} the {plural} of {asked}? Answer with the {plural} alone.",
            "answer": codes[:wanted],
        }
