//! Whether a message finds its way: this device, relay, a second session of this account, notification, withdrawal.

mod second;

use crate::desk::{Key, Labels, Notice, Urgency};
use crate::failure::{Outcome, internal};
use crate::ipc::{AppError, SelfTestStage as Stage, SelfTestStep};
use crate::profile::Profile;
use crate::shell::Shell;
use kith_client::Outgoing;
use kith_protocol::event::Target;
use second::Second;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Goes step by step; `told` hears of each with its time. Ends with the first that fails.
pub(crate) async fn run(shell: &Shell, profile: &Profile, told: impl Fn(SelfTestStep)) -> Outcome {
    let client = profile.client()?;
    let room = client.own_room().await?;
    let device = client.me().await?.device;
    let begun = Instant::now();
    let failed = |stage, error: AppError| {
        told(SelfTestStep { stage, took_ms: millis(begun), error: Some(error.clone()) });
        error
    };
    client.online(PATIENCE).await.map_err(|error| failed(Stage::Relay, error.into()))?;
    let second = Second::open(shell, profile, &client).await;
    let second = second.map_err(|error| failed(Stage::SecondSession, error))?;
    let heard = async {
        let (target, seq) = step(Stage::Relay, &told, async {
            let txn = client.send(room, Outgoing::text(TEXT)).await?;
            Ok((Target { device, txn }, client.acked(txn, PATIENCE).await?))
        })
        .await?;
        let heard = step(Stage::SecondSession, &told, second.hears(room, target, seq)).await;
        // It has done its work, whatever came of it.
        client.redact(room, target).await?;
        heard
    };
    let heard = heard.await;
    second.close(&client).await;
    heard?;
    notified(shell, &told).await
}

async fn notified(shell: &Shell, told: &impl Fn(SelfTestStep)) -> Outcome {
    let words = shell.words();
    step(Stage::Notification, told, async {
        let notice = Notice {
            key: Key::Test,
            target: None,
            title: words.text("notification_self_test"),
            body: words.text("notification_self_test_body"),
            answers: false,
            sound: shell.settings().sound,
            urgency: Urgency::Normal,
            labels: Labels::of(&words),
        };
        shell.desk()?.notify_and_wait(notice).await.map_err(internal)
    })
    .await?;
    // Nothing is waited for here: the person has to see it before it goes.
    sleep(SHOWN_FOR).await;
    step(Stage::Withdrawal, told, async {
        shell.desk()?.withdraw_and_wait(&Key::Test).await.map_err(internal)
    })
    .await
}

async fn step<T>(
    stage: Stage,
    told: &impl Fn(SelfTestStep),
    act: impl Future<Output = Outcome<T>>,
) -> Outcome<T> {
    let begun = Instant::now();
    let outcome = act.await;
    told(SelfTestStep { stage, took_ms: millis(begun), error: outcome.as_ref().err().cloned() });
    outcome
}

fn millis(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX)
}

const TEXT: &str = "✓";
const PATIENCE: Duration = Duration::from_secs(15);
/// Long enough to be seen.
const SHOWN_FOR: Duration = Duration::from_millis(1500);
