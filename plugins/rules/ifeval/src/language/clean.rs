//! What is taken out of a text before its language is looked for.

use std::borrow::Cow;

/// How much of a text counts.
const MOST_CHARS: usize = 10_000;

/// Marks that make one Vietnamese letter with the letter before them, and these letters.
const MARKS: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];
const LETTERS: &str = "AEIOUYaeiouyÂÊÔâêôĂăƠơƯư";
const MARKED: [&str; 5] = [
    "ÀÈÌÒÙỲàèìòùỳẦỀỒầềồẰằỜờỪừ",
    "ÁÉÍÓÚÝáéíóúýẤẾỐấếốẮắỚớỨứ",
    "ÃẼĨÕŨỸãẽĩõũỹẪỄỖẫễỗẴẵỠỡỮữ",
    "ẢẺỈỎỦỶảẻỉỏủỷẨỂỔẩểổẲẳỞởỬử",
    "ẠẸỊỌỤỴạẹịọụỵẬỆỘậệộẶặỢợỰự",
];

/// The characters that n-grams are made of.
pub(super) fn cleaned(text: &str) -> Vec<char> {
    let text = without_urls(text);
    let text = without_addresses(&text);
    let mut chars = Vec::with_capacity(text.len().min(MOST_CHARS));
    let mut seen = 0;
    let mut rest = text.chars().peekable();
    let mut before = '\0';
    while let Some(mut c) = rest.next().filter(|_| seen < MOST_CHARS) {
        if let Some(joined) = rest.peek().and_then(|&mark| joined(c, mark)) {
            rest.next();
            c = joined;
        }
        seen += 1;
        if c != ' ' || before != ' ' {
            chars.push(c);
        }
        before = c;
    }
    let latin = chars.iter().filter(|&&c| is_latin(c)).count();
    let other = chars.iter().filter(|&&c| c >= '\u{300}' && !('\u{1e00}'..='\u{1eff}').contains(&c)).count();
    if latin * 2 < other {
        chars.retain(|&c| !is_latin(c));
    }
    chars
}

/// Between the first and the last letter of ASCII, which is taken literally: some punctuation is as well.
fn is_latin(c: char) -> bool {
    ('A'..='z').contains(&c)
}

fn joined(letter: char, mark: char) -> Option<char> {
    let row = MARKS.iter().position(|&known| known == mark)?;
    let column = LETTERS.chars().position(|known| known == letter)?;
    MARKED.get(row)?.chars().nth(column)
}

/// How many bytes there are of a kind, up to `most`.
fn run(bytes: &[u8], most: usize, wanted: fn(u8) -> bool) -> usize {
    bytes.iter().take(most).take_while(|&&byte| wanted(byte)).count()
}

/// `https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}` as a space.
fn without_urls(text: &str) -> Cow<'_, str> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.?&~;+=/#".contains(&byte);
    let mut kept = String::new();
    let mut from = 0;
    let mut search = 0;
    while let Some(found) = text.get(search..).and_then(|rest| rest.find("http")) {
        let start = search + found;
        let behind = text.as_bytes().get(start + 4..).unwrap_or_default();
        let scheme =
            [&b"s://"[..], b"://"].iter().find(|scheme| behind.starts_with(scheme)).map_or(0, |scheme| scheme.len());
        let body = run(behind.get(scheme..).unwrap_or_default(), 2_076, part);
        search = start + 4;
        if scheme > 0 && body > 0 {
            kept.push_str(text.get(from..start).unwrap_or_default());
            kept.push(' ');
            search = start + 4 + scheme + body;
            from = search;
        }
    }
    rest_of(text, kept, from)
}

/// `[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}` as a space.
fn without_addresses(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let dotted = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let bytes = text.as_bytes();
    let mut kept = String::new();
    let mut from = 0;
    let mut search = 0;
    while let Some(found) = text.get(search..).and_then(|rest| rest.find('@')) {
        let at = search + found;
        search = at + 1;
        let name =
            bytes.get(from..at).unwrap_or_default().iter().rev().take(64).take_while(|&&byte| dotted(byte)).count();
        let host = run(bytes.get(at + 1..).unwrap_or_default(), 255, plain);
        let more = run(bytes.get(at + 1 + host..).unwrap_or_default(), 255, dotted);
        // The second part needs a character, which the first one can spare.
        if name > 0 && host > 0 && host + more > 1 {
            kept.push_str(text.get(from..at - name).unwrap_or_default());
            kept.push(' ');
            search = at + 1 + host + more;
            from = search;
        }
    }
    rest_of(text, kept, from)
}

fn rest_of(text: &str, mut kept: String, from: usize) -> Cow<'_, str> {
    if from == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(kept)
}
