//! The project as the tests see it: packages, files, and sources with comments and literals blanked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Folders and files that are made, not written; those of `.gitignore`.
const NOT_OURS: [&str; 5] = [".git", "target", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// A package of the workspace.
#[derive(Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// Relative to the root, with `/`.
    pub folder: String,
    pub manifest: String,
    pub dependencies: Vec<Dependency>,
}

/// A dependency as the manifest states it.
#[derive(Debug)]
pub struct Dependency {
    pub name: String,
    /// Only for tests and benchmarks.
    pub dev: bool,
}

impl Package {
    /// What the package needs when it is not being tested.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().filter(|dependency| !dependency.dev).map(|dependency| dependency.name.as_str())
    }

    /// Is it compiled to a component?
    pub fn is_guest(&self) -> bool {
        self.folder.starts_with("plugins/")
    }
}

/// A Rust file.
#[derive(Debug)]
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub lines: usize,
    /// The text with comments, strings and characters blanked; line breaks are kept.
    pub code: String,
    /// `code` without its `#[cfg(test)]` items.
    pub shipped: String,
}

impl Source {
    /// Does it end up in a program or a plugin, rather than in a test, a benchmark or a build script?
    pub fn is_shipped(&self) -> bool {
        (self.path.starts_with("host/") || self.path.starts_with("plugins/")) && self.path.contains("/src/")
    }

    /// Where any of the words stands, as `path:line: word`. A word is not found inside a longer identifier on its left.
    pub fn find(&self, code: &str, words: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for (number, line) in code.lines().enumerate() {
            for word in words {
                if contains_word(line, word) {
                    found.push(format!("{}:{}: {word}", self.path, number + 1));
                }
            }
        }
        found
    }

    /// The modules of the standard library that the shipped code names, as `(path:line, module)`. Understands
    /// `std::fs::read`, `use std::{env, fs}` and `use std::{io::{self}, fs}`.
    pub fn std_modules(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (at, _) in self.shipped.match_indices("std::") {
            if self.shipped[..at].ends_with(is_word) {
                continue;
            }
            let line = self.shipped[..at].matches('\n').count() + 1;
            let rest = &self.shipped[at + "std::".len()..];
            for name in top_names(rest) {
                found.push((format!("{}:{line}", self.path), name));
            }
        }
        found
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !word.starts_with(is_word) || !line[..at].ends_with(is_word))
}

/// The first names of a path or of a braced list of paths.
fn top_names(text: &str) -> Vec<String> {
    let Some(list) = text.strip_prefix('{') else {
        return vec![text.chars().take_while(|character| is_word(*character)).collect()];
    };
    let mut names = Vec::new();
    let mut depth = 1;
    let mut expecting = true;
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => expecting = true,
            _ if expecting && is_word(character) => {
                let mut name = String::from(character);
                while let Some(next) = characters.next_if(|next| is_word(*next)) {
                    name.push(next);
                }
                names.push(name);
                expecting = false;
            }
            _ => {}
        }
    }
    names
}

/// Panics with the rule and every place that breaks it.
#[track_caller]
pub fn expect_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The text of a file of the repository.
#[track_caller]
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The packages of the workspace.
pub static PACKAGES: LazyLock<Vec<Package>> = LazyLock::new(|| {
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    let package = |package: &cargo_metadata::Package| Package {
        name: package.name.to_string(),
        version: package.version.to_string(),
        folder: slashes(
            package.manifest_path.parent().unwrap().strip_prefix(&metadata.workspace_root).unwrap().as_std_path(),
        ),
        manifest: fs::read_to_string(&package.manifest_path).unwrap(),
        dependencies: package
            .dependencies
            .iter()
            .map(|dependency| Dependency {
                name: dependency.name.clone(),
                dev: dependency.kind == DependencyKind::Development,
            })
            .collect(),
    };
    metadata.packages.iter().map(package).collect()
});

/// Every file that is written by hand or committed, sorted.
pub static FILES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files.sort();
    files
});

/// Every Rust file.
pub static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let rust = FILES.iter().filter(|path| path.ends_with(".rs"));
    rust.map(|path| {
        let text = read(path);
        let code = blank(&text);
        Source { path: path.clone(), lines: text.lines().count(), shipped: without_tests(&code), code }
    })
    .collect()
});

/// The files below a folder, relative to the root.
pub fn below(folder: &str) -> impl Iterator<Item = &'static String> {
    let prefix = format!("{folder}/");
    FILES.iter().filter(move |path| path.starts_with(&prefix))
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("/")
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let name = slashes(path.strip_prefix(root()).unwrap());
        // A target folder may be put anywhere; cargo marks each with this file.
        if NOT_OURS.contains(&name.as_str()) || path.join("CACHEDIR.TAG").is_file() || name.contains("__pycache__") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&path, files);
        } else {
            files.push(name);
        }
    }
}

