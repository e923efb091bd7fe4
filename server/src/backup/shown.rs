//! What came of it, for people.

use std::fmt::{self, Display, Formatter};

use super::{KEY_FILE, Made, Restored, Verified};
use crate::{
    commands::{mebibytes, time},
    store::inspection::Inspection,
};

impl Verified {
    /// Whether it can be restored.
    pub fn is_sound(&self) -> bool {
        self.inspection.as_ref().is_none_or(Inspection::is_sound)
    }
}

impl Display for Made {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "wrote {} ({})", self.file.display(), mebibytes(self.bytes))?;
        match self.files.as_slice() {
            [] => writeln!(f, "it holds the database"),
            files => writeln!(f, "it holds the database, {}", files.join(", ")),
        }?;
        if self.files.iter().any(|file| file == KEY_FILE) {
            writeln!(f, "whoever has it can read all messages and stand in for this relay: keep it safe")?;
        }
        writeln!(f, "check it with: kith-relay backup verify {}", self.file.display())
    }
}

impl Display for Verified {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "made {} by kith-relay {}", time(self.made_at_ms), self.version)?;
        if !self.files.is_empty() {
            writeln!(f, "with {}", self.files.join(", "))?;
        }
        match &self.inspection {
            None => {
                writeln!(f, "whole; of the older schema {}, which restoring brings up to date", self.schema)
            }
            Some(inspection) => inspection.fmt(f),
        }
    }
}

impl Display for Restored {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "restored what was there {} into {}", time(self.made_at_ms), self.data.display())?;
        if !self.files.is_empty() {
            writeln!(f, "with {}", self.files.join(", "))?;
        }
        self.inspection.fmt(f)?;
        if let Some(aside) = &self.put_aside {
            writeln!(f, "what was there before is in {}; remove it when all is well", aside.display())?;
        }
        writeln!(f, "start it where devices look for it; they give back what they know that is newer")
    }
}

impl Display for Inspection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { accounts, rooms, entries, registers, problems, further_problems } = self;
        for problem in problems {
            writeln!(f, "problem: {problem}")?;
        }
        if *further_problems > 0 {
            writeln!(f, "and {further_problems} more")?;
        }
        let verdict = if problems.is_empty() { "all is well" } else { "NOT SOUND" };
        writeln!(
            f,
            "{verdict}: {accounts} accounts, {rooms} rooms, {entries} entries, {registers} registers read"
        )
    }
}
