//! Why a command ends with a code other than zero: one sentence, for the person who started it.

use std::io;
use std::path::Path;

/// One sentence that says what did not work and, where there is something to do, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A file or folder that could not be used; `act` is a verb ("create", "read").
    pub(crate) fn at(path: &Path, act: &str, error: &io::Error) -> Self {
        Self(format!("{} could not be {act}: {error}.", path.display()))
    }
}
