//! Equality of LaTeX as the grader of the MATH data set has it: both sides are put into one of several ways to write them, and
//! compared as text. lm-eval has it in `hendrycks_math`.
//!
//! Its Python raises in places, and then compares the two as they are: `None` stands for that here.

/// Whether two answers are the same text once normalised, or as they are where one of them cannot be.
pub fn equal(one: &str, other: &str) -> bool {
    match (normalised(one), normalised(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// The text in the form that is compared.
pub fn normalised(text: &str) -> Option<String> {
    let mut text = text.replace('\n', "").replace("\\!", "").replace("\\\\", "\\");
    for (from, to) in [("tfrac", "frac"), ("dfrac", "frac"), ("\\left", ""), ("\\right", ""), ("^{\\circ}", "")] {
        text = text.replace(from, to);
    }
    text = text.replace("^\\circ", "").replace("\\$", "");
    // `\text{ ` only ever begins a unit.
    let mut parts = text.split("\\text{ ");
    let before = parts.next().unwrap_or_default().to_owned();
    if parts.next().is_some() {
        if parts.next().is_some() {
            return None;
        }
        text = before;
    }
    text = text.replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.");
    if text.is_empty() {
        return Some(text);
    }
    if text.starts_with('.') {
        text.insert(0, '0');
    }
    if let Some((name, value)) = text.split_once('=')
        && !value.contains('=')
        && name.chars().count() <= 2
    {
        text = value.to_owned();
    }
    text = fractions(&roots(&text)?.replace(' ', ""))?;
    if text == "0.5" {
        text = "\\frac{1}{2}".to_owned();
    }
    slash(text)
}

/// `\sqrt3` becomes `\sqrt{3}`.
fn roots(text: &str) -> Option<String> {
    let mut parts = text.split("\\sqrt");
    let mut fixed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let first = part.chars().next()?;
        fixed.push_str("\\sqrt");
        if first == '{' {
            fixed.push_str(part);
        } else {
            fixed.extend(['{', first, '}']);
            fixed.push_str(&part[first.len_utf8()..]);
        }
    }
    Some(fixed)
}

/// `\frac12` and `\frac1{2}` become `\frac{1}{2}`.
fn fractions(text: &str) -> Option<String> {
    let mut parts = text.split("\\frac");
    let mut fixed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        fixed.push_str("\\frac");
        let mut characters = part.chars();
        let first = characters.next()?;
        if first == '{' {
            fixed.push_str(part);
            continue;
        }
        let Some(second) = characters.next() else { return Some(text.to_owned()) };
        fixed.extend(['{', first, '}']);
        if second == '{' {
            fixed.push('{');
        } else {
            fixed.extend(['{', second, '}']);
        }
        fixed.push_str(characters.as_str());
    }
    Some(fixed)
}

/// `a/b` becomes a fraction where both are plain integers. Python's `int` raises for anything else that has one slash.
fn slash(text: String) -> Option<String> {
    let mut parts = text.split('/');
    let (Some(above), Some(below), None) = (parts.next(), parts.next(), parts.next()) else { return Some(text) };
    let above = bench_scoring::python::int(above)?;
    let below = bench_scoring::python::int(below)?;
    Some(if text == format!("{above}/{below}") { format!("\\frac{{{above}}}{{{below}}}") } else { text })
}
