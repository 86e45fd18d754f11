//! Unified diffs of one file.

use super::{Broken, Placement};
use crate::fences;

/// Lines of a file with their ends, so that a missing line end at the end of the file is seen.
type Lines = Vec<String>;

struct Hunk {
    /// First line in the old file, from 1.
    start: usize,
    /// How many lines it says that it has of the old and of the new file.
    counts: (usize, usize),
    old: Lines,
    new: Lines,
}

pub fn apply(file: &str, answer: &str, placement: Placement) -> Result<String, Broken> {
    let blocks = fences::blocks(answer);
    let diff = blocks.iter().find(|block| block.body.contains("@@")).map_or(answer, |block| block.body);
    let mut lines: Lines = file.split_inclusive('\n').map(str::to_owned).collect();
    let mut shift = 0_isize;
    let mut done = 0_usize;
    for (index, hunk) in hunks(diff)?.into_iter().enumerate() {
        let number = index + 1;
        if placement == Placement::Strict && hunk.counts != (hunk.old.len(), hunk.new.len()) {
            return Err(Broken::Malformed(format!("hunk {number} does not have as many lines as it says")));
        }
        // A hunk without old lines stands after the line that it names.
        let named = if hunk.old.is_empty() { hunk.start } else { hunk.start.saturating_sub(1) };
        let named = named.saturating_add_signed(shift);
        let fits = |at: usize| {
            at >= done && lines.get(at..at + hunk.old.len()).is_some_and(|place| place == hunk.old.as_slice())
        };
        let place = match placement {
            Placement::Strict => Some(named).filter(|at| fits(*at)),
            Placement::Text => nearest(named.min(lines.len()), lines.len(), fits),
        };
        let Some(place) = place else {
            return Err(Broken::Misplaced(format!(
                "the old lines of hunk {number} are not where it says, nor elsewhere"
            )));
        };
        done = place + hunk.new.len();
        shift += hunk.new.len() as isize - hunk.old.len() as isize;
        lines.splice(place..place + hunk.old.len(), hunk.new);
    }
    Ok(lines.concat())
}

/// The place that fits and is closest to `named`, an earlier one before a later one.
fn nearest(named: usize, end: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    (0..=end).find_map(|distance| {
        let before = named.checked_sub(distance).filter(|at| fits(*at));
        before.or_else(|| named.checked_add(distance).filter(|at| *at <= end && fits(*at)))
    })
}

fn hunks(diff: &str) -> Result<Vec<Hunk>, Broken> {
    let malformed = |what: String| Err(Broken::Malformed(what));
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut files = 0;
    let mut lines = diff.split_inclusive('\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let bare = line.trim_end_matches(['\n', '\r']);
        let complete =
            hunks.last().is_none_or(|hunk| hunk.old.len() >= hunk.counts.0 && hunk.new.len() >= hunk.counts.1);
        let heads_file = bare.starts_with("--- ") && lines.peek().is_some_and(|(_, next)| next.starts_with("+++ "));
        if heads_file && complete {
            files += 1;
            lines.next();
            if files > 1 {
                return malformed(format!("line {number}: a second file, and one is wanted"));
            }
        } else if bare.starts_with("@@") {
            match header(bare) {
                Some((start, counts)) => hunks.push(Hunk { start, counts, old: Vec::new(), new: Vec::new() }),
                None => return malformed(format!("line {number}: no numbers between the `@@`")),
            }
        } else if let Some(hunk) = hunks.last_mut() {
            // The last line of an answer has no line end; that of a file is told by a line of its own.
            let text = |marked: &str| format!("{}\n", marked.trim_end_matches('\n'));
            match line.as_bytes().first() {
                Some(b' ') => {
                    hunk.old.push(text(&line[1..]));
                    hunk.new.push(text(&line[1..]));
                }
                Some(b'-') => hunk.old.push(text(&line[1..])),
                Some(b'+') => hunk.new.push(text(&line[1..])),
                Some(b'\\') => unended(hunk, diff, index),
                // Models and editors drop the space of an empty line.
                _ if bare.is_empty() && !complete => {
                    hunk.old.push("\n".to_owned());
                    hunk.new.push("\n".to_owned());
                }
                _ if bare.is_empty() || complete => {}
                _ => return malformed(format!("line {number} begins with none of ` `, `+`, `-`")),
            }
        }
    }
    if hunks.is_empty() { malformed("there is no hunk".into()) } else { Ok(hunks) }
}

/// Takes the line end from the line before a note that there is none.
fn unended(hunk: &mut Hunk, diff: &str, index: usize) {
    let before = index.checked_sub(1).and_then(|index| diff.split_inclusive('\n').nth(index));
    let mark = before.and_then(|line| line.as_bytes().first());
    let strip = |lines: &mut Lines| {
        if let Some(last) = lines.last_mut() {
            last.truncate(last.trim_end_matches('\n').len());
        }
    };
    if mark != Some(&b'+') {
        strip(&mut hunk.old);
    }
    if mark != Some(&b'-') {
        strip(&mut hunk.new);
    }
}

/// `@@ -start,count +start,count @@`; a count that is left out is 1.
fn header(line: &str) -> Option<(usize, (usize, usize))> {
    let (ranges, _) = line.strip_prefix("@@")?.split_once("@@")?;
    let mut ranges = ranges.split_whitespace();
    let mut range = |mark: char| -> Option<(usize, usize)> {
        let range = ranges.next()?.strip_prefix(mark)?;
        let (start, count) = range.split_once(',').unwrap_or((range, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let (start, old) = range('-')?;
    let (_, new) = range('+')?;
    ranges.next().is_none().then_some((start, (old, new)))
}
