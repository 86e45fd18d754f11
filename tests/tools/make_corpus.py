#!/usr/bin/env python3
"""Writes the texts of suites/suite-v1/corpora from the passages and the sentence grammar of this file.

    python3 tests/tools/make_corpus.py suites/suite-v1/corpora

The result depends on this file alone: the random numbers are a linear congruential generator written out here, so that no
Python release can change them. The texts are committed; this file is their provenance. All of it was written for this
project and is dedicated to the public domain (CC0-1.0).
"""

import sys
from pathlib import Path

from corpus_prose import PASSAGES, TOPICS, SENTENCES, NUMBERS, TIMES, NAMES, ADVERBS
from corpus_code import CODE_PIECES, LOG_PIECES, NOUNS, VERBS, FIELDS, FAULTS

PROSE_BYTES = 400_000
CODE_BYTES = 110_000
LOG_BYTES = 70_000


class Dice:
    """Knuth's MMIX generator; the high bits are the good ones."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit

    def pick(self, items):
        return items[self.below(len(items))]


def fill(template, words, dice):
    """Replaces every {name} by an entry of its list; a capital first letter of the name asks for a capital."""
    out, rest = [], template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        name, _, rest = rest.partition("}")
        value = dice.pick(words[name.lower()])
        while "{" in value:
            value = fill(value, words, dice)
        if name[0].isupper():
            value = value[0].upper() + value[1:]
        out += [before, value]
    return "".join(out) + rest


def sentence_case(text):
    """A capital at the beginning of every sentence."""
    return text[0].upper() + text[1:]


def prose():
    dice = Dice(20_260_101)
    common = {"number": NUMBERS, "time": TIMES, "name": NAMES, "adverb": ADVERBS}
    seen, paragraphs, size, passages = set(), [], 0, list(PASSAGES)
    topics = list(TOPICS)
    while size < PROSE_BYTES:
        if len(paragraphs) % 12 == 0 and passages:
            text = " ".join(passages.pop(0).split())
        else:
            words = {**TOPICS[topics[dice.below(len(topics))]], **common}
            lines = []
            for kinds in SENTENCES:
                for _ in range(1 + dice.below(2)):
                    line = sentence_case(fill(dice.pick(kinds), words, dice))
                    if line not in seen:
                        seen.add(line)
                        lines.append(line)
            text = " ".join(lines)
        paragraphs.append(text)
        size += len(text.encode()) + 2
    assert not passages, f"{len(passages)} passages found no place"
    return "\n\n".join(paragraphs) + "\n"


def pieces(templates, seed, limit, gap):
    dice, out, size, count, seen = Dice(seed), [], 0, 0, set()
    words = {"noun": NOUNS, "verb": VERBS, "field": FIELDS, "fault": FAULTS, "digit": [str(n) for n in range(10)],
             "small": [str(n) for n in range(2, 60)], "cents": [f"{n}.{n * 7 % 100:02}" for n in range(1, 400)],
             "line": [str(n) for n in range(11, 480)]}
    while size < limit:
        template = templates[count % len(templates)] if count < len(templates) else dice.pick(templates)
        # Within one piece a name stands for one thing: <a>, <b> and <c> are drawn once per piece, and differ.
        names, nouns, fields = {}, list(NOUNS), list(FIELDS)
        for letter in "abc":
            noun = nouns.pop(dice.below(len(nouns)))
            names[f"<{letter}>"] = noun
            names[f"<{letter.upper()}>"] = "".join(part.capitalize() for part in noun.split("_"))
            names[f"<f{letter}>"] = fields.pop(dice.below(len(fields)))
        for name, value in names.items():
            template = template.replace(name, value)
        # Literal braces of the code are written as « and ».
        text = fill(template.strip("\n"), words, dice).replace("«", "{").replace("»", "}")
        count += 1
        if text in seen:
            continue
        seen.add(text)
        out.append(text)
        size += len(text) + len(gap)
    return gap.join(out) + "\n"


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("prose.txt", prose()),
        ("code.txt", pieces(CODE_PIECES, 20_260_102, CODE_BYTES, "\n\n\n")),
        ("log.txt", pieces(LOG_PIECES, 20_260_103, LOG_BYTES, "\n")),
    ):
        (folder / name).write_bytes(text.encode())


if __name__ == "__main__":
    main()
