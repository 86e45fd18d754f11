//! What is asked for one sample, request by request: a question, a conversation, the likelihoods of its choices, or what a scorer
//! wants to know of a judge. A script says what to ask next and takes the answer; it sends nothing.

use bench_plugin::types::{FinishReason, Generation, Message, Prompt, Role, Sampling};
use bench_samples::{LikelihoodRecord, SampleRecord};
use bench_suite::{Reasoning, UserEntry};
use serde_json::{Map, Value};

use crate::backend::Answer;
use crate::likelihood::{self, Way};
use crate::policy::Failure;
use crate::prompt::{self, message};
use crate::reasoning::settle_answer;

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// The model under test.
    Model,
    /// The judge, or whoever plays the user.
    Other,
}

/// A request of a sample.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) whom: Whom,
    pub(crate) generation: Generation,
    pub(crate) fields: Map<String, Value>,
}

/// The requests of a sample.
#[derive(Debug)]
pub(crate) enum Script {
    /// One question.
    One { generation: Box<Generation>, reasoning: Reasoning, answer: Option<Answer> },
    /// A conversation.
    Talk(Box<Talk>),
    /// The likelihood of each choice.
    Likely { way: Way, context: String, choices: Vec<String>, found: Vec<LikelihoodRecord> },
    /// A scorer's questions about a sample.
    Questions { questions: Vec<Generation>, opinions: Vec<Answer> },
}

/// A conversation.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) messages: Vec<Message>,
    /// Everything but the messages.
    pub(crate) generation: Generation,
    pub(crate) reasoning: Reasoning,
    /// What the user still says, the next turn last.
    pub(crate) turns: Vec<String>,
    /// Who plays the user after that, with their instructions.
    pub(crate) user: Option<(String, UserEntry)>,
    pub(crate) grade_all: bool,
    pub(crate) user_turns: u32,
    pub(crate) asks_user: bool,
    pub(crate) over: bool,
    pub(crate) said: Vec<Answer>,
}

impl Script {
    /// The next request; `None` when there is no more to ask.
    pub(crate) fn next(&mut self) -> Option<Ask> {
        let ask = |whom, generation| Some(Ask { whom, generation, fields: Map::new() });
        match self {
            Self::One { generation, answer: None, .. } => ask(Whom::Model, (**generation).clone()),
            Self::One { .. } => None,
            Self::Talk(talk) if talk.over => None,
            Self::Talk(talk) if talk.asks_user => ask(Whom::Other, talk.to_the_user()?),
            Self::Talk(talk) => ask(Whom::Model, talk.to_the_model()),
            Self::Likely { way, context, choices, found } => {
                let (generation, fields) = likelihood::request(*way, context, choices.get(found.len())?);
                Some(Ask { whom: Whom::Model, generation, fields })
            }
            Self::Questions { questions, opinions } => ask(Whom::Other, questions.get(opinions.len())?.clone()),
        }
    }

    /// Takes an answer to the last request.
    pub(crate) fn take(&mut self, got: Answer) -> Result<(), Failure> {
        match self {
            Self::One { generation, reasoning, answer } => *answer = Some(settle_answer(got, generation, *reasoning)),
            Self::Talk(talk) => talk.take(got),
            Self::Likely { way, choices, found, .. } => {
                let choice = choices.get(found.len()).map(String::as_str).unwrap_or_default();
                let likelihood = likelihood::read(*way, choice, &got).map_err(|message| Failure {
                    code: "no-likelihood".to_owned(),
                    message,
                    hint: None,
                    status: None,
                    retry_after: None,
                })?;
                found.push(likelihood);
            }
            Self::Questions { opinions, .. } => opinions.push(got),
        }
        Ok(())
    }

    /// Writes what came into the sample.
    pub(crate) fn finish(&self, record: &mut SampleRecord) {
        match self {
            Self::One { answer: Some(answer), .. } => write(answer, record),
            Self::One { .. } | Self::Questions { .. } => {}
            Self::Likely { found, .. } => record.likelihoods.clone_from(found),
            Self::Talk(talk) => talk.finish(record),
        }
    }
}

impl Talk {
    fn to_the_model(&self) -> Generation {
        Generation { prompt: Prompt::Messages(self.messages.clone()), ..self.generation.clone() }
    }

    fn take(&mut self, got: Answer) {
        let mut asked = self.to_the_model();
        if self.asks_user {
            // The stop texts are the model's, not those of who plays the user.
            asked.stop.clear();
        }
        let got = settle_answer(got, &asked, self.reasoning);
        if self.asks_user {
            self.asks_user = false;
            self.user_turns += 1;
            let stop = self.user.as_ref().map(|(_, user)| user.stop.clone()).unwrap_or_default();
            let (said, ends) = match got.text.split_once(&stop) {
                Some((before, _)) => (before.trim().to_owned(), true),
                None => (got.text.trim().to_owned(), false),
            };
            if ends {
                self.user = None;
            }
            if said.is_empty() {
                self.over = true;
            } else {
                self.messages.push(message(Role::User, said));
            }
            return;
        }
        let reply = Message { tool_calls: got.tool_calls.clone(), ..message(Role::Assistant, got.text.clone()) };
        self.said.push(got);
        if let Some(turn) = self.turns.pop() {
            self.messages.push(reply);
            self.messages.push(message(Role::User, turn));
        } else if self.user.as_ref().is_some_and(|(_, user)| self.user_turns < user.most_turns) {
            self.messages.push(reply);
            self.asks_user = true;
        } else {
            self.over = true;
        }
    }

