//! Thrift's compact protocol, as far as Parquet's headers and footers need it: what is not looked at is skipped.

/// Deepest nesting. Parquet has less than eight levels.
const DEEPEST: u32 = 12;

/// Types of the protocol.
pub(crate) const STOP: u8 = 0;
pub(crate) const INTEGER: u8 = 5;
pub(crate) const LIST: u8 = 9;
pub(crate) const STRUCT: u8 = 12;

/// What is read of a text of the protocol.
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
}

/// The elements of lists that were skipped or read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elements {
    pub(crate) structs: u64,
    pub(crate) others: u64,
}

impl Elements {
    pub(crate) const fn add(&mut self, kind: u8, count: u64) {
        if kind == STRUCT {
            self.structs = self.structs.saturating_add(count);
        } else {
            self.others = self.others.saturating_add(count);
        }
    }
}

impl Cursor<'_> {
    /// The type of the next field, [`STOP`] at the end of the structure. `field` is the number of the last one and becomes this
    /// one's.
    pub(crate) fn field(&mut self, field: &mut i64) -> Option<u8> {
        let byte = self.byte()?;
        let (step, kind) = (byte >> 4, byte & 15);
        if kind != STOP {
            *field = if step == 0 { self.integer()? } else { field.checked_add(i64::from(step))? };
        }
        Some(kind)
    }

    /// The type of a list's elements and their number, which the bytes that are left have room for.
    pub(crate) fn list(&mut self) -> Option<(u8, u64)> {
        let byte = self.byte()?;
        let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
        // Each element takes a byte at least.
        (count <= self.bytes.len() as u64).then_some((byte & 15, count))
    }

    /// Skips a value.
    pub(crate) fn skip(&mut self, kind: u8, elements: &mut Elements) -> Option<()> {
        self.skip_within(kind, elements, DEEPEST)
    }

    fn skip_within(&mut self, kind: u8, elements: &mut Elements, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // A boolean field is its type.
            1 | 2 => {}
            3 => self.take(1)?,
            4..=6 => {
                self.varint()?;
            }
            7 => self.take(8)?,
            8 => {
                let length = self.varint()?;
                self.take(usize::try_from(length).ok()?)?;
            }
            LIST | 10 => {
                let (kind, count) = self.list()?;
                elements.add(kind, count);
                for _ in 0..count {
                    // Booleans take a byte each in a list.
                    self.skip_within(if matches!(kind, 1 | 2) { 3 } else { kind }, elements, depth)?;
                }
            }
            STRUCT => {
                let mut field = 0;
                loop {
                    match self.field(&mut field)? {
                        STOP => break,
                        kind => self.skip_within(kind, elements, depth)?,
                    }
                }
            }
            // Maps do not occur in Parquet.
            _ => return None,
        }
        Some(())
    }

    pub(crate) fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, count: usize) -> Option<()> {
        self.bytes = self.bytes.get(count..)?;
        Some(())
    }
}
