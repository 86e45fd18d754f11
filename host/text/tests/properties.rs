//! What holds for any text.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_text::{
    LONGEST_NAME, LONGEST_RECORD_NAME, clean_block, clean_csv, clean_message, clean_name, clean_screen, cut_name,
    escape_json, is_hidden,
};
use proptest::prelude::*;

/// Any text, and texts with many of the characters that matter.
fn texts() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        any::<char>(),
        (0_u32..0x120).prop_filter_map("a character", char::from_u32),
        (0x2000_u32..0x2070).prop_filter_map("a character", char::from_u32),
        (0x300_u32..0x370).prop_filter_map("a character", char::from_u32),
        Just('\n'),
        Just('"'),
        Just(','),
    ];
    prop::collection::vec(letters, 0..400).prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_name_is_one_short_line_of_shown_characters(text in texts()) {
        let shown = clean_name(&text).to_string();
        prop_assert!(!shown.chars().any(|letter| letter.is_control() || is_hidden(letter)), "{shown:?}");
        prop_assert!(shown.chars().count() <= LONGEST_NAME + 1);
        prop_assert_eq!(clean_name(&shown).to_string(), shown.chars().take(LONGEST_NAME + 1).collect::<String>());
    }

    #[test]
    fn a_block_has_marked_lines_only(text in texts()) {
        let shown = clean_block(&text, 3).to_string();
        prop_assert!(shown.lines().all(|line| line.starts_with("  | ")), "{shown:?}");
        prop_assert!(!shown.chars().any(|letter| is_hidden(letter) && letter != '\n'), "{shown:?}");
        prop_assert!(shown.lines().count() <= 4);
    }

    #[test]
    fn a_message_has_one_line_at_the_margin(text in texts()) {
        let shown = clean_message(&text);
        prop_assert!(shown.split('\n').skip(1).all(|line| line.is_empty() || line.starts_with("  ")), "{shown:?}");
        prop_assert!(!shown.chars().any(|letter| is_hidden(letter) && !matches!(letter, '\n' | '\t')), "{shown:?}");
    }

    #[test]
    fn a_screen_shows_no_hidden_characters(text in texts()) {
        let shown = clean_screen(&text);
        prop_assert!(!shown.chars().any(|letter| is_hidden(letter) && !matches!(letter, '\n' | '\t')), "{shown:?}");
    }

    #[test]
    fn values_have_as_many_lines_as_rows(fields in prop::collection::vec(texts(), 1..5)) {
        let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        let shown = clean_csv(&format!("head\r\n{}\r\n", quoted.join(",")));
        prop_assert_eq!(shown.lines().count(), 2, "{:?}", shown);
        prop_assert!(!shown.chars().any(|letter| is_hidden(letter) && letter != '\n'), "{shown:?}");
    }

    #[test]
    fn json_is_the_same_value(text in texts()) {
        let json = serde_json::to_string(&text).unwrap();
        let escaped = escape_json(&json);
        prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        prop_assert!(!escaped.chars().any(is_hidden), "{escaped:?}");
    }

    #[test]
    fn a_name_of_a_record_is_bounded(text in texts(), times in 1_usize..9) {
        let name = text.repeat(times);
        let kept = cut_name(name.clone());
        prop_assert!(kept.len() <= LONGEST_RECORD_NAME);
        prop_assert!(name.starts_with(kept.trim_end_matches('…')) || name == kept);
    }
}
