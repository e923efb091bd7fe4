//! Whether a message finds its way: this device, relay, a second session of this account, notification, withdrawal.

use crate::desk::{Key, Labels, Notice};
use crate::failure::{Outcome, internal};
use crate::ipc::{AppError, ErrorCode, SelfTestStage as Stage, SelfTestStep};
use crate::profile::Profile;
use crate::shell::Shell;
use kith_client::{Client, Outgoing};
use kith_protocol::event::Target;
use kith_protocol::ids::{RoomId, Seq};
use std::time::Duration;
use tokio::time::Instant;

/// Goes step by step; `told` hears of each with its time. Ends with the first that fails.
pub(crate) async fn run(shell: &Shell, profile: &Profile, told: impl Fn(SelfTestStep)) -> Outcome {
    let client = profile.client()?;
    let room = client.own_room().await?;
    let device = client.me().await?.device;
    let (txn, seq) = step(Stage::Relay, &told, async {
        client.online(PATIENCE).await?;
        let txn = client.send(room, Outgoing::text(TEXT)).await?;
        Ok((txn, client.acked(txn, PATIENCE).await?))
    })
    .await?;
    let heard = step(Stage::SecondSession, &told, second_session(&client, room, seq)).await;
    // It has done its work, whatever came of it.
    let cleaned = client.redact(room, Target { device, txn }).await;
    heard?;
    cleaned?;
    let words = shell.words();
    step(Stage::Notification, &told, async {
        let notice = Notice {
            key: Key::Test,
            target: None,
            title: words.text("notification_self_test"),
            body: words.text("notification_self_test_body"),
            answers: false,
            sound: shell.settings().sound,
            labels: Labels::of(&words),
        };
        shell.desk()?.notify_and_wait(notice).await.map_err(internal)
    })
    .await?;
    tokio::time::sleep(SHOWN_FOR).await;
    step(Stage::Withdrawal, &told, async {
        shell.desk()?.withdraw_and_wait(&Key::Test).await.map_err(internal)
    })
    .await
}

/// A new session asks the relay for what it holds: it must be what this device wrote.
async fn second_session(client: &Client, room: RoomId, seq: Seq) -> Outcome {
    client.disconnect().await;
    client.online(PATIENCE).await?;
    let proof = client.verify(room).await?;
    if proof.relay_seq >= seq && proof.sound {
        Ok(())
    } else {
        Err(AppError::new(
            ErrorCode::NotFound,
            "the relay does not hold what this device wrote: ask its operator",
        ))
    }
}

async fn step<T>(
    stage: Stage,
    told: &impl Fn(SelfTestStep),
    act: impl Future<Output = Outcome<T>>,
) -> Outcome<T> {
    let begun = Instant::now();
    let outcome = act.await;
    let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    told(SelfTestStep { stage, took_ms, error: outcome.as_ref().err().cloned() });
    outcome
}

const TEXT: &str = "✓";
const PATIENCE: Duration = Duration::from_secs(15);
/// Long enough to be seen.
const SHOWN_FOR: Duration = Duration::from_millis(1500);
