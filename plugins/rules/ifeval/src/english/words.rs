//! Dividing a sentence into words: NLTK's variant of the Penn Treebank tokenizer (R. MacIntyre), as `nltk.word_tokenize` calls it.
//!
//! The reference is a list of substitutions, each over what the ones before it made of the text. The order and the quirks are kept;
//! a substitution is skipped where the text has nothing that it could change.

use bench_scoring::python;

use crate::chars::{is_decimal, is_word};
use crate::literal::{Literal, folded};

/// How many words of a sentence are of a kind.
pub(super) fn each(sentence: &str, contractions: &[Contraction], wanted: fn(&str) -> bool) -> usize {
    let mut text = sentence.to_owned();
    for substitute in SUBSTITUTIONS {
        if text.contains(substitute.triggers) {
            text = (substitute.with)(&text);
        }
    }
    let mut text = spaced(&text);
    if text.contains('\'') {
        text = clitics(&text, &["'s", "'S", "'m", "'M", "'d", "'D", "'"]);
        text = clitics(&text, &["'ll", "'LL", "'re", "'RE", "'ve", "'VE", "n't", "N'T"]);
    }
    for contraction in contractions {
        text = contracted(text, contraction);
    }
    text.split(python::is_space).filter(|word| !word.is_empty() && wanted(word)).count()
}

/// One step, and characters without which it does nothing.
struct Substitution {
    triggers: &'static [char],
    with: fn(&str) -> String,
}

const SUBSTITUTIONS: &[Substitution] = &[
    Substitution { triggers: &['«', '“', '‘', '„', '`'], with: opening_marks },
    Substitution { triggers: &['"'], with: first_quote },
    Substitution { triggers: &['`'], with: |text| text.replace("``", " `` ") },
    Substitution { triggers: &['"', '\''], with: opening_quotes },
    Substitution { triggers: &['\''], with: opening_apostrophes },
    Substitution { triggers: &['.'], with: final_period },
    Substitution { triggers: &[':', ','], with: colons },
    Substitution { triggers: &[':', ','], with: final_colon },
    Substitution { triggers: &['.'], with: ellipses },
    Substitution { triggers: &[';', '@', '#', '$', '%', '&'], with: |text| padded(text, |c| ";@#$%&".contains(c)) },
    Substitution {
        triggers: &['\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}'],
        with: |text| padded(text, |c| matches!(c, '\u{2012}'..='\u{2015}')),
    },
    Substitution { triggers: &['.'], with: last_period },
    Substitution { triggers: &['?', '!'], with: |text| padded(text, |c| matches!(c, '?' | '!')) },
    Substitution { triggers: &['\''], with: closing_apostrophes },
    Substitution { triggers: &['*'], with: |text| padded(text, |c| c == '*') },
    Substitution {
        triggers: &['[', ']', '(', ')', '{', '}', '<', '>'],
        with: |text| padded(text, |c| "[](){}<>".contains(c)),
    },
    Substitution { triggers: &['-'], with: |text| text.replace("--", " -- ") },
    Substitution { triggers: &['»', '”', '’'], with: |text| padded(text, |c| matches!(c, '»' | '”' | '’')) },
    Substitution { triggers: &['\''], with: |text| text.replace("''", " '' ") },
    Substitution { triggers: &['"'], with: |text| text.replace('"', " '' ") },
];

/// Spaces around characters.
fn padded(text: &str, wanted: fn(char) -> bool) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if wanted(c) {
            made.extend([' ', c, ' ']);
        } else {
            made.push(c);
        }
    }
    made
}

/// `([«“‘„]|[`]+)`, spaced.
fn opening_marks(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(['«', '“', '‘', '„', '`']) {
        let (before, behind) = rest.split_at(at);
        let grave = behind.len() - behind.trim_start_matches('`').len();
        let len = if grave > 0 { grave } else { behind.chars().next().map_or(0, char::len_utf8) };
        let (mark, behind) = behind.split_at(len);
        made.extend([before, " ", mark, " "]);
        rest = behind;
    }
    made + rest
}

/// A quotation mark at the very start opens.
fn first_quote(text: &str) -> String {
    text.strip_prefix('"').map_or_else(|| text.to_owned(), |rest| format!("``{rest}"))
}

/// `([ \(\[{<])("|'{2})`: quotation marks behind a space or bracket open.
fn opening_quotes(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        made.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if matches!(c, ' ' | '(' | '[' | '{' | '<')
            && let Some(behind) = rest.strip_prefix('"').or_else(|| rest.strip_prefix("''"))
        {
            made.push_str(" `` ");
            rest = behind;
        }
    }
    made
}

/// `(?i)(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)`: a space behind an apostrophe that opens, and is no part of a clitic.
fn opening_apostrophes(text: &str) -> String {
    const CLITICS: [&str; 8] = ["re", "ve", "ll", "m", "t", "s", "d", "n"];
    let mut made = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        made.push(c);
        if c == '\'' && !is_word(before) {
            let behind = text.get(at + 1..).unwrap_or_default();
            let is_clitic = |clitic: &&str| {
                let mut rest = behind.chars();
                clitic.chars().all(|wanted| rest.next().map(folded) == Some(wanted))
                    && !rest.next().is_some_and(is_word)
            };
            if behind.chars().next().is_some_and(is_word) && !CLITICS.iter().any(is_clitic) {
                made.push(' ');
            }
        }
        before = c;
    }
    made
}

/// What is before the last period, if it does not belong to an ellipsis, and what is behind it.
fn around_last_period(text: &str) -> Option<(&str, &str)> {
    let (before, behind) = text.rsplit_once('.')?;
    (!before.is_empty() && !before.ends_with('.')).then_some((before, behind))
}

