//! What `cargo metadata` says of the workspace, as far as these commands ask.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;
use crate::program::capture;
use crate::rules::Graph;
use crate::tools::cargo;

/// The workspace and all that it is built from, on every platform.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Metadata {
    pub(crate) fn read() -> Result<Self, Failure> {
        let json = capture(cargo().args(["metadata", "--format-version", "1"]))?;
        serde_json::from_str(&json)
            .map_err(|error| Failure::new(format!("cargo metadata is not understood: {error}.")))
    }

    pub(crate) fn workspace_root(&self) -> &Path {
        &self.workspace_root
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn target_directory(&self) -> &Path {
        &self.target_directory
    }

    /// Each crate of the workspace with its version.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        let members = self.packages.iter().filter(|package| self.workspace_members.contains(&package.id));
        members.map(|package| (package.name.clone(), package.version.clone())).collect()
    }

    /// Where cargo puts a program of the workspace; `profile` names the folder (`debug`, `release`).
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target_directory.join(profile).join(format!("{name}{EXE_SUFFIX}"))
    }

    pub(crate) fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for package in &self.packages {
            graph.add_package(&package.id, &package.name, self.workspace_members.contains(&package.id));
        }
        for node in &self.resolve.nodes {
            for dependency in &node.deps {
                let dev_only = dependency.dep_kinds.iter().all(|kind| kind.kind.as_deref() == Some("dev"));
                graph.add_edge(&node.id, &dependency.pkg, dev_only);
            }
        }
        graph
    }
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// Absent for what is linked, else `dev` or `build`.
    kind: Option<String>,
}
