//! How much of the relay's disk an account may take.

use crate::relay::writer::{Refusal, Writer};
use crate::store::retention::Share;
use kith_protocol::entry::{Entry, Kind};
use kith_protocol::error::ErrorCode;
use kith_protocol::ids::AccountId;
use kith_protocol::room::ControlOp;

/// What is no message has this part of a share beyond it: whoever has used theirs up can still mark what they read.
const BEYOND: u64 = 10;

impl Writer {
    /// Whether an account may hold this entry more. What takes away more than it adds is stored however much that is.
    pub(super) fn afford(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let header = entry.header();
        let room = self.room_left(&header.account, header.kind == Kind::Message)?;
        let adds = entry.raw().len() as u64;
        if room >= adds {
            return Ok(());
        }
        let takes = match &header.kind {
            // Whoever has used theirs up can still go, and an integration be revoked.
            Kind::Control { ops, .. } if *ops == [ControlOp::Remove(header.account)] => adds,
            Kind::Redaction { target, .. } => self
                .stored(&header.room, *target)?
                .map_or(0, |target| target.raw().len().saturating_sub(target.redacted().raw().len()) as u64),
            _ => 0,
        };
        if takes >= adds { Ok(()) } else { Err(ErrorCode::QuotaReached.into()) }
    }

    /// The same of a register, in the place of one of so many bytes.
    pub(super) fn afford_register(
        &mut self,
        account: &AccountId,
        before: usize,
        after: usize,
    ) -> Result<(), Refusal> {
        let adds = after.saturating_sub(before) as u64;
        if adds == 0 || self.room_left(account, false)? >= adds {
            Ok(())
        } else {
            Err(ErrorCode::QuotaReached.into())
        }
    }

    fn room_left(&mut self, account: &AccountId, is_message: bool) -> Result<u64, Refusal> {
        let own = self.folds.share(self.engine.read(), account)?;
        let Share { bytes: Some(share) } = own.unwrap_or(self.limits.share) else { return Ok(u64::MAX) };
        let bound = if is_message { share } else { share.saturating_add(share / BEYOND) };
        Ok(bound.saturating_sub(self.engine.held(account)?))
    }
}
