use kith_protocol::entry::KEY_SOURCE_PLAIN;
use kith_protocol::event::Setting;
use kith_protocol::ids::{AccountId, Rev};
use kith_protocol::register::{Register, Scope};

/// A register after its checks, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterValue {
    /// Who wrote it.
    pub account: AccountId,
    /// Its place among all writes to the room's registers: of two values the higher one counts.
    pub rev: Rev,
    /// What it says.
    pub setting: Setting,
}

impl RegisterValue {
    /// Reads a register whose signature and author were checked.
    ///
    /// `None` for one that says nothing to this version, or that is not what its name promises: such a one is passed over.
    pub fn read(register: &Register, rev: Rev) -> Option<Self> {
        let header = register.header();
        if header.key_source != KEY_SOURCE_PLAIN {
            return None;
        }
        let setting = Setting::decode(&register.body()).ok()?;
        let (scope, sound) = match &setting {
            Setting::Reaction(reaction) => (Scope::Account, is_emoji(&reaction.emoji)),
            Setting::Receipt(receipt) => (Scope::Account, receipt.room == header.room),
            Setting::RoomName(_) | Setting::RoomTopic(_) => (Scope::Room, true),
            Setting::ReadMark(_)
            | Setting::Draft(_)
            | Setting::RoomSettings(_)
            | Setting::App(_)
            | Setting::LastSeen(_) => (Scope::Account, true),
            Setting::Unknown(_) => return None,
        };
        let fits = sound && header.scope == scope && header.key == setting.key();
        fits.then_some(Self { account: header.account, rev, setting })
    }
}

/// Whether a text is short enough to be one emoji, and draws nothing beside it.
pub(super) fn is_emoji(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= EMOJI_BYTES_MAX
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// Bytes of one emoji: the longest that Unicode recommends, a family with skin tones, has 41.
pub(super) const EMOJI_BYTES_MAX: usize = 64;
