use super::{AccountId, ProfileId};
use serde::Serialize;
use specta::Type;

/// A person, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The handle without `@`; empty if it is not known yet.
    pub handle: String,
    /// The display name, without characters that hide or turn around; empty if it is not known yet.
    pub name: String,
    /// What to show: name, else handle, else the beginning of the id.
    pub shown: String,
    /// Another person is shown alike: show the handle beside the name.
    pub ambiguous: bool,
}

/// Whether somebody is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// In which profile this was told.
    pub profile: ProfileId,
    /// Who.
    pub account: AccountId,
    /// Connected with some device.
    pub online: bool,
    /// Away from all keyboards.
    pub away: bool,
}
