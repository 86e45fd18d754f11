//! The canned trace: an agent is handed a failing test log of a small invoicing library, finds that a change of the
//! rounding rule broke two modules, and repairs them. Tool results are filled with text of the suite's corpora; the words
//! here hold the story together.

use bench_sdk::types::Tool;

/// Data set of source text.
pub const CODE: &str = "code";

/// Data set of test output.
pub const LOG: &str = "log";

/// Words between the places where the turns of a session begin to read a corpus. Prime, and more than the longest turn of
/// the default trace takes.
pub const WORDS_BETWEEN_TURNS: u64 = 2503;

/// Tokens of the answer to the task itself.
pub const FIRST_ANSWER: u32 = 96;

/// A tool call of the story, its result, and how much the model answers to it.
#[derive(Debug)]
pub struct Act {
    /// The turn that the result opens.
    pub id: &'static str,
    /// What the agent says before it calls.
    pub thought: &'static str,
    /// The tool.
    pub tool: &'static str,
    /// A JSON object.
    pub arguments: &'static str,
    /// The result begins with this; text of the corpus follows.
    pub opening: &'static str,
    /// What the result is filled with.
    pub corpus: &'static str,
    /// The result ends with this.
    pub closing: &'static str,
    /// Tokens of the answer to the result.
    pub answer_tokens: u32,
}

/// The agent's instructions. They begin with the session's own number, so that no two sessions share a prefix.
pub fn system(session: &str) -> String {
    format!(
        "Session {session}. You are a coding agent in a checked-out repository. Work in small steps: look before you \
         change anything, call one tool at a time, run the tests after every change, and stop when they pass."
    )
}

/// Comes before the failing log.
pub const TASK_OPENING: &str = "The nightly run of our invoicing library fails since the rounding rule changed to \
                                half-even. Find the cause and repair it. Last night's output:\n\n```\n";

/// Comes after the failing log.
pub const TASK_CLOSING: &str = "\n```\n\nDo not change the tests.";

