//! The part of an answer that is the result.

/// How many boxes are looked at; each that is not closed is read to the end of the text.
const MOST_BOXES: usize = 16;

/// What `\boxed` or `\fbox` holds, the last one that is closed.
pub fn boxed(text: &str) -> Option<&str> {
    let mut end = text.len();
    let mut tried = 0;
    while tried < MOST_BOXES
        && let Some(at) = last_box(text.get(..end)?)
    {
        let name = if text[at..].starts_with("boxed") { 5 } else { 4 };
        if at > 0 && text.as_bytes().get(at - 1) == Some(&b'\\') {
            let rest = text[at + name..].trim_start();
            tried += 1;
            if let Some(found) = if rest.starts_with('{') { braced(rest) } else { bare(rest) } {
                return Some(found.trim());
            }
        }
        end = at;
    }
    None
}

/// Where the last `boxed` or `fbox` begins.
fn last_box(text: &str) -> Option<usize> {
    let mut end = text.len();
    loop {
        let at = text.get(..end)?.rfind("box")?;
        if text[at..].starts_with("boxed") {
            return Some(at);
        }
        if text[..at].ends_with('f') {
            return Some(at - 1);
        }
        end = at;
    }
}

/// What is between an opening brace and the one that closes it.
pub fn braced(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\\' if !escaped => {
                escaped = true;
                continue;
            }
            b'{' if !escaped => depth += 1,
            b'}' if !escaped => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(1..at);
                }
            }
            _ => {}
        }
        escaped = false;
    }
    None
}

/// `\boxed 5`, which ends with the formula.
fn bare(text: &str) -> Option<&str> {
    let end = text.find(['$', '\n']).unwrap_or(text.len());
    text.get(..end).filter(|text| !text.trim().is_empty())
}

/// What follows the last `answer is`, `answer:` or `answer =`, to the end of its line or sentence.
pub fn announced(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let mut end = lower.len();
    while let Some(at) = lower.get(..end)?.rfind("answer") {
        let rest = lower[at + 6..].trim_start_matches(['*', '_', ' ', 's']);
        let signs = ["is", "are", ":", "="];
        if let Some(sign) = signs.into_iter().find(|sign| rest.starts_with(sign)) {
            let start = lower.len() - rest.len() + sign.len();
            let result = text[start..].trim_start_matches([':', '*', '_', ' ', '=']).trim_start();
            let result = sentence(result.lines().next().unwrap_or_default());
            if !result.is_empty() {
                return Some(result);
            }
        }
        end = at;
    }
    None
}

/// Up to a full stop that ends a sentence.
fn sentence(line: &str) -> &str {
    let end = line.match_indices(". ").map(|(at, _)| at).next().unwrap_or(line.len());
    line[..end].trim_end_matches(['.', ' ', '*', '_', '!', ';', ','])
}

/// The last formula between `$`, `$$`, `\(` and `\)`, or `\[` and `\]`.
pub fn formula(text: &str) -> Option<&str> {
    let pairs = [("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")];
    let last = pairs.into_iter().filter_map(|(open, close)| {
        let end = text.rfind(close)?;
        let start = text.get(..end)?.rfind(open)? + open.len();
        Some((end, text.get(start..end)?)).filter(|(_, formula)| !formula.trim().is_empty())
    });
    last.max_by_key(|(end, formula)| (*end, formula.len())).map(|(_, formula)| formula)
}

#[cfg(test)]
mod tests {
    use super::{announced, boxed, formula};

    #[test]
    fn the_last_closed_box_counts() {
        assert_eq!(boxed(r"\boxed{1} then \boxed{\frac{1}{2}} and \boxed{3"), Some(r"\frac{1}{2}"));
        assert_eq!(boxed(r"so $\boxed 5$."), Some("5"));
        assert_eq!(boxed(r"\fbox{a\}b}"), Some(r"a\}b"));
        assert_eq!(boxed("unboxed{3}"), None);
    }

    #[test]
    fn an_announced_answer_ends_with_its_sentence() {
        assert_eq!(announced("The answer is 3.5. I hope so"), Some("3.5"));
        assert_eq!(announced("**Answer:** 7\nbecause"), Some("7"));
        assert_eq!(announced("no answering here"), None);
    }

    #[test]
    fn the_last_formula_is_taken_whatever_its_marks() {
        assert_eq!(formula(r"from $a$ to \(b\)."), Some("b"));
        assert_eq!(formula("$$x$$"), Some("x"));
        assert_eq!(formula("costs $5"), None);
    }
}
