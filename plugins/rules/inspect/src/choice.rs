//! `choice`: the letters after `ANSWER:` are those of the correct choices. In inspect_ai two parts do this, the solver
//! `multiple_choice` that reads the letters and the scorer `choice` that compares them; the rules of both are here.

use std::collections::BTreeSet;

use bench_scoring::python::{self, Flags, Regex, TooHard};
use bench_scoring::{About, Grade, Problem, Reason, Sample, Scorer, metadata, problem, target_texts};
use serde::Deserialize;

/// Configuration of [`Choice`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ChoiceConfig {
    /// Several choices may be correct.
    pub multiple_correct: bool,
    /// The item's field that lists its choices.
    pub choices_field: String,
    /// How many choices an item has; absent for as many as the field lists.
    pub choices: Option<usize>,
}

impl Default for ChoiceConfig {
    fn default() -> Self {
        Self { multiple_correct: false, choices_field: "choices".to_owned(), choices: None }
    }
}

/// The letters after `ANSWER:` are those of the correct choices.
#[derive(Debug)]
pub struct Choice {
    config: ChoiceConfig,
    /// An answer within dollar signs, within double asterisks, and a single label in parentheses.
    wrapped: [Regex; 3],
    /// A line that is nothing but the answer.
    strict: Regex,
    /// An answer anywhere.
    lenient: Regex,
}

/// More choices than this are a mistake.
const MOST_CHOICES: usize = 1000;

impl Choice {
    fn choices(&self, sample: &Sample) -> Result<usize, Problem> {
        let count = match self.config.choices {
            Some(count) => Some(count),
            None => metadata(sample)?.get(&self.config.choices_field).and_then(|list| Some(list.as_array()?.len())),
        };
        count.filter(|count| (1..=MOST_CHOICES).contains(count)).ok_or_else(|| {
            problem(
                "no-choices",
                format!("sample `{}` has no list of choices in `{}`", sample.id, self.config.choices_field),
                "name the field with `choices-field`, or set `choices` to their number",
            )
        })
    }

    /// What the model chose; nothing where that cannot be told.
    fn chosen(&self, answer: &str, choices: usize) -> Result<BTreeSet<usize>, TooHard> {
        let mut text = answer.to_owned();
        for wrapper in &self.wrapped {
            text = unwrapped(wrapper, &text)?;
        }
        let mut found = self.strict.find_all(&text)?;
        if found.is_empty() {
            found = self.lenient.find_all(&text)?;
        }
        let Some(label) = found.last().and_then(|found| found.group(1)) else { return Ok(BTreeSet::new()) };
        let label = python::upper(python::rstrip_chars(python::strip(label), "."));
        let place = |label: &str| place_of_label(label).filter(|place| *place < choices);
        let places = |labels: &mut dyn Iterator<Item = &str>| labels.map(place).collect::<Option<BTreeSet<usize>>>();
        if !self.config.multiple_correct {
            let labels: Vec<&str> = label.split(',').filter(|label| !label.is_empty()).collect();
            return Ok(if labels.len() == 1 { places(&mut labels.into_iter()) } else { None }.unwrap_or_default());
        }
        let label = label.replace(" AND ", ",").replace(' ', "");
        let by_comma = places(&mut label.split(',').filter(|label| !label.is_empty()));
        Ok(by_comma.or_else(|| places(&mut label.split("").filter(|label| !label.is_empty()))).unwrap_or_default())
    }

    /// The places of the correct choices, in order.
    fn correct(sample: &Sample, choices: usize) -> Result<Vec<usize>, Problem> {
        let texts = target_texts(sample)?;
        let mut places = Vec::new();
        for text in &texts {
            for token in python::split_whitespace(&text.replace(',', " ")) {
                if token.chars().all(|character| python::int(character.encode_utf8(&mut [0; 4])).is_some()) {
                    places.push(place_of_number(token));
                } else {
                    places.extend(token.chars().map(place_of_target));
                }
            }
        }
        let places: Option<Vec<usize>> =
            places.into_iter().map(|place| place.filter(|place| *place < choices)).collect();
        let mut places = places.filter(|places| !places.is_empty()).ok_or_else(|| {
            let texts = texts.join(", ");
            let message =
                format!("the reference of sample `{}`, `{texts}`, names none of its {choices} choices", sample.id);
            problem("bad-target", message, "a reference is the letter of the correct choice, or several")
        })?;
        places.sort_unstable();
        Ok(places)
    }
}