/// The story, act by act.
pub const ACTS: [Act; 9] = [
    Act {
        id: "list-dir",
        thought: "I first look at what there is.",
        tool: "list_dir",
        arguments: r#"{"path": "."}"#,
        opening: "ledger/ tests/ README setup.cfg\n\n",
        corpus: CODE,
        closing: "\n(end of listing)",
        answer_tokens: 64,
    },
    Act {
        id: "read-rounding",
        thought: "Rounding has a module of its own; I read it.",
        tool: "read_file",
        arguments: r#"{"path": "ledger/rounding.py"}"#,
        opening: "ledger/rounding.py\n\n",
        corpus: CODE,
        closing: "\n(end of file)",
        answer_tokens: 96,
    },
    Act {
        id: "run-rounding-tests",
        thought: "The helper truncates before it rounds. Before I touch it I want to see exactly which tests fail because \
                  of it.",
        tool: "run_tests",
        arguments: r#"{"target": "tests/test_rounding.py", "verbose": true}"#,
        opening: "collecting ... 41 items\n\n",
        corpus: LOG,
        closing: "\n\nFAILED tests/test_rounding.py::test_half_even_on_cents - expected 2.34, got 2.35\n\
                  FAILED tests/test_rounding.py::test_negative_half - expected -0.12, got -0.13\n\
                  2 failed, 39 passed",
        answer_tokens: 128,
    },
    Act {
        id: "search-callers",
        thought: "Both failures are halves that were rounded away from zero. Other modules may rely on the old rule, so I \
                  look for the callers.",
        tool: "search",
        arguments: r#"{"pattern": "round_cents\\(", "path": "ledger"}"#,
        opening: "ledger/invoice.py:88: total = round_cents(net * rate)\n\
                  ledger/statement.py:41: line = round_cents(amount)\n\
                  ledger/rounding.py:17: def round_cents(value):\n\n",
        corpus: CODE,
        closing: "\n(3 matches with their surroundings)",
        answer_tokens: 96,
    },
    Act {
        id: "read-invoice",
        thought: "The invoice rounds a product, the statement a sum. The product is where an extra cent can appear.",
        tool: "read_file",
        arguments: r#"{"path": "ledger/invoice.py"}"#,
        opening: "ledger/invoice.py\n\n",
        corpus: CODE,
        closing: "\n(end of file)",
        answer_tokens: 256,
    },
    Act {
        id: "write-rounding",
        thought: "Now the helper: it must quantise once, with the half-even rule, and never go through a float.",
        tool: "write_file",
        arguments: r#"{"path": "ledger/rounding.py", "content": "from decimal import Decimal, ROUND_HALF_EVEN\n\nCENT = Decimal('0.01')\n\n\ndef round_cents(value):\n    \"\"\"Rounds an amount to whole cents, halves to the even cent.\"\"\"\n    if not isinstance(value, Decimal):\n        raise TypeError('amounts are decimals')\n    return value.quantize(CENT, rounding=ROUND_HALF_EVEN)\n"}"#,
        opening: "wrote 10 lines; files that import it:\n\n",
        corpus: CODE,
        closing: "\n(no syntax errors)",
        answer_tokens: 96,
    },
    Act {
        id: "run-all-tests",
        thought: "The helper is stricter now, so I run everything and not only its own tests.",
        tool: "run_tests",
        arguments: r#"{"target": "tests", "verbose": false}"#,
        opening: "collecting ... 268 items\n\n",
        corpus: LOG,
        closing: "\n\nFAILED tests/test_invoice.py::test_tax_of_discounted_line - TypeError: amounts are decimals\n\
                  1 failed, 267 passed",
        answer_tokens: 192,
    },
    Act {
        id: "write-invoice",
        thought: "The invoice multiplies by a float rate; the strict helper has found a second bug. The rate has to be a \
                  decimal from the start.",
        tool: "write_file",
        arguments: r#"{"path": "ledger/invoice.py", "content": "from decimal import Decimal\n\nfrom ledger.rounding import round_cents\n\n\ndef tax_of(line, rate):\n    \"\"\"Tax of one line after its discount; the rate is text such as '0.19'.\"\"\"\n    net = line.price * line.quantity - line.discount\n    return round_cents(net * Decimal(rate))\n"}"#,
        opening: "wrote 9 lines; the functions around them:\n\n",
        corpus: CODE,
        closing: "\n(no syntax errors)",
        answer_tokens: 64,
    },
    Act {
        id: "run-all-tests-again",
        thought: "Once more, everything.",
        tool: "run_tests",
        arguments: r#"{"target": "tests", "verbose": false}"#,
        opening: "collecting ... 268 items\n\n",
        corpus: LOG,
        closing: "\n\n268 passed",
        answer_tokens: 256,
    },
];

/// The tools, as a model that calls tools is told of them. The first mentions the session: many templates put tools before
/// everything else, and sessions must not share a prefix.
pub fn tools(session: &str) -> Vec<Tool> {
    DECLARED
        .iter()
        .enumerate()
        .map(|(index, (name, description, parameters))| Tool {
            name: (*name).into(),
            description: if index == 0 { format!("{description} Session {session}.") } else { (*description).into() },
            parameters: (*parameters).into(),
        })
        .collect()
}

/// The tools in words, for a model that calls none.
pub fn tools_as_text() -> String {
    let lines: Vec<String> = DECLARED.iter().map(|(name, description, _)| format!("- {name}: {description}")).collect();
    format!("To use a tool, write CALL, its name and its arguments as JSON. The tools:\n{}", lines.join("\n"))
}

/// Name, description and JSON schema of the arguments.
const DECLARED: [(&str, &str, &str); 5] = [
    ("list_dir", "Lists a folder.", r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"#),
    (
        "read_file",
        "Returns a file's text.",
        r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"#,
    ),
    (
        "run_tests",
        "Runs tests and returns their output.",
        r#"{"type":"object","properties":{"target":{"type":"string"},"verbose":{"type":"boolean"}},"required":["target"]}"#,
    ),
    (
        "search",
        "Finds a regular expression in files.",
        r#"{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string"}},"required":["pattern"]}"#,
    ),
    (
        "write_file",
        "Replaces a file's text.",
        r#"{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}},"required":["path","content"]}"#,
    ),
];
