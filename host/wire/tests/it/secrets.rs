//! Keys that a server repeats, in any encoding and in any pieces: nothing of them is left in what is kept.

use bench_wire::{Endpoint, Secrets};
use proptest::prelude::*;

/// Bytes that are sent together, and the characters of the key that they tell something of.
#[derive(Clone, Debug)]
struct Atom {
    text: String,
    tells: Vec<usize>,
}

impl Atom {
    fn new(text: impl Into<String>, tells: impl Into<Vec<usize>>) -> Self {
        Self { text: text.into(), tells: tells.into() }
    }
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    Plain,
    Upper,
    Percent,
    Unicode,
    Hex,
    UpperHex,
    Base64 { before: usize, url_safe: bool },
}

fn escaped(character: char) -> String {
    match character {
        '"' | '\\' => format!("\\{character}"),
        _ => character.to_string(),
    }
}

/// The key as atoms of a literal of JSON.
fn encode(key: &str, encoding: Encoding) -> Vec<Atom> {
    let each = |encode: &dyn Fn(char) -> Vec<String>| {
        let atoms = |(at, character)| encode(character).into_iter().map(move |text| Atom::new(text, [at]));
        key.chars().enumerate().flat_map(atoms).collect()
    };
    let split = |text: String| text.chars().map(String::from).collect();
    match encoding {
        Encoding::Plain => each(&|c| vec![escaped(c)]),
        Encoding::Upper => each(&|c| vec![escaped(c.to_ascii_uppercase())]),
        // Letters may stay as they are.
        Encoding::Percent => {
            each(&|c| if c.is_ascii_digit() { vec![c.into()] } else { split(format!("%{:02X}", c as u32)) })
        }
        Encoding::Unicode => each(&|c| vec![format!("\\u{:04x}", c as u32)]),
        Encoding::Hex => each(&|c| split(format!("{:02x}", c as u32))),
        Encoding::UpperHex => each(&|c| split(format!("{:02X}", c as u32))),
        Encoding::Base64 { before, url_safe } => base64(key, before, url_safe),
    }
}

/// `before` bytes, the key and something after it, in base64; written here once more and in another way than in the client.
fn base64(key: &str, before: usize, url_safe: bool) -> Vec<Atom> {
    let extra = if url_safe { "-_" } else { "+/" };
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(extra.chars()).collect();
    let mut bytes = b"~~~"[..before].to_vec();
    bytes.extend_from_slice(key.as_bytes());
    bytes.extend_from_slice(b"!!!");
    let mut atoms = Vec::new();
    for (group, three) in bytes.chunks_exact(3).enumerate() {
        let value = three.iter().fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
        for (place, touched) in [[0, 0], [0, 1], [1, 2], [2, 2]].into_iter().enumerate() {
            let character = alphabet[value >> (18 - 6 * place) & 63];
            let key_characters = touched.map(|byte| (3 * group + byte).checked_sub(before));
            let tells: Vec<usize> = key_characters.into_iter().flatten().filter(|at| *at < key.len()).collect();
            atoms.push(Atom::new(escaped(character), tells));
        }
    }
    atoms
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        Just(Encoding::Plain),
        Just(Encoding::Upper),
        Just(Encoding::Percent),
        Just(Encoding::Unicode),
        Just(Encoding::Hex),
        Just(Encoding::UpperHex),
        (0..3_usize, any::<bool>()).prop_map(|(before, url_safe)| Encoding::Base64 { before, url_safe }),
    ]
}

fn secrets(key: &str) -> Secrets {
    let mut secrets = Secrets::new(Endpoint::parse("https://a").unwrap());
    secrets.insert("key", key).unwrap();
    secrets
}

