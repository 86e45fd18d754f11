//! Reasoning that came as part of the answer, and stop texts that the server did not apply.
//!
//! The markup is the model's and its template's, not the server's: the same model writes it behind any server that does not
//! parse it. So it is taken out here, for all drivers alike, when the answer is whole.

use bench_plugin::types::{FinishReason, Generation, Prompt, ToolCall};
use bench_suite::Reasoning;

use crate::backend::Answer;

/// A pair of tags around reasoning.
struct Tag {
    open: &'static str,
    close: &'static str,
    /// Prompts ask for this tag too. Where the prompt names it, it is part of the answer that was asked for.
    may_be_asked_for: bool,
}

const fn tag(open: &'static str, close: &'static str) -> Tag {
    Tag { open, close, may_be_asked_for: false }
}

const fn plain_tag(open: &'static str, close: &'static str) -> Tag {
    Tag { open, close, may_be_asked_for: true }
}

/// The tags of models that are in use, compared without regard to case.
const TAGS: [Tag; 13] = [
    tag("<think>", "</think>"),
    tag("[think]", "[/think]"),
    tag("<seed:think>", "</seed:think>"),
    tag("◁think▷", "◁/think▷"),
    tag("<mm:think>", "</mm:think>"),
    tag("<longcat_think>", "</longcat_think>"),
    tag("<|channel>thought", "<channel|>"),
    tag("<unused94>thought", "<unused95>"),
    tag("<|begin_of_thought|>", "<|end_of_thought|>"),
    tag("<|start_thinking|>", "<|end_thinking|>"),
    plain_tag("<thinking>", "</thinking>"),
    plain_tag("<thought>", "</thought>"),
    plain_tag("<reasoning>", "</reasoning>"),
];

/// Tags that models put around what they say after their reasoning.
const WRAPPERS: [(&str, &str); 2] =
    [("<|begin_of_solution|>", "<|end_of_solution|>"), ("<|start_response|>", "<|end_response|>")];

/// The answer to `generation` with its reasoning apart, cut at the generation's stop texts.
pub(crate) fn settle_answer(answer: Answer, generation: &Generation, how: Reasoning) -> Answer {
    cut_at_stops(split_reasoning(answer, &generation.prompt, how), &generation.stop)
}

/// Cuts the text at the first stop text in it. Servers do that themselves; a driver says nothing of stop texts that a model or
/// a service does not take.
fn cut_at_stops(mut answer: Answer, stops: &[String]) -> Answer {
    let found = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| answer.text.find(stop.as_str())).min();
    if let Some(at) = found {
        answer.text.truncate(at);
        answer.finish = Some(FinishReason::Stop);
    }
    answer
}

/// Takes reasoning out of the text. Templates of some models open the tag themselves, so that the answer only closes it; an
/// answer that was cut before it did is all reasoning.
fn split_reasoning(mut answer: Answer, prompt: &Prompt, how: Reasoning) -> Answer {
    if how == Reasoning::Keep || !answer.reasoning.is_empty() {
        return answer;
    }
    if let Some(harmony) = read_harmony(&answer.text) {
        answer.reasoning = harmony.reasoning;
        answer.text = harmony.text;
        if answer.tool_calls.is_empty() {
            answer.tool_calls = harmony.tool_calls;
        }
        return answer;
    }
    if let Some((reasoning, text)) = read_tags(&answer.text, prompt) {
        (answer.reasoning, answer.text) = (reasoning, text);
    }
    answer
}

/// The text without what stands before anything that is said.
fn begin(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// What stands after `open`, where the text begins with it in any case.
fn after<'t>(text: &'t str, open: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(open.len())?;
    head.eq_ignore_ascii_case(open).then_some(rest)
}

/// What stands before and after the first `close` in any case; `lower` is the text in lower case.
fn around<'t>(text: &'t str, lower: &str, close: &str) -> Option<(&'t str, &'t str)> {
    // Lower case of ASCII alone keeps every offset.
    let at = lower.find(close)?;
    Some((text.get(..at)?, text.get(at + close.len()..)?))
}

