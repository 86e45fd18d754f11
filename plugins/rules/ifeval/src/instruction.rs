//! The 25 instructions: what each asks for, and whether a text does it.
//!
//! The rules are those of `lm_eval/tasks/ifeval/instructions.py`. Where a rule is odd it is meant to be: see the tests that name it.

use std::borrow::Cow;

use bench_scoring::Problem;
use bench_scoring::python::{self, Flags};
use serde_json::{Map, Value};

use crate::args::{Args, Bound, bad_target};
use crate::pattern::Pattern;
use crate::{Rules, Tools, chars, json, shapes};

/// Names of the instructions, sorted.
pub(crate) const NAMES: [&str; 25] = [
    "change_case:capital_word_frequency",
    "change_case:english_capital",
    "change_case:english_lowercase",
    "combination:repeat_prompt",
    "combination:two_responses",
    "detectable_content:number_placeholders",
    "detectable_content:postscript",
    "detectable_format:constrained_response",
    "detectable_format:json_format",
    "detectable_format:multiple_sections",
    "detectable_format:number_bullet_lists",
    "detectable_format:number_highlighted_sections",
    "detectable_format:title",
    "keywords:existence",
    "keywords:forbidden_words",
    "keywords:frequency",
    "keywords:letter_frequency",
    "language:response_language",
    "length_constraints:nth_paragraph_first_word",
    "length_constraints:number_paragraphs",
    "length_constraints:number_sentences",
    "length_constraints:number_words",
    "punctuation:no_comma",
    "startend:end_checker",
    "startend:quotation",
];

/// Languages that the reference can name. It fails on an item that asks for another.
const LANGUAGES: [&str; 30] = [
    "ar", "bg", "bn", "de", "en", "es", "fa", "fi", "fr", "gu", "he", "hi", "it", "ja", "kn", "ko", "ml", "mr", "ne",
    "pa", "pl", "pt", "ru", "sw", "ta", "te", "th", "uk", "ur", "vi",
];

/// What a text has to do.
#[derive(Debug)]
pub(crate) enum Instruction {
    CapitalWords(Bound),
    EnglishCapitals,
    EnglishLowerCase,
    RepeatPrompt { prompt: String },
    TwoAnswers,
    Placeholders { least: f64 },
    Postscript(Postscript),
    OneOfThree,
    Json,
    Sections { splitter: Pattern, least: f64 },
    Bullets { exactly: f64 },
    Highlights { least: f64 },
    Title,
    Keywords(Vec<Pattern>),
    ForbiddenWords(Vec<Pattern>),
    KeywordCount { keyword: Pattern, bound: Bound },
    LetterCount { letter: char, bound: Bound },
    Language { code: String },
    FirstWord { paragraphs: f64, nth: usize, word: String },
    Paragraphs { exactly: f64 },
    Sentences(Bound),
    Words(Bound),
    NoComma,
    EndsWith { phrase: String },
    Quoted,
}

/// What a postscript begins with.
#[derive(Debug)]
pub(crate) enum Postscript {
    Ps,
    Pps,
    Other(Pattern),
}

const IGNORE_CASE: Flags = Flags { ignore_case: true, multi_line: false, dot_all: false, ascii: false, verbose: false };
const MULTI_LINE: Flags = Flags { ignore_case: false, multi_line: true, dot_all: false, ascii: false, verbose: false };
const PLAIN: Flags = Flags { ignore_case: false, multi_line: false, dot_all: false, ascii: false, verbose: false };

impl Instruction {
    /// Reads an instruction from its name and arguments.
    ///
    /// # Errors
    /// `bad-target`: the item does not say what it asks for. The reference fails there, or asks for something random.
    pub(crate) fn read(name: &'static str, kwargs: Option<&Map<String, Value>>, rules: Rules) -> Result<Self, Problem> {
        let mut args = Args::new(name, kwargs, rules);
        let instruction = Self::of(name, &mut args, rules)?;
        args.end()?;
        Ok(instruction)
    }

