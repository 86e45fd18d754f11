//! What is odd about a measurement, in words. A flag never changes a number: it says how far to trust it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A request is late when it began this many milliseconds or more after its intended time.
pub const LATE_MS: f64 = 10.0;

/// Relative difference between the client's and the server's decode rate from which it is flagged.
pub const DISAGREEMENT_LIMIT: f64 = 0.05;

/// The same for the prefill rate, which is wider because TTFT includes transport, queueing and the first token.
pub const PREFILL_DISAGREEMENT_LIMIT: f64 = 0.15;

/// A request loaded its model when the backend says that this took so many milliseconds or more. Backends report some
/// milliseconds for a model that is in memory already.
pub const LOAD_MS: f64 = 200.0;

macro_rules! flags {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $sentence:literal, $hint:literal;)+) => {
        /// Something to know about a request's numbers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Flag {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $name,)+
            /// A flag of a newer version of this program.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl Flag {
            /// Every flag that this version can raise.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable identifier, in kebab case.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                    Self::Unknown => "unknown",
                }
            }

            /// What it means, as a sentence.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)+
                    Self::Unknown => "A newer version of this program raised a flag that this one does not know.",
                }
            }

            /// What to do about it.
            pub fn hint(self) -> &'static str {
                match self {
                    $(Self::$name => $hint,)+
                    Self::Unknown => "Read the record with the version that wrote it.",
                }
            }
        }
    };
}