/// The reasoning and the rest; `None` where there is no reasoning.
fn read_tags(text: &str, prompt: &Prompt) -> Option<(String, String)> {
    let is_markup = |tag: &&Tag| !tag.may_be_asked_for || !names(prompt, tag.open);
    let mut thoughts: Vec<&str> = Vec::new();
    let mut rest = text;
    loop {
        let said = begin(rest);
        let opened = TAGS.iter().filter(is_markup).find_map(|tag| Some((after(said, tag.open)?, tag.close)));
        match opened {
            Some((inner, close)) => match around(inner, &inner.to_ascii_lowercase(), close) {
                Some((thought, more)) => {
                    thoughts.push(thought.trim());
                    rest = more;
                }
                None => {
                    thoughts.push(inner.trim());
                    rest = "";
                    break;
                }
            },
            // The template opened it.
            None if thoughts.is_empty() => {
                let lower = rest.to_ascii_lowercase();
                let sure = TAGS.iter().filter(|tag| !tag.may_be_asked_for);
                let closed =
                    sure.filter_map(|tag| around(rest, &lower, tag.close)).min_by_key(|(thought, _)| thought.len());
                let (thought, more) = closed?;
                thoughts.push(thought.trim());
                rest = more;
            }
            None => break,
        }
    }
    let mut said = begin(rest);
    for (open, close) in WRAPPERS {
        if let Some(inner) = after(said, open) {
            said = around(inner, &inner.to_ascii_lowercase(), close).map_or(inner, |(inner, _)| inner).trim();
        }
    }
    Some((thoughts.join("\n\n"), said.to_owned()))
}

/// Whether the prompt names the tag.
fn names(prompt: &Prompt, open: &str) -> bool {
    let has = |text: &str| text.to_ascii_lowercase().contains(open);
    match prompt {
        Prompt::Messages(messages) => messages.iter().any(|message| has(&message.content)),
        Prompt::Text(text) | Prompt::Other(text) => has(text),
    }
}

/// An answer in OpenAI's harmony format.
#[derive(Debug, Default)]
struct Harmony {
    reasoning: String,
    text: String,
    tool_calls: Vec<ToolCall>,
}

const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";

