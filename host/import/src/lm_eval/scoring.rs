//! How a task is graded and what is generated: its metrics, filters and generation settings, as the scorers and the suite have them.

use bench_suite::GenerationEntry;
use serde_json::{Map, Value, json};

use super::LmEval;
use super::config::{Config, Yaml};
use crate::draft::Note;
use crate::error::ImportError;

/// Most tokens of an answer where the task says nothing.
const MOST_TOKENS: u64 = 256;

/// A scorer with its configuration.
pub(super) struct Grading {
    pub scorer: String,
    pub config: Map<String, Value>,
}

/// Metrics of likelihoods, with what the scorer `multiple-choice` calls them.
const LIKELIHOOD: [(&str, &str); 3] = [("acc", "acc"), ("acc_norm", "acc-norm"), ("acc_bytes", "acc-bytes")];

/// Options of `exact_match`, with what the scorer calls them.
const EXACT: [(&str, &str); 4] = [
    ("ignore_case", "ignore-case"),
    ("ignore_punctuation", "ignore-punctuation"),
    ("ignore_numbers", "ignore-numbers"),
    ("regexes_to_ignore", "regexes-to-ignore"),
];

/// Filters, with the options that the scorer has for each.
const FILTERS: [(&str, &[&str]); 7] = [
    ("regex", &["regex_pattern", "group_select", "fallback"]),
    (
        "multi_choice_regex",
        &["regex_pattern", "group_select", "fallback", "ignore_case", "ignore_punctuation", "regexes_to_ignore"],
    ),
    ("remove_whitespace", &[]),
    ("lowercase", &[]),
    ("uppercase", &[]),
    ("map", &["mapping_dict", "default_value"]),
    ("take_first", &[]),
];

/// How a task is graded.
pub(super) fn grading(
    config: &Config,
    likelihood: bool,
    wanted: &LmEval,
    notes: &mut Vec<Note>,
) -> Result<Grading, ImportError> {
    let metrics = metrics(config, likelihood)?;
    let known = |name: &str| {
        if likelihood { LIKELIHOOD.iter().any(|(known, _)| *known == name) } else { name == "exact_match" }
    };
    let chosen = match &wanted.metric {
        Some(name) => {
            let found = metrics.iter().find(|(metric, _)| metric == name);
            let there = metrics.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            found.ok_or_else(|| {
                ImportError::option(
                    "--metric",
                    format!("{} has no metric {name}", config.name),
                    format!("it has {there}"),
                )
            })?
        }
        None => metrics
            .iter()
            .find(|(name, _)| known(name))
            .or(metrics.first())
            .ok_or_else(|| ImportError::refused(format!("{}: metric_list", config.name), "it is empty"))?,
    };
    for (name, _) in &metrics {
        if known(name) || (wanted.metric.is_some() && *name != chosen.0) {
            continue;
        }
        let what = format!("{}: metric {name}", config.name);
        let why = if likelihood {
            "the scorer multiple-choice has acc, acc_norm and acc_bytes"
        } else {
            "the scorer exact-match has exact_match"
        };
        return Err(match metrics.iter().find(|(name, _)| known(name)) {
            Some((other, _)) => ImportError::refused_unless(what, why, format!("leave it out with --metric {other}")),
            None => ImportError::refused(what, why),
        });
    }
    for (name, _) in metrics.iter().filter(|(name, _)| *name != chosen.0 && !(likelihood && known(name))) {
        notes.push(Note::new("metric-left-out", format!("The metric {name} is left out, as asked for.")));
    }
    if config.count("repeats")?.unwrap_or(1) > 1 {
        notes.push(Note::new(
            "repeats",
            "The task asks several times; here each item is asked once, unless --repeats says otherwise.",
        ));
    }
    if likelihood {
        refuse_filters(config)?;
        let metric = LIKELIHOOD.iter().find(|(name, _)| *name == chosen.0).map_or("acc", |(_, name)| name);
        return Ok(Grading {
            scorer: "multiple-choice".to_owned(),
            config: Map::from_iter([("metric".to_owned(), json!(metric))]),
        });
    }
    let options = exact(config, &chosen.1)?;
    let chains = chains(config)?;
    if let Some(grading) = gsm8k(&options, &chains, wanted.filter.as_deref()) {
        return Ok(grading);
    }
    let chain = match (&wanted.filter, chains.as_slice()) {
        (Some(name), chains) => {
            let there = chains.iter().map(|chain| chain.name.as_str()).collect::<Vec<_>>().join(", ");
            let found = chains.iter().find(|chain| chain.name == *name);
            let missing = || {
                ImportError::option(
                    "--filter",
                    format!("{} has no filter {name}", config.name),
                    format!("it has {there}"),
                )
            };
            Some(found.ok_or_else(missing)?)
        }
        (None, []) => None,
        (None, [only]) => Some(only),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|chain| chain.name.as_str()).collect();
            let what = format!("{}: filter_list with {}", config.name, names.join(" and "));
            let hint = format!("choose the one to grade by with --filter {}", names[0]);
            return Err(ImportError::refused_unless(what, "an answer is graded in one way", hint));
        }
    };
    for other in chains.iter().filter(|other| chain.is_some_and(|chain| chain.name != other.name)) {
        notes.push(Note::new("filter-left-out", format!("The filter {} is left out, as asked for.", other.name)));
    }
    let mut options = options;
    if let Some(chain) = chain {
        options.insert("filters".to_owned(), Value::Array(chain.filters.clone()));
    }
    Ok(Grading { scorer: "exact-match".to_owned(), config: options })
}

