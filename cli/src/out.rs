//! Standard output: for people with colours where there is a terminal, for programs one JSON object a line.

use crate::exit::Outcome;
use anstream::AutoStream;
use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use kith_client::Progress;
use serde::Serialize;
use std::fmt;
use std::io::{self, BufRead as _, Stdout, Write as _};

pub(crate) struct Out {
    json: bool,
    stdout: AutoStream<Stdout>,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, stdout: anstream::AutoStream::auto(io::stdout()) }
    }

    /// Whether a program reads.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// One line, at once.
    pub(crate) fn line(&mut self, text: &str) -> Outcome {
        writeln!(self.stdout, "{text}")?;
        Ok(self.stdout.flush()?)
    }

    /// The object for programs, or the line for people.
    pub(crate) fn either(&mut self, object: &impl Serialize, line: impl FnOnce() -> String) -> Outcome {
        if self.json { self.object(object) } else { self.line(&line()) }
    }

    /// One JSON object, one line.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> Outcome {
        let text = serde_json::to_string(object).expect("our objects have plain keys");
        self.line(&text)
    }

    /// Something for the person alone; never part of the output.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}

/// Whoever answers questions: the person, or `--yes`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    pub(crate) yes: bool,
}

impl Asking {
    /// Asks on standard error, and reads a line. No input is a no.
    pub(crate) fn confirm(self, question: &str) -> bool {
        if self.yes {
            return true;
        }
        let mut stderr = anstream::stderr();
        let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        let mut answer = String::new();
        let answered = io::stdin().lock().read_line(&mut answer);
        asked.is_ok() && answered.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }
}

/// A bar on standard error while much is coming; nothing where that is no terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        // Nobody knows how long it takes before some of it is here.
        let left = |state: &ProgressState, words: &mut dyn fmt::Write| {
            if state.pos() > 0 {
                let _ = write!(words, ", {:#} left", HumanDuration(state.eta()));
            }
        };
        let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} entries{left}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("left", left);
        Self(ProgressBar::new(0).with_style(style))
    }

    pub(crate) fn show(&self, progress: Progress) {
        /// Less than this is there before a bar is read.
        const WORTH_A_BAR: u64 = 200;
        if progress.known >= progress.held + WORTH_A_BAR || self.0.position() > 0 {
            self.0.set_length(progress.known);
            self.0.set_position(progress.held);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