/// Reads `<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…<|return|>`, and what is left of
/// it where a server drops the marks: `analysis…assistantfinal…`. `None` where the text is neither.
fn read_harmony(text: &str) -> Option<Harmony> {
    const ENDS: [&str; 5] = ["<|end|>", "<|return|>", "<|call|>", "<|start|>", CHANNEL];
    let said = begin(text);
    let mut found = Harmony::default();
    if !said.starts_with(CHANNEL) && !said.starts_with("<|start|>") {
        let (thought, rest) = said.strip_prefix("analysis")?.split_once("assistantfinal")?;
        return Some(Harmony { reasoning: thought.trim().to_owned(), text: rest.trim().to_owned(), ..found });
    }
    let mut rest = said;
    while let Some((_, channel)) = rest.split_once(CHANNEL) {
        let Some((header, body)) = channel.split_once(MESSAGE) else { break };
        let end = ENDS.iter().filter_map(|end| body.find(end)).min().unwrap_or(body.len());
        let (content, more) = body.split_at_checked(end).unwrap_or((body, ""));
        rest = more;
        let called = header.split_once("to=functions.").map(|(_, name)| name);
        let called = called.and_then(|name| name.split([' ', '<']).next()).filter(|name| !name.is_empty());
        if let Some(name) = called {
            let id = format!("call_{}", found.tool_calls.len());
            found.tool_calls.push(ToolCall { id, name: name.to_owned(), arguments: content.trim().to_owned() });
        } else if header.trim_start().starts_with("final") {
            found.text.push_str(content.trim());
        } else {
            let gap = if found.reasoning.is_empty() { "" } else { "\n\n" };
            found.reasoning.push_str(gap);
            found.reasoning.push_str(content.trim());
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer { text: text.to_owned(), ..Answer::default() }
    }

    fn prompt(text: &str) -> Prompt {
        Prompt::Text(text.to_owned())
    }

    #[test]
    fn reasoning_is_taken_out_of_the_answer() {
        for (text, thought, said) in [
            ("<think>a\nb</think>\n\nfour", "a\nb", "four"),
            ("\n<think>cut", "cut", ""),
            ("opened by the template</think>four", "opened by the template", "four"),
            ("four", "", "four"),
            ("a <think> in the middle", "", "a <think> in the middle"),
            ("<think>a</think>\n<think>b</think>\nfour", "a\n\nb", "four"),
            ("[THINK]a[/THINK]four", "a", "four"),
            ("<THINK>a</Think>four", "a", "four"),
            ("\u{feff}<think>a</think>four", "a", "four"),
            ("<thinking>a</thinking>\nfour", "a", "four"),
            ("<thought>a</thought>four", "a", "four"),
            ("<reasoning>a</reasoning>four", "a", "four"),
            ("<seed:think>a</seed:think>four", "a", "four"),
            ("◁think▷a◁/think▷four", "a", "four"),
            ("<mm:think>a</mm:think>four", "a", "four"),
            ("<|channel>thought\na<channel|>four", "a", "four"),
            ("<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>four<|end_of_solution|>", "a", "four"),
            ("Sure.\n<think>a</think>\nfour", "Sure.\n<think>a", "four"),
            ("İ</think>four", "İ", "four"),
        ] {
            let parted = split_reasoning(answer(text), &prompt("How many?"), Reasoning::Split);
            assert_eq!((parted.reasoning.as_str(), parted.text.as_str()), (thought, said), "{text}");
        }
        let kept = split_reasoning(answer("<think>a</think>b"), &prompt(""), Reasoning::Keep);
        assert_eq!(kept.text, "<think>a</think>b");
    }

    #[test]
    fn a_tag_that_the_prompt_asks_for_is_part_of_the_answer() {
        let text = "<reasoning>a</reasoning><answer>4</answer>";
        let asked = prompt("Answer as <reasoning>...</reasoning><answer>...</answer>.");
        assert_eq!(split_reasoning(answer(text), &asked, Reasoning::Split).text, text);
    }

    #[test]
    fn harmony_has_channels_and_calls() {
        let whole = "<|channel|>analysis<|message|>2+2<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>";
        let parted = split_reasoning(answer(whole), &prompt(""), Reasoning::Split);
        assert_eq!((parted.reasoning.as_str(), parted.text.as_str()), ("2+2", "4"));
        let stripped = split_reasoning(answer("analysis2+2 is 4.assistantfinal4"), &prompt(""), Reasoning::Split);
        assert_eq!((stripped.reasoning.as_str(), stripped.text.as_str()), ("2+2 is 4.", "4"));
        let call = "<|channel|>analysis<|message|>look<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"x\":1}<|call|>";
        let parted = split_reasoning(answer(call), &prompt(""), Reasoning::Split);
        let calls: Vec<_> =
            parted.tool_calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!((calls.as_slice(), parted.text.as_str()), ([("f", "{\"x\":1}")].as_slice(), ""));
        let cut = split_reasoning(answer("<|channel|>analysis<|message|>2+"), &prompt(""), Reasoning::Split);
        assert_eq!((cut.reasoning.as_str(), cut.text.as_str()), ("2+", ""));
    }

    #[test]
    fn the_first_stop_text_ends_the_answer() {
        let stops = ["\n\n".to_owned(), "Question:".to_owned(), String::new()];
        let cut = cut_at_stops(answer("4\n\nQuestion: next?"), &stops);
        assert_eq!((cut.text.as_str(), cut.finish), ("4", Some(FinishReason::Stop)));
        assert_eq!(cut_at_stops(answer("4"), &stops).finish, None);
    }
}
