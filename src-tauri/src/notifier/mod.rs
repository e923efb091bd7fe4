//! Notifications of the system. What shows them blocks, so it has a thread of its own.

#[cfg(target_os = "macos")]
mod center;
#[cfg(target_os = "linux")]
mod freedesktop;
#[cfg(target_os = "macos")]
mod plugin;
#[cfg(windows)]
mod toasts;

#[cfg(target_os = "macos")]
pub(crate) use center::Native;
#[cfg(target_os = "linux")]
pub(crate) use freedesktop::Freedesktop as Native;
#[cfg(windows)]
pub(crate) use toasts::Toasts as Native;

use crate::desk::{Key, Later, Notice};
use crate::ipc::NotificationAccess;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use tokio::sync::oneshot;

/// Whoever can show notifications. Every call may block for some seconds.
pub(crate) trait Notifier: Send + 'static {
    /// Shows one, in the place of the one with the same key.
    fn show(&mut self, notice: &Notice) -> Result<(), String>;
    /// Takes one away; `Ok` if there is none.
    fn withdraw(&mut self, key: &Key) -> Result<(), String>;
    /// Whether the system lets Kith show them; asks the person first if that is wished and the system can.
    fn access(&mut self, ask: bool) -> NotificationAccess;
}

/// The thread of a notifier.
pub(crate) struct Notices {
    jobs: SyncSender<Job>,
}

enum Job {
    Show(Box<Notice>, Option<oneshot::Sender<Result<(), String>>>),
    Withdraw(Key, Option<oneshot::Sender<Result<(), String>>>),
    Access(bool, oneshot::Sender<NotificationAccess>),
}

impl Notices {
    /// `make` runs on the thread, and again after it has failed.
    pub(crate) fn start<N: Notifier>(
        make: impl Fn() -> Result<N, String> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, work) = sync_channel(WAITING_MAX);
        thread::Builder::new().name("kith notices".into()).spawn(move || run(&work, make))?;
        Ok(Self { jobs })
    }

    pub(crate) fn show(&self, notice: Notice) {
        self.put(Job::Show(Box::new(notice), None));
    }

    pub(crate) fn withdraw(&self, key: Key) {
        self.put(Job::Withdraw(key, None));
    }

    pub(crate) fn show_and_wait(&self, notice: Notice) -> Later<Result<(), String>> {
        let (answer, answered) = oneshot::channel();
        self.put(Job::Show(Box::new(notice), Some(answer)));
        wait(answered)
    }

    pub(crate) fn withdraw_and_wait(&self, key: Key) -> Later<Result<(), String>> {
        let (answer, answered) = oneshot::channel();
        self.put(Job::Withdraw(key, Some(answer)));
        wait(answered)
    }

    pub(crate) fn access(&self, ask: bool) -> Later<NotificationAccess> {
        let (answer, answered) = oneshot::channel();
        self.put(Job::Access(ask, answer));
        Box::pin(async { answered.await.unwrap_or(NotificationAccess::Missing) })
    }

    fn put(&self, job: Job) {
        // A system that takes so long shows nothing useful any more.
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(job) {
            tracing::warn!("the system does not take notifications: one is left out");
        }
    }
}

fn wait(answered: oneshot::Receiver<Result<(), String>>) -> Later<Result<(), String>> {
    Box::pin(async { answered.await.unwrap_or_else(|_| Err("the system takes no notifications".into())) })
}

fn run<N: Notifier>(work: &Receiver<Job>, make: impl Fn() -> Result<N, String>) {
    // At once: it also hears whether the system wants quiet.
    let mut notifier = make().ok();
    // Whoever waited for an answer may be gone.
    while let Ok(job) = work.recv() {
        let (outcome, answer) = match job {
            Job::Show(notice, answer) => (tried(&mut notifier, &make, |it| it.show(&notice)), answer),
            Job::Withdraw(key, answer) => (tried(&mut notifier, &make, |it| it.withdraw(&key)), answer),
            Job::Access(ask, answer) => {
                let access = tried(&mut notifier, &make, |it| Ok(it.access(ask)));
                let _ = answer.send(access.unwrap_or(NotificationAccess::Missing));
                continue;
            }
        };
        if let Err(error) = &outcome {
            tracing::warn!(error, "a notification was not shown or withdrawn");
        }
        if let Some(answer) = answer {
            let _ = answer.send(outcome);
        }
    }
}

/// Once more after a failure: whoever shows them may have been started anew.
fn tried<N: Notifier, T>(
    notifier: &mut Option<N>,
    make: &impl Fn() -> Result<N, String>,
    act: impl Fn(&mut N) -> Result<T, String>,
) -> Result<T, String> {
    if let Some(done) = notifier.as_mut().and_then(|notifier| act(notifier).ok()) {
        return Ok(done);
    }
    *notifier = None;
    act(notifier.insert(make()?))
}

/// Notifications that wait for the system: more than a screen shows.
const WAITING_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{Labels, Urgency};
    use crate::words::Words;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};

    struct Noting {
        seen: Arc<Mutex<Vec<String>>>,
        fails: Arc<AtomicU32>,
    }

    impl Notifier for Noting {
        fn show(&mut self, notice: &Notice) -> Result<(), String> {
            if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
            {
                return Err("gone".into());
            }
            self.seen.lock().unwrap().push(notice.title.clone());
            Ok(())
        }

        fn withdraw(&mut self, _key: &Key) -> Result<(), String> {
            self.seen.lock().unwrap().push("withdrawn".into());
            Ok(())
        }

        fn access(&mut self, _ask: bool) -> NotificationAccess {
            NotificationAccess::Granted
        }
    }

    fn notice(title: &str) -> Notice {
        Notice {
            key: Key::Test,
            target: None,
            title: title.into(),
            body: String::new(),
            answers: false,
            sound: false,
            urgency: Urgency::Normal,
            labels: Labels::of(&Words::of(None)),
        }
    }

    #[tokio::test]
    async fn a_daemon_that_went_away_is_looked_for_once_more() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (fails, made) = (Arc::new(AtomicU32::new(1)), Arc::new(AtomicU32::new(0)));
        let (note, count) = (Arc::clone(&seen), Arc::clone(&made));
        let notices = Notices::start(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Noting { seen: Arc::clone(&note), fails: Arc::clone(&fails) })
        })
        .unwrap();
        notices.show_and_wait(notice("a")).await.unwrap();
        notices.withdraw_and_wait(Key::Test).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), ["a", "withdrawn"]);
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }
}
