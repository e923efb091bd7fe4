//! The tree that grows while a text is read.

use super::safe_href;
use super::spot::spot;
use crate::ipc::{AccountId, Block, Inline, ListItem};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Tag, TagEnd};

/// What is open, from the root to the innermost.
enum Open {
    Root(Vec<Block>),
    Quote(Vec<Block>),
    List { start: Option<u32>, items: Vec<ListItem> },
    Item { checked: Option<bool>, blocks: Vec<Block>, loose: Vec<Inline> },
    Paragraph(Vec<Inline>),
    Heading(u8, Vec<Inline>),
    Code { language: Option<String>, text: String },
    Table { head: Vec<Vec<Inline>>, rows: Vec<Vec<Vec<Inline>>> },
    Row(Vec<Vec<Inline>>),
    Cell(Vec<Inline>),
    Emphasis(Vec<Inline>),
    Strong(Vec<Inline>),
    Strike(Vec<Inline>),
    Link { href: Option<String>, inlines: Vec<Inline> },
}

pub(super) struct Tree<'a> {
    open: Vec<Open>,
    /// Text as it comes: the parser cuts it wherever a mark might have been.
    text: String,
    parts: usize,
    /// Tags that were opened deeper than is drawn: what they hold goes to the innermost that is.
    too_deep: usize,
    mention: &'a dyn Fn(&str) -> Option<AccountId>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(mention: &'a dyn Fn(&str) -> Option<AccountId>) -> Self {
        Self { open: vec![Open::Root(Vec::new())], text: String::new(), parts: 0, too_deep: 0, mention }
    }

    /// How many parts it has been given.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    pub(super) fn take(&mut self, event: Event<'_>) {
        self.parts += 1;
        if !matches!(event, Event::Text(_)) {
            self.end_text();
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(end) => self.end(end),
            Event::Text(text) => self.text(&text),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.inline(Inline::Code { text: text.into_string() });
            }
            Event::Html(html) | Event::InlineHtml(html) => self.verbatim(&html),
            Event::FootnoteReference(name) => self.verbatim(&format!("[^{name}]")),
            Event::SoftBreak | Event::HardBreak => self.inline(Inline::Break),
            Event::Rule => self.block(Block::Rule),
            Event::TaskListMarker(ticked) => {
                if let Some(Open::Item { checked, .. }) =
                    self.open.iter_mut().rev().find(|open| matches!(open, Open::Item { .. }))
                {
                    *checked = Some(ticked);
                }
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        if self.too_deep > 0 || self.open.len() >= DEPTH_MAX {
            self.too_deep += 1;
            return;
        }
        self.open.push(match tag {
            Tag::Paragraph | Tag::HtmlBlock => Open::Paragraph(Vec::new()),
            Tag::Heading { level, .. } => Open::Heading(level_of(level), Vec::new()),
            Tag::BlockQuote(_) => Open::Quote(Vec::new()),
            Tag::CodeBlock(kind) => Open::Code { language: language_of(&kind), text: String::new() },
            Tag::List(start) => Open::List {
                start: start.map(|start| u32::try_from(start).unwrap_or(u32::MAX)),
                items: Vec::new(),
            },
            Tag::Item => Open::Item { checked: None, blocks: Vec::new(), loose: Vec::new() },
            Tag::Table(_) => Open::Table { head: Vec::new(), rows: Vec::new() },
            Tag::TableHead | Tag::TableRow => Open::Row(Vec::new()),
            Tag::TableCell => Open::Cell(Vec::new()),
            Tag::Emphasis => Open::Emphasis(Vec::new()),
            Tag::Strong => Open::Strong(Vec::new()),
            Tag::Strikethrough => Open::Strike(Vec::new()),
            Tag::Link { dest_url, .. } => Open::Link { href: safe_href(&dest_url), inlines: Vec::new() },
            // Nothing is loaded: an image is a link with its words.
            Tag::Image { dest_url, .. } => Open::Link { href: safe_href(&dest_url), inlines: Vec::new() },
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => Open::Paragraph(Vec::new()),
        });
    }

    fn end(&mut self, end: TagEnd) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        if self.open.len() < 2 {
            return;
        }
        let Some(closed) = self.open.pop() else { return };
        match closed {
            Open::Root(blocks) => self.open.push(Open::Root(blocks)),
            Open::Quote(blocks) => self.block(Block::Quote { blocks }),
            Open::List { start, items } => self.block(Block::List { start, items }),
            Open::Item { checked, mut blocks, loose } => {
                flush(&mut blocks, loose);
                if let Some(Open::List { items, .. }) = self.open.last_mut() {
                    items.push(ListItem { checked, blocks });
                }
            }
            Open::Paragraph(inlines) => self.block(Block::Paragraph { inlines }),
            Open::Heading(level, inlines) => self.block(Block::Heading { level, inlines }),
            Open::Code { language, mut text } => {
                if text.ends_with('\n') {
                    text.pop();
                }
                self.block(Block::Code { language, text });
            }
            Open::Table { head, rows } => self.block(Block::Table { head, rows }),
            Open::Row(cells) => {
                if let Some(Open::Table { head, rows }) = self.open.last_mut() {
                    if matches!(end, TagEnd::TableHead) { *head = cells } else { rows.push(cells) }
                }
            }
            Open::Cell(inlines) => {
                if let Some(Open::Row(cells)) = self.open.last_mut() {
                    cells.push(inlines);
                }
            }
            Open::Emphasis(inlines) => self.inline(Inline::Emphasis { inlines }),
            Open::Strong(inlines) => self.inline(Inline::Strong { inlines }),
            Open::Strike(inlines) => self.inline(Inline::Strike { inlines }),
            Open::Link { href: Some(href), inlines } => self.inline(Inline::Link { href, inlines }),
            Open::Link { href: None, inlines } => inlines.into_iter().for_each(|part| self.inline(part)),
        }
    }

    /// Puts a block where blocks may stand; words that came loose before it become a paragraph.
    fn block(&mut self, block: Block) {
        match self.open.last_mut() {
            Some(Open::Root(blocks) | Open::Quote(blocks)) => blocks.push(block),
            Some(Open::Item { blocks, loose, .. }) => {
                flush(blocks, std::mem::take(loose));
                blocks.push(block);
            }
            _ => {
                if let Block::Paragraph { inlines } = block {
                    inlines.into_iter().for_each(|part| self.inline(part));
                }
            }
        }
    }

    fn inline(&mut self, part: Inline) {
        let into = match self.open.last_mut() {
            Some(
                Open::Paragraph(into)
                | Open::Heading(_, into)
                | Open::Cell(into)
                | Open::Emphasis(into)
                | Open::Strong(into)
                | Open::Strike(into)
                | Open::Link { inlines: into, .. }
                | Open::Item { loose: into, .. },
            ) => into,
            Some(Open::Root(blocks) | Open::Quote(blocks)) => {
                if !matches!(blocks.last(), Some(Block::Paragraph { .. })) {
                    blocks.push(Block::Paragraph { inlines: Vec::new() });
                }
                let Some(Block::Paragraph { inlines }) = blocks.last_mut() else { return };
                inlines
            }
            _ => return,
        };
        match (into.last_mut(), part) {
            (Some(Inline::Text { text: before }), Inline::Text { text }) => before.push_str(&text),
            (_, part) => into.push(part),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(Open::Code { text: code, .. }) = self.open.last_mut() {
            code.push_str(text);
            return;
        }
        self.text.push_str(text);
    }

    /// Something else than text follows: what came so far is whole.
    fn end_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        let in_link = self.open.iter().any(|open| matches!(open, Open::Link { .. }));
        for part in spot(&text, self.mention, !in_link) {
            self.inline(part);
        }
    }

    /// Text as it stands, with its ends of lines.
    fn verbatim(&mut self, text: &str) {
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            if !line.is_empty() {
                self.text(line);
            }
            self.end_text();
            if lines.peek().is_some_and(|next| !next.is_empty()) {
                self.inline(Inline::Break);
            }
        }
    }

    pub(super) fn finish(mut self) -> Vec<Block> {
        self.end_text();
        while self.open.len() > 1 {
            self.too_deep = 0;
            self.end(TagEnd::Paragraph);
        }
        match self.open.pop() {
            Some(Open::Root(blocks)) => blocks,
            _ => Vec::new(),
        }
    }
}

fn flush(blocks: &mut Vec<Block>, loose: Vec<Inline>) {
    if !loose.is_empty() {
        blocks.push(Block::Paragraph { inlines: loose });
    }
}

fn level_of(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn language_of(kind: &CodeBlockKind<'_>) -> Option<String> {
    let CodeBlockKind::Fenced(info) = kind else { return None };
    let name: String = info
        .split(|c: char| c.is_whitespace() || c == ',')
        .next()?
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "+-#_.".contains(*c))
        .take(LANGUAGE_CHARS_MAX)
        .collect();
    (!name.is_empty()).then_some(name)
}

/// Deeper nesting is drawn flat: eight quotes in lists in quotes are a joke or an attack.
pub(super) const DEPTH_MAX: usize = 24;
const LANGUAGE_CHARS_MAX: usize = 24;
