//! Text of others goes through `bench-text` before it stands in a table, a sentence or an error.

use crate::project::{SOURCES, Source, expect_none, read};

/// Crates whose errors hold numbers and words of their own, or what the user typed, and which depend on no crate of the project.
const WITHOUT_FOREIGN_TEXT: [&str; 5] = ["host/forge", "host/meter", "host/metrics", "host/sim", "host/xtask"];

/// Who looks at controls for another reason than to show a text.
const NOT_FOR_DISPLAY: [(&str, &str); 5] = [
    ("host/samples/src/export/mod.rs", "names of files that are written"),
    ("host/samples/src/python.rs", "literals as Python writes them"),
    ("host/suite/src/data.rs", "identifiers of items that are refused"),
    ("host/suite/src/manifest.rs", "texts of a manifest that are refused"),
    ("host/wire/src/secrets.rs", "keys that no header can carry"),
];

fn host() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| source.is_shipped() && source.path.starts_with("host/"))
}

#[test]
fn one_crate_decides_which_characters_are_shown() {
    let words = ["is_control", "escape_debug", "escape_default", "escape_unicode"];
    let others = host().filter(|source| !source.path.starts_with("host/text/"));
    let mut broken = Vec::new();
    for source in others.filter(|source| !NOT_FOR_DISPLAY.iter().any(|(path, _)| source.path == *path)) {
        broken.extend(source.find(&source.shipped, &words));
    }
    expect_none("show text of others with `clean_name` or `clean_sentence` of bench-text:", &broken);
}

#[test]
fn the_exceptions_are_still_there() {
    for (path, reason) in NOT_FOR_DISPLAY {
        let source = host().find(|source| source.path == path).unwrap_or_else(|| panic!("{path} is gone"));
        assert!(!source.find(&source.shipped, &["is_control"]).is_empty(), "{path} needs no exception for {reason}");
    }
}

#[test]
fn every_table_cleans_its_cells() {
    let binary = host().filter(|source| source.path.starts_with("host/bench/"));
    let mut broken = Vec::new();
    for source in binary.filter(|source| source.path != "host/bench/src/results/mod.rs") {
        broken.extend(source.find(&source.shipped, &["comfy_table"]));
    }
    expect_none("tables are made by `results::table`, which cleans each cell:", &broken);
}

#[test]
fn texts_in_errors_are_cleaned() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in host().filter(|source| !WITHOUT_FOREIGN_TEXT.iter().any(|folder| source.path.starts_with(folder))) {
        let text = read(&source.path);
        for (at, _) in text.match_indices("#[error(") {
            let Some(error) = SentenceOfError::read(&text[at..]) else { continue };
            seen += 1;
            let line = text[..at].matches('\n').count() + 1;
            broken.extend(error.uncleaned().map(|field| format!("{}:{line}: {field}", source.path)));
        }
    }
    assert!(seen > 200, "only {seen} sentences of errors were found");
    expect_none("write `#[error(\"… {field} …\", field = clean_name(.field))]`:", &broken);
}

/// An `#[error(…)]` and the fields below it.
struct SentenceOfError<'t> {
    sentence: &'t str,
    arguments: &'t str,
    fields: Vec<(String, &'t str)>,
}

impl<'t> SentenceOfError<'t> {
    /// Reads it where it begins; `None` for one without a sentence.
    fn read(text: &'t str) -> Option<Self> {
        let inside = text.strip_prefix("#[error(")?.trim_start().strip_prefix('"')?;
        let mut escaped = false;
        let end = inside.find(|letter| {
            let is_end = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            is_end
        })?;
        let (sentence, rest) = inside.split_at(end);
        let (arguments, rest) = rest.split_once(")]")?;
        let code = rest.lines().filter(|line| !line.trim_start().starts_with(['/', '#']));
        let from = code.clone().find(|line| !line.trim().is_empty())?;
        // What follows the name of the variant or the struct, to the end of its fields.
        let start = rest.find(from)? + from.find(['(', '{', ',', ';'])?;
        let fields = match rest[start..].chars().next()? {
            '{' => named_fields(&rest[start + 1..]),
            '(' => {
                let tuple = rest[start + 1..].split_once(")").map_or("", |(fields, _)| fields);
                let kind = tuple.split(", ").map(|field| field.trim_start_matches("#[from] "));
                kind.enumerate().map(|(place, kind)| (place.to_string(), kind)).collect()
            }
            _ => Vec::new(),
        };
        Some(Self { sentence, arguments, fields })
    }

    /// Texts and paths that stand in the sentence as they are.
    fn uncleaned(&self) -> impl Iterator<Item = String> + '_ {
        let names = self.sentence.split('{').skip(1).filter_map(|rest| {
            let name: String = rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            (!name.is_empty()).then_some(name)
        });
        let as_they_are = names.filter(|name| !self.arguments.contains(&format!("{name} = clean_"))).filter(|name| {
            self.fields.iter().any(|(field, kind)| field == name && ["String", "PathBuf"].contains(kind))
        });
        let paths = self.arguments.match_indices(".display()").filter_map(|(at, call)| {
            let before = &self.arguments[..at];
            let path = before.rsplit(|letter: char| !is_part_of_path(letter)).next()?;
            let is_cleaned = before.strip_suffix(path)?.ends_with("clean_sentence(");
            (!is_cleaned).then(|| format!("{}{call}", path.trim_start_matches('.')))
        });
        as_they_are.chain(paths)
    }
}

fn is_part_of_path(letter: char) -> bool {
    letter.is_alphanumeric() || ['.', '_'].contains(&letter)
}

fn named_fields(text: &str) -> Vec<(String, &str)> {
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with('}'));
    let fields = lines.filter(|line| !line.starts_with(['/', '#'])).filter_map(|line| line.split_once(": "));
    fields.map(|(name, kind)| (name.trim_start_matches("pub ").to_owned(), kind.trim_end_matches(','))).collect()
}

#[test]
fn an_uncleaned_text_in_an_error_is_found() {
    let found = |text: &str| SentenceOfError::read(text).unwrap().uncleaned().collect::<Vec<_>>();
    let variant =
        "    /// What.\n    Variant {\n        /// The name.\n        name: String,\n        count: u64,\n    },\n";
    assert_eq!(found(&format!("#[error(\"no {{name}} in {{count}}\")]\n{variant}")), ["name"]);
    assert!(found(&format!("#[error(\"no {{name}}\", name = clean_name(.name))]\n{variant}")).is_empty());
    assert_eq!(found("#[error(\"it failed: {0}\")]\nFailed(String),\n"), ["0"]);
    assert!(found("#[error(\"it failed: {0}\")]\nFailed(#[from] Other),\n").is_empty());
    assert_eq!(found("#[error(\"{}: {error}\", path.display())]\nIo {\npath: PathBuf,\n},\n"), ["path.display()"]);
    let two = "#[error(\"{} and {}\", clean_sentence(path.display()), .at.display())]\nTwo {\npath: PathBuf,\n},\n";
    assert_eq!(found(two), ["at.display()"]);
}
