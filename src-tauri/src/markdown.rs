//! From what people write to a tree that is drawn. Never HTML: tags are text. Deep nesting and large numbers of parts come
//! out flat.

use crate::ipc::{AccountId, Block, Inline, ListItem};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Reads a text. `mention` finds the account behind a handle without `@`, if that person is meant.
pub(crate) fn parse(text: &str, mention: impl Fn(&str) -> Option<AccountId>) -> Vec<Block> {
    if text.len() > TEXT_BYTES_MAX {
        return vec![Block::Paragraph { inlines: plain(text) }];
    }
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let open = vec![Open::Root(Vec::new())];
    let mut tree = Tree { open, text: String::new(), parts: 0, too_deep: 0, mention: &mention };
    for event in Parser::new_ext(text, options) {
        tree.take(event);
        if tree.parts > PARTS_MAX {
            return vec![Block::Paragraph { inlines: plain(text) }];
        }
    }
    tree.finish()
}

/// One plain line: without markup, ends of lines as spaces, nothing that hides or turns around.
pub(crate) fn preview(text: &str, chars_max: usize) -> String {
    // Markup is a few characters; what comes later does not fit anyway.
    let beginning: String = text.chars().take(chars_max.saturating_mul(4)).collect();
    let mut line = String::new();
    for event in Parser::new_ext(&beginning, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                line.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak | Event::Rule => line.push(' '),
            Event::End(end) if ends_line(end) => line.push(' '),
            _ => {}
        }
    }
    crate::names::plain(&line, chars_max)
}

