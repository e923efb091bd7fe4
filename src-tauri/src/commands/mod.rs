//! What the window may ask for. Each converts, asks the engine, and maps errors; the decisions are elsewhere.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod app;
pub(crate) mod arrive;
pub(crate) mod messages;
pub(crate) mod people;
pub(crate) mod pushes;
pub(crate) mod release;
pub(crate) mod rooms;
pub(crate) mod settings;
pub(crate) mod storage;

use crate::shell::Shell;
use tauri::{Runtime, State};
use tauri_specta::{Builder, ErrorHandlingMode, collect_commands};

/// The shell, as Tauri hands it to commands.
pub(crate) type TheShell<'a> = State<'a, Shell>;

/// All commands, with their types.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn builder<R: Runtime>() -> Builder<R> {
    Builder::new()
        .commands(collect_commands![
            app::boot,
            app::refresh,
            app::drawn,
            app::set_place,
            app::close_window,
            app::quit,
            app::open_link,
            app::clipboard_link,
            app::copy_text,
            app::qr,
            app::report,
            app::save_log,
            arrive::link_look,
            arrive::join,
            arrive::link_device,
            arrive::link_cancel,
            arrive::recover,
            arrive::unlock,
            arrive::reopen,
            arrive::remove_profile,
            arrive::reconnect,
            arrive::connection_info,
            account::set_profile,
            account::devices,
            account::revoke_device,
            account::offer_start,
            account::offer_confirm,
            account::offer_cancel,
            account::recovery_new,
            account::invite_new,
            account::invites,
            account::revoke_invite,
            pushes::pushes,
            pushes::push_add,
            pushes::push_remove,
            pushes::push_test,
            pushes::push_set,
            admin::relay_users,
            admin::relay_user_enable,
            admin::relay_user_role,
            admin::relay_user_quota,
            admin::relay_devices,
            admin::relay_device_block,
            admin::relay_invites,
            admin::relay_invite_revoke,
            admin::relay_rooms,
            admin::relay_room_keep,
            admin::hooks,
            admin::hook_new,
            admin::hook_new_to,
            admin::hook_revoke,
            admin::relay_sessions,
            admin::relay_refusals,
            admin::relay_audit,
            admin::relay_announcement,
            admin::relay_announce,
            admin::relay_announcement_withdraw,
            admin::announcement,
            admin::announcement_put_away,
            release::release_look,
            release::release_install,
            rooms::rooms,
            rooms::room_open,
            rooms::room_close,
            rooms::history_before,
            rooms::history_after,
            rooms::history_around,
            rooms::members,
            rooms::create_room,
            rooms::direct,
            rooms::own_room,
            rooms::add_member,
            rooms::remove_member,
            rooms::set_role,
            rooms::leave,
            rooms::rename,
            rooms::set_topic,
            rooms::set_wish,
            rooms::room_link,
            rooms::verify,
            messages::send,
            messages::edit,
            messages::redact,
            messages::react,
            messages::retry,
            messages::discard,
            messages::set_draft,
            messages::mark_read,
            messages::mark_all_read,
            messages::typing,
            messages::set_attention,
            messages::why_notified,
            messages::find,
            people::known_people,
            people::find_people,
            people::lookup,
            people::accept_handle,
            settings::set_settings,
            settings::set_do_not_disturb,
            settings::tray_status,
            settings::notification_access,
            settings::ask_for_notifications,
            settings::setting,
            settings::set_setting,
            settings::self_test,
            storage::storage,
            storage::compact,
            storage::export,
        ])
        .error_handling(ErrorHandlingMode::Throw)
        .disable_serde_phases()
}

#[cfg(test)]
mod tests {
    use super::*;
    use specta_typescript::Typescript;

    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/lib/backend/bindings.ts");

    /// `KITH_BLESS=1 cargo test -p kith bindings` writes them anew.
    #[test]
    fn the_bindings_are_those_of_this_contract() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("bindings.ts");
        builder::<tauri::Wry>().export(Typescript::default(), &made).unwrap();
        let made = std::fs::read_to_string(made).unwrap();
        if std::env::var_os("KITH_BLESS").is_some() {
            std::fs::write(COMMITTED, &made).unwrap();
        }
        let committed = std::fs::read_to_string(COMMITTED).unwrap().replace("\r\n", "\n");
        assert!(made == committed, "the contract has changed: KITH_BLESS=1 cargo test -p kith bindings");
    }
}