/// A metric and its options.
type Metric = (String, Vec<(String, Yaml)>);

/// The metrics of a task.
fn metrics(config: &Config, likelihood: bool) -> Result<Vec<Metric>, ImportError> {
    let list = match config.yaml("metric_list") {
        None | Some(Yaml::Null) => {
            // What lm-eval takes where nothing is said.
            let usual: &[&str] = if likelihood { &["acc", "acc_norm"] } else { &["exact_match"] };
            return Ok(usual.iter().map(|name| ((*name).to_owned(), Vec::new())).collect());
        }
        Some(Yaml::List(list)) => list,
        Some(_) => return Err(ImportError::refused(format!("{}: metric_list", config.name), "it is no list")),
    };
    let metric = |entry: &Yaml| match (entry.get("metric"), entry) {
        (Some(Yaml::Text(name)), Yaml::Map(pairs)) => {
            let mut options = Vec::new();
            for (key, value) in pairs {
                match (key.as_str(), value) {
                    ("metric" | "higher_is_better", _) => {}
                    ("aggregation", Yaml::Text(how)) if how == "mean" => {}
                    ("aggregation", Yaml::Text(how)) if how != "mean" && name != "acc" && name != "exact_match" => {}
                    ("aggregation", _) => {
                        let what = format!("{}: metric {name}: aggregation", config.name);
                        return Err(ImportError::refused(what, "scores are means"));
                    }
                    _ => options.push((key.clone(), value.clone())),
                }
            }
            Ok((name.clone(), options))
        }
        _ => Err(ImportError::refused(format!("{}: metric_list", config.name), "an entry has no name of a metric")),
    };
    list.iter().map(metric).collect()
}

/// The options of `exact_match` for the scorer.
fn exact(config: &Config, options: &[(String, Yaml)]) -> Result<Map<String, Value>, ImportError> {
    let mut made = Map::new();
    for (key, value) in options {
        let what = || format!("{}: exact_match: {key}", config.name);
        let (_, name) = EXACT
            .iter()
            .find(|(known, _)| known == key)
            .ok_or_else(|| ImportError::refused(what(), "the scorer exact-match has no such option"))?;
        let value = value.json().map_err(|function| config.function("metric_list", &function))?;
        let is_patterns = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        match (*name, &value) {
            (_, Value::Null) => {}
            ("regexes-to-ignore", _) if is_patterns => drop(made.insert((*name).to_owned(), value)),
            ("ignore-case" | "ignore-punctuation" | "ignore-numbers", Value::Bool(_)) => {
                drop(made.insert((*name).to_owned(), value));
            }
            _ => return Err(ImportError::refused(what(), "its value is of another type than the scorer's option")),
        }
    }
    Ok(made)
}

