//! Integrations: made, listed, revoked by an admin of the relay.

use crate::args::HooksCommand;
use crate::exit::{Exit, Failure, Outcome};
use crate::session::Session;
use crate::text;
use kith_client::{RequestError, RoomSummary};
use kith_protocol::admin::{AdminRequest, AdminResponse, HookRow, NewHook, NewHookRow};
use kith_protocol::error::ErrorCode;
use kith_protocol::room::{Role, RoomKind};
use serde::Serialize;

pub(crate) async fn hooks(session: &mut Session, command: HooksCommand) -> Outcome {
    match command {
        HooksCommand::Create { name, room, user } => create(session, name, room, user).await,
        HooksCommand::List => list(session).await,
        HooksCommand::Revoke { hook } => {
            session.online().await?;
            session.client.administer(AdminRequest::HookRevoke { hook: hook.clone() }).await?;
            let handle = hook.trim_start_matches('@');
            session.out.either(&Revoked { revoked: handle }, || {
                format!("the address of @{} is good for nothing now", text::line(handle))
            })
        }
    }
}

/// Where this account may add people, the integration is added at once.
async fn create(session: &mut Session, name: String, room: Option<String>, user: Option<String>) -> Outcome {
    session.sync().await?;
    let group = match &room {
        Some(room) => Some(group(session, room).await?),
        None => None,
    };
    let room = group.as_ref().map(|group| group.id.to_string());
    let new = NewHook { name, room, user };
    let AdminResponse::Hook(mut hook) = session.client.administer(AdminRequest::HookCreate(new)).await?
    else {
        return Err(unexpected());
    };
    if let Some(group) = group {
        let account = hook.account.parse().map_err(|_| unexpected())?;
        match session.client.add_member(group.id, account, Role::Member).await {
            Ok(()) => hook.is_member = true,
            Err(RequestError::Denied | RequestError::Refused(ErrorCode::Denied)) => {
                let handle = text::line(&hook.handle);
                session.out.note(&format!(
                    "one of the admins of the group has to let it in: kith-cli room add {} @{handle}",
                    &group.id.to_string()[..8]
                ));
            }
            Err(error) => session.out.note(&format!("it is not in the group yet: {error}")),
        }
    }
    session.out.note(&hint(&hook));
    session.out.either(&hook, || hook.url.clone())
}

async fn group(session: &Session, name: &str) -> Outcome<RoomSummary> {
    let room = session.room(name).await?;
    if room.kind == RoomKind::Group {
        return Ok(room);
    }
    Err(Failure::usage("that is no group: an integration writes to a person with --user"))
}

async fn list(session: &mut Session) -> Outcome {
    session.online().await?;
    let AdminResponse::Hooks { hooks } = session.client.administer(AdminRequest::Hooks).await? else {
        return Err(unexpected());
    };
    for hook in hooks {
        session.out.either(&hook, || shown(&hook))?;
    }
    Ok(())
}

fn shown(hook: &HookRow) -> String {
    let (handle, name) = (text::line(&hook.handle), text::line(&hook.name));
    let room: String = hook.room.chars().take(8).collect();
    format!("@{handle}  {name}  room {room}  ({})", text::line(&hook.state))
}

/// What to type, once.
fn hint(hook: &NewHookRow) -> String {
    let curl = hook.curl();
    format!("whoever knows this address can write there; it is shown this once. Try it:\n  {curl}")
}

fn unexpected() -> Failure {
    Failure::new(Exit::Failed, "the relay answered something else: it may be of another version")
}

#[derive(Serialize)]
struct Revoked<'a> {
    revoked: &'a str,
}
