//! The two scorers.

use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, problem, python};
use serde::Deserialize;

use crate::attempt::is_attempt;
use crate::call::{Call, describe};
use crate::check::{Function, Language, Shape, Terms, check, wanted};
use crate::decode::{self, Format, Undecoded};
use crate::formats::Variation;
use crate::json;
use crate::rules::{Rules, Stop};
use crate::value::Value;

/// The configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// Such as `live_parallel_multiple`; the item's field `category` or `test_category`, or else what its id begins with,
    /// where this is left out.
    pub category: Option<String>,
    /// What the functions are written for; by the category where it is left out.
    pub language: Option<Language>,
    /// What calls in text are written in; where it is left out by the variation that the item's id names, or by the language.
    pub format: Option<Format>,
    /// Calls in text are between `<TOOLCALL>` and `</TOOLCALL>`.
    pub tagged: bool,
    /// Where calls are looked for.
    pub source: Source,
    /// Dots in names of functions came back as underscores, as from backends that allow no dots.
    pub underscores: bool,
    /// The item's field with the descriptions of the functions; `function`, `functions` or `tools` where it is left out.
    pub functions: Option<String>,
}

/// Where calls are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// In structured tool calls where there are any, else in the text.
    #[default]
    Auto,
    /// In structured tool calls alone.
    Calls,
    /// In the text alone.
    Text,
}

const CONFIG: &str = r#"{
"category": { "type": "string", "description": "Such as `simple` or `live_parallel_multiple`. By default the item's field `category` or `test_category`, or what its id begins with." },
"language": { "enum": ["python", "java", "javascript"], "description": "What the functions are written for. By default by the category." },
"format": { "enum": ["python", "json", "verbose-xml", "concise-xml", "java", "javascript"], "description": "What calls in text are written in. By default what the item's id names, as in the format-sensitivity set, or the language." },
"tagged": { "type": "boolean", "default": false, "description": "Calls in text are between <TOOLCALL> and </TOOLCALL>." },
"source": { "enum": ["auto", "calls", "text"], "default": "auto", "description": "Where calls are looked for: structured tool calls, the text, or the first if there are any." },
"underscores": { "type": "boolean", "default": false, "description": "Dots in names of functions came back as underscores." },
"functions": { "type": "string", "description": "The item's field with the descriptions of the functions. By default `function`, `functions` or `tools`." }
}"#;

const METRICS: &[MetricAbout] = &[
    MetricAbout {
        name: "accuracy",
        summary: "Share of the answers that call what they should, and nothing where they should not.",
        unit: "ratio",
        higher_is_better: Some(true),
    },
    MetricAbout {
        name: "decoded",
        summary: "Share of the answers that can be read as calls, or as none; prose cannot.",
        unit: "ratio",
        higher_is_better: None,
    },
    MetricAbout {
        name: "called",
        summary: "Share of the answers with a call that can be read.",
        unit: "ratio",
        higher_is_better: None,
    },
];

const ABOUT: About = About {
    name: "function-call",
    version: env!("CARGO_PKG_VERSION"),
    summary: "The answer calls the functions that it should with arguments that are accepted.",
    reference: "bfcl-eval 2026.3.23",
    config: CONFIG,
    metrics: METRICS,
    unbounded: false,
    needs_judge: false,
    needs_likelihoods: false,
};

/// Function calls as `bfcl-eval` grades them.
#[derive(Debug)]
pub struct FunctionCall(Config);

/// Function calls as `bfcl-eval` means to grade them.
#[derive(Debug)]
pub struct FunctionCallFixed(Config);

impl Scorer for FunctionCall {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        grade(&self.0, Rules::Reference, sample)
    }
}

impl Scorer for FunctionCallFixed {
    const ABOUT: About = About {
        name: "function-call-fixed",
        summary: "As function-call, with the defects of its reference repaired.",
        reference: "bfcl-eval 2026.3.23, repaired",
        ..ABOUT
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        grade(&self.0, Rules::Fixed, sample)
    }
}

/// What is wanted of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// No call.
    Nothing,
    /// Any call.
    Anything,
    /// The calls of the reference.
    Calls(Shape),
}