/// `([^\.])(\.)([\]\)}>"'»”’ ]*+)\s*$`: a period at the end is a word of its own, closing marks behind it or not.
fn final_period(text: &str) -> String {
    let closing = |c| matches!(c, ']' | ')' | '}' | '>' | '"' | '\'' | '»' | '”' | '’' | ' ');
    let Some((before, behind)) = around_last_period(text) else { return text.to_owned() };
    let space = behind.trim_start_matches(closing);
    if !space.trim_start().is_empty() {
        return text.to_owned();
    }
    format!("{before} . {} ", behind.get(..behind.len() - space.len()).unwrap_or_default())
}

/// `([^\.])(\.)([\]\)}>"']*)\s*$`: again, after what came between.
fn last_period(text: &str) -> String {
    let closing = |c| matches!(c, ']' | ')' | '}' | '>' | '"' | '\'');
    let Some((before, behind)) = around_last_period(text) else { return text.to_owned() };
    let space = behind.trim_start_matches(closing);
    if !space.trim_start().is_empty() {
        return text.to_owned();
    }
    format!("{before} .{} ", behind.get(..behind.len() - space.len()).unwrap_or_default())
}

/// `([:,])([^\d])`, spaced before and between. The second character is used up, so that of two commas the second stays.
fn colons(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let next = chars.clone().next().filter(|&next| matches!(c, ':' | ',') && !is_decimal(next));
        if let Some(next) = next {
            chars.next();
            made.extend([' ', c, ' ', next]);
        } else {
            made.push(c);
        }
    }
    made
}

/// `([:,])$`, spaced: at the end, or before a line feed that ends the text.
fn final_colon(text: &str) -> String {
    let (line, feed) = text.strip_suffix('\n').map_or((text, ""), |line| (line, "\n"));
    for (text, behind) in [(text, ""), (line, feed)] {
        if let Some(before) = text.strip_suffix([':', ',']) {
            let mark = text.get(before.len()..).unwrap_or_default();
            return format!("{before} {mark} {behind}");
        }
    }
    text.to_owned()
}

/// `\.{2,}`, spaced.
fn ellipses(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find("..") {
        let (before, behind) = rest.split_at(at);
        let len = behind.len() - behind.trim_start_matches('.').len();
        let (periods, behind) = behind.split_at(len);
        made.extend([before, " ", periods, " "]);
        rest = behind;
    }
    made + rest
}

/// `([^'])' `: an apostrophe that ends a word is a word.
fn closing_apostrophes(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        made.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c != '\''
            && let Some(behind) = rest.strip_prefix("' ")
        {
            made.push_str(" ' ");
            rest = behind;
        }
    }
    made
}

/// With a space at either end, and all white space a single one.
fn spaced(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 2);
    made.push(' ');
    let mut before = ' ';
    for c in text.chars().chain([' ']) {
        let c = if c.is_whitespace() { ' ' } else { c };
        if c != ' ' || before != ' ' {
            made.push(c);
        }
        before = c;
    }
    made
}

/// `([^' ])(…) ` with the parts spaced, for the first part that fits.
fn clitics(text: &str, parts: &[&str]) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        made.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if matches!(c, '\'' | ' ') {
            continue;
        }
        let found = parts.iter().find_map(|part| Some((part, rest.strip_prefix(*part)?.strip_prefix(' ')?)));
        if let Some((part, behind)) = found {
            made.extend([" ", part, " "]);
            rest = behind;
        }
    }
    made
}

/// A contraction of two words, and what has to be around it.
#[derive(Debug)]
pub(super) struct Contraction {
    whole: Literal,
    /// How many characters the first word has.
    first: usize,
    /// It begins behind a space, not at any boundary of a word.
    behind_space: bool,
    /// It ends before white space, not at any boundary of a word.
    before_space: bool,
}

/// All of them, in order.
pub(super) fn contractions() -> Vec<Contraction> {
    let one = |(whole, first): (&str, usize)| Contraction {
        whole: Literal::new(whole),
        first,
        behind_space: whole.starts_with('\''),
        before_space: whole == "wanna",
    };
    let all = [
        ("cannot", 3),
        ("d'ye", 1),
        ("gimme", 3),
        ("gonna", 3),
        ("gotta", 3),
        ("lemme", 3),
        ("more'n", 4),
        ("wanna", 3),
        ("'tis", 2),
        ("'twas", 2),
    ];
    all.into_iter().map(one).collect()
}

fn contracted(text: String, contraction: &Contraction) -> String {
    let wanted = &contraction.whole;
    let mut made = String::new();
    let (mut from, mut search) = (0, 0);
    while let Some(found) = wanted.find(&text, search) {
        let before = text.get(from..found.start).unwrap_or_default();
        let behind = text.get(found.end..).unwrap_or_default().chars().next();
        let begins = if contraction.behind_space {
            before.ends_with(' ')
        } else {
            !text.get(..found.start).and_then(|text| text.chars().next_back()).is_some_and(is_word)
        };
        let ends = if contraction.before_space {
            behind.is_some_and(char::is_whitespace)
        } else {
            !behind.is_some_and(is_word)
        };
        if begins && ends {
            let whole = text.get(found.clone()).unwrap_or_default();
            let first: usize = whole.chars().take(contraction.first).map(char::len_utf8).sum();
            let (first, second) = whole.split_at(first);
            let before = if contraction.behind_space { before.strip_suffix(' ').unwrap_or(before) } else { before };
            made.extend([before, " ", first, " ", second, " "]);
            from = found.end;
            search = from;
        } else {
            search =
                found.start + text.get(found.start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
    }
    if from == 0 {
        return text;
    }
    made.push_str(text.get(from..).unwrap_or_default());
    made
}
