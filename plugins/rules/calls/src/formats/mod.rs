//! The ways of asking for calls whose effect the reference measures as format sensitivity: what calls are written in, whether
//! they stand between tags, and what the functions are described in. The combinations are the reference's, the words are not.
//!
//! A task names them as its formats, see `examples/formats.rs`. An item whose id names one, as the reference's do, is read in it.

mod documents;

pub use documents::{Documents, document};

use crate::decode::Format;

/// How a prompt is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Paragraphs.
    Plain,
    /// Sections with headings.
    Markdown,
}

/// Which words a prompt is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The usual ones.
    Classic,
    /// Others that mean the same.
    Experimental,
}

/// A way of asking for calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variation {
    /// What calls are written in.
    pub returns: Format,
    /// Calls stand between `<TOOLCALL>` and `</TOOLCALL>`.
    pub tagged: bool,
    /// What functions are described in.
    pub documents: Documents,
    /// How the prompt is laid out.
    pub layout: Layout,
    /// Which words it is made of.
    pub style: Style,
}

const RETURNS: [(Format, &str); 4] = [
    (Format::Python, "python"),
    (Format::Json, "json"),
    (Format::VerboseXml, "verbose_xml"),
    (Format::ConciseXml, "concise_xml"),
];
const DOCUMENTS: [(Documents, &str); 3] =
    [(Documents::Python, "python"), (Documents::Xml, "xml"), (Documents::Json, "json")];

/// The second of the pair whose first is this.
fn word<T: PartialEq>(pairs: &[(T, &'static str)], value: &T) -> &'static str {
    pairs.iter().find(|(other, _)| other == value).map_or("", |(_, word)| word)
}

impl Variation {
    /// The way that everything else is compared with.
    pub const DEFAULT: Self = Self {
        returns: Format::Python,
        tagged: false,
        documents: Documents::Json,
        layout: Layout::Plain,
        style: Style::Classic,
    };

    /// All 26, in the reference's order.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (returns, _) in RETURNS {
            for tagged in [true, false] {
                for (documents, _) in DOCUMENTS {
                    all.push(Self { returns, tagged, documents, ..Self::DEFAULT });
                }
            }
        }
        all.push(Self { layout: Layout::Markdown, ..Self::DEFAULT });
        all.push(Self { style: Style::Experimental, ..Self::DEFAULT });
        all
    }

    /// As the reference writes it into the ids of items.
    pub fn id(&self) -> String {
        format!(
            "ret_fmt={}&tool_call_tag={}&func_doc_fmt={}&prompt_fmt={}&style={}",
            word(&RETURNS, &self.returns),
            if self.tagged { "True" } else { "False" },
            word(&DOCUMENTS, &self.documents),
            if self.layout == Layout::Markdown { "markdown" } else { "plaintext" },
            if self.style == Style::Experimental { "experimental" } else { "classic" },
        )
    }

    /// In kebab case, unique among all of them.
    pub fn name(&self) -> String {
        let mut name = word(&RETURNS, &self.returns).replace('_', "-");
        name.push_str(if self.tagged { "-tagged" } else { "" });
        name.push_str(&format!("-from-{}", word(&DOCUMENTS, &self.documents)));
        name.push_str(if self.layout == Layout::Markdown { "-markdown" } else { "" });
        name.push_str(if self.style == Style::Experimental { "-experimental" } else { "" });
        name
    }

    /// The variation that an item's id names between colons.
    pub fn of_item(id: &str) -> Option<Self> {
        let named = id.split(':').nth(1)?;
        let all = [Layout::Plain, Layout::Markdown].map(|layout| {
            [Style::Classic, Style::Experimental]
                .map(|style| Self::all().into_iter().map(move |one| Self { layout, style, ..one }))
        });
        all.into_iter().flatten().flatten().find(|variation| variation.id() == named)
    }

    /// The configuration of `function-call` that reads the answers.
    pub fn config(&self) -> String {
        let format = word(&RETURNS, &self.returns).replace('_', "-");
        format!("{{\"format\":\"{format}\",\"tagged\":{},\"source\":\"text\"}}", self.tagged)
    }

    /// The system message, with descriptions of functions in [`Self::documents`].
    pub fn system(&self, functions: &str) -> String {
        let shape = match self.returns {
            Format::Json => r#"[{"function": "name", "parameters": {"parameter": value, ...}}, ...]"#,
            Format::VerboseXml => {
                r#"<functions><function name="name"><params><param name="parameter" value="value" type="type"/>...</params></function>...</functions>"#
            }
            Format::ConciseXml => {
                r#"<functions><function name="name"><param name="parameter" type="type">value</param>...</function>...</functions>"#
            }
            Format::Python | Format::Java | Format::Javascript => "[name(parameter=value, ...), ...]",
        };
        let shape = if self.tagged { format!("<TOOLCALL>{shape}</TOOLCALL>") } else { shape.to_owned() };
        let types = match self.returns {
            Format::VerboseXml | Format::ConciseXml => {
                " Each type is one of string, integer, float, boolean, array, dict and tuple."
            }
            _ => "",
        };
        let language = word(&DOCUMENTS, &self.documents);
        let (task, form, end, offered) = match self.style {
            Style::Classic => (
                "You answer questions by calling functions. Call one or more of the functions below as the question needs it. If \
                 none of them fits, or the question lacks a value that one of them requires, say so instead.",
                format!("Write calls in the form {shape}.{types} Write nothing beside them."),
                "Do all that the user asks for before you stop calling functions.",
                format!("These functions can be called, in {language}:"),
            ),
            Style::Experimental => (
                "Turn the user's request into calls of the functions listed further down. Should no function suit, or a required \
                 value be unknown, explain that and call nothing.",
                format!("Reply with calls alone, exactly like this: {shape}{types}"),
                "Keep on calling until the request is fulfilled.",
                format!("Callable functions, given in {language}:"),
            ),
        };
        match self.layout {
            Layout::Plain => format!("{task}\n\n{form}\n\n{end}\n\n{offered}\n{functions}\n"),
            Layout::Markdown => {
                format!(
                    "## Task\n{task}\n\n## Form of calls\n{form}\n\n## Turns\n{end}\n\n## Functions\n{offered}\n{functions}\n"
                )
            }
        }
    }
}
