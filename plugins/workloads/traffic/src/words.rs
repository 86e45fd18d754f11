//! Text that a plugin can make by itself: the same seed gives the same words.
//!
//! The host cuts texts of a corpus to an exact length, but only at the end of one message. What several prompts share, and
//! answers that were never given, stand before that end, so they are made here. Each word of the list is one token with a
//! space before it in the vocabularies of GPT-2, `cl100k_base`, `o200k_base`, Llama 2, Llama 3 and Mistral; where it
//! is not, the prompt's count says so, since the host counts the whole.

/// One of 256 words for each byte.
const WORDS: [&str; 256] = [
    "time", "year", "way", "day", "man", "thing", "world", "life", "hand", "part", "child", "eye", "woman", "place",
    "work", "week", "case", "point", "group", "fact", "home", "water", "room", "money", "story", "month", "right",
    "study", "book", "word", "side", "kind", "head", "house", "power", "hour", "game", "line", "end", "name", "city",
    "team", "idea", "body", "back", "face", "level", "door", "war", "party", "news", "road", "form", "music", "field",
    "table", "light", "voice", "north", "south", "east", "west", "town", "river", "hill", "sea", "rain", "snow",
    "wind", "fire", "stone", "wood", "iron", "gold", "glass", "paper", "cloth", "bread", "milk", "salt", "sugar",
    "fruit", "apple", "tree", "leaf", "root", "seed", "grass", "bird", "fish", "horse", "dog", "cat", "cow", "sheep",
    "king", "queen", "girl", "boy", "green", "blue", "red", "white", "black", "brown", "grey", "old", "new", "young",
    "long", "short", "high", "low", "large", "small", "great", "good", "best", "first", "last", "next", "early",
    "late", "fast", "slow", "hard", "soft", "warm", "cold", "dry", "wet", "deep", "wide", "near", "far", "open",
    "close", "full", "empty", "rich", "poor", "free", "safe", "clear", "dark", "quiet", "loud", "sharp", "flat",
    "round", "thin", "thick", "heavy", "true", "false", "real", "whole", "half", "each", "every", "some", "many",
    "more", "most", "other", "same", "such", "own", "once", "again", "never", "often", "still", "just", "also", "even",
    "only", "very", "quite", "well", "here", "there", "then", "now", "today", "soon", "later", "ago", "over", "under",
    "above", "below", "about", "after", "since", "until", "while", "where", "when", "why", "how", "what", "who", "go",
    "come", "take", "give", "make", "find", "keep", "hold", "turn", "move", "walk", "run", "stand", "sit", "read",
    "write", "speak", "say", "tell", "ask", "call", "show", "see", "look", "hear", "feel", "think", "know", "learn",
    "teach", "help", "play", "start", "stop", "build", "break", "bring", "carry", "send", "meet", "leave", "stay",
    "live", "die", "buy", "sell", "pay", "cost", "spend", "save", "lose", "win", "draw",
];

/// Random numbers: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of these numbers.
    pub fn new(parts: &[u64]) -> Self {
        let mut state = Self(0);
        for part in parts {
            state.0 = state.next() ^ part;
        }
        state
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from (0, 1], so that its logarithm is finite.
    pub fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Below `end`, as evenly as matters; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// From the normal distribution, by the method of Box and Muller.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// Appends so many words, each with a space before it.
pub fn append(text: &mut String, words: u32, mut random: Random) {
    let mut bits = 0;
    for index in 0..words {
        if index % 8 == 0 {
            bits = random.next();
        }
        text.push(' ');
        text.push_str(WORDS.get((bits & 0xff) as usize).copied().unwrap_or_default());
        bits >>= 8;
    }
}
