//! How often each n-gram was seen in each language.
//!
//! The profiles are those of `langdetect` (Apache-2.0, see `data/NOTICE`). An n-gram is its place in the sorted list of all of them.

use crate::reader::{Damaged, Reader, unpacked};

/// How many languages there are.
pub(super) const LANGUAGES: usize = 55;

/// Han characters as this library sees them: from here, this many.
const HAN: u32 = 0x4e00;
const HANS: usize = 0x5200;

/// The n-grams of all languages.
#[derive(Debug)]
pub(super) struct Profiles {
    names: Vec<String>,
    /// How many n-grams of each length were counted in each language.
    totals: Vec<[f64; 3]>,
    /// Each n-gram, its characters in 21 bits each, sorted as texts are.
    keys: Vec<u64>,
    /// A hash table of places in `keys`, plus one; 0 is a free slot.
    slots: Vec<u32>,
    /// Where the entries of each n-gram begin.
    starts: Vec<u32>,
    /// Languages of the entries.
    members: Vec<u8>,
    /// Counts of the entries.
    counts: Vec<u32>,
    /// What each Han character counts as, in the order of code points.
    han: Vec<u16>,
}

/// Slots of the hash table: a power of two, so that about a third is taken.
const SLOT_BITS: u32 = 18;

fn slot(key: u64) -> usize {
    let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SLOT_BITS);
    usize::try_from(hash).unwrap_or_default()
}

fn key(gram: &[char]) -> u64 {
    gram.iter().fold(0, |key, &c| key << 21 | u64::from(u32::from(c)))
}

impl Profiles {
    /// The profiles that the crate holds.
    pub(super) fn load() -> Result<Self, Damaged> {
        Self::read(&unpacked(include_bytes!("../../data/languages.bin"))?)
    }

    fn read(data: &[u8]) -> Result<Self, Damaged> {
        let mut reader = Reader(data);
        let mut names = Vec::new();
        let mut totals = Vec::new();
        for _ in 0..reader.number()? {
            names.push(reader.line()?.to_owned());
            totals.push([f64::from(reader.number()?), f64::from(reader.number()?), f64::from(reader.number()?)]);
        }
        if names.len() != LANGUAGES {
            return Err(Damaged);
        }
        let rows = reader.count()?;
        let shapes = reader.bytes(rows)?;
        let mut keys = Vec::with_capacity(rows);
        let mut gram: Vec<u32> = Vec::with_capacity(3);
        for &shape in shapes {
            let (shared, len) = (usize::from(shape >> 2), usize::from(shape & 3));
            let mut base = gram.get(shared).copied().unwrap_or_default();
            gram.truncate(shared);
            while gram.len() < len {
                gram.push(base.checked_add(reader.number()?).ok_or(Damaged)?);
                base = 0;
            }
            keys.push(gram.iter().fold(0, |key, &c| key << 21 | u64::from(c)));
        }
        let mut starts = Vec::with_capacity(rows + 1);
        let mut entries = 0_u32;
        for &size in reader.bytes(rows)? {
            starts.push(entries);
            entries = entries.checked_add(size.into()).ok_or(Damaged)?;
        }
        starts.push(entries);
        let entries = usize::try_from(entries).map_err(|_| Damaged)?;
        let mut members = reader.bytes(entries)?.to_vec();
        for bounds in starts.windows(2) {
            let mut language = 0_u8;
            for member in members.get_mut(bounds[0] as usize..bounds[1] as usize).ok_or(Damaged)? {
                language = language.checked_add(*member).filter(|&at| usize::from(at) < LANGUAGES).ok_or(Damaged)?;
                *member = language;
            }
        }
        let low = reader.bytes(entries)?;
        let counts = low.iter().map(|&low| Ok(reader.number()? << 8 | u32::from(low))).collect::<Result<_, _>>()?;
        let han = han(&mut reader)?;
        let mut profiles = Self { names, totals, keys, slots: Vec::new(), starts, members, counts, han };
        profiles.index();
        Ok(profiles)
    }

    fn index(&mut self) {
        self.slots = vec![0; 1 << SLOT_BITS];
        for (place, &key) in (1..).zip(&self.keys) {
            let mut at = slot(key);
            while self.slots[at] != 0 {
                at = (at + 1) % self.slots.len();
            }
            self.slots[at] = place;
        }
    }

