"""Records what CPython makes of strings, numbers and regular expressions, for `plugins/scoring/tests/python.rs` to replay.

    python3 tests/references/python_text.py            records vectors/python_text.jsonl anew
    python3 tests/references/python_text.py --check    fails if this CPython says otherwise

Needs CPython 3.11 to 3.13 and nothing else. Characters that the running CPython's Unicode does not know are left out.
"""

import json
import pathlib
import random
import re
import string
import sys
import unicodedata
import warnings

VECTORS = pathlib.Path(__file__).parent / "vectors" / "python_text.jsonl"
FLAGS = {"i": re.I, "m": re.M, "s": re.S, "a": re.A, "x": re.X}
KNOWN = [chr(i) for i in range(0x110000) if unicodedata.category(chr(i)) not in ("Cn", "Cs")]

TEXTS = [
    "", "\n", "a", "ab", "aab", "abc\n", "a\nb\n", "a\n\nb", "foo bar", "The answer is 42.", "x=1,000.50 $29.00",
    "#### 72", "#### 1,234.\n", "(A) (B)", "Answer: $B$", "ÉCOLE école", "straße STRASSE ſtraße", "İstanbul ıİiI", "K K k",
    "naïve café", "e\u0301te\u0301", "٣٤ 12 ²", "a\u200db", "tab\tnbsp\u00a0em\u2003", "\x1c\x1d\x1e\x1f", "\x85x\x85",
    "日本語 テスト", "a_b-c", "under_score", "ab12", "--5.5--", "…dots…", "“quoted”", "😀 smile", "aaa", "abab", "aXbXc",
    "line one\nline two\r\nline three", "  lead and trail  ", "Ω ω Ω", "ΐ ΐ", "ﬆ ﬅ", "µ μ", "ǅ ǆ Ǆ", "ᲀ в В", "ͅ ι",
    "[x] [y]", "*bold* **more**", "one. two! three?", "P.S. hello", "<<title>>", "a" * 40, "ab" * 20 + "c", "\r", "\v\f",
]