/// The most characters of the key in a row that atoms which are still there tell.
fn longest_run(length: usize, atoms: &[Atom], is_there: impl Fn(usize) -> bool) -> usize {
    let mut told = vec![true; length];
    for (number, atom) in atoms.iter().enumerate() {
        if !is_there(number) {
            atom.tells.iter().for_each(|at| told[*at] = false);
        }
    }
    told.split(|told| !told).map(<[bool]>::len).max().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_of_a_key_is_left_in_a_stream(
        key in "[!-)+-~]{12,80}",
        encoding in encoding(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        around in "[a-z ]{0,9}",
    ) {
        let secrets = secrets(&key);
        let atoms = encode(&key, encoding);
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(atoms.len())).collect();
        let opening = "data: {\"id\":\"c-1\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"";
        let closing = "\"}}],\"model\":\"m\"}\n\n";
        let mut body = format!("{opening}{around}");
        let mut places = Vec::new();
        for (number, atom) in atoms.iter().enumerate() {
            if cuts.contains(&number) {
                body.push_str(closing);
                body.push_str(opening);
            }
            places.push(body.len()..body.len() + atom.text.len());
            body.push_str(&atom.text);
        }
        body.push_str(&around);
        body.push_str(closing);

        let masked = secrets.mask(&body.clone().into());
        prop_assert_eq!(masked.len(), body.len(), "offsets hold");
        let is_there = |number: usize| masked[places[number].clone()] == body.as_bytes()[places[number].clone()];
        let run = longest_run(key.len(), &atoms, is_there);
        prop_assert!(run < 12, "{} characters are left in {}", run, String::from_utf8_lossy(&masked));
        // A key with a quote or a backslash can look like the JSON around it, and hiding it comes first.
        let is_plain = !key.contains(['"', '\\']);
        for line in std::str::from_utf8(&masked).unwrap().lines().filter(|line| is_plain && !line.is_empty()) {
            let json = line.strip_prefix("data: ");
            let is_json = json.is_some_and(|json| serde_json::from_str::<serde_json::Value>(json).is_ok());
            prop_assert!(is_json, "{line} is no longer an event");
        }

        // The same key in one text, as an answer has it once its pieces are together.
        let text: String = std::iter::once(around.as_str()).chain(atoms.iter().map(|atom| atom.text.as_str())).collect();
        prop_assert!(secrets.leaks(&text));
        let shown = secrets.redact(&text);
        prop_assert!(!secrets.leaks(&shown));
        prop_assert!(shown.contains("[redacted]"));

        // And in pieces that are kept as pieces, as tokens are.
        let mut tokens: Vec<String> = atoms.iter().map(|atom| atom.text.clone()).collect();
        secrets.mask_pieces(&mut tokens.iter_mut().collect::<Vec<_>>());
        let run = longest_run(key.len(), &atoms, |number| tokens[number] == atoms[number].text);
        prop_assert!(run < 12, "{} characters are left in {:?}", run, tokens);
    }

    #[test]
    fn texts_without_keys_stay_as_they_are(key in "[!-)+-~]{16,80}", text in "[ -~\u{e4}\u{20ac}\\n]{0,200}") {
        // By chance twelve characters would be the key's about never.
        let secrets = secrets(&key);
        prop_assert_eq!(secrets.redact(&text), text.clone());
        prop_assert_eq!(secrets.mask(&text.clone().into()), text.clone());
        prop_assert!(!secrets.leaks(&text));
    }
}

#[test]
fn a_part_of_a_key_is_found_and_a_shorter_one_is_not() {
    let secrets = secrets("sk-0123456789abcdefghij");
    assert!(secrets.leaks("it begins with sk-012345678"));
    assert_eq!(secrets.redact("it begins with sk-012345678!"), "it begins with [redacted]!");
    assert!(!secrets.leaks("it begins with sk-01234567"));
    assert_eq!(secrets.redact("it begins with sk-01234567"), "it begins with sk-01234567");
}

#[test]
fn short_keys_are_found_as_they_are_only() {
    let secrets = secrets("none");
    assert_eq!(secrets.redact("none None bm9uZQ== 6e6f6e65"), "[redacted] None bm9uZQ== 6e6f6e65");
    assert!(!secrets.leaks("none"), "so short a key is no secret");
}
