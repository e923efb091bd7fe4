use std::fmt;
use zeroize::Zeroizing;

/// What a person types to open a sealed file. Wiped when dropped.
#[derive(Clone)]
pub struct Passphrase {
    text: Zeroizing<String>,
}

impl Passphrase {
    /// A passphrase; `None` if it is empty.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = Zeroizing::new(text.into());
        (!text.is_empty()).then_some(Self { text })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

/// What a passphrase is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To seal a new key: ask twice, there is no way back from a typing error.
    New,
    /// To open the key; `attempt` counts from 1, and what was given before was wrong.
    Open {
        /// Which attempt this is.
        attempt: u32,
    },
}

/// Whoever can ask the person: a prompt, a window, or nobody.
pub trait Unlock {
    /// A passphrase, or `None` if there is none to be had: then opening ends.
    fn passphrase(&mut self, ask: Ask) -> Option<Passphrase>;
}

/// Nobody there to ask.
#[derive(Debug, Clone, Copy)]
pub struct NoUnlock;

impl Unlock for NoUnlock {
    fn passphrase(&mut self, _ask: Ask) -> Option<Passphrase> {
        None
    }
}

impl<F: FnMut(Ask) -> Option<Passphrase>> Unlock for F {
    fn passphrase(&mut self, ask: Ask) -> Option<Passphrase> {
        self(ask)
    }
}
