//! What the operator asks of a running relay, and what the door asks of it.

mod admins;
mod announcement;
mod hooks;
mod listings;

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use futures_util::future::BoxFuture;
use kith_protocol::{
    error::ErrorCode,
    ids::{AccountId, DeviceId, Hash, RoomId},
    link::{InviteLink, TOKEN_LEN},
};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;

use crate::{
    admin::{
        AdminHandler, AdminRequest, AdminResponse, CertificateStats, InviteRow, NewInvite, RelayRole, Stats,
    },
    clock::Instant,
    commands::mebibytes,
    config::Change,
    hooks::{HookError, HookPost, Posted},
    listen::{Accept, Peer},
    reach::Reach,
    relay::{hub::Hub, writes::Write},
    store::{
        self, Reader, StoreError,
        retention::{Keep, RetentionWrite, Share},
    },
    stream::Stream,
    tls::Tls,
};

/// Who has something done; `None`: the operator, on the relay's machine.
type By = Option<AccountId>;

/// A clone for each connection costs one count.
#[derive(Clone)]
pub struct Operator(Arc<Desk>);

/// What an operator works with.
pub struct Desk {
    pub hub: Arc<Hub>,
    pub reach: Reach,
    pub listen: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub data: PathBuf,
    /// Where a certificate counts by its dates.
    pub tls: Option<Tls>,
    pub started: Instant,
    /// Reads the configuration again, and answers.
    pub reload: mpsc::Sender<oneshot::Sender<Result<Change, String>>>,
}

impl Operator {
    pub fn new(desk: Desk) -> Self {
        Self(Arc::new(desk))
    }

    /// Where it listens, as a client would say it.
    pub fn url(&self) -> &str {
        &self.0.reach.url
    }

    /// The owner's invite while nobody has joined: the one that is still good, or a new one. None once somebody has.
    pub async fn first_invite(&self) -> Result<Option<InviteRow>, Refusal> {
        let now = self.0.hub.clock.unix_ms();
        let (accounts, open) =
            self.read(move |store| Ok((store.totals()?.accounts, store.invites(now)?))).await?;
        if accounts > 0 {
            return Ok(None);
        }
        if let Some(invite) =
            open.iter().find(|invite| invite.role == RelayRole::Owner && invite.room.is_none())
        {
            return Ok(Some(self.row(invite, None)));
        }
        let new = NewInvite { uses: 1, expires_s: FIRST_INVITE_S, role: RelayRole::Owner, room: None };
        self.invite(None, new).await.map(Some)
    }

    async fn answer(&self, by: By, request: AdminRequest) -> Result<AdminResponse, Refusal> {
        match request {
            AdminRequest::Invite(new) => Ok(AdminResponse::Invite(self.invite(by, new).await?)),
            AdminRequest::Invites => Ok(AdminResponse::Invites { invites: self.invites().await? }),
            AdminRequest::InviteRevoke { invite } => self.revoke_invite(by, invite).await,
            AdminRequest::Users => {
                let for_all = self.0.hub.live.load().storage.share();
                let users = self.read(move |store| listings::users(store, for_all)).await?;
                Ok(AdminResponse::Users { users })
            }
            AdminRequest::UserEnable { user } => self.switch(by, user, false).await,
            AdminRequest::UserDisable { user } => self.switch(by, user, true).await,
            AdminRequest::UserRole { user, role } => self.set_role(by, user, role).await,
            AdminRequest::UserQuota { user, share } => self.set_share(by, user, share).await,
            AdminRequest::Devices { user } => {
                let devices = self.read(move |store| listings::devices(store, user.as_deref())).await?;
                Ok(AdminResponse::Devices { devices })
            }
            AdminRequest::DeviceRevoke { device } => self.block(by, device).await,
            AdminRequest::Rooms => Ok(AdminResponse::Rooms { rooms: self.read(listings::rooms).await? }),
            AdminRequest::RoomKeep { room, keep } => self.keep(by, &room, keep).await,
            AdminRequest::Sessions => {
                let conns = self.0.hub.registry.all();
                let sessions = self.read(move |store| listings::sessions(store, &conns)).await?;
                Ok(AdminResponse::Sessions { sessions })
            }
            AdminRequest::Refusals => {
                let newest = self.0.hub.metrics.recent_refusals.newest();
                let refusals = self.read(move |store| listings::refusals(store, &newest)).await?;
                Ok(AdminResponse::Refusals { refusals })
            }
            AdminRequest::HookCreate(new) => Ok(AdminResponse::Hook(self.create_hook(by, new).await?)),
            AdminRequest::Hooks => Ok(AdminResponse::Hooks { hooks: self.read(hooks::list).await? }),
            AdminRequest::HookRevoke { hook } => self.revoke_hook(by, hook).await,
            AdminRequest::Audit { limit } => {
                let records = self.read(move |store| listings::audit_log(store, limit)).await?;
                Ok(AdminResponse::Audit { records })
            }
            AdminRequest::Stats => Ok(AdminResponse::Stats { stats: self.stats().await? }),
            AdminRequest::Announce { text, for_s } => self.announce(by, text, for_s).await,
            AdminRequest::AnnouncementWithdraw => self.withdraw_announcement(by).await,
            AdminRequest::Announcement => self.announcement().await,
            AdminRequest::Reload => self.reload().await,
        }
    }

