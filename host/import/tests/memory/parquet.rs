//! Parquet files of a few bytes that stand for gigabytes.

use std::fs;
use std::path::Path;

use super::thrift::{Column, Thrift, data_page, dictionary_page, element, finish, levels, varint};
use super::{import_rows, within_limit};

/// One row with a list of nulls or, with a dictionary, of references to its text.
fn list(values: u64, dictionary: Option<usize>) -> Column {
    let mut page = levels(&[(1, 0), (values - 1, 1)]);
    page.extend(levels(&[(values, if dictionary.is_some() { 3 } else { 2 })]));
    if dictionary.is_some() {
        page.push(1);
        varint(values << 1, &mut page);
        page.push(0);
    }
    let physical = if dictionary.is_some() { 6 } else { 1 };
    let encoding = if dictionary.is_some() { 8 } else { 0 };
    let size = page.len() as i64;
    Column {
        schema: vec![
            element("a", None, Some(1), 1, Some(3)),
            element("list", None, Some(2), 1, None),
            element("element", Some(physical), Some(1), 0, dictionary.map(|_| 0)),
        ],
        children: 1,
        path: vec!["a", "list", "element"],
        physical,
        codec: 0,
        rows: 1,
        values: values as i64,
        dictionary: dictionary.map(|length| {
            let bytes = [(length as u32).to_le_bytes().to_vec(), vec![b'x'; length]].concat();
            (dictionary_page(bytes.len() as i64, 1), bytes)
        }),
        pages: vec![(data_page(size, size, values as i64, encoding), page)],
    }
}

/// Rows of a text column without lists, all of which refer to one text.
fn texts(rows: u64, length: usize) -> Column {
    let mut page = vec![1];
    varint(rows << 1, &mut page);
    page.push(0);
    let size = page.len() as i64;
    Column {
        schema: vec![element("a", Some(6), Some(0), 0, Some(0))],
        path: vec!["a"],
        rows: rows as i64,
        pages: vec![(data_page(size, size, rows as i64, 8), page)],
        ..list(rows, Some(length))
    }
}

#[test]
fn files() {
    let cases = [
        ("honest.parquet", "fine"),
        ("list2e7.parquet", "import-unreadable"),
        ("list2e8.parquet", "import-unreadable"),
        ("references.parquet", "import-unreadable"),
        ("texts.parquet", "import-unreadable"),
        ("dictionary.parquet", "import-unreadable"),
        ("snappy.parquet", "import-unreadable"),
        ("rows.parquet", "import-unreadable"),
        ("nulls.parquet", "import-unreadable"),
        ("groups.parquet", "import-unreadable"),
        ("columns.parquet", "import-unreadable"),
        ("nested.parquet", "import-unreadable"),
        ("footer.parquet", "import-unreadable"),
    ];
    let write = |folder: &Path| {
        let put = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
        put("honest.parquet", list(100, Some(10)).file());
        let bomb = list(20_000_000, None).file();
        assert!(bomb.len() < 250, "{}", bomb.len());
        put("list2e7.parquet", bomb);
        put("list2e8.parquet", list(200_000_000, None).file());
        put("references.parquet", list(100_000, Some(1 << 20)).file());
        put("texts.parquet", texts(100_000, 1 << 20).file());
        let mut many = texts(10, 10);
        many.dictionary = many.dictionary.map(|(_, bytes)| (dictionary_page(bytes.len() as i64, 1 << 30), bytes));
        put("dictionary.parquet", many.file());
        let mut packed = texts(10, 10);
        packed.codec = 1;
        packed.pages = vec![(
            data_page(0x7fff_ffff, 20, 10, 8),
            vec![0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        )];
        put("snappy.parquet", packed.file());
        put("rows.parquet", Column { rows: 1 << 40, ..texts(10, 10) }.file());
        // Nulls of a column without lists take no bytes at all.
        let page = levels(&[(900_000_000, 0)]);
        let size = page.len() as i64;
        let nulls = Column {
            schema: vec![element("a", Some(1), Some(1), 0, None)],
            path: vec!["a"],
            rows: 900_000_000,
            values: 900_000_000,
            pages: vec![(data_page(size, size, 900_000_000, 0), page)],
            ..list(10, None)
        };
        put("nulls.parquet", nulls.file());
        let root = |children: i64| element("schema", None, None, children, None);
        let column = element("a", Some(1), Some(1), 0, None);
        let footer = |schema: Vec<Thrift>, groups: Vec<Thrift>| {
            let fields = vec![
                (1, Thrift::Int(1)),
                (2, Thrift::List(12, schema)),
                (3, Thrift::Long(0)),
                (4, Thrift::List(12, groups)),
            ];
            finish(b"PAR1".to_vec(), &Thrift::Struct(fields))
        };
        put("groups.parquet", footer(vec![root(1), column.clone()], vec![Thrift::Struct(Vec::new()); 8_000_000]));
        put("columns.parquet", footer([vec![root(1_000_000)], vec![column; 1_000_000]].concat(), Vec::new()));
        put("nested.parquet", footer(vec![element("g", None, Some(1), 1, None); 200_000], Vec::new()));
        put("footer.parquet", [&b"PAR1"[..], &vec![0; 90_000_000], &90_000_000_u32.to_le_bytes(), b"PAR1"].concat());
    };
    within_limit("parquet::files", &cases, write, import_rows);
}
