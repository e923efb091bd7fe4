use super::Message;
use kith_protocol::event::Target;
use serde::Serialize;

/// One step from what was shown to what is to be shown. Steps are applied in order; an index counts lines at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "diff", rename_all = "snake_case")]
pub enum Diff {
    /// New lines at the end.
    Append {
        /// From the oldest to the newest.
        messages: Vec<Message>,
    },
    /// Older lines at the beginning.
    Prepend {
        /// From the oldest to the newest.
        messages: Vec<Message>,
    },
    /// A line between others: before local echoes, or where a gap closes.
    Insert {
        /// Where it stands then.
        index: usize,
        /// The line.
        message: Message,
    },
    /// A line looks different now.
    Set {
        /// Where it stands.
        index: usize,
        /// The line.
        message: Message,
    },
    /// A line is gone.
    Remove {
        /// Where it stood.
        index: usize,
        /// Which one it was.
        id: Target,
    },
    /// All lines anew.
    Reset {
        /// From the oldest to the newest.
        messages: Vec<Message>,
    },
}

/// The copy is not the one that the step was made for: ask for all lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the step does not fit what is shown")]
pub struct OutOfStep;

impl Diff {
    /// Takes one step.
    pub fn apply(self, shown: &mut Vec<Message>) -> Result<(), OutOfStep> {
        match self {
            Self::Append { messages } => shown.extend(messages),
            Self::Prepend { messages } => drop(shown.splice(..0, messages)),
            Self::Insert { index, message } if index <= shown.len() => shown.insert(index, message),
            Self::Set { index, message } => *shown.get_mut(index).ok_or(OutOfStep)? = message,
            Self::Remove { index, id } if shown.get(index).is_some_and(|line| line.id == id) => {
                shown.remove(index);
            }
            Self::Reset { messages } => *shown = messages,
            Self::Insert { .. } | Self::Remove { .. } => return Err(OutOfStep),
        }
        Ok(())
    }
}

/// Steps as they are made, with neighbours joined.
#[derive(Debug, Default)]
pub(super) struct Diffs(Vec<Diff>);

impl Diffs {
    /// A line that was put at `index` and made the list `len` long.
    pub(super) fn put(&mut self, index: usize, len: usize, message: Message) {
        match self.0.last_mut() {
            _ if index + 1 == len => match self.0.last_mut() {
                Some(Diff::Append { messages }) => messages.push(message),
                _ => self.0.push(Diff::Append { messages: vec![message] }),
            },
            Some(Diff::Prepend { messages }) if index == 0 => messages.insert(0, message),
            _ if index == 0 => self.0.push(Diff::Prepend { messages: vec![message] }),
            _ => self.0.push(Diff::Insert { index, message }),
        }
    }

    /// A line that changed at `index` of `len`.
    pub(super) fn set(&mut self, index: usize, len: usize, message: Message) {
        let just_put = match self.0.last_mut() {
            Some(Diff::Append { messages }) => {
                (index + messages.len()).checked_sub(len).and_then(|at| messages.get_mut(at))
            }
            Some(Diff::Prepend { messages }) => messages.get_mut(index),
            Some(Diff::Insert { index: at, message } | Diff::Set { index: at, message }) if *at == index => {
                Some(message)
            }
            _ => None,
        };
        match just_put {
            Some(line) => *line = message,
            None => self.0.push(Diff::Set { index, message }),
        }
    }

    /// A line that was taken from `index`.
    pub(super) fn take(&mut self, index: usize, id: Target) {
        self.0.push(Diff::Remove { index, id });
    }

    pub(super) fn into_vec(self) -> Vec<Diff> {
        self.0
    }
}