HAND = [
    (r"#### (\-?[0-9\.\,]+)", ""), (r"(-?[$0-9.,]{2,})|(-?[0-9]+)", ""), (r"(?s).*#### ", ""), (r"\.$", ""), (r"\$", ""),
    (r"(?<=The answer is )(.*)(?=.)", ""), (r"(\([A-Z]\))", ""), (r"(?i)Answer[ \t]*:[ \t]*\$?([A-D])\$?", ""),
    (r"^(.*?)(?=\n|$)", ""), (r"^(.*?)\s*$", ""), (r"\b(a|an|the)\b", "i"), (r"\w+", ""), (r"\W+", ""), (r"\d+", ""), (r"\D", ""),
    (r"\s", ""), (r"\S+", ""), (r"\bfoo\b", ""), (r"\B", ""), (r"\b", ""), (r"", ""), (r"|a", ""), (r"a|", ""), (r"a*", ""),
    (r"a*?", ""), (r"(a)|b", ""), (r"(?:(a)|b)+", ""), (r"(a)(b)?", ""), (r"(?P<x>a)(?P=x)", ""), (r"(a)(?(1)b|c)", ""),
    (r"(?(1)a|b)", ""), (r"(x)?(?(1)b|a)", ""), (r"a{2}", ""), (r"a{,2}", ""), (r"a{2,}", ""), (r"a{,}", ""), (r"a{x}", ""), (r"a{", ""),
    (r"{", ""), (r"a{2}?", ""), (r"a++b", ""), (r"(?>a+)b", ""), (r"a*+a", ""), (r"\Aa", ""), (r"a\Z", ""), (r"b$", ""), (r"b$", "m"), (r"^b", "m"),
    (r"$", ""), (r"$", "m"), (r"^", "m"), (r"^", ""), (r".", ""), (r".", "s"), (r"[^a]", ""), (r"[^a]", "i"), (r"[a-c]", "i"), (r"[]a]", ""),
    (r"[^]a]", ""), (r"[a-]", ""), (r"[-a]", ""), (r"[\w-]", ""), (r"[\d\s]", ""), (r"[\W]", ""), (r"[^\W]", ""), (r"[^\W\d_]+", ""), (r"[[]", ""),
    (r"[a&&b]", ""), (r"[a--b]", ""), (r"[~~]", ""), (r"[\b]", ""), (r"[\x41-\x43]", ""), (r"\x41", ""), (r"\u0130", "i"), (r"i", "i"), (r"ı", "i"),
    (r"[h-j]", "i"), (r"k", "i"), (r"ſ", "i"), (r"s", "i"), (r"ß", "i"), (r"ẞ", "i"), (r"ǆ", "i"), (r"[Ǆ-ǆ]", "i"), (r"µ", "i"), (r"ω", "i"), (r"é", "i"),
    (r"i", "ia"), (r"[a-z]+", "ia"), (r"é", "ia"), (r"\w+", "a"), (r"\s", "a"), (r"\d", "a"), (r"\bcaf\b", "a"), (r"\bcaf\b", ""), (r"(a)\1", "i"),
    (r"\0", ""), (r"\07", ""), (r"\101", ""), (r"\1", ""), (r"(a)\2", ""), (r"(a", ""), (r"a)", ""), (r"*a", ""), (r"a**", ""), (r"a*{2}", ""),
    (r"^*", ""), (r"\b+", ""), (r"(?=a)*b", ""), (r"(?=a)+a", ""), (r"(?=(a))?a", ""), (r"(?<=a|b)c", ""), (r"(?<=a|bc)c", ""), (r"(?<!a)b", ""),
    (r"(?<=a+)b", ""), (r"(?<=^a)b", ""), (r"(?<=\w\s)\w", ""), (r"(?i)a(?-i:b)", ""), (r"(?i:a)b", ""), (r"a(?i)b", ""), (r"(?im)^A", ""),
    (r"(?i)(?s)a.b", ""), (r"(?x) a b # c", ""), (r"a b # c", "x"), (r"a\ b", "x"), (r"[ ]", "x"), (r"(?x: a )b", ""), (r"a#b", ""), (r"(?#note)a", ""),
    (r"a(?#note)*", ""), (r"(?P<n>a)|(?P<n>b)", ""), (r"(?P<1>a)", ""), (r"(?<n>a)", ""), (r"\p{L}", ""), (r"\q", ""), (r"\z", ""), (r"\<", ""), (r"\-", ""),
    (r"\h", ""), (r"\R", ""), (r"\K", ""), (r"\G", ""), (r"[z-a]", ""), (r"[a", ""), (r"[\q]", ""), (r"a{3,2}", ""), ("\\", ""), (r"\x4", ""),
    (r"(?:)", ""), (r"()", ""), (r"(?:a|ab)(?:c|bcd)(?:d*)", ""), (r"(a+)+$", ""), (r"^\s*\*[^\*].*$", "m"), (r"\*[^\n\*]*\*", ""),
    (r"(?is)ANSWER\s*:\s*([A-Za-z])(?:[^\w]|\n|$)(?!.*ANSWER\s*:)", ""), (r"\s?\*\*\*\s?", ""), (r"P\.P\.S.*$", "m"), (r"[.!?]\s+", ""),
    (r"(?!a)b|c", ""), (r"a(?!b)", ""), (r"(?u)\w", ""), (r"(?a)\w+", ""), (r"(?L)a", ""), (r"(?-i)a", ""), (r"(?a-i:x)", ""), (r"\Z\Z", ""), (r"(?:a|b)??c", ""),
]


def pieces(rng, depth=0):
    atom = rng.choice
    simple = ["a", "b", "A", "1", " ", r"\w", r"\d", r"\s", r"\W", r"\S", ".", "[ab]", "[^a]", r"[\w.]", "é", "_", r"\.", r"\b", "^", "$", r"\B", "i", "s", ","]
    kind = rng.random()
    if depth > 2 or kind < 0.6:
        return atom(simple)
    inner = "".join(pieces(rng, depth + 1) for _ in range(rng.randint(0, 3)))
    if kind < 0.7:
        return f"({inner})"
    if kind < 0.78:
        return f"(?:{inner}|{pieces(rng, depth + 1)})"
    if kind < 0.83:
        return f"(?{rng.choice(['=', '!', '<=', '<!'])}{inner})"
    if kind < 0.86:
        return r"\1"
    return pieces(rng, depth + 1) + rng.choice(["*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}", "*+", "{0,1}?"])


def groups(match):
    return [match.group(0), match.start(0), *match.groups()]


def regex_vector(pattern, flags, text):
    vector = {"op": "regex", "pattern": pattern, "flags": flags, "text": text}
    bits = 0
    for flag in flags:
        bits |= FLAGS[flag]
    try:
        compiled = re.compile(pattern, bits)
    except re.error:
        return vector | {"error": True}
    vector["all"] = [groups(match) for match in compiled.finditer(text)]
    for name in ("search", "match", "fullmatch"):
        found = getattr(compiled, name)(text)
        vector[name] = found and groups(found)
    vector["sub"] = compiled.sub(lambda _: "<>", text)
    if not compiled.groups:
        vector["split"] = compiled.split(text)
    return vector


