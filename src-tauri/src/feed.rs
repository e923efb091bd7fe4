//! What goes to the window: updates in batches, at most one a frame, in the order in which they happened.

use crate::ipc::Update;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// Where batches go: the channel of a window, or a test.
pub(crate) trait Sink: Send + 'static {
    /// Hands a batch over; `false` if nobody is there any more.
    fn send(&self, batch: Vec<Update>) -> bool;
}

/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Feed {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    sink: Option<Box<dyn Sink>>,
    waiting: Vec<Update>,
    lagged: bool,
}

impl Feed {
    /// From now on to this window, and to no other. What waited for another is dropped: this one asks for everything.
    pub(crate) fn attach(&self, sink: impl Sink) {
        let mut state = self.state();
        *state = State { sink: Some(Box::new(sink)), ..State::default() };
    }

    /// The window is gone.
    pub(crate) fn detach(&self) {
        *self.state() = State::default();
    }

    /// Whether somebody listens.
    pub(crate) fn is_attached(&self) -> bool {
        self.state().sink.is_some()
    }

    /// Tells of something. Without a window it is forgotten.
    pub(crate) fn push(&self, update: Update) {
        let mut state = self.state();
        if state.sink.is_none() || state.lagged {
            return;
        }
        if state.waiting.len() >= WAITING_MAX {
            state.waiting.clear();
            state.lagged = true;
        } else {
            state.waiting.push(update);
        }
        drop(state);
        self.shared.wake.notify_one();
    }

    /// Hands batches over, for ever.
    pub(crate) async fn run(self) {
        loop {
            self.shared.wake.notified().await;
            // What comes within a frame is drawn in that frame.
            sleep(FRAME).await;
            self.flush();
        }
    }

    fn flush(&self) {
        let mut state = self.state();
        let mut batch = std::mem::take(&mut state.waiting);
        if std::mem::take(&mut state.lagged) {
            batch = vec![Update::Lagged];
        }
        let gone = !batch.is_empty() && state.sink.as_ref().is_some_and(|sink| !sink.send(batch));
        if gone {
            *state = State::default();
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One frame of most screens.
const FRAME: Duration = Duration::from_millis(16);
/// Updates that wait for one frame: more is quicker asked for anew than drawn one by one.
const WAITING_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{ProfileId, Update};
    use tokio::sync::mpsc;

    impl Sink for mpsc::UnboundedSender<Vec<Update>> {
        fn send(&self, batch: Vec<Update>) -> bool {
            mpsc::UnboundedSender::send(self, batch).is_ok()
        }
    }

    fn update(name: &str) -> Update {
        Update::Devices { profile: ProfileId(name.into()) }
    }

    #[tokio::test]
    async fn what_comes_together_is_one_batch() {
        let feed = Feed::default();
        tokio::spawn(feed.clone().run());
        let (sink, mut batches) = mpsc::unbounded_channel();
        feed.push(update("nobody"));
        feed.attach(sink);
        feed.push(update("a"));
        feed.push(update("b"));
        assert_eq!(batches.recv().await.unwrap(), [update("a"), update("b")]);
        feed.push(update("c"));
        assert_eq!(batches.recv().await.unwrap(), [update("c")]);
    }

    #[tokio::test]
    async fn too_much_becomes_one_word() {
        let feed = Feed::default();
        tokio::spawn(feed.clone().run());
        let (sink, mut batches) = mpsc::unbounded_channel();
        feed.attach(sink);
        (0..=WAITING_MAX + 5).for_each(|_| feed.push(update("a")));
        assert_eq!(batches.recv().await.unwrap(), [Update::Lagged]);
    }

    #[tokio::test]
    async fn a_window_that_is_gone_is_forgotten() {
        let feed = Feed::default();
        let (sink, batches) = mpsc::unbounded_channel();
        feed.attach(sink);
        drop(batches);
        feed.push(update("a"));
        feed.flush();
        assert!(!feed.is_attached());
    }
}
