//! The direction of dependencies, as ARCHITECTURE.md draws it, held against what cargo resolves.
//!
//! `protocol <- client <- {cli, src-tauri}`, `protocol <- server`; only the tests and the measurements know both sides.

use std::collections::{BTreeMap, BTreeSet};

/// Packages and what they depend on. An id is one version of a package; several ids may share a name.
#[derive(Default)]
pub(crate) struct Graph {
    packages: BTreeMap<String, Package>,
}

impl Graph {
    pub(crate) fn add_package(&mut self, id: &str, name: &str, member: bool) {
        self.packages.insert(id.to_owned(), Package { name: name.to_owned(), member, edges: Vec::new() });
    }

    /// Packages that were not added before are left out: nothing can be said of them.
    pub(crate) fn add_edge(&mut self, from: &str, to: &str, dev_only: bool) {
        if let Some(package) = self.packages.get_mut(from) {
            package.edges.push(Edge { to: to.to_owned(), dev_only });
        }
    }

    /// One sentence for each broken rule.
    pub(crate) fn violations(&self) -> Vec<String> {
        let unruled = self
            .members()
            .filter(|name| RULES.iter().all(|rule| rule.of != *name) && !BOTH_SIDES.contains(name));
        unruled
            .map(|name| format!("{name} is a new crate of the workspace: give it a place in ARCHITECTURE.md and a rule here."))
            .chain(RULES.iter().flat_map(|rule| self.broken(rule)))
            .chain(self.between_the_sides())
            .collect()
    }

    fn broken(&self, rule: &Rule) -> Vec<String> {
        let Some((id, package)) =
            self.packages.iter().find(|(_, package)| package.member && package.name == rule.of)
        else {
            return vec![format!("{} is no crate of the workspace any more: its rule is idle.", rule.of)];
        };
        let strangers = self
            .named_by(package, false)
            .filter(|named| named.member && !rule.members.contains(&named.name.as_str()))
            .map(|named| format!("{} depends on {}, which it must not know.", rule.of, named.name));
        let reached = self.reached_from(id);
        let forbidden = rule.never.iter().filter_map(|name| {
            reached.get(name).map(|way| format!("{} must do without {name}, and has it by {way}.", rule.of))
        });
        strangers.chain(forbidden).collect()
    }

    /// A crate that knows both client and relay, even only in its tests, could let one lean on the other's internals.
    fn between_the_sides(&self) -> Vec<String> {
        self.packages
            .values()
            .filter(|package| package.member && !BOTH_SIDES.contains(&package.name.as_str()))
            .filter(|package| {
                let named: BTreeSet<&str> =
                    self.named_by(package, true).map(|named| named.name.as_str()).collect();
                SIDES.iter().all(|side| package.name == *side || named.contains(side))
            })
            .map(|package| {
                format!(
                    "{} knows both {} and {}: that is for the tests of the whole.",
                    package.name, SIDES[0], SIDES[1]
                )
            })
            .collect()
    }

    /// Every name that is linked or built in from `id`, each with the way that leads there.
    fn reached_from(&self, id: &str) -> BTreeMap<&str, String> {
        let mut ways = BTreeMap::new();
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![(id, String::new())];
        while let Some((id, way)) = open.pop() {
            let Some(package) = self.packages.get(id) else { continue };
            let way =
                if way.is_empty() { package.name.clone() } else { format!("{way} -> {}", package.name) };
            for edge in package.edges.iter().filter(|edge| !edge.dev_only) {
                if seen.insert(&edge.to) {
                    open.push((&edge.to, way.clone()));
                }
            }
            ways.insert(package.name.as_str(), way);
        }
        ways
    }

    fn named_by<'a>(&'a self, package: &'a Package, with_dev: bool) -> impl Iterator<Item = &'a Package> {
        package
            .edges
            .iter()
            .filter(move |edge| with_dev || !edge.dev_only)
            .filter_map(|edge| self.packages.get(&edge.to))
    }

    fn members(&self) -> impl Iterator<Item = &str> {
        self.packages.values().filter(|package| package.member).map(|package| package.name.as_str())
    }
}

struct Package {
    name: String,
    member: bool,
    edges: Vec<Edge>,
}

struct Edge {
    to: String,
    dev_only: bool,
}

