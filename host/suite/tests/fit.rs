//! The fitter against toy tokenizers and hostile ones: it ends, keeps its bound and hits the target where that is possible.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::sync::Arc;

use bench_suite::{Corpus, Fitted, Fitter, MOST_ASKS, NextAsk, Quality};
use proptest::prelude::*;

/// Drives a search to its end with a tokenizer that counts whole prompts.
fn fit(corpus: &Arc<Corpus>, offset: u64, target: u32, mut count: impl FnMut(&str) -> u64) -> Fitted {
    let mut fitter = Fitter::new(Arc::clone(corpus), offset, target);
    let mut asks = 0;
    loop {
        match fitter.next() {
            NextAsk::Ask(text) => {
                asks += 1;
                assert!(asks <= MOST_ASKS);
                fitter.answer(count(&text));
            }
            NextAsk::Done(fitted) => {
                assert_eq!(fitted.asks, asks);
                assert_eq!(fitter.next(), NextAsk::Done(fitted.clone()));
                return fitted;
            }
        }
    }
}

/// Text with words of 1 to 14 characters, some of them not ASCII.
fn corpus() -> Arc<Corpus> {
    let mut text = String::new();
    let mut state = 1_u64;
    for index in 0..5_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = 1 + (state >> 33) % 14;
        for place in 0..length {
            let letter = (state >> (place % 8 * 7)) % 27;
            text.push(if letter == 26 { 'ö' } else { char::from(b'a' + letter as u8) });
        }
        text.push_str(if index % 17 == 0 { "\n\n" } else { " " });
    }
    Arc::new(Corpus::new(text).unwrap())
}

const TEMPLATE: &str = "<|system|>You help.<|end|><|user|>Read this: ";
const CLOSING: &str = "\n\nWhat does it say?<|end|><|assistant|>";

fn per_char(text: &str) -> u64 {
    text.chars().count() as u64
}

fn per_word(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// Like a byte-pair vocabulary: short pieces are one token, long ones are cut every four bytes, runs of one character merge.
fn pieces(text: &str) -> u64 {
    let mut count = 0;
    let mut piece = String::new();
    let mut close = |piece: &mut String| {
        let merged = piece.chars().next().is_some_and(|first| piece.chars().all(|character| character == first));
        count += if merged { 1 } else { piece.len().div_ceil(4) as u64 };
        piece.clear();
    };
    for character in text.chars() {
        let boundary = character == ' ' || piece.ends_with('\n') != (character == '\n');
        if boundary {
            close(&mut piece);
        }
        piece.push(character);
    }
    close(&mut piece);
    count
}

fn whole(tokenizer: fn(&str) -> u64) -> impl FnMut(&str) -> u64 {
    move |text| tokenizer(&format!("{TEMPLATE}{text}{CLOSING}"))
}

#[test]
fn usual_targets_are_hit_with_few_counts() {
    let corpus = corpus();
    for (name, tokenizer) in [("chars", per_char as fn(&str) -> u64), ("words", per_word), ("pieces", pieces)] {
        for target in [128, 320, 1024, 4096, 16_384] {
            for offset in [0, 77, 4_990, u64::MAX] {
                let fitted = fit(&corpus, offset, target, whole(tokenizer));
                assert!(fitted.exact(), "{name} {target} {offset}: {:?}", fitted.tokens);
                assert_eq!(whole(tokenizer)(&fitted.text), u64::from(target));
                assert!(fitted.asks <= 12, "{name} {target} {offset}: {} counts", fitted.asks);
            }
        }
    }
}

#[test]
fn a_prompt_that_is_too_long_without_text_is_said_to_be() {
    let fitted = fit(&corpus(), 0, 10, |text| 400 + per_word(text));
    assert_eq!((fitted.quality, fitted.tokens, fitted.text.as_str(), fitted.asks), (Quality::Above, Some(400), "", 1));
}

#[test]
fn a_target_between_two_counts_is_approached_from_below() {
    // Every prompt has an even number of tokens.
    let fitted = fit(&corpus(), 3, 501, |text| 2 * per_word(text));
    assert_eq!((fitted.quality, fitted.tokens), (Quality::Below, Some(500)));
}

#[test]
fn offsets_give_other_texts_and_the_same_offset_the_same() {
    let corpus = corpus();
    let text = |offset| fit(&corpus, offset, 300, whole(pieces)).text;
    assert_eq!(text(5), text(5));
    assert_ne!(text(5), text(6));
}

#[test]
fn asking_twice_changes_nothing_and_an_unasked_answer_is_ignored() {
    let mut fitter = Fitter::new(corpus(), 0, 100);
    fitter.answer(7);
    let first = fitter.next();
    assert_eq!(fitter.next(), first);
    fitter.answer(20);
    fitter.answer(100);
    assert!(matches!(fitter.next(), NextAsk::Ask(_)));
}

#[test]
fn without_a_tokenizer_the_length_is_four_characters_per_token() {
    let corpus = corpus();
    let fitted = Fitter::nominal(&corpus, 9, 1024, 96);
    assert_eq!((fitted.quality, fitted.tokens, fitted.asks), (Quality::Nominal, None, 0));
    assert!((4000..4020).contains(&fitted.text.chars().count()), "{}", fitted.text.chars().count());
    assert_eq!(Fitter::nominal(&corpus, 9, 10, 96).text, "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tokenizers_that_can_are_hit_exactly(target in 60_u32..3000, offset: u64, which in 0..3_usize) {
        let tokenizer = [per_char as fn(&str) -> u64, per_word, pieces][which];
        let corpus = corpus();
        let fitted = fit(&corpus, offset, target, whole(tokenizer));
        let shortest = whole(tokenizer)("");
        prop_assert_eq!(fitted.exact(), shortest <= u64::from(target), "{:?} of {}", fitted.tokens, target);
    }

    #[test]
    fn nonsense_answers_end_the_search(answers in prop::collection::vec(any::<u64>(), 30), target in 0_u32..5000, offset: u64) {
        let mut answers = answers.into_iter();
        fit(&corpus(), offset, target, |_| answers.next().unwrap());
    }

    #[test]
    fn a_stuck_count_ends_the_search(count in 0_u64..6000, target in 0_u32..5000) {
        let fitted = fit(&corpus(), 0, target, |_| count);
        prop_assert_eq!(fitted.exact(), count == u64::from(target));
    }

    #[test]
    fn noisy_counts_never_yield_a_wrong_exact(noise in 0_u64..9, target in 60_u32..2000) {
        // The count wobbles with the text's length, as merges at the seams make it.
        let count = |text: &str| pieces(text) + 40 + text.len() as u64 % (noise + 1);
        let fitted = fit(&corpus(), 0, target, count);
        prop_assert_eq!(fitted.tokens, Some(count(&fitted.text)));
        prop_assert!(fitted.tokens <= Some(u64::from(target)));
    }

    #[test]
    fn any_corpus_will_do(text in "[a-c \n\u{e9}\u{1f600}]{0,60}", target in 0_u32..400, offset: u64) {
        if let Some(corpus) = Corpus::new(text) {
            fit(&Arc::new(corpus), offset, target, whole(per_char));
        }
    }
}
