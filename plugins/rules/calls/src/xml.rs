//! The part of XML that calls are written in: elements, attributes, text, references, comments and character data.

/// An element.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Names and values, in order.
    pub attributes: Vec<(String, String)>,
    /// Text before the first child.
    pub text: String,
    /// Elements within.
    pub children: Vec<Element>,
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Children of a name.
    pub fn named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Deepest nesting that is read.
const DEEPEST: usize = 100;

/// Reads a text that is one element.
///
/// # Errors
/// What is wrong, and at which byte.
pub fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader { text, at: 0 };
    let mut open: Vec<Element> = Vec::new();
    loop {
        if let Some(parent) = open.last_mut() {
            let read = reader.text()?;
            if parent.children.is_empty() {
                parent.text.push_str(&read);
            }
        }
        if reader.skip("<!--", "-->")? || reader.skip("<?", "?>")? {
            continue;
        }
        let done = if reader.take("</") {
            let name = reader.name()?;
            reader.skip_space();
            let element = open.pop().filter(|element| element.name == name);
            if !reader.take(">") {
                return Err(reader.wrong("no end of a tag"));
            }
            Some(element.ok_or_else(|| reader.wrong("a tag that closes nothing"))?)
        } else if reader.take("<") {
            let (element, closed) = reader.tag()?;
            if closed {
                Some(element)
            } else if open.len() >= DEEPEST {
                return Err(reader.wrong("nested too deeply"));
            } else {
                open.push(element);
                None
            }
        } else {
            return Err(reader.wrong("no element"));
        };
        if let Some(element) = done {
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None if reader.at == text.len() => return Ok(element),
                None => return Err(reader.wrong("something after the element")),
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn wrong(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.at += length;
        length > 0
    }

    fn skip(&mut self, open: &str, close: &str) -> Result<bool, String> {
        if !self.take(open) {
            return Ok(false);
        }
        let length = self.rest().find(close).ok_or_else(|| self.wrong("no end of a comment"))?;
        self.at += length + close.len();
        Ok(true)
    }

    /// A name. One with a prefix belongs to a namespace that nobody declared.
    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let stops = |char: char| !(char.is_alphanumeric() || matches!(char, '_' | '-' | '.'));
        let name = rest.get(..rest.find(stops).unwrap_or(rest.len())).unwrap_or_default();
        if name.is_empty() || name.starts_with(|char: char| char.is_numeric() || matches!(char, '-' | '.')) {
            return Err(self.wrong("no name"));
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    /// A tag after its `<`, and whether it is closed at once.
    fn tag(&mut self) -> Result<(Element, bool), String> {
        let mut element = Element { name: self.name()?, ..Element::default() };
        loop {
            let spaced = self.skip_space();
            if self.take("/>") {
                return Ok((element, true));
            }
            if self.take(">") {
                return Ok((element, false));
            }
            if !spaced {
                return Err(self.wrong("no space between attributes"));
            }
            let name = self.name()?;
            self.skip_space();
            if !self.take("=") {
                return Err(self.wrong("an attribute without a value"));
            }
            self.skip_space();
            let quote = if self.take("\"") { '"' } else { '\'' };
            if quote == '\'' && !self.take("'") {
                return Err(self.wrong("a value without quotes"));
            }
            let length = self.rest().find(quote).ok_or_else(|| self.wrong("no end of a value"))?;
            let raw = self.rest().get(..length).unwrap_or_default();
            if raw.contains('<') || element.attribute(&name).is_some() {
                return Err(self.wrong("a broken attribute"));
            }
            let value = self.unescape(&raw.replace("\r\n", "\n").replace(['\t', '\n', '\r'], " "))?;
            self.at += length + 1;
            element.attributes.push((name, value));
        }
    }

    /// Text up to the next tag.
    fn text(&mut self) -> Result<String, String> {
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let length = rest.find('<').ok_or_else(|| self.wrong("no end of an element"))?;
            let raw = rest.get(..length).unwrap_or_default();
            if raw.contains("]]>") {
                return Err(self.wrong("an end of character data"));
            }
            out.push_str(&self.unescape(&raw.replace("\r\n", "\n").replace('\r', "\n"))?);
            self.at += length;
            if !self.take("<![CDATA[") {
                return Ok(out);
            }
            let length = self.rest().find("]]>").ok_or_else(|| self.wrong("no end of character data"))?;
            out.push_str(self.rest().get(..length).unwrap_or_default());
            self.at += length + 3;
        }
    }

    fn unescape(&self, raw: &str) -> Result<String, String> {
        let allowed = |char: char| char >= ' ' || matches!(char, '\t' | '\n' | '\r');
        if !raw.chars().all(|char| allowed(char) && !matches!(char, '\u{fffe}' | '\u{ffff}')) {
            return Err(self.wrong("a control character"));
        }
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let (name, after) = after.split_once(';').ok_or_else(|| self.wrong("a bare ampersand"))?;
            let code = match name.strip_prefix("#x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => name.strip_prefix('#').and_then(|digits| digits.parse().ok()),
            };
            out.push(match name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                _ => code
                    .and_then(char::from_u32)
                    .filter(|char| allowed(*char))
                    .ok_or_else(|| self.wrong("an unknown reference"))?,
            });
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}
