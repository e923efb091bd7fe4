use crate::core::Update;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// What happens, as it happens. Bounded: whoever reads too slowly is told what it missed, and asks for the whole again.
#[derive(Debug)]
pub struct Updates {
    receiver: Receiver<Update>,
}

/// The next of them.
#[expect(clippy::large_enum_variant, reason = "nearly all are updates")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Something changed.
    Update(Update),
    /// So many updates were missed: ask for everything that is shown once more.
    Lagged(u64),
}

impl Updates {
    pub(crate) fn new(receiver: Receiver<Update>) -> Self {
        Self { receiver }
    }

    /// Waits for the next one; `None` when the client is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Next> {
        match self.receiver.recv().await {
            Ok(update) => Some(Next::Update(update)),
            Err(RecvError::Lagged(missed)) => Some(Next::Lagged(missed)),
            Err(RecvError::Closed) => None,
        }
    }

    /// Takes what waits already; `None` if nothing does.
    pub(crate) fn try_next(&mut self) -> Option<Next> {
        match self.receiver.try_recv() {
            Ok(update) => Some(Next::Update(update)),
            Err(TryRecvError::Lagged(missed)) => Some(Next::Lagged(missed)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}