    /// The conversation as the one who plays the user sees it: what the model said is said to them.
    fn to_the_user(&self) -> Option<Generation> {
        let (instructions, user) = self.user.as_ref()?;
        let mut seen = vec![message(Role::System, instructions.clone())];
        for said in &self.messages {
            match said.role {
                Role::User => seen.push(message(Role::Assistant, said.content.clone())),
                // Some backends refuse messages without text.
                Role::Assistant if said.content.trim().is_empty() => {
                    seen.push(message(Role::User, "(says nothing)".to_owned()));
                }
                Role::Assistant => seen.push(message(Role::User, said.content.clone())),
                Role::System | Role::Tool => {}
            }
        }
        Some(Generation {
            prompt: Prompt::Messages(seen),
            tools: Vec::new(),
            max_tokens: user.max_tokens,
            stop: Vec::new(),
            sampling: Sampling {
                temperature: Some(user.temperature),
                top_p: None,
                top_k: None,
                seed: self.generation.sampling.seed,
            },
            logprobs: None,
            ..self.generation.clone()
        })
    }

    fn finish(&self, record: &mut SampleRecord) {
        // The last answer is the sample's and not part of what was asked; one that the user took leave after stands there.
        let mut asked = self.messages.clone();
        asked.pop_if(|last| last.role == Role::Assistant);
        record.prompt = prompt::recorded(&Prompt::Messages(asked));
        record.prompt_sha256 = bench_samples::digest_of(&record.prompt);
        let Some(last) = self.said.last() else { return };
        write(last, record);
        if self.grade_all {
            let all: Vec<&str> = self.said.iter().map(|answer| answer.text.as_str()).collect();
            record.answer = Some(all.join("\n\n")).filter(|text| !text.trim().is_empty());
            record.tool_calls =
                self.said.iter().flat_map(|answer| &answer.tool_calls).map(prompt::recorded_call).collect();
        }
    }
}

fn write(answer: &Answer, record: &mut SampleRecord) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    record.answer = some(&answer.text);
    record.reasoning = some(&answer.reasoning);
    record.tool_calls = answer.tool_calls.iter().map(prompt::recorded_call).collect();
    record.finish = answer.finish.as_ref().map(word);
}

fn word(finish: &FinishReason) -> String {
    match finish {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool-calls",
        FinishReason::ContentFilter => "content-filter",
        FinishReason::Other(word) => word,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer { text: text.to_owned(), ..Answer::default() }
    }

    fn talk(turns: &[&str], user: Option<UserEntry>) -> Script {
        let opening = prompt::Opening { prompt: Prompt::Messages(Vec::new()), tools: Vec::new() };
        Script::Talk(Box::new(Talk {
            messages: vec![message(Role::User, "one".to_owned())],
            generation: prompt::generation(&bench_suite::GenerationEntry::default(), &opening, 3),
            reasoning: Reasoning::Split,
            turns: turns.iter().rev().map(|turn| (*turn).to_owned()).collect(),
            user: user.map(|user| ("You want tea.".to_owned(), user)),
            grade_all: false,
            user_turns: 0,
            asks_user: false,
            over: false,
            said: Vec::new(),
        }))
    }

    /// Plays a script against answers, and gives the prompts with whom they went to.
    fn play(script: &mut Script, answers: &[&str]) -> Vec<(Whom, Vec<String>)> {
        let mut asked = Vec::new();
        for text in answers {
            let Some(ask) = script.next() else { break };
            let said = prompt::recorded(&ask.generation.prompt);
            asked.push((
                ask.whom,
                said.iter().map(|message| format!("{}: {}", message.role, message.content)).collect(),
            ));
            assert_eq!(script.take(answer(text)), Ok(()));
        }
        asked
    }

    fn finished(script: &Script) -> SampleRecord {
        let mut record = SampleRecord::new("t", "1", 0, Value::Null, Vec::new(), Value::Null);
        script.finish(&mut record);
        record
    }

    #[test]
    fn scripted_turns_follow_one_another() {
        let mut script = talk(&["two", "three"], None);
        let asked = play(&mut script, &["A", "B", "C", "D"]);
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[2].1, ["user: one", "assistant: A", "user: two", "assistant: B", "user: three"]);
        let record = finished(&script);
        assert_eq!((record.answer.as_deref(), record.prompt.len()), (Some("C"), 5));
        assert_eq!(record.wrong_digest(), None);
    }

    #[test]
    fn a_model_plays_the_user_until_it_is_done() {
        let user = UserEntry {
            instructions: String::new(),
            most_turns: 5,
            stop: "[DONE]".to_owned(),
            max_tokens: 10,
            temperature: 0.0,
        };
        let mut script = talk(&[], Some(user.clone()));
        let asked = play(&mut script, &["Which tea?", "green", "Here.", "[DONE]", "never"]);
        let whom: Vec<Whom> = asked.iter().map(|(whom, _)| *whom).collect();
        assert_eq!(whom, [Whom::Model, Whom::Other, Whom::Model, Whom::Other]);
        assert_eq!(asked[1].1, ["system: You want tea.", "assistant: one", "user: Which tea?"]);
        assert_eq!(finished(&script).answer.as_deref(), Some("Here."));
        let mut endless = talk(&[], Some(UserEntry { most_turns: 2, ..user }));
        assert_eq!(play(&mut endless, &["x"; 50]).len(), 5, "three of the model's, two of the user's");
    }
}
