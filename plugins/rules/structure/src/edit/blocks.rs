//! Search and replace blocks.
//!
//! A block is a line of seven or more `<` and `SEARCH`, lines, a line of as many `=`, lines, a line of as many `>` and `REPLACE`.
//! What is between blocks, such as fences and file names, is not looked at. Blocks apply in order, each to what the one before
//! left.

use super::{Broken, Placement};

struct Block {
    search: Vec<String>,
    replace: Vec<String>,
}

pub fn apply(file: &str, answer: &str, placement: Placement) -> Result<String, Broken> {
    let ends_with_line_end = file.is_empty() || file.ends_with('\n');
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    for (index, block) in blocks(answer)?.into_iter().enumerate() {
        let number = index + 1;
        if block.search.is_empty() {
            if !lines.is_empty() {
                return Err(Broken::Misplaced(format!(
                    "block {number} searches for nothing in a file that is not empty"
                )));
            }
            lines = block.replace;
            continue;
        }
        let mut places =
            lines.windows(block.search.len()).enumerate().filter(|(_, window)| *window == block.search.as_slice());
        let Some((start, _)) = places.next() else {
            return Err(Broken::Misplaced(format!("the lines that block {number} searches for are not in the file")));
        };
        if placement == Placement::Strict && places.next().is_some() {
            return Err(Broken::Misplaced(format!(
                "the lines that block {number} searches for are there more than once"
            )));
        }
        lines.splice(start..start + block.search.len(), block.replace);
    }
    let mut changed = lines.join("\n");
    if ends_with_line_end && !lines.is_empty() {
        changed.push('\n');
    }
    Ok(changed)
}

/// Which marker a line is, with the length of its mark.
fn marker(line: &str) -> Option<(char, usize)> {
    let mark = line.chars().next().filter(|mark| matches!(mark, '<' | '=' | '>'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    let word = match mark {
        '<' => "SEARCH",
        '>' => "REPLACE",
        _ => "",
    };
    (length >= 7 && rest.trim() == word).then_some((mark, length))
}

fn blocks(answer: &str) -> Result<Vec<Block>, Broken> {
    enum Part {
        Outside,
        Search(usize, Vec<String>),
        Replace(usize, Vec<String>, Vec<String>),
    }
    let mut found = Vec::new();
    let mut part = Part::Outside;
    for (index, line) in answer.lines().enumerate() {
        let malformed = |what: &str| Err(Broken::Malformed(format!("line {}: {what}", index + 1)));
        part = match (part, marker(line)) {
            (Part::Outside, Some(('<', length))) => Part::Search(length, Vec::new()),
            (Part::Outside, Some(('>', _))) => return malformed("a block ends that never began"),
            (Part::Outside, _) => Part::Outside,
            (Part::Search(length, search), Some(('=', own))) if own == length => {
                Part::Replace(length, search, Vec::new())
            }
            (Part::Search(length, _), Some(('<' | '>', own))) if own == length => {
                return malformed("a block has no line of `=`");
            }
            (Part::Search(length, mut search), _) => {
                search.push(line.to_owned());
                Part::Search(length, search)
            }
            (Part::Replace(length, search, replace), Some(('>', own))) if own == length => {
                found.push(Block { search, replace });
                Part::Outside
            }
            (Part::Replace(length, ..), Some(('<', own))) if own == length => {
                return malformed("a block begins within another one");
            }
            (Part::Replace(length, search, mut replace), _) => {
                replace.push(line.to_owned());
                Part::Replace(length, search, replace)
            }
        };
    }
    match part {
        Part::Outside if found.is_empty() => Err(Broken::Malformed("there is no block to search and replace".into())),
        Part::Outside => Ok(found),
        _ => Err(Broken::Malformed("the last block is never closed".into())),
    }
}
