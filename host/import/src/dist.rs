//! What an installed package says of its licence.

use crate::tree::Tree;

/// Longest file of a package's own description that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The licence of a distribution, as an SPDX expression where that can be told, and the text of it.
pub(crate) fn licence(tree: &Tree, distribution: &str) -> (Option<String>, Option<String>, Option<String>) {
    let Some(folder) = tree.dist_info(distribution) else { return (None, None, None) };
    let read = |path: &str| String::from_utf8(tree.read(path, LONGEST).ok()?).ok();
    let about = read(&format!("{folder}/METADATA")).unwrap_or_default();
    let header = |name: &str| {
        let lines = about.lines().take_while(|line| !line.is_empty());
        lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim).next().map(str::to_owned)
    };
    let files = tree.files(&folder).unwrap_or_default();
    let is_text = |path: &&String| path.rsplit('/').next().is_some_and(|name| name.to_uppercase().starts_with("LICEN"));
    let text = files.iter().find(is_text).and_then(|path| read(path));
    let stated = header("License-Expression").or_else(|| header("License").filter(|name| name.len() < 60));
    let known = stated.map(|name| spdx(&name)).or_else(|| text.as_deref().and_then(of_text));
    (known, text, header("Version"))
}

/// Names that packages use for licences, as SPDX has them.
fn spdx(name: &str) -> String {
    match name.to_lowercase().replace(['-', ',', '_'], " ").trim() {
        "apache 2.0" | "apache license 2.0" | "apache license version 2.0" | "apache" => "Apache-2.0".to_owned(),
        "mit" | "mit license" | "the mit license" => "MIT".to_owned(),
        "bsd" | "bsd 3 clause" => "BSD-3-Clause".to_owned(),
        _ => name.to_owned(),
    }
}

/// The licence whose text begins with its name.
fn of_text(text: &str) -> Option<String> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?.to_lowercase();
    match first.as_str() {
        "mit license" | "the mit license" | "the mit license (mit)" => Some("MIT".to_owned()),
        "apache license" => Some("Apache-2.0".to_owned()),
        _ => None,
    }
}