    fn of(name: &'static str, args: &mut Args<'_>, rules: Rules) -> Result<Self, Problem> {
        let word = |text: &str, around, flags| Pattern::new(text, around, flags, rules);
        Ok(match name {
            "change_case:capital_word_frequency" => {
                let limit = args.number("capital_frequency")?;
                Self::CapitalWords(args.bound("capital_relation", limit)?)
            }
            "change_case:english_capital" => Self::EnglishCapitals,
            "change_case:english_lowercase" => Self::EnglishLowerCase,
            "combination:repeat_prompt" => {
                let prompt = python::lower(python::strip(args.text("prompt_to_repeat")?));
                Self::RepeatPrompt { prompt }
            }
            "combination:two_responses" => Self::TwoAnswers,
            "detectable_content:number_placeholders" => Self::Placeholders { least: args.count("num_placeholders")? },
            "detectable_content:postscript" => Self::Postscript(match python::strip(args.text("postscript_marker")?) {
                "P.S." => Postscript::Ps,
                "P.P.S" => Postscript::Pps,
                marker => Postscript::Other(word(&python::lower(marker), [r"\s*", ".*$"], MULTI_LINE)?),
            }),
            "detectable_format:constrained_response" => Self::OneOfThree,
            "detectable_format:json_format" => Self::Json,
            "detectable_format:multiple_sections" => {
                let splitter = python::strip(args.text("section_spliter")?);
                let splitter = word(splitter, [r"\s?", r"\s?\d+\s?"], PLAIN)?;
                Self::Sections { splitter, least: args.count("num_sections")? }
            }
            "detectable_format:number_bullet_lists" => Self::Bullets { exactly: args.count("num_bullets")? },
            "detectable_format:number_highlighted_sections" => {
                Self::Highlights { least: args.count("num_highlights")? }
            }
            "detectable_format:title" => Self::Title,
            "keywords:existence" => {
                let keywords = args.texts("keywords")?.into_iter().map(|keyword| word(&keyword, ["", ""], IGNORE_CASE));
                Self::Keywords(keywords.collect::<Result<_, _>>()?)
            }
            "keywords:forbidden_words" => {
                let words = args.texts("forbidden_words")?.into_iter();
                let words = words.map(|forbidden| word(&forbidden, [r"\b", r"\b"], IGNORE_CASE));
                Self::ForbiddenWords(words.collect::<Result<_, _>>()?)
            }
            "keywords:frequency" => {
                let keyword = word(python::strip(args.text("keyword")?), ["", ""], IGNORE_CASE)?;
                let limit = args.count("frequency")?;
                Self::KeywordCount { keyword, bound: args.bound("relation", limit)? }
            }
            "keywords:letter_frequency" => {
                let letter = letter(args, rules)?;
                let limit = args.count("let_frequency")?;
                Self::LetterCount { letter, bound: args.bound("let_relation", limit)? }
            }
            "language:response_language" => {
                let code = args.text("language")?;
                if rules == Rules::Reference && !LANGUAGES.contains(&code) {
                    return Err(bad_target(
                        format!("the reference knows no language `{code}`"),
                        "grade with ifeval-fixed",
                    ));
                }
                Self::Language { code: code.to_owned() }
            }
            "length_constraints:nth_paragraph_first_word" => first_word(args)?,
            "length_constraints:number_paragraphs" => Self::Paragraphs { exactly: args.count("num_paragraphs")? },
            "length_constraints:number_sentences" => {
                let limit = args.count("num_sentences")?;
                Self::Sentences(args.bound("relation", limit)?)
            }
            "length_constraints:number_words" => {
                let limit = args.count("num_words")?;
                Self::Words(args.bound("relation", limit)?)
            }
            "punctuation:no_comma" => Self::NoComma,
            "startend:end_checker" => Self::EndsWith { phrase: python::lower(python::strip(args.text("end_phrase")?)) },
            _ => Self::Quoted,
        })
    }