/// The text with every match replaced by what its groups capture.
fn unwrapped(wrapper: &Regex, text: &str) -> Result<String, TooHard> {
    let mut bare = String::with_capacity(text.len());
    let mut end = 0;
    for found in wrapper.find_all(text)? {
        bare.push_str(text.get(end..found.range().start).unwrap_or_default());
        bare.extend((1..=found.groups()).filter_map(|group| found.group(group)));
        end = found.range().end;
    }
    bare.push_str(text.get(end..).unwrap_or_default());
    Ok(bare)
}

/// The place that a label stands for: `A` to `Z` for the first 26, then `1`, `2` and on.
fn place_of_label(label: &str) -> Option<usize> {
    match label.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(usize::from(letter - b'A')),
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => label.parse::<usize>().ok()?.checked_add(25),
        _ => None,
    }
}

fn place_of_number(digits: &str) -> Option<usize> {
    usize::try_from(python::int(digits)?).ok()?.checked_add(25).filter(|place| *place > 25)
}

fn place_of_target(letter: char) -> Option<usize> {
    let upper = python::upper(letter.encode_utf8(&mut [0; 4]));
    match upper.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(usize::from(letter - b'A')),
        _ => place_of_number(&upper),
    }
}

fn label(place: usize) -> String {
    match u8::try_from(place) {
        Ok(place @ 0..26) => char::from(b'A' + place).to_string(),
        _ => (place - 25).to_string(),
    }
}

impl Scorer for Choice {
    const ABOUT: About = crate::about(
        "choice",
        "The letters after ANSWER: are those of the correct choices.",
        r#"{
            "multiple-correct": { "type": "boolean", "default": false, "description": "Several choices may be correct." },
            "choices-field": { "type": "string", "default": "choices",
                "description": "The item's field that lists its choices." },
            "choices": { "type": "integer", "minimum": 1,
                "description": "How many choices an item has; as many as the field lists where it is absent." }
        }"#,
    );
    type Config = ChoiceConfig;

    fn new(config: ChoiceConfig) -> Result<Self, Problem> {
        let compile = |pattern: &str, ignore_case, multi_line| {
            let flags = Flags { ignore_case, multi_line, ..Flags::default() };
            Regex::new(pattern, flags).map_err(|error| problem("bad-pattern", error.to_string(), ""))
        };
        Ok(Self {
            config,
            wrapped: [
                compile(r"\$\s*([A-Za-z\d][A-Za-z\d ,]*?)\s*\$", false, false)?,
                compile(r"\*\*\s*([A-Za-z\d][A-Za-z\d ,]*?)\s*\*\*", false, false)?,
                compile(r"(^|[:,])(\s*)\(([A-Za-z\d])\)(?=\s*(?:,|\.|\n|\Z))", true, false)?,
            ],
            strict: compile(r"^ANSWER\s*:\s*([A-Za-z\d ,]+)\s*(?:$|\n|\.)", true, true)?,
            lenient: compile(r"ANSWER\s*:\s*([A-Za-z\d ,]+)(?:[^\w]|\n|$|\.)", true, false)?,
        })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let correct = self.choices(sample).and_then(|choices| Ok((choices, Self::correct(sample, choices)?)));
        let (choices, correct) = match correct {
            Ok(correct) => correct,
            Err(problem) => return Grade::failed(problem),
        };
        let chosen = match self.chosen(sample.answer.as_deref().unwrap_or_default(), choices) {
            Ok(chosen) => chosen,
            Err(error) => return Grade::failed(problem("pattern-too-hard", error.to_string(), "")),
        };
        if chosen.is_empty() {
            return Grade::zero(Reason::InvalidFormat).explained("no label of a choice after ANSWER:");
        }
        let labels: Vec<String> = chosen.iter().copied().map(label).collect();
        Grade::binary(chosen.iter().eq(correct.iter())).extracted(labels.join(", "))
    }
}