/// Filters that follow one another, with a name.
struct Chain {
    name: String,
    filters: Vec<Value>,
}

fn entries(config: &Config) -> Result<&[Yaml], ImportError> {
    match config.yaml("filter_list") {
        None | Some(Yaml::Null) => Ok(&[]),
        Some(Yaml::List(list)) => Ok(list),
        Some(_) => Err(ImportError::refused(format!("{}: filter_list", config.name), "it is no list")),
    }
}

fn refuse_filters(config: &Config) -> Result<(), ImportError> {
    if entries(config)?.is_empty() {
        return Ok(());
    }
    Err(ImportError::refused(format!("{}: filter_list", config.name), "likelihoods are not filtered"))
}

fn chains(config: &Config) -> Result<Vec<Chain>, ImportError> {
    let mut chains = Vec::new();
    for entry in entries(config)? {
        let name = match entry.get("name") {
            Some(Yaml::Text(name)) => name.clone(),
            _ => return Err(ImportError::refused(format!("{}: filter_list", config.name), "a filter has no name")),
        };
        let Some(Yaml::List(steps)) = entry.get("filter") else {
            return Err(ImportError::refused(format!("{}: filter {name}", config.name), "it has no list of steps"));
        };
        let filters = steps.iter().map(|step| filter(config, &name, step)).collect::<Result<_, _>>()?;
        chains.push(Chain { name, filters });
    }
    Ok(chains)
}

fn filter(config: &Config, chain: &str, step: &Yaml) -> Result<Value, ImportError> {
    let (Some(Yaml::Text(function)), Yaml::Map(pairs)) = (step.get("function"), step) else {
        return Err(ImportError::refused(format!("{}: filter {chain}", config.name), "a step names no function"));
    };
    let what = format!("{}: filter {chain}: {function}", config.name);
    let known = FILTERS.iter().find(|(name, _)| name == function);
    let (_, options) = known.ok_or_else(|| {
        let known = FILTERS.map(|(name, _)| name).join(", ");
        ImportError::refused(&what, format!("the scorer exact-match has no such filter; it has {known}"))
    })?;
    let mut made = Map::from_iter([("function".to_owned(), json!(function.replace('_', "-")))]);
    for (key, value) in pairs.iter().filter(|(key, value)| key != "function" && *value != Yaml::Null) {
        if !options.contains(&key.as_str()) {
            return Err(ImportError::refused(format!("{what}: {key}"), "the scorer's filter has no such option"));
        }
        let value = value.json().map_err(|function| config.function("filter_list", &function))?;
        let value = match value {
            // Numbers are texts to a filter, whatever they are to YAML.
            Value::Object(pairs) => Value::Object(
                pairs.into_iter().map(|(key, text)| (key, json!(bench_samples::python::text(&text)))).collect(),
            ),
            Value::Number(number) if key != "group_select" => json!(number.to_string()),
            other => other,
        };
        made.insert(key.replace('_', "-"), value);
    }
    Ok(Value::Object(made))
}

/// The patterns of GSM8K's tasks, with the words that the prompts ask for.
const STRICT: [(&str, &str); 4] = [
    (r"#### (\-?[0-9\.\,]+)", "gsm8k"),
    (r"The answer is (\-?[0-9\.\,]+).", "cot"),
    (r"The final answer is ((-?[$0-9.,]{2,})|(-?[0-9]+))", "cot-llama"),
    (r"The answer is (\-?[0-9\.\,]*[0-9]+)", "cot-self-consistency"),
];