/// Blanks comments and literals.
fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    while index < characters.len() {
        let end = match at(index) {
            '/' if at(index + 1) == '/' => line_end(&characters, index),
            '/' if at(index + 1) == '*' => comment_end(&characters, index),
            '"' => string_end(&characters, index),
            'r' if !previous_is_word(&characters, index) || prefixed(&characters, index) => {
                raw_end(&characters, index).unwrap_or(index)
            }
            '\'' => character_end(&characters, index).unwrap_or(index),
            _ => index,
        };
        if end == index {
            out.push(at(index));
            index += 1;
            continue;
        }
        out.extend(characters[index..end].iter().map(|&character| if character == '\n' { '\n' } else { ' ' }));
        index = end;
    }
    out
}

fn previous_is_word(characters: &[char], index: usize) -> bool {
    index > 0 && is_word(characters[index - 1])
}

/// Is the `r` at `index` that of `br"` or `cr"`?
fn prefixed(characters: &[char], index: usize) -> bool {
    index > 0 && matches!(characters[index - 1], 'b' | 'c') && !previous_is_word(characters, index - 1)
}

fn line_end(characters: &[char], from: usize) -> usize {
    characters[from..].iter().position(|&character| character == '\n').map_or(characters.len(), |length| from + length)
}

fn comment_end(characters: &[char], from: usize) -> usize {
    let mut depth = 0;
    let mut index = from;
    while index < characters.len() {
        match (characters[index], characters.get(index + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                index += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                index += 2;
                if depth == 0 {
                    return index;
                }
            }
            _ => index += 1,
        }
    }
    index
}

fn string_end(characters: &[char], from: usize) -> usize {
    let mut index = from + 1;
    while index < characters.len() {
        match characters[index] {
            '\\' => index += 2,
            '"' => return index + 1,
            _ => index += 1,
        }
    }
    characters.len()
}

fn raw_end(characters: &[char], from: usize) -> Option<usize> {
    let hashes = characters[from + 1..].iter().take_while(|&&character| character == '#').count();
    let open = from + 1 + hashes;
    if characters.get(open) != Some(&'"') {
        return None;
    }
    let closes = |index: usize| {
        characters[index] == '"' && characters[index + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
    };
    Some((open + 1..characters.len()).find(|&index| closes(index)).map_or(characters.len(), |at| at + 1 + hashes))
}

/// The end of a character literal; `None` for a lifetime.
fn character_end(characters: &[char], from: usize) -> Option<usize> {
    match characters.get(from + 1)? {
        '\\' => {
            // The escaped character itself may be a quote, so it is stepped over.
            let rest = characters.get(from + 3..)?;
            rest.iter().position(|&character| character == '\'').map(|length| from + 3 + length + 1)
        }
        _ => (characters.get(from + 2) == Some(&'\'')).then_some(from + 3),
    }
}

/// Blanks items under `#[cfg(test)]`, up to their closing brace or semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let mut depth = 0;
        let mut end = rest.len();
        // Attributes may stand between the mark and the item; the braces that count are the item's.
        for (index, character) in rest[at..].char_indices().skip(MARK.len()) {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ';' if depth == 0 => {}
                _ => continue,
            }
            if depth == 0 {
                end = at + index + 1;
                break;
            }
        }
        out.extend(rest[at..end].chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_kept() {
        let text = "a /* x /* y */ z */ b // c\nd \"e\\\"f\" g r#\"h\"i\"# 'j' '\\'' &'k l br\"m\" \"n\no\" p";
        let code = blank(text);
        let left: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(left, ["a", "b", "d", "g", "&'k", "l", "b", "p"]);
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn test_modules_are_not_shipped() {
        let code = "fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests { fn b() { {} } }\nfn c() {}\n#[cfg(test)]\nmod t;\nfn d() {}";
        let shipped = without_tests(code);
        assert!(shipped.contains("fn a") && shipped.contains("fn c") && shipped.contains("fn d"), "{shipped}");
        assert!(!shipped.contains("fn b") && !shipped.contains("mod t"), "{shipped}");
    }

    #[test]
    fn modules_of_std_are_found_in_lists() {
        let shipped = "use std::{env, io::{self, Read}, fs};\nlet x = std::net::y; mystd::z".to_owned();
        let source = Source { path: "p".to_owned(), lines: 2, code: String::new(), shipped };
        let found: Vec<String> = source.std_modules().into_iter().map(|(_, module)| module).collect();
        assert_eq!(found, ["env", "io", "fs", "net"]);
    }

    #[test]
    fn words_are_not_found_inside_longer_ones() {
        assert!(contains_word("println!()", "println!"));
        assert!(!contains_word("eprintln!()", "println!"));
        assert!(contains_word("x.elapsed()", ".elapsed("));
    }
}
