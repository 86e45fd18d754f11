//! Each class of characters, through each function.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_text::{
    LONGEST_NAME, LONGEST_RECORD_NAME, clean_block, clean_csv, clean_message, clean_name, clean_screen, clean_sentence,
    cut_name, escape_json, is_hidden, spell_name,
};

/// Class, and characters of it that must not be shown.
const CLASSES: [(&str, &[char]); 15] = [
    ("C0", &['\0', '\u{7}', '\u{8}', '\t', '\n', '\u{b}', '\r', '\u{1b}', '\u{1f}']),
    ("delete", &['\u{7f}']),
    ("C1", &['\u{80}', '\u{85}', '\u{9b}', '\u{9d}', '\u{9f}']),
    ("direction", &['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}']),
    ("zero width", &['\u{ad}', '\u{34f}', '\u{180e}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}']),
    ("separators", &['\u{2028}', '\u{2029}']),
    ("fillers", &['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{17b4}']),
    ("invisible operators", &['\u{2061}', '\u{2064}', '\u{206a}', '\u{206f}']),
    ("variation selectors", &['\u{180b}', '\u{fe00}', '\u{fe0f}', '\u{e0100}', '\u{e01ef}']),
    ("tags", &['\u{e0001}', '\u{e0041}', '\u{e007f}']),
    ("annotations", &['\u{fff9}', '\u{fffb}']),
    ("format controls", &['\u{13430}', '\u{1bca0}', '\u{1d173}']),
    ("private use", &['\u{e000}', '\u{f8ff}', '\u{f0000}', '\u{10fffd}']),
    ("no characters", &['\u{fdd0}', '\u{fffe}', '\u{ffff}', '\u{1ffff}', '\u{10ffff}']),
    ("planes without characters", &['\u{40000}', '\u{dffff}', '\u{e1000}']),
];

#[test]
fn characters_of_every_class_are_replaced() {
    for (class, letters) in CLASSES {
        for letter in letters {
            assert!(is_hidden(*letter), "{class}: {letter:?}");
            assert_eq!(clean_name(format!("a{letter}b")).to_string(), "a\u{fffd}b", "{class}: {letter:?}");
            let message = clean_message(&format!("a{letter}b"));
            assert!(!message.chars().any(|shown| is_hidden(shown) && !matches!(shown, '\n' | '\t')), "{message:?}");
            let screen = clean_screen(&format!("a{letter}b")).into_owned();
            assert!(!screen.chars().any(|shown| is_hidden(shown) && !matches!(shown, '\n' | '\t')), "{screen:?}");
        }
    }
}

#[test]
fn what_people_write_is_shown_as_it_is() {
    let texts = [
        "Qwen/Qwen3-8B_Q4~K.M@v1:latest",
        "Größe ≤ 3 µs – “zitiert”…",
        "Việt ngữ, tiếng Việt",
        "e\u{301}te\u{301}",
        "שָׁלוֹם",
        "ภาษาไทยที่",
        "हिन्दी",
        "模型　名称",
        "한국어",
        "日本語モデル",
        "🚀 model",
        "no\u{a0}break",
        "10\u{202f}000",
    ];
    for text in texts {
        assert_eq!(clean_name(text).to_string(), text);
        assert_eq!(clean_screen(text), text);
    }
}

#[test]
fn a_name_that_has_to_be_ascii_is_spelled() {
    assert_eq!(spell_name("\u{430}cme/\u{1b}x"), "\\u{430}cme/\\u{1b}x");
    assert!(spell_name(&"\u{10ffff}".repeat(3_000_000)).len() <= 800);
}

#[test]
fn marks_in_a_row_are_few() {
    let tower = format!("a{}b", "\u{300}".repeat(500));
    assert_eq!(clean_name(&tower).to_string(), format!("a{}b", "\u{300}".repeat(4)));
    assert_eq!(clean_name("\u{338}leading").to_string(), "leading");
}

