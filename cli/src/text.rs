//! What other people wrote, made harmless for a terminal.

use std::fmt::Write as _;

/// One line: for names, titles, topics.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { shown(c) }).collect()
}

/// A whole text; lines after the first begin with `indent` spaces, so that none can pass for a line of ours.
pub(crate) fn block(text: &str, indent: usize) -> String {
    let mut harmless = String::with_capacity(text.len());
    for (number, line_of_text) in text.trim_end_matches(['\n', '\r']).split('\n').enumerate() {
        if number > 0 {
            let _ = write!(harmless, "\n{:indent$}", "");
        }
        harmless.push_str(&line(line_of_text.trim_end_matches('\r')));
    }
    harmless
}

/// The character, or what stands for one that would steer the terminal or turn the text around.
fn shown(c: char) -> char {
    match c {
        // ESC becomes U+241B, and so on: visible, and without effect.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => char::REPLACEMENT_CHARACTER,
        // Marks, embeddings, overrides and isolates of direction; separators of lines; tags that nobody sees.
        '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0001}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_obeyed() {
        assert_eq!(line("\u{1b}]0;owned\u{7}\u{1b}[31mred"), "␛]0;owned␇␛[31mred");
        assert_eq!(line("a\u{9b}31mb\u{7f}\r"), "a\u{fffd}31mb␡␍");
        assert_eq!(line("two\nlines\tand a tab"), "two lines and a tab");
    }

    #[test]
    fn what_turns_a_text_around_is_replaced() {
        for c in ['\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}', '\u{2028}', '\u{feff}'] {
            assert_eq!(line(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
        // What emoji and scripts are made of stays.
        for fine in ["👩\u{200d}💻", "می\u{200c}خواهم", "שלום", "e\u{301}"] {
            assert_eq!(line(fine), fine);
        }
    }

    #[test]
    fn later_lines_are_indented() {
        assert_eq!(block("one\n12 mallory  two\r\nthree\n", 3), "one\n   12 mallory  two\n   three");
        assert_eq!(block("a\rb", 3), "a␍b");
    }
}
