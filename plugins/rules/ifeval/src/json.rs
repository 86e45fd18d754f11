//! What `json.loads` of CPython accepts, which is more than JSON and less.
//!
//! It takes `NaN` and infinities, and lone surrogates in strings. It refuses a byte order mark, and, as a `ValueError` of `int`, whole
//! numbers of more than 4300 digits. Values are not kept, and nesting costs no stack: where the reference runs out of its own at a
//! thousand levels and ends with an error, deep nesting is JSON here.

/// Digits beyond which `int` refuses a text.
const MOST_DIGITS: usize = 4_300;

/// What is open at a place in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    List,
    Object,
}

/// Whether `json.loads` returns instead of raising `ValueError`.
pub(crate) fn loads(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    rest.space();
    let mut open: Vec<Open> = Vec::new();
    loop {
        // A value begins here.
        match rest.0.first() {
            Some(b'[') => {
                rest.skip(1);
                rest.space();
                if !rest.take(b"]") {
                    open.push(Open::List);
                    continue;
                }
            }
            Some(b'{') => {
                rest.skip(1);
                rest.space();
                if !rest.take(b"}") {
                    if !rest.key() {
                        return false;
                    }
                    open.push(Open::Object);
                    continue;
                }
            }
            _ => {
                if !rest.scalar() {
                    return false;
                }
            }
        }
        // A value ended here: what encloses it goes on, or ends as well.
        loop {
            rest.space();
            let Some(&inner) = open.last() else { return rest.0.is_empty() };
            if rest.take(b",") {
                rest.space();
                if inner == Open::Object && !rest.key() {
                    return false;
                }
                break;
            }
            if !rest.take(if inner == Open::List { b"]" } else { b"}" }) {
                return false;
            }
            open.pop();
        }
    }
}

/// What was not read yet.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn skip(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    fn take(&mut self, token: &[u8]) -> bool {
        let there = self.0.starts_with(token);
        if there {
            self.skip(token.len());
        }
        there
    }

    fn space(&mut self) {
        self.skip(self.run(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')));
    }

    fn run(&self, wanted: impl Fn(u8) -> bool) -> usize {
        self.0.iter().take_while(|&&byte| wanted(byte)).count()
    }

    /// A key with its colon, up to where its value begins.
    fn key(&mut self) -> bool {
        if !self.string() {
            return false;
        }
        self.space();
        let colon = self.take(b":");
        self.space();
        colon
    }

    fn scalar(&mut self) -> bool {
        const WORDS: [&[u8]; 6] = [b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity"];
        if self.0.first() == Some(&b'"') {
            return self.string();
        }
        WORDS.iter().any(|word| self.take(word)) || self.number()
    }

    fn number(&mut self) -> bool {
        self.take(b"-");
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits == 0 {
            return false;
        }
        // A leading zero is a number of its own; what follows it is then too much.
        let whole = if self.0.first() == Some(&b'0') { 1 } else { digits };
        self.skip(whole);
        let fraction = self.0.first() == Some(&b'.') && self.0.get(1).is_some_and(u8::is_ascii_digit);
        if fraction {
            self.skip(1);
            self.skip(self.run(|byte| byte.is_ascii_digit()));
        }
        let mut exponent = false;
        if matches!(self.0.first(), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.0.get(1), Some(b'+' | b'-')));
            exponent = self.0.get(1 + sign).is_some_and(u8::is_ascii_digit);
            if exponent {
                self.skip(1 + sign);
                self.skip(self.run(|byte| byte.is_ascii_digit()));
            }
        }
        fraction || exponent || whole <= MOST_DIGITS
    }

    fn string(&mut self) -> bool {
        if !self.take(b"\"") {
            return false;
        }
        loop {
            self.skip(self.run(|byte| byte >= b' ' && byte != b'"' && byte != b'\\'));
            match self.0 {
                [b'"', ..] => {
                    self.skip(1);
                    return true;
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.skip(2),
                [b'\\', b'u', digits @ ..]
                    if digits.iter().take(4).filter(|digit| digit.is_ascii_hexdigit()).count() == 4 =>
                {
                    self.skip(6);
                }
                _ => return false,
            }
        }
    }
}
