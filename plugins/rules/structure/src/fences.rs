//! Markdown code fences.

/// A fenced block: what follows the fence on its line, and the text inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'t> {
    /// Language and whatever else the opening line says.
    pub info: &'t str,
    /// The lines between the fences, each with its end.
    pub body: &'t str,
}

/// The closed fenced blocks of `text`, in order. A fence is three or more backticks or tildes after at most three spaces; it is
/// closed by one of the same kind and at least the same length with nothing after it. A block that is never closed is none.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut open: Option<(char, usize, &str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        match (open, fence(line)) {
            (None, Some((mark, length, info))) if mark != '`' || !info.contains('`') => {
                open = Some((mark, length, info, end));
            }
            (Some((mark, length, info, start)), Some((closing, closing_length, rest)))
                if closing == mark && closing_length >= length && rest.is_empty() =>
            {
                found.push(Block { info, body: text.get(start..at).unwrap_or_default() });
                open = None;
            }
            _ => {}
        }
        at = end;
    }
    found
}

fn fence(line: &str) -> Option<(char, usize, &str)> {
    let bare = line.trim_start_matches(' ');
    if line.len() - bare.len() > 3 {
        return None;
    }
    let mark = bare.chars().next().filter(|first| matches!(first, '`' | '~'))?;
    let rest = bare.trim_start_matches(mark);
    let length = bare.len() - rest.len();
    (length >= 3).then(|| (mark, length, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks};

    #[test]
    fn only_a_fence_of_the_same_kind_and_at_least_the_same_length_closes() {
        let text = "a\n````json x\n```\n~~~\n{}\n`````\nb\n~~~\nq\n~~~\n```\nopen";
        let found = blocks(text);
        assert_eq!(found, [Block { info: "json x", body: "```\n~~~\n{}\n" }, Block { info: "", body: "q\n" }]);
    }

    #[test]
    fn inline_code_opens_no_block() {
        assert_eq!(blocks("```{}``` and\n```\nx\n```"), [Block { info: "", body: "x\n" }]);
    }
}