fn want(category: &str) -> Result<Want, Stop> {
    let has = |word| category.contains(word);
    if has("irrelevance") {
        return Ok(Want::Nothing);
    }
    if has("relevance") {
        return Ok(Want::Anything);
    }
    if has("multi_turn") || has("memory") || has("web_search") {
        return Err(Stop::Task(format!("the category `{category}` takes more than one turn")));
    }
    Ok(Want::Calls(match () {
        () if has("parallel") => Shape::Parallel,
        () if has("multiple") => Shape::Multiple,
        () => Shape::Simple,
    }))
}

/// The category of an item of the id `live_multiple_7-2-0`. One of the id `format_sensitivity_3:…:parallel_7` is of the category
/// that its last part says, but the reference goes by the first, and so takes all of these for simple ones.
fn category_of_id(id: &str, rules: Rules) -> &str {
    let mut parts = id.split(':');
    let part = match rules {
        Rules::Reference => parts.next(),
        Rules::Fixed => parts.next_back(),
    };
    let part = part.unwrap_or(id);
    part.rsplit_once('_').map_or(part, |(category, _)| category)
}

fn grade(config: &Config, rules: Rules, sample: &Sample) -> Grade {
    match try_grade(config, rules, sample) {
        Ok(grade) => grade,
        Err(Stop::Task(message)) => {
            let message = format!("sample `{}`: {message}", sample.id);
            Grade::failed(problem("bad-target", message, "check the reference and the functions of the data set"))
        }
        // The reference has no verdict then. An answer must not be able to withdraw from being graded.
        Err(Stop::Answer(message)) => {
            let reason = match rules {
                Rules::Reference => Reason::Other("reference-stops".into()),
                Rules::Fixed => Reason::Wrong,
            };
            Grade::zero(reason).explained(message).with("decoded", 1.0).with("called", 1.0)
        }
    }
}

fn try_grade(config: &Config, rules: Rules, sample: &Sample) -> Result<Grade, Stop> {
    let metadata = if sample.metadata.is_empty() { "{}" } else { &sample.metadata };
    let fields = json::fields(metadata).map_err(|what| Stop::Task(format!("the item's fields: {what}")))?;
    let field = |name: &str| fields.iter().rev().find(|(other, _)| other == name).map(|(_, value)| *value);
    let text_field = |name: &str| match json::parse(field(name)?) {
        Ok(Value::Str(text)) => Some(text),
        _ => None,
    };
    let category = config.category.clone().or_else(|| text_field("category")).or_else(|| text_field("test_category"));
    let category = category.unwrap_or_else(|| category_of_id(&sample.id, rules).to_owned()).replace('-', "_");
    let want = want(&category)?;
    let language = config.language.unwrap_or_else(|| language(&category));
    let terms = Terms { language, rules, underscores: config.underscores };
    let described = match &config.functions {
        Some(name) => field(name),
        None => ["function", "functions", "tools"].iter().find_map(|name| field(name)),
    };
    let described = match described {
        Some(single) if single.starts_with('{') => vec![single],
        Some(list) => json::items(list).map_err(|_| Stop::Task("the functions are no list".to_owned()))?,
        None => Vec::new(),
    };
    let functions = described.into_iter().map(Function::read).collect::<Result<Vec<_>, _>>()?;
    // Relevance is asked in Python, whatever the functions are written for.
    let variation = Variation::of_item(&sample.id);
    let tagged = config.tagged || variation.is_some_and(|variation| variation.tagged);
    let format = config.format.or(variation.map(|variation| variation.returns)).unwrap_or(match language {
        Language::Java if matches!(want, Want::Calls(_)) => Format::Java,
        Language::Javascript if matches!(want, Want::Calls(_)) => Format::Javascript,
        _ => Format::Python,
    });
    let decoded = decode(config.source, format, tagged, rules, sample);
    let called = decoded.as_ref().is_ok_and(|calls| !calls.is_empty());
    let marked = |grade: Grade| {
        grade.with("decoded", f64::from(u8::from(decoded.is_ok()))).with("called", f64::from(u8::from(called)))
    };
    let Want::Calls(shape) = want else {
        let names: Vec<String> = functions.iter().map(|function| function.called(terms)).collect();
        return Ok(marked(relevance(want, &decoded, &names, rules, sample)));
    };
    let calls = match &decoded {
        Ok(calls) => calls,
        Err(Undecoded::Broken(what)) => {
            let grade = Grade::zero(Reason::InvalidFormat).explained(format!("ast_decoder:decoder_failed: {what}"));
            return Ok(marked(grade));
        }
        Err(Undecoded::NoCalls(what)) => {
            let grade = Grade::zero(Reason::InvalidFormat);
            return Ok(marked(grade.explained(format!("ast_decoder:decoder_wrong_output_format: {what}"))));
        }
    };
    let target = json::parse(&sample.target).map_err(|what| Stop::Task(format!("the reference: {what}")))?;
    // A reference in the shape of a line of the benchmark's files.
    let target = target.as_dict().and_then(|line| line.find("ground_truth")).unwrap_or(&target);
    let grade = match check(&functions, calls, &wanted(target)?, shape, terms)? {
        Ok(()) => Grade::binary(true),
        Err(fault) => Grade::binary(false).explained(short(format!("{}: {}", fault.kind, fault.message), 500)),
    };
    Ok(marked(grade.extracted(short(describe(calls), 10_000))))
}