def spans(want):
    """Runs of known characters for which `want` holds; unknown ones between two of them do not end a run."""
    runs = []
    inside = False
    for c in KNOWN:
        if not want(c):
            inside = False
        elif inside:
            runs[-1][1] = ord(c)
        else:
            runs.append([ord(c), ord(c)])
            inside = True
    return runs


def attempt(function, text):
    try:
        return function(text)
    except (ValueError, OverflowError):
        return None


def number_text(rng):
    parts = ["1", "0", "12", "007", "1_000", "_", ".", "e", "E", "+", "-", " ", "\u00a0", "inf", "nan", "infinity", "Nan", "٣", "²", "1e5", ".5", "5.", "\x1f", "x", ","]
    return "".join(rng.choice(parts) for _ in range(rng.randint(1, 4)))


def vectors():
    warnings.simplefilter("ignore")
    rng = random.Random(4)
    predicates = {
        "is_alpha": str.isalpha, "is_alnum": str.isalnum, "is_digit": str.isdigit, "is_upper": str.isupper,
        "is_lower": str.islower, "is_space": str.isspace, "is_word": re.compile(r"\w").match,
        "is_punctuation": lambda c: unicodedata.category(c)[0] == "P",
    }
    for name, want in predicates.items():
        yield {"op": "class", "name": name, "spans": spans(want)}
    yield {"op": "unknown", "spans": unknown()}
    for name in ("lower", "upper", "casefold", "capitalize"):
        changed = [[c, getattr(c, name)()] for c in KNOWN if getattr(c, name)() != c]
        yield {"op": "case", "name": name, "changed": changed}
    for text in TEXTS + ["ὈΔΥΣΣΕΎΣ ΣΑΣ Σ", "ŉx ǆX ﬁX ᾳΣ", "ΑΣ\u0301 ΑΣ1"]:
        yield {
            "op": "text", "text": text, "strip": text.strip(), "lstrip": text.lstrip(), "rstrip": text.rstrip(),
            "strip_chars": text.strip("a\n .*<>"), "lower": text.lower(), "upper": text.upper(), "casefold": text.casefold(),
            "capitalize": text.capitalize(), "split": text.split(), "splitlines": text.splitlines(), "len": len(text),
            "escape": re.escape(text), "is": [text.isupper(), text.islower(), text.isalpha(), text.isdigit(), text.isalnum()],
        }
    for text in [number_text(rng) for _ in range(1500)] + ["1" * 25, "1" * 39, "0.1" + "0" * 400 + "1", "1e400", "-1e-400", "5e-324"]:
        number = attempt(float, text)
        whole = attempt(int, text)
        if whole is not None and abs(whole) >= 2**127:
            whole = None
        yield {"op": "number", "text": text, "float": None if number is None else repr(number), "int": None if whole is None else str(whole)}
    for _ in range(500):
        number = rng.choice([rng.random(), rng.uniform(-1e6, 1e6), 10.0 ** rng.randint(-20, 20), float(rng.randint(-10**18, 10**18)), rng.random() * 10.0 ** rng.randint(-310, 300)])
        yield {"op": "repr", "bits": number.hex(), "repr": repr(number)}
    for pattern, flags in HAND:
        for text in TEXTS:
            yield regex_vector(pattern, flags, text)
    for _ in range(4000):
        pattern = "".join(pieces(rng) for _ in range(rng.randint(1, 5)))
        flags = "".join(flag for flag in "imsa" if rng.random() < 0.25)
        text = rng.choice(TEXTS) if rng.random() < 0.5 else "".join(rng.choice("aAbB1 \nés_.ıİ,ſ²\u0301") for _ in range(rng.randint(0, 8)))
        yield regex_vector(pattern, flags, text)
    assert string.punctuation == "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def unknown():
    runs = []
    known = set(map(ord, KNOWN))
    for i in range(0x110000):
        if i in known:
            continue
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return runs


def main():
    lines = "".join(json.dumps(vector, ensure_ascii=False, separators=(",", ":")) + "\n" for vector in vectors())
    if "--check" in sys.argv:
        recorded = VECTORS.read_bytes().decode("utf-8")
        same = [line for line in recorded.split("\n") if '"op":"regex"' in line] == [line for line in lines.split("\n") if '"op":"regex"' in line]
        print("regular expressions:", "as recorded" if same else "NOT as recorded", f"(CPython {sys.version.split()[0]})")
        sys.exit(not same)
    VECTORS.write_text(lines, encoding="utf-8", newline="")
    print(VECTORS, lines.count("\n"), "vectors,", len(lines.encode()), "bytes")


main()
