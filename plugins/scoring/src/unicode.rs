//! Classes of characters, from the tables that the regular expressions use as well.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, HirKind};

/// A class such as `\p{L}`, looked up when it is first asked.
#[derive(Debug)]
pub struct CharClass {
    pattern: &'static str,
    /// Sorted.
    ranges: OnceLock<Vec<(char, char)>>,
}

impl CharClass {
    /// The class that this pattern of the `regex` crate's syntax stands for; none where it stands for no class.
    pub const fn new(pattern: &'static str) -> Self {
        Self { pattern, ranges: OnceLock::new() }
    }

    /// Its characters as ranges in rising order, both ends included.
    pub fn ranges(&self) -> &[(char, char)] {
        self.ranges.get_or_init(|| match regex_syntax::parse(self.pattern).map(|hir| hir.into_kind()) {
            Ok(HirKind::Class(Class::Unicode(class))) => {
                class.iter().map(|range| (range.start(), range.end())).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Is this one of its characters?
    pub fn contains(&self, c: char) -> bool {
        let ranges = self.ranges();
        let behind = ranges.partition_point(|&(start, _)| start <= c);
        behind > 0 && ranges.get(behind - 1).is_some_and(|&(_, end)| c <= end)
    }
}
