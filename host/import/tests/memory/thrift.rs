//! Parquet files by hand: Thrift's compact protocol, as far as they need it.

/// A value of the protocol.
#[derive(Clone)]
pub enum Thrift {
    Int(i64),
    Long(i64),
    Text(&'static str),
    List(u8, Vec<Thrift>),
    Struct(Vec<(u8, Thrift)>),
}

use Thrift::{Int, List, Long, Struct, Text};

pub fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 128 {
        out.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

impl Thrift {
    fn kind(&self) -> u8 {
        match self {
            Int(_) => 5,
            Long(_) => 6,
            Text(_) => 8,
            List(..) => 9,
            Struct(_) => 12,
        }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Int(value) | Long(value) => varint(((value << 1) ^ (value >> 63)) as u64, out),
            Text(text) => {
                varint(text.len() as u64, out);
                out.extend_from_slice(text.as_bytes());
            }
            List(kind, values) => {
                if values.len() < 15 {
                    out.push((values.len() as u8) << 4 | kind);
                } else {
                    out.push(0xf0 | kind);
                    varint(values.len() as u64, out);
                }
                values.iter().for_each(|value| value.write(out));
            }
            Struct(fields) => {
                let mut last = 0;
                for (field, value) in fields {
                    out.push((field - last) << 4 | value.kind());
                    last = *field;
                    value.write(out);
                }
                out.push(0);
            }
        }
    }
}

/// The parts of a file with one column.
pub struct Column {
    /// The schema below the root.
    pub schema: Vec<Thrift>,
    /// Children of the root.
    pub children: i64,
    pub path: Vec<&'static str>,
    /// 1 is a 32-bit number, 6 a text.
    pub physical: i64,
    /// 0 is unpacked, 1 is Snappy.
    pub codec: i64,
    pub rows: i64,
    pub values: i64,
    /// A dictionary: its header and bytes.
    pub dictionary: Option<(Thrift, Vec<u8>)>,
    pub pages: Vec<(Thrift, Vec<u8>)>,
}

/// A group or column of a schema.
pub fn element(
    name: &'static str,
    physical: Option<i64>,
    repetition: Option<i64>,
    children: i64,
    converted: Option<i64>,
) -> Thrift {
    let mut fields = Vec::new();
    fields.extend(physical.map(|kind| (1, Int(kind))));
    fields.extend(repetition.map(|kind| (3, Int(kind))));
    fields.push((4, Text(name)));
    if children > 0 {
        fields.push((5, Int(children)));
    }
    fields.extend(converted.map(|kind| (6, Int(kind))));
    Struct(fields)
}

/// The header of a data page.
pub fn data_page(unpacked: i64, packed: i64, values: i64, encoding: i64) -> Thrift {
    let head = Struct(vec![(1, Int(values)), (2, Int(encoding)), (3, Int(3)), (4, Int(3))]);
    Struct(vec![(1, Int(0)), (2, Int(unpacked)), (3, Int(packed)), (5, head)])
}

/// The header of a dictionary.
pub fn dictionary_page(bytes: i64, values: i64) -> Thrift {
    let head = Struct(vec![(1, Int(values)), (2, Int(0))]);
    Struct(vec![(1, Int(2)), (2, Int(bytes)), (3, Int(bytes)), (7, head)])
}

/// Levels that are runs of one value each, with their length before them.
pub fn levels(runs: &[(u64, u8)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (count, value) in runs {
        varint(count << 1, &mut bytes);
        bytes.push(*value);
    }
    [(bytes.len() as u32).to_le_bytes().to_vec(), bytes].concat()
}

impl Column {
    pub fn file(&self) -> Vec<u8> {
        let mut file = b"PAR1".to_vec();
        let begin = file.len() as i64;
        let mut write = |page: &(Thrift, Vec<u8>)| {
            page.0.write(&mut file);
            file.extend_from_slice(&page.1);
            file.len() as i64
        };
        let data = self.dictionary.as_ref().map_or(begin, &mut write);
        let end = self.pages.iter().map(&mut write).last().unwrap_or(data);
        let mut about = vec![
            (1, Int(self.physical)),
            (2, List(5, vec![Int(0), Int(3)])),
            (3, List(8, self.path.iter().map(|name| Text(name)).collect())),
            (4, Int(self.codec)),
            (5, Long(self.values)),
            (6, Long(end - begin)),
            (7, Long(end - begin)),
            (9, Long(data)),
        ];
        if self.dictionary.is_some() {
            about.push((11, Long(begin)));
        }
        let chunk = Struct(vec![(2, Long(begin)), (3, Struct(about))]);
        let group = Struct(vec![(1, List(12, vec![chunk])), (2, Long(end - begin)), (3, Long(self.rows))]);
        let root = element("schema", None, None, self.children, None);
        let schema = [vec![root], self.schema.clone()].concat();
        let footer = Struct(vec![(1, Int(1)), (2, List(12, schema)), (3, Long(self.rows)), (4, List(12, vec![group]))]);
        finish(file, &footer)
    }
}

/// A file with a footer.
pub fn finish(mut file: Vec<u8>, footer: &Thrift) -> Vec<u8> {
    let begin = file.len();
    footer.write(&mut file);
    let length = (file.len() - begin) as u32;
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(b"PAR1");
    file
}