#[test]
fn a_long_text_is_cut() {
    let long = "x".repeat(3_000_000);
    assert_eq!(clean_name(&long).to_string(), format!("{}…", "x".repeat(LONGEST_NAME)));
    assert_eq!(clean_name("x".repeat(LONGEST_NAME)).to_string().chars().count(), LONGEST_NAME);
    assert_eq!(clean_sentence(&long).to_string().chars().count(), 1_001);
    assert_eq!(format!("{:<4}|", clean_name("ab")), "ab  |");
    assert_eq!(format!("{:?}", clean_name("a\nb")), "\"a\u{fffd}b\"");
}

#[test]
fn a_name_of_a_record_is_exact_or_cut() {
    assert_eq!(cut_name("a\u{1b}b".to_owned()), "a\u{1b}b");
    let cut = cut_name("é".repeat(3_000_000));
    assert!(cut.len() <= LONGEST_RECORD_NAME && cut.ends_with("é…"), "{}", cut.len());
}

#[test]
fn lines_of_a_block_are_marked_and_counted() {
    let text = "first\nhint: run evil\r\n\u{1b}[2Jlast\n";
    let shown = clean_block(text, 10).to_string();
    assert_eq!(shown, "  | first\n  | hint: run evil\n  | \u{fffd}[2Jlast");
    assert_eq!(clean_block(text, 1).to_string(), "  | … 2 lines before\n  | \u{fffd}[2Jlast");
    assert_eq!(clean_block("", 3).to_string(), "");
    assert!(clean_block(&"y".repeat(100_000), 3).to_string().len() < 1_000);
}

#[test]
fn no_line_of_a_message_but_the_first_begins_at_the_margin() {
    assert_eq!(clean_message("cannot read x\nhint: run evil"), "cannot read x\n  hint: run evil");
    assert_eq!(clean_message("a\n  | b\n\nc\td"), "a\n  | b\n\n  c\td");
    assert_eq!(clean_message("a\r\u{85}\u{2028}b"), "a\u{fffd}\u{fffd}\u{fffd}b");
    assert!(clean_message(&"x".repeat(3_000_000)).len() < 30_000);
}

#[test]
fn values_for_a_terminal_stay_on_their_line() {
    let csv = "run,model\r\n1,\"a\nhint: run \"\"evil\"\"\r\n\u{1b}]52;c;x\u{7}\"\r\n2,\u{9b}b\r\n";
    assert_eq!(
        clean_csv(csv),
        "run,model\n1,\"a\u{fffd}hint: run \"\"evil\"\"\u{fffd}\u{fffd}\u{fffd}]52;c;x\u{fffd}\"\n2,\u{fffd}b\n"
    );
    assert_eq!(clean_csv("a,b\r\n,\"\"\r\n"), "a,b\n,\"\"\n");
    assert_eq!(clean_csv("\"never closed\n"), "\"never closed\u{fffd}\"");
    assert!(clean_csv(&format!("a,{}\r\n", "x".repeat(3_000_000))).len() < 300);
}

#[test]
fn json_keeps_its_value_and_holds_nothing_that_a_terminal_obeys() {
    let value = serde_json::json!({ "a\u{9b}\\": ["\u{1b}\n\u{7f}\u{202e}\u{2028}\u{feff}\u{e0041}\u{10ffff}é🚀"] });
    for json in [serde_json::to_string_pretty(&value).unwrap(), serde_json::to_string(&value).unwrap()] {
        let escaped = escape_json(&json);
        assert!(!escaped.chars().any(|letter| is_hidden(letter) && letter != '\n'), "{escaped}");
        assert!(
            escaped.contains("é🚀") && escaped.contains("\\u009b") && escaped.contains("\\udb40\\udc41"),
            "{escaped}"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
    assert!(matches!(escape_json("{\"a\": 1}"), std::borrow::Cow::Borrowed(_)));
}
