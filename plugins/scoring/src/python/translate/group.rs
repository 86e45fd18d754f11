//! Groups of all kinds: what begins with a parenthesis.

use super::super::pattern::{Flags, PatternError};
use super::{Parser, Piece, Sort};

impl Parser<'_> {
    pub(super) fn group(
        &mut self,
        flags: &mut Flags,
        depth: usize,
        first: bool,
    ) -> Result<Option<Piece>, PatternError> {
        if !self.eat('?') {
            return self.capture(None, *flags, depth).map(Some);
        }
        let missing = "missing ), unterminated subpattern";
        match self.next() {
            Some('P') => self.extension(*flags, depth).map(Some),
            Some(':') => self.inner("(?:", *flags, depth, Sort::Atom).map(Some),
            Some('>') => self.inner("(?>", *flags, depth, Sort::Atom).map(Some),
            Some('=') => self.inner("(?=", *flags, depth, Sort::Look).map(Some),
            Some('!') => self.inner("(?!", *flags, depth, Sort::Look).map(Some),
            Some('<') => {
                let open = match self.next() {
                    Some('=') => "(?<=",
                    Some('!') => "(?<!",
                    _ => return Err(self.error("unknown extension ?<")),
                };
                self.inner(open, *flags, depth, Sort::Look).map(Some)
            }
            Some('#') => {
                self.run(usize::MAX, |c| c != ')');
                self.expect(')', "missing ), unterminated comment")?;
                Ok(None)
            }
            Some('(') => self.conditional(*flags, depth).map(Some),
            Some(c) if c == '-' || c.is_ascii_alphabetic() => {
                self.at -= 1;
                self.inline_flags(flags, depth, first)
            }
            Some(c) => Err(self.error(format!("unknown extension ?{c}"))),
            None => Err(self.error(missing)),
        }
    }

    fn capture(&mut self, name: Option<String>, flags: Flags, depth: usize) -> Result<Piece, PatternError> {
        let number = self.widths.len();
        self.widths.push(None);
        if let Some(name) = name
            && self.names.insert(name, number).is_some()
        {
            return Err(self.error("redefinition of a group name"));
        }
        let piece = self.inner("(", flags, depth, Sort::Atom)?;
        if let Some(width) = self.widths.get_mut(number) {
            *width = Some(piece.width);
        }
        Ok(piece)
    }

    /// What is inside a group, with the group around it.
    fn inner(&mut self, open: &str, mut flags: Flags, depth: usize, sort: Sort) -> Result<Piece, PatternError> {
        let inner = self.alternatives(&mut flags, depth + 1)?;
        self.expect(')', "missing ), unterminated subpattern")?;
        if open.starts_with("(?<") && inner.width.0 != inner.width.1 {
            return Err(self.error("look-behind requires fixed-width pattern"));
        }
        let width = if sort == Sort::Look { (0, 0) } else { inner.width };
        Ok(Piece::new(format!("{open}{})", inner.text), width, sort))
    }

    fn extension(&mut self, flags: Flags, depth: usize) -> Result<Piece, PatternError> {
        if self.eat('<') {
            let name = self.until('>', "group name")?;
            self.identifier(&name)?;
            return self.capture(Some(name), flags, depth);
        }
        self.expect('=', "unknown extension ?P")?;
        let name = self.until(')', "group name")?;
        let group = self.names.get(&name).copied();
        let group = group.ok_or_else(|| self.error(format!("unknown group name `{name}`")))?;
        self.reference(group, flags)
    }

    fn identifier(&self, name: &str) -> Result<(), PatternError> {
        let good = |(index, c): (usize, char)| c == '_' || c.is_alphabetic() || (index > 0 && c.is_alphanumeric());
        if name.chars().enumerate().all(good) {
            Ok(())
        } else {
            Err(self.error(format!("bad character in group name `{name}`")))
        }
    }

    fn conditional(&mut self, flags: Flags, depth: usize) -> Result<Piece, PatternError> {
        let name = self.until(')', "group name")?;
        let group =
            if name.bytes().all(|b| b.is_ascii_digit()) { name.parse().ok() } else { self.names.get(&name).copied() };
        let known = group.filter(|&group| group > 0 && group < self.widths.len());
        let group = known.ok_or_else(|| self.error(format!("unknown group `{name}`")))?;
        let mut inner = flags;
        let yes = self.sequence(&mut inner, depth + 1, false)?;
        let no = if self.eat('|') { Some(self.sequence(&mut inner, depth + 1, false)?) } else { None };
        if self.peek() == Some('|') {
            return Err(self.error("conditional backref with more than two branches"));
        }
        self.expect(')', "missing ), unterminated subpattern")?;
        let no = no.unwrap_or_else(|| Piece::new("", (0, 0), Sort::Atom));
        let width = (yes.width.0.min(no.width.0), yes.width.1.max(no.width.1));
        Ok(Piece::new(format!("(?({group})(?:{})|(?:{}))", yes.text, no.text), width, Sort::Atom))
    }

    fn inline_flags(&mut self, flags: &mut Flags, depth: usize, first: bool) -> Result<Option<Piece>, PatternError> {
        let mut changed = *flags;
        let mut value = true;
        loop {
            match self.next() {
                Some('i') => changed.ignore_case = value,
                Some('m') => changed.multi_line = value,
                Some('s') => changed.dot_all = value,
                Some('x') => changed.verbose = value,
                Some('a') if value => changed.ascii = true,
                Some('u') if value => changed.ascii = false,
                Some('-') if value => value = false,
                Some(')') if value => break,
                Some(':') => return self.inner("(?:", changed, depth, Sort::Atom).map(Some),
                Some(c) => return Err(self.error(format!("bad flag `{c}`"))),
                None => return Err(self.error("missing ), unterminated subpattern")),
            }
        }
        if !first {
            return Err(self.error("global flags not at the start of the expression"));
        }
        *flags = changed;
        Ok(None)
    }
}
