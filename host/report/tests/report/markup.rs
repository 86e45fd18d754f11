//! As much of a reader of markup as tests need.

/// Elements without an end.
const VOID: [&str; 5] = ["meta", "br", "wbr", "img", "link"];

/// Panics unless every element that begins also ends, in the right order, and no attribute breaks out of its quotes.
pub fn balanced(page: &str) {
    let mut open: Vec<String> = Vec::new();
    for tag in tags(page) {
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "</{name}>");
        } else if !tag.ends_with('/') && !tag.starts_with('!') && !VOID.contains(&name.as_str()) {
            open.push(name);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        assert!(!tag.contains("onerror") || tag.contains("aria-label") || tag.contains("title"), "<{tag}>");
    }
    assert_eq!(open, Vec::<String>::new());
}

/// Everything between `<` and `>`, the style sheet left out.
fn tags(page: &str) -> Vec<&str> {
    let (before, after) = page
        .split_once("<style>")
        .map_or((page, ""), |(before, rest)| (before, rest.split_once("</style>").map_or("", |(_, after)| after)));
    [before, after]
        .into_iter()
        .flat_map(|part| part.split('<').skip(1))
        .map(|tag| tag.split('>').next().unwrap_or(""))
        .collect()
}

/// Attributes and rules that would make a browser fetch something.
pub fn outside(page: &str) -> Vec<String> {
    let mut found: Vec<String> =
        ["@import", "url("].iter().filter(|word| page.contains(**word)).map(|word| (*word).to_owned()).collect();
    for tag in tags(page) {
        let fetches = [" src=", " href=", " srcset=", " data=", " action="];
        // A quoted text may hold such words; an attribute stands outside of quotes.
        let bare: String = tag.split('"').step_by(2).collect();
        found.extend(fetches.iter().filter(|word| bare.contains(**word)).map(|word| format!("{word} in <{tag}>")));
    }
    found
}