    /// Whether a text that is not blank does what the instruction says.
    ///
    /// # Errors
    /// A pattern took too long, or the component's data is damaged.
    pub(crate) fn is_followed(&self, text: &str, tools: &Tools, rules: Rules) -> Result<bool, Problem> {
        Ok(match self {
            Self::CapitalWords(bound) => bound.holds(tools.english()?.capital_words(text)),
            // A text without n-grams has no language, which the reference counts as following.
            Self::EnglishCapitals => {
                python::is_upper(text) && {
                    let folded = (rules == Rules::Fixed).then(|| python::lower(text));
                    tools.languages.detect(folded.as_deref().unwrap_or(text))?.is_none_or(|code| code == "en")
                }
            }
            Self::EnglishLowerCase => {
                python::is_lower(text) && tools.languages.detect(text)?.is_none_or(|code| code == "en")
            }
            Self::RepeatPrompt { prompt } => python::lower(python::strip(text)).starts_with(prompt),
            Self::TwoAnswers => shapes::has_two_answers(text),
            Self::Placeholders { least } => Bound::AtLeast(*least).holds(shapes::placeholders(text)),
            Self::Postscript(marker) => {
                let text = python::lower(text);
                match marker {
                    Postscript::Ps => shapes::has_postscript(&text, false),
                    Postscript::Pps => shapes::has_postscript(&text, true),
                    Postscript::Other(marker) => marker.is_exactly_in(&text)?,
                }
            }
            Self::OneOfThree => ["My answer is yes.", "My answer is no.", "My answer is maybe."]
                .iter()
                .any(|option| text.contains(option)),
            Self::Json => is_json(text),
            Self::Sections { splitter, least } => {
                let count = match splitter {
                    Pattern::Literal(splitter) => shapes::sections(text, splitter),
                    // `re.split` gives what groups captured as well.
                    Pattern::Regex(splitter) => splitter.find_all(text)?.len() * (1 + splitter.groups()),
                };
                Bound::AtLeast(*least).holds(count)
            }
            Self::Bullets { exactly } => shapes::bullets(text) as f64 == *exactly,
            Self::Highlights { least } => Bound::AtLeast(*least).holds(shapes::highlights(text)),
            Self::Title => shapes::has_title(text),
            Self::Keywords(keywords) => {
                keywords.iter().try_fold(true, |all, keyword| Ok::<_, Problem>(all && keyword.is_in(text)?))?
            }
            Self::ForbiddenWords(words) => {
                !words.iter().try_fold(false, |any, word| Ok::<_, Problem>(any || word.is_word_in(text)?))?
            }
            Self::KeywordCount { keyword, bound } => bound.holds(keyword.count_in(text)?),
            Self::LetterCount { letter, bound } => bound.holds(python::lower(text).matches(*letter).count()),
            Self::Language { code } => tools.languages.detect(text)?.is_none_or(|found| found == code),
            Self::FirstWord { paragraphs, nth, word } => begins_paragraph(text, *paragraphs, *nth, word, rules),
            Self::Paragraphs { exactly } => {
                shapes::starred_paragraphs(text).is_some_and(|count| count as f64 == *exactly)
            }
            Self::Sentences(bound) => bound.holds(tools.english()?.sentences(text).len()),
            Self::Words(bound) => bound.holds(chars::words(text)),
            Self::NoComma => !text.contains(','),
            Self::EndsWith { phrase } => {
                python::lower(python::strip_chars(python::strip(text), "\"")).ends_with(phrase)
            }
            Self::Quoted => {
                let text = python::strip(text);
                text.len() > 1 && text.starts_with('"') && text.ends_with('"')
            }
        })
    }
}

/// The reference takes letters of ASCII alone, and a random one for any other character. The fixed rules count what the item names.
fn letter(args: &mut Args<'_>, rules: Rules) -> Result<char, Problem> {
    let given = args.text("letter")?;
    let given = if rules == Rules::Fixed { python::strip(given) } else { given };
    let one = |text: &str| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.as_str().is_empty())
    };
    // Lower case of one character may be two, which no count could find.
    let lower = one(given).and_then(|letter| one(&letter.to_lowercase().to_string()));
    lower.filter(|c| c.is_ascii_lowercase() || rules == Rules::Fixed).ok_or_else(|| args.unusable("letter"))
}

fn first_word(args: &mut Args<'_>) -> Result<Instruction, Problem> {
    let paragraphs = args.count("num_paragraphs")?;
    let nth = args.place("nth_paragraph")?;
    if nth as f64 > paragraphs {
        return Err(args.unusable("nth_paragraph"));
    }
    Ok(Instruction::FirstWord { paragraphs, nth, word: python::lower(args.text("first_word")?) })
}

/// Whether there are as many paragraphs as asked for, and one of them begins with a word.
///
/// The reference counts paragraphs without the blank ones and then looks one up among all, so that a blank one shifts it, and compares
/// one word alone, so that nothing begins with two.
fn begins_paragraph(text: &str, paragraphs: f64, nth: usize, word: &str, rules: Rules) -> bool {
    let mut found: Vec<&str> = text.split("\n\n").map(python::strip).collect();
    let count = found.iter().filter(|paragraph| !paragraph.is_empty()).count();
    let mut word = Cow::Borrowed(word);
    let mut words = 1;
    if rules == Rules::Fixed {
        found.retain(|paragraph| !paragraph.is_empty());
        let asked = python::split_whitespace(&word);
        words = asked.len().max(1);
        word = Cow::Owned(asked.join(" "));
    }
    let paragraph = found.get(nth - 1).filter(|paragraph| nth <= count && !paragraph.is_empty());
    count as f64 == paragraphs && paragraph.is_some_and(|paragraph| shapes::opening(paragraph, words) == word)
}

fn is_json(text: &str) -> bool {
    let mut text = python::strip(text);
    for fence in ["```json", "```Json", "```JSON", "```"] {
        text = text.strip_prefix(fence).unwrap_or(text);
    }
    json::loads(python::strip(text.strip_suffix("```").unwrap_or(text)))
}
