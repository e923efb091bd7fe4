use super::AccountId;
use serde::Serialize;
use specta::Type;

/// A part of a text, below one another. Never holds HTML: what looks like it is text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Block {
    /// Some lines.
    Paragraph {
        /// What they say.
        inlines: Vec<Inline>,
    },
    /// A heading.
    Heading {
        /// 1 to 6.
        level: u8,
        /// What it says.
        inlines: Vec<Inline>,
    },
    /// Program text.
    Code {
        /// The language, as the author called it: letters, digits, `+`, `-`, `#`, `_` and `.`.
        language: Option<String>,
        /// The text.
        text: String,
    },
    /// A quotation.
    Quote {
        /// What is quoted.
        blocks: Vec<Block>,
    },
    /// A list.
    List {
        /// The number of the first item; `null`: no numbers.
        start: Option<u32>,
        /// The items.
        items: Vec<ListItem>,
    },
    /// A table.
    Table {
        /// The cells of the first row.
        head: Vec<Vec<Inline>>,
        /// The cells of the others.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A line across.
    Rule,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ListItem {
    /// Whether it is ticked; `null`: it has no box.
    pub checked: Option<bool>,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Inline {
    /// Plain text.
    Text {
        /// It.
        text: String,
    },
    /// Emphasised, mostly italic.
    Emphasis {
        /// What.
        inlines: Vec<Inline>,
    },
    /// Strong, mostly bold.
    Strong {
        /// What.
        inlines: Vec<Inline>,
    },
    /// Struck through.
    Strike {
        /// What.
        inlines: Vec<Inline>,
    },
    /// Program text.
    Code {
        /// It.
        text: String,
    },
    /// A link: `http`, `https` or `mailto`, nothing else. Open it with `openLink`.
    Link {
        /// Where it leads.
        href: String,
        /// What it says.
        inlines: Vec<Inline>,
    },
    /// Somebody who is meant.
    Mention {
        /// Who.
        account: AccountId,
        /// As it was written, with `@`.
        text: String,
    },
    /// The end of a line.
    Break,
}
