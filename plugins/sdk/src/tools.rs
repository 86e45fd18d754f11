//! Which call of a tool a fragment belongs to.
//!
//! Servers disagree about the index of a call: some number parallel calls all 0, some leave the index out, some repeat the
//! name or the id with each fragment. So a call is told by its identity, in this order: its id; a new name after complete
//! arguments; its index. Names and ids are whole, arguments are fragments.

use std::collections::{HashMap, HashSet};

use crate::types::ToolCallDelta;

/// Calls that an index or an id is looked for among. A server that opens more than that has long stopped making sense.
const MOST_CALLS: usize = 4096;

/// The calls of one answer.
#[derive(Debug, Default)]
pub struct ToolCalls {
    calls: Vec<Call>,
    by_id: HashMap<String, usize>,
    /// The latest call with each index of the server's.
    by_index: HashMap<u32, usize>,
    /// Indexes that were given.
    indexes: HashSet<u32>,
    /// Larger than all of them.
    next_index: u32,
}

#[derive(Debug, Default)]
struct Call {
    index: u32,
    has_id: bool,
    name: Option<String>,
    arguments: Arguments,
}

impl ToolCalls {
    /// Gives the fragment an index that is its call's alone: the server's, unless another call has it. The name and the id stay
    /// only where they are new to the call.
    pub fn assign(&mut self, delta: &mut ToolCallDelta) {
        let place = self.place(delta);
        self.by_index.insert(delta.index, place);
        if let Some(id) = &delta.id
            && self.by_id.len() < MOST_CALLS
        {
            self.by_id.entry(id.clone()).or_insert(place);
        }
        let Some(call) = self.calls.get_mut(place) else { return };
        if call.has_id {
            delta.id = None;
        }
        call.has_id |= delta.id.is_some();
        match (&call.name, &delta.name) {
            (None, Some(name)) => call.name = Some(name.clone()),
            _ => delta.name = None,
        }
        call.arguments.take(&delta.arguments);
        delta.index = call.index;
    }

    fn place(&mut self, delta: &ToolCallDelta) -> usize {
        let known = delta.id.as_ref().and_then(|id| self.by_id.get(id)).copied();
        let last = self.calls.len().checked_sub(1);
        let current = self.by_index.get(&delta.index).copied().or(match (&delta.id, &delta.name) {
            // What names nothing goes on with the latest call.
            (None, None) => last,
            _ => None,
        });
        match known.or(current.filter(|place| !self.begins_call(*place, delta))) {
            Some(place) => place,
            None if self.calls.len() < MOST_CALLS => {
                let index = if self.indexes.contains(&delta.index) { self.next_index } else { delta.index };
                self.indexes.insert(index);
                self.next_index = self.next_index.max(index.saturating_add(1));
                self.calls.push(Call { index, ..Call::default() });
                self.calls.len() - 1
            }
            None => MOST_CALLS - 1,
        }
    }

    /// Whether the fragment, whose id is new, begins a call after the one at `place`.
    fn begins_call(&self, place: usize, delta: &ToolCallDelta) -> bool {
        let Some(call) = self.calls.get(place) else { return true };
        let Some(name) = &delta.name else {
            // An id alone: of the call that has none yet, or a server that makes a new id for each fragment.
            return delta.id.is_some() && call.has_id && call.arguments.are_complete();
        };
        let Some(known) = &call.name else { return false };
        if delta.id.is_some() && call.has_id {
            return true;
        }
        known != name || (call.arguments.are_complete() && !delta.arguments.trim().is_empty())
    }
}

/// How far the JSON of a call's arguments has come, without keeping it.
#[derive(Debug, Default)]
struct Arguments {
    begun: bool,
    depth: u32,
    in_string: bool,
    is_escaped: bool,
}