flags! {
    /// Labelled cold, but part of the prompt came from a cache.
    ColdHitCache = "cold-hit-cache",
        "The request was meant to be cold, but the backend served part of the prompt from its cache; the prefill rate is withheld.",
        "Turn the backend's prefix cache off, or use a driver that can.";
    /// Labelled cold, but the backend does not say whether its cache was used.
    ColdUnverified = "cold-unverified",
        "The backend does not report cached tokens, so that the request was cold rests on its unique prompt alone.",
        "Use a backend or driver that reports cached tokens to have it verified.";
    /// Labelled warm, and the backend does not say how much came from the cache.
    CacheUnknown = "cache-unknown",
        "The backend does not report cached tokens, so the prefill rate of a warm request is undefined.",
        "Use a backend or driver that reports cached tokens.";
    /// The backend did not close the answer.
    Incomplete = "incomplete",
        "The answer did not come to its regular end; rates cover only what arrived.",
        "Look at the request's problem and the backend's log.";
    /// The backend reported an error inside the stream.
    StreamError = "stream-error",
        "The backend reported an error inside the stream.",
        "Look at the backend's log.";
    /// No reason for stopping was given.
    NoFinish = "no-finish",
        "The backend gave no reason for ending the answer.",
        "The answer may have been cut; compare the number of tokens with the number asked for.";
    /// The backend filtered the answer.
    ContentFiltered = "content-filtered",
        "The backend withheld or cut the answer.",
        "Use a backend without a content filter for speed measurements.";
    /// Nothing came that could be timed.
    NoOutput = "no-output",
        "The answer had no content, so there is no time to first token.",
        "Check the model and its chat template; a forced length avoids empty answers.";
    /// All content came at once.
    SingleFragment = "single-fragment",
        "All content arrived with one stamp, so the decode rate is undefined.",
        "Check that the backend streams and that no proxy buffers its answer.";
    /// No source for the number of produced tokens.
    NoTokenCount = "no-token-count",
        "Neither the backend nor a tokenizer says how many tokens were produced, so token rates are undefined.",
        "Use a driver that asks the backend for usage.";
    /// The first fragment's tokens had to be estimated.
    FirstFragmentEstimated = "first-fragment-estimated",
        "How many tokens the first fragment carried is not known; one per fragment is assumed there.",
        "Use a driver that asks for usage or token ids with every chunk.";
    /// Tokens of single fragments are unknown.
    TokenTimesUnknown = "token-times-unknown",
        "Tokens cannot be told apart within the stream, so times per token are undefined; times per chunk are given.",
        "Use a driver that asks for usage or token ids with every chunk.";
    /// Some times per token are quotients.
    TokenTimesDerived = "token-times-derived",
        "Some chunks carried several tokens; their times per token are the chunk's gap divided by its tokens.",
        "Nothing to do: speculative decoding and busy servers send several tokens per chunk.";
    /// Some reads held several fragments.
    MergedReads = "merged-reads",
        "Some reads from the socket held several fragments, whose times cannot be told apart; they share one stamp.",
        "If many reads are merged, the client or a proxy was too slow: run on a less busy machine.";
    /// A driver reported fragments without content.
    EmptyFragments = "empty-fragments",
        "The driver reported fragments without content; they are left out.",
        "Report it to the driver's author.";
    /// Content after the end.
    ContentAfterFinish = "content-after-finish",
        "Content arrived after the backend had said that the answer was complete.",
        "Report it to the backend's or the driver's author.";
    /// More fragments than tokens.
    MoreChunksThanTokens = "more-chunks-than-tokens",
        "The answer came in more fragments than it has tokens.",
        "The backend splits tokens or miscounts them; compare with its own tokenizer.";
    /// More reasoning tokens than tokens.
    ReasoningExceedsOutput = "reasoning-exceeds-output",
        "The backend reports more reasoning tokens than produced tokens.",
        "The backend may leave reasoning out of its token count, in which case rates are too low.";
    /// Tokens that were counted and not streamed.
    HiddenTokens = "hidden-tokens",
        "The backend counts tokens that it did not stream, as services do that hide a model's reasoning: they are in no rate, their time is in TTFT, and the prefill rate is withheld.",
        "Compare TTFT with other models that hide their reasoning only, or ask for less reasoning with a parameter of the driver.";
    /// The model was loaded within the request.
    ModelLoaded = "model-loaded",
        "The backend loaded the model within this request, so TTFT holds the loading and the prefill rate is withheld.",
        "Run again while the model is in memory, or keep it there with the backend's own setting.";
    /// Counts that cannot be true.
    CountContradicted = "count-contradicted",
        "The backend's token count contradicts what it streamed, such as none beside text; the count is left out.",
        "Use a driver that counts with the backend's tokenizer, or report it to the backend's author.";
    /// Another length than the forced one.
    LengthNotForced = "length-not-forced",
        "The answer was to have an exact length and has another.",
        "Compare only rates, not times, with runs whose length was exact.";
    /// Shorter than wanted, with nothing to force it.
    ShorterThanAsked = "shorter-than-asked",
        "The answer ended before the length that was asked for, which this request could not force.",
        "Compare only rates, not times; use a driver that can force the length.";
    /// Longer than the limit.
    LongerThanAsked = "longer-than-asked",
        "The answer has more tokens than the request allowed.",
        "The backend ignores the limit, or counts tokens that it does not deliver.";
    /// The host sent the request late.
    Late = "late",
        "The request began well after its intended time, because the client was busy.",
        "Run on a less busy machine, or ask for less load.";
    /// The client stopped reading for a while.
    ReadsPaused = "reads-paused",
        "The client stopped reading for a while because its disk could not keep up, which slows the server; the times are not the server's own.",
        "Use a faster disk for the runs, or ask for less load.";
    /// No stamp of the request's first byte.
    NoWriteStamp = "no-write-stamp",
        "When the request was written is not known, so times count from its start and include connecting.",
        "Nothing to do.";
    /// Tokenizer and usage differ.
    PromptCountDiffers = "prompt-count-differs",
        "The backend counts another number of prompt tokens than its tokenizer did before the request.",
        "The chat template may differ between the two; the count that came with the answer is used.";
    /// Times that are no times.
    ServerTimingInvalid = "server-timing-invalid",
        "The backend reported a negative or non-finite time, which is left out.",
        "Report it to the backend's or the driver's author.";
    /// Decode rates differ.
    ServerDecodeDisagrees = "server-decode-disagrees",
        "The client's decode rate differs from the backend's own by more than 5 %.",
        "Look for a proxy, a slow network or a busy client; the trace has every stamp.";
    /// Prefill rates differ.
    ServerPrefillDisagrees = "server-prefill-disagrees",
        "The client's prefill rate differs from the backend's own by more than 15 %.",
        "TTFT includes queueing, transport and the first token, which weigh most on short prompts.";
}