/// The scorer of GSM8K's tasks, which grades by both of their filters at once, where a task is one of these to the letter.
fn gsm8k(options: &Map<String, Value>, chains: &[Chain], filter: Option<&str>) -> Option<Grading> {
    let strict = chains.iter().find(|chain| chain.name == "strict-match")?;
    let flexible = chains.iter().find(|chain| chain.name == "flexible-extract")?;
    let pattern = |chain: &Chain| Some(chain.filters.first()?.get("regex-pattern")?.as_str()?.to_owned());
    let select = |chain: &Chain| {
        chain.filters.first().and_then(|step| step.get("group-select")).and_then(Value::as_i64).unwrap_or(0)
    };
    let (_, format) = STRICT.iter().find(|(known, _)| pattern(strict).as_deref() == Some(known))?;
    let is_regex = |chain: &Chain| {
        let names: Vec<&str> = chain.filters.iter().filter_map(|step| step.get("function")?.as_str()).collect();
        names == ["regex", "take-first"]
    };
    let ignored = json!([",", r"\$", "(?s).*#### ", r"\.$"]);
    let expected = [("ignore-case", json!(true)), ("ignore-punctuation", json!(false)), ("regexes-to-ignore", ignored)];
    let sound = chains.len() == 2
        && is_regex(strict)
        && is_regex(flexible)
        && select(strict) == if *format == "cot-llama" { -1 } else { 0 }
        && select(flexible) == -1
        && pattern(flexible).as_deref() == Some("(-?[$0-9.,]{2,})|(-?[0-9]+)")
        && options.len() == expected.len()
        && expected.iter().all(|(name, value)| options.get(*name) == Some(value));
    let filter = filter.unwrap_or("flexible-extract");
    (sound && ["strict-match", "flexible-extract"].contains(&filter)).then(|| Grading {
        scorer: "gsm8k".to_owned(),
        config: Map::from_iter([("filter".to_owned(), json!(filter)), ("format".to_owned(), json!(format))]),
    })
}

/// What is generated.
pub(super) fn generation(config: &Config) -> Result<GenerationEntry, ImportError> {
    let mut made = GenerationEntry { max_tokens: to_tokens(MOST_TOKENS), ..GenerationEntry::default() };
    // Where nothing is said, an answer ends where the next example would begin.
    let delimiter = config.text("fewshot_delimiter")?.unwrap_or_else(|| "\n\n".to_owned());
    let pairs = match config.yaml("generation_kwargs") {
        None | Some(Yaml::Null) => &[],
        Some(Yaml::Map(pairs)) => pairs.as_slice(),
        Some(_) => return Err(ImportError::refused(format!("{}: generation_kwargs", config.name), "it is no mapping")),
    };
    let mut stop = None;
    for (key, value) in pairs {
        let what = format!("{}: generation_kwargs.{key}", config.name);
        let value = value.json().map_err(|function| config.function("generation_kwargs", &function))?;
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let wrong = || ImportError::refused(&what, "its value is of another type than it should be");
        match key.as_str() {
            "until" => {
                let list = match &value {
                    Value::String(text) => vec![text.clone()],
                    Value::Array(list) => list
                        .iter()
                        .map(|text| text.as_str().map(str::to_owned))
                        .collect::<Option<_>>()
                        .ok_or_else(wrong)?,
                    Value::Null => Vec::new(),
                    _ => return Err(wrong()),
                };
                stop = Some(list);
            }
            "max_gen_toks" | "max_tokens" | "max_new_tokens" => {
                made.max_tokens = value.as_u64().map(to_tokens).ok_or_else(wrong)?
            }
            "temperature" => made.temperature = number.ok_or_else(wrong)?,
            "top_p" => made.top_p = Some(number.ok_or_else(wrong)?).filter(|share| *share < 1.0),
            "top_k" => made.top_k = Some(value.as_u64().map(to_tokens).ok_or_else(wrong)?).filter(|count| *count > 0),
            // Whether to draw at all is what the temperature says to a server.
            "do_sample" => drop(value.as_bool().ok_or_else(wrong)?),
            _ => return Err(ImportError::refused(&what, "no setting of a suite stands for it")),
        }
    }
    made.stop = stop.unwrap_or_else(|| vec![delimiter]);
    made.stop.retain(|text| !text.is_empty());
    Ok(made)
}

fn to_tokens(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
