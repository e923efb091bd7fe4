//! From what people write to a tree that is drawn. Never HTML: tags are text. Deep nesting and large numbers of parts come
//! out flat.

mod spot;
mod tree;

use crate::ipc::{AccountId, Block, Inline};
use pulldown_cmark::{Event, Options, Parser, TagEnd};
use tree::Tree;

/// Reads a text. `mention` finds the account behind a handle without `@`, if that person is meant.
pub(crate) fn parse(text: &str, mention: impl Fn(&str) -> Option<AccountId>) -> Vec<Block> {
    if text.len() > TEXT_BYTES_MAX {
        return vec![Block::Paragraph { inlines: plain(text) }];
    }
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let mut tree = Tree::new(&mention);
    for event in Parser::new_ext(text, options) {
        tree.take(event);
        if tree.parts() > PARTS_MAX {
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

/// Parts of one message: a long report has hundreds.
const PARTS_MAX: usize = 4000;
/// Longer texts are shown without markup.
const TEXT_BYTES_MAX: usize = 128 * 1024;
const HREF_BYTES_MAX: usize = 2048;

#[cfg(test)]
mod tests {
    use super::tree::DEPTH_MAX;
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
