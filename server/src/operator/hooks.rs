//! Integrations: made, listed, revoked, and written through.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use kith_protocol::{error::ErrorCode, ids::RoomId, room::RoomKind};
use tracing::warn;

use super::{By, Operator, Refusal, listings, random};
use crate::{
    admin::{AdminResponse, HookRow, NewHook, NewHookRow},
    hooks::{HookError, HookPost, Posted, token_hash},
    relay::{
        writer::Written,
        writes::{HookPlace, MakeHook, Post, Write},
    },
    store::Reader,
};

impl Operator {
    pub(super) async fn create_hook(&self, by: By, new: NewHook) -> Result<NewHookRow, Refusal> {
        let place = match (&new.room, &new.user) {
            (Some(text), None) => {
                HookPlace::Room(text.parse::<RoomId>().map_err(|_| Refusal::unknown("room", text))?)
            }
            (None, Some(user)) => {
                let user = user.clone();
                HookPlace::Person(self.read(move |store| listings::account(store, &user)).await?.id)
            }
            _ => return Err(Refusal::bad("an integration writes into one room, or to one user")),
        };
        if let HookPlace::Room(room) = place {
            let kind = self.read(move |store| listings::kind(store, &room)).await?;
            match kind {
                None => return Err(Refusal::unknown("room", &room.to_string())),
                Some(RoomKind::Group) => {}
                Some(_) => return Err(Refusal::bad("that room is no group; give a user instead of it")),
            }
        }
        // 192 bits in an address: nobody guesses one, and a look into the database yields only its hash.
        let token = BASE64URL_NOPAD.encode(&random::<24>()?);
        let make = MakeHook {
            name: new.name,
            place,
            token: token_hash(&token),
            seeds: random()?,
            random: random()?,
        };
        let written =
            self.0.hub.ask_for(by, Write::MakeHook(Box::new(make))).await.map_err(|code| match code {
                ErrorCode::Malformed => Refusal::bad("a name has 1 to 128 bytes without control characters"),
                code => code.into(),
            })?;
        let Written::Hooked(account, handle, room) = written else { return Err(Refusal::down()) };
        Ok(NewHookRow {
            handle,
            account: account.to_string(),
            room: room.to_string(),
            url: self.hook_url(&token),
            pin: self.0.reach.pin.map(|pin| format!("sha256//{}", BASE64.encode(&pin))),
            is_member: matches!(place, HookPlace::Person(_)),
        })
    }

    /// Where programs post to.
    fn hook_url(&self, token: &str) -> String {
        format!("{}/v1/hooks/{token}", self.0.reach.url.replacen("ws", "http", 1))
    }

    pub(super) async fn revoke_hook(&self, by: By, name: String) -> Result<AdminResponse, Refusal> {
        let row = self.read(move |store| listings::account(store, &name)).await?;
        if !row.integration {
            return Err(Refusal::bad(&format!("@{} is no integration", row.handle)));
        }
        self.0.hub.ask_for(by, Write::RevokeHook(row.id, random()?)).await?;
        let message = format!("the address of @{} is good for nothing now", row.handle);
        Ok(AdminResponse::Done { message })
    }

    pub(super) async fn post_hook(&self, token: &str, post: HookPost) -> Result<Posted, HookError> {
        let hub = &self.0.hub;
        let token = token_hash(token);
        let found = hub.run(move |store| store.hook_by_token(&token)).await.ok_or(HookError::Storage)?;
        let found = found.map_err(|error| {
            warn!(%error, "an integration could not be read");
            HookError::Storage
        });
        let hook = found?.ok_or(HookError::Unknown)?.account;
        if !hub.hook_may_write(hook) {
            return Err(HookError::Later);
        }
        let max = hub.live.load().limits.max_body_bytes as usize;
        let random = random().map_err(|_| HookError::Storage)?;
        let write = Post { hook, text: post.text, everybody: post.everybody, key: post.key, random };
        match hub.ask(Write::Post(Box::new(write))).await {
            Ok(Written::Posted { room, seq, again }) => Ok(Posted { room, seq, again }),
            Ok(_) => Err(HookError::Storage),
            Err(code) => Err(match code {
                ErrorCode::NotFound => HookError::NotInRoom,
                ErrorCode::TooLarge => HookError::TooLarge(max),
                ErrorCode::QuotaReached => HookError::Quota,
                code if code.is_passing() => HookError::Storage,
                _ => HookError::Denied,
            }),
        }
    }
}

pub(super) fn list(store: &dyn Reader) -> Result<Vec<HookRow>, Refusal> {
    let mut rows = Vec::new();
    for hook in store.hooks()? {
        let Some(account) = store.account(&hook.account)? else { continue };
        let member = store.membership(&hook.account, &hook.room)?.is_some_and(|it| it.left.is_none());
        let state = match (hook.token, member) {
            (None, _) => "revoked",
            (Some(_), false) => "not in the room",
            (Some(_), true) => "good",
        };
        rows.push(HookRow {
            handle: account.handle,
            name: account.name,
            account: hook.account.to_string(),
            room: hook.room.to_string(),
            state: state.to_owned(),
            by: listings::handle(store, hook.by)?,
            created_ms: hook.created_at,
            used_ms: hook.used_at,
        });
    }
    Ok(rows)
}
