//! What admins ask over their own connections. They may do what the operator may, to those who stand below them: an owner
//! above admins, an admin above members. So nobody shuts out an owner, or themselves; only the operator can.

use kith_protocol::{
    admin::{AdminRequest, AdminResponse, InviteRow, RelayRole},
    error::ErrorCode,
    frame::{Administered, ServerFrame},
    ids::AccountId,
    limits,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Operator, Refusal, listings};
use crate::{
    refusals::{self, Whom},
    relay::{conn::Conn, hub::Asked},
    store::{AccountRow, Reader},
};

impl Operator {
    /// Answers until `shutdown`, one request after the other: what a rule has looked at is still so when it is done.
    pub async fn attend(self, mut asked: mpsc::Receiver<Asked>, shutdown: CancellationToken) {
        loop {
            let next = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                next = asked.recv() => next,
            };
            let Some(Asked { conn, ask }) = next else { return };
            let account = conn.identity.account;
            match self.answer_admin(account, &ask.ask).await {
                Ok(answer) => {
                    if matches!(&answer, AdminResponse::Error(error) if error.code == DENIED) {
                        self.note(&conn, ErrorCode::Denied);
                    }
                    parts(ask.req, &answer).for_each(|part| conn.outbound.answer(part.encode()));
                }
                Err(code) => {
                    self.note(&conn, code);
                    conn.refuse(ask.req, code);
                }
            }
            conn.told();
        }
    }

    fn note(&self, conn: &Conn, code: ErrorCode) {
        let hub = &self.0.hub;
        let whom = Whom::Device(conn.identity.account, conn.identity.device);
        hub.metrics.refused_to(whom, refusals::of_request(code), hub.clock.unix_ms());
    }

    /// Who is no admin learns nothing but that.
    async fn answer_admin(&self, by: AccountId, ask: &[u8]) -> Result<AdminResponse, ErrorCode> {
        let row = self.read(move |store| Ok(store.account(&by)?)).await.map_err(|refusal| {
            warn!(%refusal, "an admin's account could not be read");
            ErrorCode::StorageFailed
        })?;
        let admin =
            row.filter(|row| row.role >= RelayRole::Admin && !row.disabled).ok_or(ErrorCode::Denied)?;
        if ask.len() > limits::ADMIN_REQUEST_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let Ok(request) = AdminRequest::decode(ask) else { return Err(ErrorCode::Unsupported) };
        let answered = async {
            let (rule, asked) = (admin.clone(), request.clone());
            let now = self.0.hub.clock.unix_ms();
            self.read(move |store| permit(store, &rule, &asked, now)).await?;
            self.answer(Some(by), request).await
        };
        Ok(match answered.await {
            Ok(AdminResponse::Invites { mut invites }) => {
                // The link of an invite is the invite: who may not make it does not see it.
                invites.retain(|invite: &InviteRow| invite.role < admin.role);
                AdminResponse::Invites { invites }
            }
            Ok(answer) => answer,
            Err(refusal) => AdminResponse::error(refusal.code, refusal.message),
        })
    }
}

/// An answer in frames of a bounded size.
fn parts(req: u32, answer: &AdminResponse) -> impl Iterator<Item = ServerFrame> {
    let bytes = answer.encode();
    let count = bytes.len().div_ceil(limits::PAGE_BYTES).max(1);
    (0..count).map(move |index| {
        let from = index * limits::PAGE_BYTES;
        let part = bytes.slice(from..bytes.len().min(from + limits::PAGE_BYTES));
        ServerFrame::Administered(Administered { req, part, more: index + 1 < count })
    })
}

fn permit(store: &dyn Reader, admin: &AccountRow, request: &AdminRequest, now: u64) -> Result<(), Refusal> {
    match request {
        AdminRequest::Invites
        | AdminRequest::Users
        | AdminRequest::Devices { .. }
        | AdminRequest::Rooms
        | AdminRequest::Sessions
        | AdminRequest::Refusals
        | AdminRequest::HookCreate(_)
        | AdminRequest::Hooks
        | AdminRequest::HookRevoke { .. }
        | AdminRequest::Audit { .. }
        | AdminRequest::Stats
        | AdminRequest::Announce { .. }
        | AdminRequest::AnnouncementWithdraw
        | AdminRequest::Announcement => Ok(()),
        AdminRequest::Invite(new) => may_give(admin, new.role),
        AdminRequest::InviteRevoke { invite } => {
            may_give(admin, listings::find_invite(store, invite, now)?.role)
        }
        AdminRequest::UserEnable { user }
        | AdminRequest::UserDisable { user }
        | AdminRequest::UserQuota { user, .. } => stands_below(admin, &listings::account(store, user)?),
        AdminRequest::UserRole { user, role } => {
            stands_below(admin, &listings::account(store, user)?)?;
            may_give(admin, *role)
        }
        AdminRequest::DeviceRevoke { device } => {
            let device = listings::find_device(store, device)?;
            stands_below(admin, &listings::account(store, &device.account)?)
        }
        AdminRequest::RoomKeep { .. } if admin.role == RelayRole::Owner => Ok(()),
        AdminRequest::RoomKeep { .. } => Err(denied("only an owner of the relay changes what rooms keep")),
        AdminRequest::Reload => Err(denied("the configuration is read again on the relay's machine alone")),
    }
}

fn stands_below(admin: &AccountRow, other: &AccountRow) -> Result<(), Refusal> {
    if other.role < admin.role {
        return Ok(());
    }
    let handle = &other.handle;
    Err(denied(&match other.role {
        _ if other.id == admin.id => "nobody does this to their own account here".to_owned(),
        RelayRole::Owner => {
            format!("@{handle} is an owner: only the operator can do this, on the relay's machine")
        }
        _ => format!("@{handle} is an admin: only an owner can do this"),
    }))
}

fn may_give(admin: &AccountRow, role: RelayRole) -> Result<(), Refusal> {
    if role < admin.role {
        return Ok(());
    }
    Err(denied(match role {
        RelayRole::Owner => "only the operator makes owners, on the relay's machine",
        _ => "only an owner makes admins",
    }))
}

fn denied(message: &str) -> Refusal {
    Refusal { code: DENIED, message: message.to_owned() }
}

const DENIED: &str = "denied";
