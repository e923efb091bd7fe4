//! The words of tray and notifications, from the message files of the UI. A language is a file; what a file lacks is English.

use intl_pluralrules::{PluralCategory, PluralRuleType, PluralRules};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Language and content of each file in `ui/messages`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// The words of one language.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    language: &'static str,
    messages: Arc<BTreeMap<String, Value>>,
    english: Arc<BTreeMap<String, Value>>,
}

impl Words {
    /// The words of the language that was wished for, else of the system's, else English.
    pub(crate) fn of(wish: Option<&str>) -> Self {
        let mut wishes = wish.map(str::to_owned).into_iter().chain(sys_locale::get_locales());
        let language = wishes.find_map(|wish| fitting(&wish)).unwrap_or(ENGLISH);
        Self { language, messages: Arc::new(load(language)), english: Arc::new(load(ENGLISH)) }
    }

    /// The language as a BCP 47 tag.
    pub(crate) fn language(&self) -> &'static str {
        self.language
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A text with `{name}`s put in. A number among them chooses the form that the language has for it.
    pub(crate) fn with(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        let values: Vec<(&str, String)> =
            values.iter().map(|(name, value)| (*name, value.to_string())).collect();
        let own = self.messages.get(key).and_then(|message| fill(message, &values, self.language));
        let filled = own.or_else(|| fill(self.english.get(key)?, &values, ENGLISH));
        filled.unwrap_or_else(|| key.to_owned())
    }
}

/// The file that fits a tag best: the tag itself, its beginning, or another of the same language.
fn fitting(tag: &str) -> Option<&'static str> {
    let tag = tag.replace('_', "-").to_lowercase();
    let language = tag.split(['-', '.', '@']).next().unwrap_or_default();
    let named = |file: &&(&'static str, &str)| file.0.to_lowercase() == tag;
    let alike = |file: &&(&'static str, &str)| {
        file.0.split('-').next().is_some_and(|own| own.eq_ignore_ascii_case(language))
    };
    FILES.iter().find(named).or_else(|| FILES.iter().find(alike)).map(|(name, _)| *name)
}

fn load(language: &str) -> BTreeMap<String, Value> {
    let file = FILES.iter().find(|(name, _)| *name == language).map_or("{}", |(_, content)| *content);
    serde_json::from_str(file).unwrap_or_default()
}

/// A message of the inlang format: a text, or variants that are chosen by the plural form of a number.
fn fill(message: &Value, values: &[(&str, String)], language: &str) -> Option<String> {
    let pattern = match message {
        Value::String(pattern) => pattern,
        Value::Array(variants) => variants.iter().find_map(|variant| choose(variant, values, language))?,
        _ => return None,
    };
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            text.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => text.push_str(value),
            None => text.push_str(&format!("{{{name}}}")),
        }
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

/// `declarations` say `local NAME = INPUT: plural`; `match` maps `NAME=form` (several joined by commas, `*` for any) to texts.
fn choose<'a>(variant: &'a Value, values: &[(&str, String)], language: &str) -> Option<&'a String> {
    let locals: BTreeMap<&str, PluralCategory> = variant
        .get("declarations")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|declaration| {
            let (name, from) = declaration.strip_prefix("local ")?.split_once('=')?;
            let (input, kind) = from.split_once(':')?;
            let number = &values.iter().find(|(known, _)| *known == input.trim())?.1;
            (kind.trim() == "plural").then(|| Some((name.trim(), category(number, language)?)))?
        })
        .collect();
    variant.get("match")?.as_object()?.iter().find_map(|(wanted, text)| {
        let fits = wanted.split(',').all(|condition| {
            condition.split_once('=').is_some_and(|(name, form)| {
                form.trim() == "*"
                    || locals.get(name.trim()).is_some_and(|category| form_of(category) == form.trim())
            })
        });
        match text {
            Value::String(text) if fits => Some(text),
            _ => None,
        }
    })
}

fn category(number: &str, language: &str) -> Option<PluralCategory> {
    let language: unic_langid::LanguageIdentifier = language.parse().ok()?;
    PluralRules::create(language, PluralRuleType::CARDINAL).ok()?.select(number).ok()
}

fn form_of(category: &PluralCategory) -> &'static str {
    match category {
        PluralCategory::ZERO => "zero",
        PluralCategory::ONE => "one",
        PluralCategory::TWO => "two",
        PluralCategory::FEW => "few",
        PluralCategory::MANY => "many",
        PluralCategory::OTHER => "other",
    }
}

const ENGLISH: &str = "en";

#[cfg(test)]
mod tests {
    use super::*;

    /// All that the shell says.
    const KEYS: &[&str] = &[
        "tray_open",
        "tray_quit",
        "tray_dnd",
        "tray_dnd_hour",
        "tray_dnd_tomorrow",
        "tray_dnd_on",
        "tray_dnd_off",
        "tray_tooltip_idle",
        "tray_tooltip_unread",
        "tray_own_room",
        "notification_new_message",
        "notification_summary",
        "notification_mark_read",
        "notification_reply",
        "notification_open",
        "notification_self_test",
        "notification_self_test_body",
    ];

    #[test]
    fn each_language_has_all_words_of_the_shell() {
        for (language, _) in FILES {
            let messages = load(language);
            for key in KEYS {
                assert!(messages.contains_key(*key), "{language} lacks {key}");
            }
        }
    }

    #[test]
    fn numbers_choose_their_form() {
        let say = |language: &str, count: u32| {
            Words::of(Some(language)).with("tray_tooltip_unread", &[("count", &count)])
        };
        assert_ne!(say("en", 1).replace('1', "2"), say("en", 2));
        assert!(say("en", 7).contains('7'));
        for count in [0, 1, 2, 5, 11, 100] {
            assert!(say("ar", count).contains(&count.to_string()) || count < 3, "{}", say("ar", count));
        }
    }

    #[test]
    fn a_wish_finds_its_language() {
        assert_eq!(fitting("de_AT.UTF-8"), Some("de"));
        assert_eq!(fitting("zh-Hans-CN"), Some("zh-CN"));
        assert_eq!(fitting("tlh"), None);
    }

    #[test]
    fn what_is_unknown_stays_visible() {
        assert_eq!(fill(&Value::from("a {b} {c"), &[], "en").unwrap(), "a {b} {c");
    }
}