/// Whether what follows stands on another line.
fn ends_line(end: TagEnd) -> bool {
    !matches!(end, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

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

struct Tree<'a> {
    open: Vec<Open>,
    /// Text as it comes: the parser cuts it wherever a mark might have been.
    text: String,
    parts: usize,
    /// Tags that were opened deeper than is drawn: what they hold goes to the innermost that is.
    too_deep: usize,
    mention: &'a dyn Fn(&str) -> Option<AccountId>,
}

impl Tree<'_> {
    fn take(&mut self, event: Event<'_>) {
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
        for part in words(&text, self.mention, !in_link) {
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

    fn finish(mut self) -> Vec<Block> {
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

/// A text without any markup.
fn plain(text: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    for (at, line) in text.lines().enumerate().take(PARTS_MAX) {
        if at > 0 {
            inlines.push(Inline::Break);
        }
        inlines.push(Inline::Text { text: line.to_owned() });
    }
    let shown: usize = text.lines().take(PARTS_MAX).map(|line| line.len() + 1).sum();
    if let Some(rest) = text.get(shown..).filter(|rest| !rest.is_empty()) {
        inlines.push(Inline::Text { text: rest.replace('\n', " ") });
    }
    inlines
}

/// Finds mentions and bare addresses in plain text.
fn words(text: &str, mention: &dyn Fn(&str) -> Option<AccountId>, links: bool) -> Vec<Inline> {
    let mut parts = Vec::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let fresh =
            text.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric());
        let found = if !fresh {
            None
        } else if rest.starts_with('@') {
            mentioned(rest, mention)
        } else if links {
            address(rest)
        } else {
            None
        };
        if let Some((length, part)) = found {
            push_text(&mut parts, text.get(done..at).unwrap_or_default());
            parts.push(part);
            at += length;
            done = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    push_text(&mut parts, text.get(done..).unwrap_or_default());
    parts
}

fn push_text(parts: &mut Vec<Inline>, text: &str) {
    if !text.is_empty() {
        parts.push(Inline::Text { text: text.to_owned() });
    }
}

fn mentioned(rest: &str, mention: &dyn Fn(&str) -> Option<AccountId>) -> Option<(usize, Inline)> {
    let body = rest.strip_prefix('@')?;
    let of_handle = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let end = body.find(|c| !of_handle(c)).unwrap_or(body.len());
    // A full stop at the end is the sentence's.
    let handle = body.get(..end)?.trim_end_matches(['.', '-']);
    let account = mention(&handle.to_ascii_lowercase())?;
    let length = 1 + handle.len();
    Some((length, Inline::Mention { account, text: rest.get(..length)?.to_owned() }))
}

fn address(rest: &str) -> Option<(usize, Inline)> {
    let scheme = ["https://", "http://"].iter().find(|scheme| {
        rest.get(..scheme.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
    })?;
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"`".contains(c)).unwrap_or(rest.len());
    let mut found = rest.get(..end)?.trim_end_matches(['.', ',', ':', ';', '!', '?', '\'', '*', '_', '~']);
    // A closing bracket belongs to the address only if it opened one.
    while found.ends_with(')') && found.matches(')').count() > found.matches('(').count() {
        found = found.strip_suffix(')')?;
    }
    if found.len() <= scheme.len() {
        return None;
    }
    let href = safe_href(found)?;
    Some((found.len(), Inline::Link { href, inlines: vec![Inline::Text { text: found.to_owned() }] }))
}

/// The address, if it is one that is opened: `http`, `https`, `mailto`.
pub(crate) fn safe_href(href: &str) -> Option<String> {
    let href = href.trim();
    if href.len() > HREF_BYTES_MAX || href.chars().any(|c| c.is_control() || crate::names::is_hidden(c)) {
        return None;
    }
    let url = tauri::Url::parse(href).ok()?;
    let fits = match url.scheme() {
        "http" | "https" => url.has_host(),
        "mailto" => true,
        _ => false,
    };
    fits.then(|| url.to_string())
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
const DEPTH_MAX: usize = 24;
/// Parts of one message: a long report has hundreds.
const PARTS_MAX: usize = 4000;
/// Longer texts are shown without markup.
const TEXT_BYTES_MAX: usize = 128 * 1024;
const HREF_BYTES_MAX: usize = 2048;
const LANGUAGE_CHARS_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(text: &str) -> Vec<Block> {
        parse(text, |handle| (handle == "bob").then_some(AccountId(kith_protocol::ids::AccountId([7; 32]))))
    }

    fn text(text: &str) -> Inline {
        Inline::Text { text: text.into() }
    }

    fn paragraph(inlines: Vec<Inline>) -> Vec<Block> {
        vec![Block::Paragraph { inlines }]
    }

    #[test]
    fn emphasis_code_and_breaks() {
        let strong = Inline::Strong { inlines: vec![text("b")] };
        let code = Inline::Code { text: "c".into() };
        assert_eq!(
            draw("a **b** `c`\nd"),
            paragraph(vec![text("a "), strong, text(" "), code, Inline::Break, text("d")])
        );
    }

    #[test]
    fn html_is_text() {
        let drawn = format!("{:?}", draw("<script>alert(1)</script>\n\n<img src=x onerror=y> hi"));
        assert!(drawn.contains("<script>") && drawn.contains("<img src=x onerror=y>"), "{drawn}");
    }

    #[test]
    fn only_three_schemes_are_links() {
        for bad in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "JaVaScRiPt:x",
            "kith://join",
            "//evil",
            "relative",
        ] {
            assert_eq!(draw(&format!("[words]({bad})")), paragraph(vec![text("words")]), "{bad}");
        }
        for good in ["https://example.org/", "http://example.org/", "mailto:a@example.org"] {
            assert!(matches!(
                draw(&format!("[words]({good})")).first(),
                Some(Block::Paragraph { inlines }) if matches!(inlines.first(), Some(Inline::Link { href, .. }) if href == good)
            ));
        }
    }

    #[test]
    fn bare_addresses_end_before_the_sentence_does() {
        let Some(Block::Paragraph { inlines }) = draw("see https://example.org/a_(b). ok").into_iter().next()
        else {
            panic!()
        };
        assert_eq!(
            inlines[1],
            Inline::Link {
                href: "https://example.org/a_(b)".into(),
                inlines: vec![text("https://example.org/a_(b)")]
            }
        );
        assert_eq!(inlines[2], text(". ok"));
    }

    #[test]
    fn those_who_are_meant_are_found_and_others_are_text() {
        let bob = AccountId(kith_protocol::ids::AccountId([7; 32]));
        assert_eq!(
            draw("hi @Bob. and @carol_, x@bob"),
            paragraph(vec![
                text("hi "),
                Inline::Mention { account: bob, text: "@Bob".into() },
                text(". and @carol_, x@bob"),
            ])
        );
    }

    #[test]
    fn lists_tables_and_code_blocks() {
        let drawn = draw("1. a\n2. b\n\n- [x] done\n\n| h |\n|---|\n| c |\n\n```rust ignore\nfn a() {}\n```");
        assert!(matches!(&drawn[0], Block::List { start: Some(1), items } if items.len() == 2));
        assert!(matches!(&drawn[1], Block::List { start: None, items } if items[0].checked == Some(true)));
        assert!(matches!(&drawn[2], Block::Table { head, rows } if head.len() == 1 && rows.len() == 1));
        assert_eq!(drawn[3], Block::Code { language: Some("rust".into()), text: "fn a() {}".into() });
    }

    #[test]
    fn deep_nesting_and_masses_stay_bounded() {
        fn depth(blocks: &[Block]) -> usize {
            blocks
                .iter()
                .map(|block| match block {
                    Block::Quote { blocks } => 1 + depth(blocks),
                    Block::List { items, .. } => {
                        1 + items.iter().map(|item| depth(&item.blocks)).max().unwrap_or(0)
                    }
                    _ => 1,
                })
                .max()
                .unwrap_or(0)
        }
        assert!(depth(&draw(&format!("{}deep", "> ".repeat(10_000)))) <= DEPTH_MAX);
        assert!(depth(&draw(&format!("{}deep", "- ".repeat(5000)))) <= DEPTH_MAX);
        let drawn = draw(&"*a* ".repeat(20_000));
        assert!(matches!(drawn.as_slice(), [Block::Paragraph { inlines }] if inlines.len() == 1));
        assert!(serde_json::to_string(&draw(&"\u{1F600}".repeat(60_000))).unwrap().len() < 1_000_000);
        draw(&"[".repeat(50_000));
        draw(&"**_~~".repeat(3000));
    }

    #[test]
    fn a_preview_is_one_plain_line() {
        assert_eq!(preview("# Title\n\n**bold** and `code`\nmore", 80), "Title bold and code more");
        assert_eq!(preview("\u{202e}abc", 80), "abc");
        assert_eq!(preview("**a**. [b](https://example.org), c", 80), "a. b, c");
        assert_eq!(preview(&"a".repeat(500), 10), format!("{}…", "a".repeat(10)));
    }
}
