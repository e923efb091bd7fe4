//! A command at work: the client, the output, and how long it may wait.

use crate::args::Options;
use crate::exit::{Exit, Failure, Outcome};
use crate::lines::Line;
use crate::names;
use crate::out::{Asking, Bar, Out};
use crate::people::People;
use crate::text;
use kith_client::timeline::{Kind, Message};
use kith_client::{Client, Person, Progress, RequestError, RoomSummary, SyncError};
use kith_protocol::ids::{AccountId, RoomId};
use std::time::Duration;

/// How long the relay may take for one thing.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long a sync may take; also, how long somebody may take to type a link code.
pub(crate) const LONG_MAX: Duration = Duration::from_secs(600);

pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) out: Out,
    pub(crate) asking: Asking,
    pub(crate) people: People,
    timeout: Option<Duration>,
}

impl Session {
    pub(crate) fn new(client: Client, options: &Options) -> Self {
        Self {
            client,
            out: Out::new(options.json),
            asking: Asking { yes: options.yes },
            people: People::default(),
            timeout: options.timeout,
        }
    }

    /// How long to wait for one answer.
    pub(crate) fn patience(&self) -> Duration {
        self.timeout.unwrap_or(ANSWER_MAX)
    }

    /// How long to wait for much, or for a person.
    pub(crate) fn long_patience(&self) -> Duration {
        self.timeout.unwrap_or(LONG_MAX)
    }

    /// Connects; no connection is a failure.
    pub(crate) async fn online(&self) -> Outcome {
        Ok(self.client.online(self.patience()).await?)
    }

    /// Connects if that can be; `None` if not, with the reason. A relay that shuts us out is a failure.
    pub(crate) async fn try_online(&self) -> Outcome<Option<SyncError>> {
        match self.client.online(self.patience()).await {
            Ok(()) => Ok(None),
            Err(why @ (SyncError::Offline(_) | SyncError::TimedOut)) => Ok(Some(why)),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends what waits and fetches what is new.
    pub(crate) async fn sync(&self) -> Outcome<Progress> {
        let bar = Bar::new();
        let progress = self.client.sync_once(self.long_patience(), |progress| bar.show(progress)).await?;
        drop(bar);
        self.tell_announcement().await?;
        Ok(progress)
    }

    /// What an admin of the relay has to say to everybody.
    pub(crate) async fn tell_announcement(&self) -> Outcome {
        if let Some(said) = self.client.announcement().await? {
            self.out.note(&format!("announcement: {}", text::line(&said.text)));
        }
        Ok(())
    }

    /// The same; without a connection a note says so, and what is here counts.
    pub(crate) async fn try_sync(&self) -> Outcome<bool> {
        match self.sync().await {
            Ok(_) => Ok(true),
            Err(failure) if failure.exit == Exit::NoNetwork => {
                self.out.note(&format!("not in step with the relay: {}", failure.sentence));
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Lets what was changed here reach the relay, if there is a way; else it goes out later.
    pub(crate) async fn publish(&self) -> Outcome {
        match self.client.sync_once(self.patience(), |_| ()).await {
            Ok(_) => Ok(()),
            Err(SyncError::Offline(why)) => {
                self.out.note(&format!("kept here, and shared with the next connection: {why}"));
                Ok(())
            }
            Err(SyncError::TimedOut) => {
                self.out.note("kept here, and shared with the next connection: the relay is slow");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The room of this name.
    pub(crate) async fn room(&self, name: &str) -> Outcome<RoomSummary> {
        names::room(&self.client, name).await
    }

    /// The message that is meant; one that is not on this device yet is fetched, if there is a connection.
    pub(crate) async fn message(&self, room: RoomId, name: &str) -> Outcome<Message> {
        let here = names::message(&self.client, room, name).await;
        if here.as_ref().is_err_and(|failure| failure.exit == Exit::NotFound) && self.try_sync().await? {
            return names::message(&self.client, room, name).await;
        }
        here
    }

    /// Whoever has this handle. A handle that means somebody else than before is asked about.
    pub(crate) async fn person(&self, handle: &str) -> Outcome<Person> {
        match self.client.lookup(handle).await {
            Err(RequestError::HandleMoved { handle, .. }) => {
                self.accept_moved(&handle).await?;
                Ok(self.client.lookup(&handle).await?)
            }
            Err(error @ (RequestError::Offline | RequestError::Lost | RequestError::TimedOut)) => {
                let wanted = handle.trim_start_matches('@').to_lowercase();
                let known = self.client.known_people().await?;
                let known = known.into_values().find(|person| person.handle == wanted);
                known.ok_or_else(|| error.into())
            }
            found => Ok(found?),
        }
    }

    /// Asks whether a handle may mean somebody else from now on.
    pub(crate) async fn accept_moved(&self, handle: &str) -> Outcome {
        let question =
            format!("@{handle} is another account than before. Is that right, and are they who they say?");
        if !self.asking.confirm(&question) {
            return Err(Failure::new(
                Exit::Unproven,
                format!("@{handle} is another account than before: nothing was sent"),
            ));
        }
        self.client.accept_handle(handle).await;
        Ok(())
    }

    /// The accounts of these handles.
    pub(crate) async fn accounts(&self, handles: &[String]) -> Outcome<Vec<AccountId>> {
        let mut accounts = Vec::with_capacity(handles.len());
        for handle in handles {
            accounts.push(self.person(handle).await?.account);
        }
        Ok(accounts)
    }

    /// A message with all its names.
    pub(crate) async fn line_of(&mut self, room: &RoomSummary, message: &Message) -> Outcome<Line> {
        self.people.meet(&self.client, message).await?;
        let people = &self.people;
        let words = (message.kind == Kind::Control).then(|| {
            let actor = people.shown(&message.sender);
            let said = message.changes.iter().map(|change| change.sentence(&actor, |who| people.shown(who)));
            said.collect::<Vec<_>>().join("; ")
        });
        let sender = people.person(&message.sender);
        let device = people.device(&message.id.device);
        Ok(Line::new(room, message, &sender, device, |account| people.handle(account), words))
    }

    /// Prints a message.
    pub(crate) async fn print(&mut self, room: &RoomSummary, message: &Message) -> Outcome {
        let line = self.line_of(room, message).await?;
        self.out.either(&line, || crate::render::line(&line, false))
    }
}