struct Rule {
    of: &'static str,
    /// The crates of the workspace that it may depend on.
    members: &'static [&'static str],
    /// What must not come along by any way.
    never: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        of: "kith-protocol",
        members: &[],
        never: &[
            "async-std",
            "axum",
            "hyper",
            "jiff",
            "mio",
            "rusqlite",
            "rustls",
            "sled",
            "socket2",
            "tokio",
            "tungstenite",
        ],
    },
    Rule { of: "kith-client", members: &["kith-protocol"], never: &["axum", "rusqlite", "tauri"] },
    Rule { of: "kith-relay", members: &["kith-protocol"], never: &["keyring", "sled", "tauri"] },
    Rule { of: "kith-cli", members: &["kith-client", "kith-protocol"], never: &["axum", "tauri"] },
    // The app; its dev-dependencies are the tests of the whole.
    Rule { of: "kith", members: &["kith-client", "kith-protocol"], never: &["axum", "kith-relay"] },
    // What the app is measured against knows nothing of it.
    Rule { of: "kith-trivial", members: &[], never: &["tokio-tungstenite"] },
    // It sees the app from outside alone, as a person does.
    Rule { of: "kith-virtual-desktop", members: &[], never: &["tauri"] },
    // So that `cargo xtask` builds in seconds, and builds when nothing else does.
    Rule { of: "xtask", members: &[], never: &["tokio"] },
];

const SIDES: [&str; 2] = ["kith-client", "kith-relay"];

/// The tests of the root package are those of the whole system.
const BOTH_SIDES: [&str; 2] = ["kith", "kith-bench"];

#[cfg(test)]
mod tests {
    use super::Graph;

    /// The workspace as it should be, and some packages from elsewhere.
    fn workspace() -> Graph {
        let mut graph = Graph::default();
        for name in ["kith", "kith-bench", "kith-protocol", "kith-client", "kith-relay", "kith-cli"] {
            graph.add_package(name, name, true);
        }
        for name in ["kith-trivial", "kith-virtual-desktop", "xtask"] {
            graph.add_package(name, name, true);
        }
        for name in ["serde", "tokio", "axum", "sled", "innocent"] {
            graph.add_package(name, name, false);
        }
        for (from, to) in [
            ("kith-protocol", "serde"),
            ("kith-client", "kith-protocol"),
            ("kith-client", "tokio"),
            ("kith-client", "sled"),
            ("kith-relay", "kith-protocol"),
            ("kith-relay", "axum"),
            ("axum", "tokio"),
            ("kith-cli", "kith-client"),
            ("kith-bench", "kith-client"),
            ("kith-bench", "kith-relay"),
        ] {
            graph.add_edge(from, to, false);
        }
        graph.add_edge("kith", "kith-client", false);
        graph.add_edge("kith", "kith-relay", true);
        graph
    }

    #[test]
    fn the_drawn_workspace_breaks_nothing() {
        assert_eq!(workspace().violations(), [""; 0]);
    }

    #[test]
    fn a_member_outside_the_direction_is_named() {
        let mut graph = workspace();
        graph.add_edge("kith-protocol", "kith-client", false);
        let violations = graph.violations();
        assert!(
            violations.contains(&"kith-protocol depends on kith-client, which it must not know.".to_owned())
        );
    }

    #[test]
    fn what_comes_along_by_others_is_found_with_its_way() {
        let mut graph = workspace();
        graph.add_edge("kith-protocol", "innocent", false);
        graph.add_edge("innocent", "tokio", false);
        assert_eq!(
            graph.violations(),
            ["kith-protocol must do without tokio, and has it by kith-protocol -> innocent -> tokio."]
        );
    }

    #[test]
    fn tests_of_a_crate_may_use_more() {
        let mut graph = workspace();
        graph.add_edge("kith-protocol", "tokio", true);
        assert_eq!(graph.violations(), [""; 0]);
    }

    #[test]
    fn nobody_else_knows_both_sides_even_in_tests() {
        let mut graph = workspace();
        graph.add_edge("kith-cli", "kith-relay", true);
        graph.add_edge("kith-relay", "kith-client", true);
        assert_eq!(
            graph.violations(),
            [
                "kith-cli knows both kith-client and kith-relay: that is for the tests of the whole.",
                "kith-relay knows both kith-client and kith-relay: that is for the tests of the whole.",
            ]
        );
    }

    #[test]
    fn a_crate_without_a_rule_and_a_rule_without_a_crate_are_both_said() {
        let mut graph = Graph::default();
        graph.add_package("kith-hooks", "kith-hooks", true);
        let violations = graph.violations();
        assert!(violations.iter().any(|sentence| sentence.starts_with("kith-hooks is a new crate")));
        assert!(violations.iter().any(|sentence| sentence.starts_with("kith-cli is no crate")));
    }
}