/// The beginning of a text that may be as long as an answer.
fn short(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn language(category: &str) -> Language {
    match () {
        () if category.contains("javascript") => Language::Javascript,
        () if category.contains("java") => Language::Java,
        () => Language::Python,
    }
}

fn decode(source: Source, format: Format, tagged: bool, rules: Rules, sample: &Sample) -> Result<Vec<Call>, Undecoded> {
    let text = sample.answer.as_deref().unwrap_or_default();
    match source {
        Source::Auto if sample.tool_calls.is_empty() => decode::text(text, format, tagged, rules),
        Source::Text => decode::text(text, format, tagged, rules),
        Source::Calls if sample.tool_calls.is_empty() && !text.is_empty() => {
            Err(Undecoded::Broken("a text instead of calls".to_owned()))
        }
        Source::Auto | Source::Calls => decode::structured(&sample.tool_calls),
    }
}

/// Whether there is a call where there should be one, and none where there should be none.
fn relevance(
    want: Want,
    decoded: &Result<Vec<Call>, Undecoded>,
    functions: &[String],
    rules: Rules,
    sample: &Sample,
) -> Grade {
    let calls = decoded.as_ref().map(Vec::as_slice).unwrap_or_default();
    let text = sample.answer.as_deref().unwrap_or_default();
    let tried = || !sample.tool_calls.is_empty() || is_attempt(text, functions);
    let offered = |call: &Call| call.name.as_str().is_some_and(|name| functions.iter().any(|offered| offered == name));
    let said = |grade: Grade| grade.extracted(short(describe(calls), 10_000));
    match (want, rules) {
        (Want::Nothing, _) if !calls.is_empty() => {
            said(Grade::binary(false).explained("irrelevance_error:decoder_success: a call where none is wanted"))
        }
        (Want::Nothing, Rules::Fixed) if decoded.is_err() && tried() => {
            Grade::zero(Reason::InvalidFormat).explained("a call that cannot be read where none is wanted")
        }
        (Want::Nothing, Rules::Fixed) if python::strip(text).is_empty() => Grade::zero(Reason::NoResponse),
        (Want::Nothing, _) => Grade::binary(true),
        (_, Rules::Fixed) if !calls.is_empty() && !calls.iter().all(offered) => {
            said(Grade::binary(false).explained("a call of a function that was not offered"))
        }
        _ if !calls.is_empty() => said(Grade::binary(true)),
        _ => {
            let reason = if decoded.is_err() && tried() { Reason::InvalidFormat } else { Reason::Wrong };
            Grade::zero(reason).explained("relevance_error:decoder_failed: no call where one is wanted")
        }
    }
}