impl Arguments {
    fn take(&mut self, fragment: &str) {
        for byte in fragment.bytes() {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => (self.begun, self.in_string) = (true, true),
                b'{' | b'[' => (self.begun, self.depth) = (true, self.depth.saturating_add(1)),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ if byte.is_ascii_whitespace() => {}
                _ => self.begun = true,
            }
        }
    }

    fn are_complete(&self) -> bool {
        self.begun && self.depth == 0 && !self.in_string
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Said<'a> = (u32, Option<&'a str>, Option<&'a str>, &'a str);

    /// The calls that come out of the fragments, as `name(arguments)` with the id before it.
    fn calls(fragments: &[Said<'_>]) -> Vec<String> {
        let mut tools = ToolCalls::default();
        let mut calls: BTreeMap<u32, (String, String, String)> = BTreeMap::new();
        for (index, id, name, arguments) in fragments {
            let mut delta = ToolCallDelta {
                index: *index,
                id: id.map(str::to_owned),
                name: name.map(str::to_owned),
                arguments: (*arguments).to_owned(),
            };
            tools.assign(&mut delta);
            let call = calls.entry(delta.index).or_default();
            call.0.push_str(&delta.id.unwrap_or_default());
            call.1.push_str(&delta.name.unwrap_or_default());
            call.2.push_str(&delta.arguments);
        }
        calls.into_values().map(|(id, name, arguments)| format!("{id}:{name}({arguments})")).collect()
    }

    #[test]
    fn fragments_of_one_call() {
        let usual: &[Said<'_>] = &[(0, Some("a"), Some("f"), ""), (0, None, None, "{\"x\":"), (0, None, None, "1}")];
        assert_eq!(calls(usual), ["a:f({\"x\":1})"]);
        let repeated =
            &[(0, Some("a"), Some("f"), ""), (0, Some("a"), Some("f"), "{\"x\":"), (0, Some("a"), Some("f"), "1}")];
        assert_eq!(calls(repeated), ["a:f({\"x\":1})"]);
        let name_alone = &[(0, None, Some("f"), "{"), (0, None, Some("f"), "}"), (0, None, Some("f"), "")];
        assert_eq!(calls(name_alone), [":f({})"]);
        let late_id: &[Said<'_>] = &[(0, None, Some("f"), ""), (0, Some("a"), None, "{}")];
        assert_eq!(calls(late_id), ["a:f({})"]);
        let new_ids: &[Said<'_>] = &[(0, Some("a"), Some("f"), "{"), (0, Some("b"), None, "}")];
        assert_eq!(calls(new_ids), ["a:f({})"]);
    }

    #[test]
    fn parallel_calls_with_one_index() {
        let by_id = &[(0, Some("a"), Some("f"), "{\"x\":1}"), (0, Some("b"), Some("f"), "{\"x\":2}")];
        assert_eq!(calls(by_id), ["a:f({\"x\":1})", "b:f({\"x\":2})"]);
        let by_name = &[(0, None, Some("f"), "{}"), (0, None, Some("f"), "{\"x\":2}"), (0, None, Some("g"), "{}")];
        assert_eq!(calls(by_name), [":f({})", ":f({\"x\":2})", ":g({})"]);
        let in_pieces: &[Said<'_>] =
            &[(0, None, Some("f"), ""), (0, None, None, "{}"), (0, None, Some("g"), ""), (0, None, None, "{\"y\":1}")];
        assert_eq!(calls(in_pieces), [":f({})", ":g({\"y\":1})"]);
        let without_arguments: &[Said<'_>] = &[(0, Some("a"), Some("f"), ""), (0, Some("b"), Some("g"), "")];
        assert_eq!(calls(without_arguments), ["a:f()", "b:g()"]);
    }

    #[test]
    fn fragments_of_two_calls_in_turns() {
        let by_index: &[Said<'_>] = &[
            (0, Some("a"), Some("f"), ""),
            (1, Some("b"), Some("g"), ""),
            (0, None, None, "{\"x\":"),
            (1, None, None, "{}"),
            (0, None, None, "1}"),
        ];
        assert_eq!(calls(by_index), ["a:f({\"x\":1})", "b:g({})"]);
        let by_id: &[Said<'_>] = &[
            (0, Some("a"), Some("f"), ""),
            (0, Some("b"), Some("g"), ""),
            (0, Some("a"), None, "{}"),
            (0, Some("b"), None, "[]"),
        ];
        assert_eq!(calls(by_id), ["a:f({})", "b:g([])"]);
    }

    #[test]
    fn braces_in_strings_are_no_structure() {
        let mut arguments = Arguments::default();
        for fragment in ["{\"a\":\"}", "\\\"", "\"", "}"] {
            assert!(!arguments.are_complete());
            arguments.take(fragment);
        }
        assert!(arguments.are_complete());
    }
}
