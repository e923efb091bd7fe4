//! The page behind an invite link: for a person whose browser opened it, and for nobody else.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// Shown for a live invite. Works without scripts, loads nothing, and names no relay but in the link itself.
pub(super) fn invite(link: &str) -> String {
    let link = escape(link);
    page(
        "You are invited to Kith",
        &format!(
            "<p>Kith is a chat that runs on a relay of one's own. Two steps:</p>\
             <ol><li><a href=\"{DOWNLOAD}\" rel=\"noreferrer\">Install Kith</a> on this computer.</li>\
             <li>Then open the invitation: <a class=\"open\" href=\"{link}\">Open in Kith</a></li></ol>\
             <p>If nothing happens, start Kith and paste this into its first field:</p><pre>{link}</pre>"
        ),
    )
}

/// Shown for one that is used up, expired, or never was: the page does not tell which.
pub(super) fn gone() -> String {
    page(
        "This invitation is no longer good",
        "<p>It was used, has expired, or was mistyped. Ask the person who sent it for a new one.</p>",
    )
}

/// Nothing but the one style below. A `kith:` link is a navigation and needs no permission here.
pub(super) fn policy() -> String {
    let hash = BASE64.encode(&Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}

const DOWNLOAD: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/releases/latest");

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;display:grid;min-block-size:100vh;place-items:center}\
main{max-inline-size:34rem;padding:1.5rem}\
li{margin-block:.5rem}\
.open{font-weight:600}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.75rem;border:1px solid;border-radius:.5rem;user-select:all}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_cannot_break_out() {
        let html = invite("kith://join?a=\"><script>alert('1')</script>&b");
        assert!(!html.contains("<script"));
        assert!(
            html.contains("kith://join?a=&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;b")
        );
    }

    #[test]
    fn the_policy_fits_the_style() {
        let html = gone();
        let style = html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(policy().contains(&BASE64.encode(&Sha256::digest(style))));
    }
}