    /// Codes of the languages, sorted.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    fn place(&self, gram: &[char]) -> Option<u32> {
        let key = key(gram);
        let mut at = slot(key);
        loop {
            let place = self.slots[at].checked_sub(1)?;
            if self.keys.get(place as usize) == Some(&key) {
                return Some(place);
            }
            at = (at + 1) % self.slots.len();
        }
    }

    /// The n-grams of a cleaned text that some language has, in the order in which the reference meets them. Words with two capitals
    /// in a row are passed over from there on.
    pub(super) fn grams(&self, text: &[char]) -> Vec<u32> {
        let mut found = Vec::with_capacity(text.len() * 2);
        let mut gram = [' '; 3];
        let mut len = 1;
        let mut shouted = false;
        for &c in text {
            let c = self.normal(c);
            let last = gram[len - 1];
            if last == ' ' {
                gram[0] = ' ';
                len = 1;
                shouted = false;
                if c == ' ' {
                    continue;
                }
            } else if len == 3 {
                gram = [gram[1], gram[2], ' '];
                len = 2;
            }
            gram[len] = c;
            len += 1;
            shouted = c.is_uppercase() && (shouted || last.is_uppercase());
            if shouted {
                continue;
            }
            if c != ' ' {
                found.extend(self.place(&gram[len - 1..len]));
            }
            found.extend(self.place(&gram[len - 2..len]));
            if len == 3 {
                found.extend(self.place(&gram));
            }
        }
        found
    }

    /// What a language's probability is multiplied by for an n-gram.
    pub(super) fn factors(&self, gram: u32, weight: f64) -> [f64; LANGUAGES] {
        let mut factors = [weight; LANGUAGES];
        let at = gram as usize;
        let length = match self.keys.get(at) {
            Some(..0x20_0000) => 0,
            Some(..0x400_0000_0000) => 1,
            _ => 2,
        };
        let bounds =
            self.starts.get(at).copied().unwrap_or_default()..self.starts.get(at + 1).copied().unwrap_or_default();
        for entry in bounds {
            let (language, count) = (usize::from(self.members[entry as usize]), f64::from(self.counts[entry as usize]));
            factors[language] = weight + count / self.totals[language][length];
        }
        factors
    }

    /// The character that stands for one in n-grams.
    fn normal(&self, c: char) -> char {
        match u32::from(c) {
            0..=0x7f => {
                if c.is_ascii_alphabetic() {
                    c
                } else {
                    ' '
                }
            }
            0xa0 | 0xab | 0xb0 | 0xbb => ' ',
            // Romanian: comma below is written as a cedilla.
            0x219 => '\u{15f}',
            0x21b => '\u{163}',
            // Farsi yeh is an Arabic one.
            0x6cc => '\u{64a}',
            // Vietnamese.
            0x1ea0..=0x1eff => '\u{1ec3}',
            0x2000..=0x206f => ' ',
            0x3040..=0x309f => 'あ',
            0x30a0..=0x30ff => 'ア',
            0x3100..=0x312f | 0x31a0..=0x31bf => 'ㄅ',
            code @ 0x4e00..=0x9fff => {
                let stand_in = self.han.get((code - HAN) as usize).and_then(|&code| char::from_u32(code.into()));
                stand_in.unwrap_or(c)
            }
            0xac00..=0xd7af => '가',
            _ => c,
        }
    }
}

fn han(reader: &mut Reader<'_>) -> Result<Vec<u16>, Damaged> {
    let mut han: Vec<u16> = (0x4e00..=0x9fff).collect();
    for _ in 0..reader.number()? {
        let members = reader.number()?;
        let stand_in = u16::try_from(reader.number()?).map_err(|_| Damaged)?;
        let mut code = 0_u32;
        for _ in 0..members {
            code = code.checked_add(reader.number()?).ok_or(Damaged)?;
            let at = code.checked_sub(HAN).map_or(HANS, |at| at as usize);
            *han.get_mut(at).ok_or(Damaged)? = stand_in;
        }
    }
    Ok(han)
}
