//! Many small values as a few large ones.
//!
//! Across the boundary of a component each text and each list costs a call into the guest's allocator, which takes longer than
//! many a scorer does over its sample. So samples and verdicts may cross in three lists, as the interface `scorer-bulk` lays down:
//! all text in one piece, all whole numbers in the order of the fields they stand for (lengths of texts, counts of lists, cases),
//! and all other numbers. Host and guest share this crate, which knows nothing of what the values mean.
//!
//! Whoever unpacks trusts nothing: whatever does not add up is [`Damaged`].

use std::fmt;

/// Values laid side by side.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Packed {
    /// All texts, one after another.
    pub text: String,
    /// Lengths of texts in bytes, counts, cases and whole numbers.
    pub shape: Vec<u32>,
    /// All other numbers.
    pub numbers: Vec<f64>,
}

/// The values end before what they should hold, or after it, or cut a text in the middle of a character, or name a case that does
/// not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packed values do not add up")
    }
}

impl std::error::Error for Damaged {}

/// Lays values side by side.
///
/// A length or count that a `u32` cannot hold is written as the largest one, so that whoever unpacks finds it damaged; no guest has
/// the memory for it anyway.
#[derive(Debug, Default)]
pub struct Packer(Packed);

impl Packer {
    /// In the room that other values were laid in; these are gone.
    pub fn reusing(mut room: Packed) -> Packer {
        room.text.clear();
        room.shape.clear();
        room.numbers.clear();
        Packer(room)
    }

    /// With room for so many bytes of text and so many whole numbers.
    pub fn with_capacity(text: usize, shape: usize) -> Packer {
        Packer(Packed { text: String::with_capacity(text), shape: Vec::with_capacity(shape), numbers: Vec::new() })
    }

    /// A length, a count or an index.
    #[inline]
    pub fn count(&mut self, count: usize) {
        self.0.shape.push(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// A whole number or a case.
    #[inline]
    pub fn whole(&mut self, number: u32) {
        self.0.shape.push(number);
    }

    /// A text.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.text.push_str(text);
    }

    /// A text that may be absent: 0, or its length and one.
    #[inline]
    pub fn optional_text(&mut self, text: Option<&str>) {
        self.count(text.map_or(0, |text| text.len().saturating_add(1)));
        self.0.text.push_str(text.unwrap_or_default());
    }

    /// Yes, no, or unknown: 2, 1, 0.
    #[inline]
    pub fn optional_flag(&mut self, flag: Option<bool>) {
        self.whole(flag.map_or(0, |flag| u32::from(flag) + 1));
    }

    /// A number.
    #[inline]
    pub fn number(&mut self, number: f64) {
        self.0.numbers.push(number);
    }

    /// A number that may be absent: 0, or 1 and the number.
    #[inline]
    pub fn optional_number(&mut self, number: Option<f64>) {
        self.whole(u32::from(number.is_some()));
        self.0.numbers.extend(number);
    }

    /// What was laid side by side.
    pub fn finish(self) -> Packed {
        self.0
    }
}

/// Takes values up again, in the order in which they were laid down.
#[derive(Debug)]
pub struct Unpacker<'p> {
    text: &'p str,
    shape: &'p [u32],
    numbers: &'p [f64],
}

impl<'p> Unpacker<'p> {
    /// Of these values.
    pub fn new(packed: &'p Packed) -> Unpacker<'p> {
        Unpacker { text: &packed.text, shape: &packed.shape, numbers: &packed.numbers }
    }

    /// A whole number or a case.
    ///
    /// # Errors
    /// [`Damaged`] where there is none left, as with all others.
    #[inline]
    pub fn whole(&mut self) -> Result<u32, Damaged> {
        let (first, rest) = self.shape.split_first().ok_or(Damaged)?;
        self.shape = rest;
        Ok(*first)
    }

    /// A count of things each of which has a place in the shape, so that there can be no more of them than that has left.
    ///
    /// # Errors
    /// [`Damaged`].
    #[inline]
    pub fn count(&mut self) -> Result<usize, Damaged> {
        let count = self.whole()? as usize;
        if count <= self.shape.len() { Ok(count) } else { Err(Damaged) }
    }

    #[inline]
    fn cut(&mut self, length: usize) -> Result<&'p str, Damaged> {
        let (first, rest) = self.text.split_at_checked(length).ok_or(Damaged)?;
        self.text = rest;
        Ok(first)
    }

    /// A text.
    ///
    /// # Errors
    /// [`Damaged`].
    #[inline]
    pub fn text(&mut self) -> Result<&'p str, Damaged> {
        let length = self.whole()? as usize;
        self.cut(length)
    }

    /// A text that may be absent.
    ///
    /// # Errors
    /// [`Damaged`].
    #[inline]
    pub fn optional_text(&mut self) -> Result<Option<&'p str>, Damaged> {
        match self.whole()? {
            0 => Ok(None),
            length => self.cut(length as usize - 1).map(Some),
        }
    }

    /// Yes, no, or unknown.
    ///
    /// # Errors
    /// [`Damaged`].
    #[inline]
    pub fn optional_flag(&mut self) -> Result<Option<bool>, Damaged> {
        match self.whole()? {
            0 => Ok(None),
            1 => Ok(Some(false)),
            2 => Ok(Some(true)),
            _ => Err(Damaged),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// [`Damaged`].
    #[inline]
    pub fn number(&mut self) -> Result<f64, Damaged> {
        let (first, rest) = self.numbers.split_first().ok_or(Damaged)?;
        self.numbers = rest;
        Ok(*first)
    }

    /// A number that may be absent.
    ///
    /// # Errors
    /// [`Damaged`].
    #[inline]
    pub fn optional_number(&mut self) -> Result<Option<f64>, Damaged> {
        match self.whole()? {
            0 => Ok(None),
            1 => self.number().map(Some),
            _ => Err(Damaged),
        }
    }

    /// Ends, where everything has been taken up.
    ///
    /// # Errors
    /// [`Damaged`] where something is left.
    pub fn finish(self) -> Result<(), Damaged> {
        let empty = self.text.is_empty() && self.shape.is_empty() && self.numbers.is_empty();
        if empty { Ok(()) } else { Err(Damaged) }
    }
}