    async fn invite(&self, by: By, new: NewInvite) -> Result<InviteRow, Refusal> {
        if new.uses == 0 || new.expires_s == 0 {
            return Err(Refusal::bad("an invite needs at least one use and some time"));
        }
        let room = match &new.room {
            None => None,
            Some(text) => Some(self.room(text).await?),
        };
        let token: [u8; TOKEN_LEN] = random()?;
        let expires_at = self.0.hub.clock.unix_ms().saturating_add(new.expires_s.saturating_mul(1_000));
        let invite = store::InviteRow { token, uses: new.uses, expires_at, role: new.role, room, by };
        let maker = self.read(move |store| listings::handle(store, by)).await?;
        let row = self.row(&invite, maker);
        self.0.hub.ask_for(by, Write::PutInvite(invite)).await?;
        Ok(row)
    }

    async fn room(&self, text: &str) -> Result<RoomId, Refusal> {
        let room: RoomId = text.parse().map_err(|_| Refusal::unknown("room", text))?;
        let head = self.read(move |store| Ok(store.head(&room)?)).await?;
        if head.control_len == 0 { Err(Refusal::unknown("room", text)) } else { Ok(room) }
    }

    async fn keep(&self, by: By, room: &str, keep: Option<Keep>) -> Result<AdminResponse, Refusal> {
        let room = self.room(room).await?;
        self.0.hub.ask_for(by, Write::Retention(RetentionWrite::Keep { room, keep })).await?;
        let every = Duration::from_secs(self.0.hub.live.load().retention.look_every_s.into());
        let every = humantime::format_duration(every);
        let message = match keep {
            Some(Keep { days: None, bytes: None }) => "all that is said there is kept".to_owned(),
            _ => format!("what is not to be kept is forgotten within {every}"),
        };
        Ok(AdminResponse::Done { message })
    }

    async fn invites(&self) -> Result<Vec<InviteRow>, Refusal> {
        let now = self.0.hub.clock.unix_ms();
        let open = self.read(move |store| listings::invites(store, now)).await?;
        Ok(open.into_iter().map(|(invite, by)| self.row(&invite, by)).collect())
    }

    async fn revoke_invite(&self, by: By, id: String) -> Result<AdminResponse, Refusal> {
        let now = self.0.hub.clock.unix_ms();
        let invite = self.read(move |store| listings::find_invite(store, &id, now)).await?;
        let message = format!("nobody joins any more with the invite {}", invite.id());
        self.0.hub.ask_for(by, Write::PutInvite(store::InviteRow { uses: 0, ..invite })).await?;
        Ok(AdminResponse::Done { message })
    }

