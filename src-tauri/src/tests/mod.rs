//! The shell as a whole: a real relay in this process, real engines, and a system that notes down.

mod pushes;
mod world;

use crate::desk::{Deed, Key, TrayState, Urgency};
use crate::find::find;
use crate::ipc::{
    AppError, Connection, ErrorCode, LinkLook, ProfileState, Quiet, SelfTestStage, Update, WhyReason,
};
use crate::{links, self_test, why};
use kith_client::Outgoing;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::mpsc;
use world::{Pair, World, until};

/// All updates that a window gets.
fn window(shell: &crate::shell::Shell) -> mpsc::UnboundedReceiver<Vec<Update>> {
    let (sink, batches) = mpsc::unbounded_channel::<Vec<Update>>();
    shell.feed().attach(sink);
    batches
}

async fn heard<T>(
    batches: &mut mpsc::UnboundedReceiver<Vec<Update>>,
    mut wanted: impl FnMut(Update) -> Option<T>,
) -> T {
    until("an update", async {
        loop {
            for update in batches.recv().await.unwrap() {
                if let Some(found) = wanted(update) {
                    return found;
                }
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_window_tray_and_notification_and_goes_when_it_is_read() {
    let mut world = World::new();
    let Pair { alice, at_alice, says, room, .. } = world.pair().await;
    let mut batches = window(&alice);

    says.send(room, Outgoing::text("hello **you**")).await.unwrap();
    let item = heard(&mut batches, |update| match update {
        Update::Room { room } if room.unread == 1 => Some(room),
        _ => None,
    })
    .await;
    assert_eq!(item.last.unwrap().preview, "hello you");

    let desk = world.desk("alice");
    let notice = desk.notice().await;
    assert_eq!(notice.key, Key::Chat(at_alice.clone(), room.into()));
    assert!(notice.body.contains("hello"), "{}", notice.body.len());
    let target = notice.target.unwrap();
    let tray = desk.tray_with(|tray| tray.count == 1).await;
    assert_eq!((tray.state, tray.chats.len()), (TrayState::Mention, 1));
    let told = why::of(&alice.profile(&at_alice).unwrap(), room, target.seq.unwrap().into()).await.unwrap();
    assert_eq!((told.notified, told.reason), (true, WhyReason::DirectMessage));

    alice.done(Deed::MarkRead(target)).await;
    assert_eq!(desk.withdrawn().await, notice.key);
    desk.tray_with(|tray| tray.state == TrayState::Idle).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_told_of_rooms_that_are_open_and_answers_go_out_from_notifications() {
    let mut world = World::new();
    let Pair { alice, at_alice, bob, at_bob, says, room } = world.pair().await;
    says.send(room, Outgoing::text("ping")).await.unwrap();
    let notice = world.desk("alice").notice().await;

    let profile = bob.profile(&at_bob).unwrap();
    profile.open_room(room);
    profile.client().unwrap().history(room, None, 50).await.unwrap();
    let mut batches = window(&bob);
    alice.done(Deed::Reply(notice.target.unwrap(), "pong".into())).await;
    let line = heard(&mut batches, |update| match update {
        Update::Timeline { lines, .. } => lines.into_iter().find(|line| line.text == "pong"),
        _ => None,
    })
    .await;
    assert!(!line.own);
    assert_eq!(line.sender.0, alice.profile(&at_alice).unwrap().account().unwrap());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_window_everything_goes_on_and_the_next_window_is_led_to_the_message() {
    let mut world = World::new();
    let Pair { alice, at_alice, says, room, .. } = world.pair().await;
    drop(window(&alice));
    alice.forget_window();
    alice.apply_attention().await;

    says.send(room, Outgoing::text("are you there?")).await.unwrap();
    let notice = world.desk("alice").notice().await;
    alice.done(Deed::Open(notice.target.clone(), None)).await;
    world.desk("alice").presented().await;
    assert_eq!(alice.take_ways(), (notice.target, None));
    assert_eq!(alice.take_ways(), (None, None));
    alice.opened_link(&links::to_room(room, None));
    assert_eq!(alice.take_ways().0.unwrap().profile, at_alice);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn do_not_disturb_is_silent_and_says_so() {
    let mut world = World::new();
    let Pair { alice, at_alice, says, room, .. } = world.pair().await;
    alice.set_do_not_disturb(Quiet::On).await.unwrap();
    let mut batches = window(&alice);
    says.send(room, Outgoing::text("psst")).await.unwrap();
    let item = heard(&mut batches, |update| match update {
        Update::Room { room } if room.unread == 1 => Some(room),
        _ => None,
    })
    .await;
    let told = why::of(&alice.profile(&at_alice).unwrap(), room, item.newest.into()).await.unwrap();
    assert_eq!((told.notified, told.reason, told.until), (false, WhyReason::DoNotDisturb, None));
    assert!(world.desk("alice").no_notice());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_everything_in_its_place() {
    let mut world = World::new();
    let alice = world.shell("alice");
    let id = world.join(&alice, "alice").await;
    let client = alice.client(&id).unwrap();
    let room = client.own_room().await.unwrap();
    client.send(room, Outgoing::text("Buy Milk\nand bread")).await.unwrap();
    client.set_draft(room, "and also").await.unwrap();
    client.sync_once(Duration::from_secs(20), |_| ()).await.unwrap();
    alice.set_place("here".into());
    drop(client);
    alice.shut_down().await;

    let again = world.shell("alice");
    again.open_all().await;
    let profile = again.profile(&id).unwrap();
    assert_eq!(profile.view().state, ProfileState::Open);
    assert_eq!(again.place().as_deref(), Some("here"));
    assert_eq!(profile.room(&room).unwrap().draft, "and also");
    let found = find(&[profile], None, "milk", None, 10).await.unwrap();
    assert_eq!((found.hits.len(), found.hits[0].found.as_str()), (1, "Milk"));
    assert!(found.reach.messages >= 1 && !found.more);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_tried_again_in_the_same_place() {
    let mut world = World::new();
    let alice = world.shell("alice");
    let used = world.invite().await;
    world.join_by(&alice, &used, "alice").await.unwrap();
    let bob = world.shell("bob");
    let refused = world.join_by(&bob, &used, "bob").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InviteUsed);
    assert!(bob.all().is_empty());
    // A start in between opens nothing that has not arrived.
    bob.open_all().await;
    assert!(bob.all().is_empty());
    let fresh = world.invite().await;
    let arrived = world.join_by(&bob, &fresh, "bob").await.unwrap();
    assert_eq!(arrived.profile.0, "default");
    assert!(matches!(links::look(&fresh, |_| None), Ok(LinkLook::Join { .. })));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_self_test_has_a_second_session_that_ends_with_it() {
    let mut world = World::new();
    let alice = world.shell("alice");
    let id = world.join(&alice, "alice").await;
    let profile = alice.profile(&id).unwrap();
    let steps = Mutex::new(Vec::new());
    self_test::run(&alice, &profile, |step| steps.lock().unwrap().push(step)).await.unwrap();
    let steps: Vec<_> =
        steps.into_inner().unwrap().into_iter().map(|step| (step.stage, step.error)).collect();
    let stages = [
        SelfTestStage::Relay,
        SelfTestStage::SecondSession,
        SelfTestStage::Notification,
        SelfTestStage::Withdrawal,
    ];
    assert_eq!(steps, stages.map(|stage| (stage, None)));
    let desk = world.desk("alice");
    assert_eq!((desk.notice().await.key, desk.withdrawn().await), (Key::Test, Key::Test));
    let client = alice.client(&id).unwrap();
    let devices = client.devices().await.unwrap();
    assert_eq!(devices.iter().map(|device| device.revoked).collect::<Vec<_>>(), [false, true], "{devices:?}");
    let room = client.own_room().await.unwrap();
    let held = client.history(room, None, 50).await.unwrap();
    assert!(held.iter().all(|line| line.redacted || line.text.is_empty()), "nothing is left in the notes");
    drop(client);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signed_out_hears_of_it_until_it_is_mended() {
    let mut world = World::new();
    let alice = world.shell("alice");
    let id = world.join(&alice, "alice").await;
    let profile = alice.profile(&id).unwrap();
    let stopped = Connection::Stopped { error: AppError::new(ErrorCode::Revoked, "") };
    let desk = world.desk("alice");
    alice.focus(true).await;
    alice.alert_of_connection(&profile, &stopped);
    assert!(desk.no_notice(), "the window in front says it itself");
    alice.focus(false).await;
    alice.alert_of_connection(&profile, &stopped);
    let notice = desk.notice().await;
    assert_eq!((&notice.key, notice.urgency), (&Key::Alert(id), Urgency::Critical));
    assert_eq!((notice.title.as_str(), notice.body), ("alice", alice.words().text("error_revoked")));
    alice.alert_of_connection(&profile, &Connection::Online);
    assert_eq!(desk.withdrawn().await, notice.key);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tray_that_comes_late_is_waited_for_and_one_that_never_comes_is_not_waited_for_long() {
    let mut world = World::new();
    let alice = world.shell("alice");
    assert!(!alice.tray_comes(Duration::from_millis(20)).await);
    let waits = tokio::spawn({
        let alice = alice.clone();
        async move { alice.tray_comes(Duration::from_secs(20)).await }
    });
    alice.tray_host_is(true);
    assert!(waits.await.unwrap());
    assert!(alice.tray_status().close_hides);
    world.end().await;
}