    async fn set_role(&self, by: By, user: String, role: RelayRole) -> Result<AdminResponse, Refusal> {
        let row = self.read(move |store| listings::account(store, &user)).await?;
        self.0.hub.ask_for(by, Write::SetRole(row.id, role)).await?;
        let message = match role {
            RelayRole::Member => format!("@{} is a member", row.handle),
            RelayRole::Admin => format!("@{} is an admin, and may invite people", row.handle),
            RelayRole::Owner => format!("@{} is an owner, and may invite people", row.handle),
        };
        Ok(AdminResponse::Done { message })
    }

    async fn set_share(&self, by: By, user: String, share: Option<Share>) -> Result<AdminResponse, Refusal> {
        let row = self.read(move |store| listings::account(store, &user)).await?;
        self.0.hub.ask_for(by, Write::Retention(RetentionWrite::Share { account: row.id, share })).await?;
        let message = match share {
            None => format!("@{} may hold what the configuration says for all", row.handle),
            Some(Share { bytes: None }) => format!("@{} may hold as much as there is room for", row.handle),
            Some(Share { bytes: Some(bytes) }) => {
                format!("@{} may hold {}", row.handle, mebibytes(bytes))
            }
        };
        Ok(AdminResponse::Done { message })
    }

    async fn switch(&self, by: By, user: String, disabled: bool) -> Result<AdminResponse, Refusal> {
        let row = self.read(move |store| listings::account(store, &user)).await?;
        self.0.hub.ask_for(by, Write::Disable(row.id, disabled)).await?;
        let done =
            if disabled { "is shut out; all its devices are disconnected" } else { "may connect again" };
        Ok(AdminResponse::Done { message: format!("@{} {done}", row.handle) })
    }

    async fn block(&self, by: By, device: String) -> Result<AdminResponse, Refusal> {
        let found = self.read(move |store| listings::find_device(store, &device)).await?;
        let id: DeviceId = found.device.parse().map_err(|_| Refusal::unknown("device", &found.device))?;
        self.0.hub.ask_for(by, Write::Block(id)).await?;
        let message = format!("the device {} of @{} is shut out and disconnected", found.name, found.handle);
        Ok(AdminResponse::Done { message })
    }

    async fn stats(&self) -> Result<Stats, Refusal> {
        let Desk { hub, reach, listen, metrics, data, tls, started, .. } = &*self.0;
        let for_all = hub.live.load().storage.share();
        let (totals, nearly_full_accounts) =
            self.read(move |store| Ok((store.totals()?, store.nearly_used_up(for_all)?))).await?;
        let (identified, online_accounts) = hub.registry.count();
        Ok(Stats {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            listen: listen.to_string(),
            url: reach.url.clone(),
            metrics: metrics.map(|address| address.to_string()),
            uptime_s: started.elapsed().as_secs(),
            connections: hub.metrics.connections.get().try_into().unwrap_or(0),
            identified: identified as u64,
            online_accounts: online_accounts as u64,
            accounts: totals.accounts,
            rooms: totals.rooms,
            entries: totals.entries,
            database_bytes: totals.bytes,
            free_bytes: fs4::available_space(data).unwrap_or(0),
            nearly_full_accounts,
            well: hub.try_is_well().await,
            certificate: tls.as_ref().map(certificate),
            incarnation: hub.incarnation.to_string(),
        })
    }

    async fn reload(&self) -> Result<AdminResponse, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.0.reload.send(reply).await.map_err(|_| Refusal::down())?;
        let change = answer.await.map_err(|_| Refusal::down())?.map_err(|why| Refusal::bad(&why))?;
        Ok(AdminResponse::Done { message: describe(&change) })
    }

    fn row(&self, invite: &store::InviteRow, by: Option<String>) -> InviteRow {
        InviteRow {
            id: invite.id(),
            link: self.link(invite).to_string(),
            page: self.0.reach.page(&BASE64URL_NOPAD.encode(&invite.token)),
            role: invite.role,
            uses: invite.uses,
            expires_ms: invite.expires_at,
            room: invite.room.map(|room| room.to_string()),
            by,
        }
    }

    fn link(&self, invite: &store::InviteRow) -> InviteLink {
        InviteLink {
            relay: self.0.reach.url.clone(),
            token: invite.token,
            pin: self.0.reach.pin.map(Hash),
            from: invite.by,
            room: invite.room,
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Reader) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.0.hub.run(work).await.ok_or_else(Refusal::down)?
    }
}

impl AdminHandler for Operator {
    fn handle(&self, request: AdminRequest) -> BoxFuture<'_, AdminResponse> {
        Box::pin(async move {
            self.answer(None, request)
                .await
                .unwrap_or_else(|refusal| AdminResponse::error(refusal.code, refusal.message))
        })
    }
}

impl Accept for Operator {
    fn hook(&self, token: &str, post: HookPost) -> impl Future<Output = Result<Posted, HookError>> + Send {
        self.post_hook(token, post)
    }

    fn accept(
        self,
        socket: WebSocketStream<Stream>,
        peer: Peer,
    ) -> impl Future<Output = ()> + Send + 'static {
        Arc::clone(&self.0.hub).serve(socket, peer)
    }

    async fn health(&self) -> Result<(), &'static str> {
        if self.0.hub.try_is_well().await { Ok(()) } else { Err("writes cannot be stored; reads go on") }
    }

    async fn invite_link(&self, token: &str) -> Option<String> {
        let token: [u8; TOKEN_LEN] = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?.try_into().ok()?;
        let invite = self.read(move |store| Ok(store.invite(&token)?)).await.ok()??;
        let good = invite.uses > 0 && invite.expires_at > self.0.hub.clock.unix_ms();
        good.then(|| self.link(&invite).to_string())
    }
}

fn certificate(tls: &Tls) -> CertificateStats {
    let failure = tls.failure();
    CertificateStats {
        ends_ms: tls.life().and_then(|life| u64::try_from(life.to).ok()).map(|to| to * 1000),
        failure: failure.as_ref().map(|failure| failure.says.clone()),
        again_ms: failure.map(|failure| failure.again_at),
    }
}

/// Why a command was not done: a code for scripts, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    fn bad(message: &str) -> Self {
        Self { code: "bad-request", message: message.to_owned() }
    }

    fn unknown(what: &str, name: &str) -> Self {
        let message = format!("there is no {what} `{name}` here; `kith-relay {what}s list` shows all");
        Self { code: "not-found", message }
    }

    fn down() -> Self {
        Self { code: "shutting-down", message: "the relay is shutting down".to_owned() }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self { code: "storage", message: error.to_string() }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        let (code, message) = match code {
            ErrorCode::ShuttingDown => return Self::down(),
            ErrorCode::StorageFull => ("storage", "the disk is full: nothing is stored until there is room"),
            ErrorCode::StorageFailed => ("storage", "it could not be stored: the relay's log says why"),
            ErrorCode::NotFound => ("not-found", "it is not there any more"),
            ErrorCode::LimitReached => ("refused", "there are as many of these as this relay allows"),
            code => return Self { code: "refused", message: format!("the relay refused: {code:?}") },
        };
        Self { code, message: message.to_owned() }
    }
}

fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes);
    filled
        .map_err(|_| Refusal { code: "refused", message: "the system has no random numbers".to_owned() })?;
    Ok(bytes)
}

pub(crate) fn describe(change: &Change) -> String {
    let mut parts = Vec::new();
    match change.applied.as_slice() {
        [] => parts.push("nothing has changed".to_owned()),
        keys => parts.push(format!("changed: {}", keys.join(", "))),
    }
    if !change.needs_restart.is_empty() {
        parts.push(format!("needs a restart: {}", change.needs_restart.join(", ")));
    }
    parts.join("; ")
}

/// A week: time to find the link again, and not for ever.
const FIRST_INVITE_S: u64 = Duration::from_hours(7 * 24).as_secs();
