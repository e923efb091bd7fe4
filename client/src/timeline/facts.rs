use super::State;
use super::echo::{Echo, EchoContent};
use super::reactions::ReactionTable;
use super::receipts::ReceiptTable;
use super::verified::{Content, Verified};
use kith_protocol::event::Target;
use kith_protocol::ids::{Seq, TxnId};
use std::collections::{BTreeMap, BTreeSet};

/// Where a line stands: what is sent by its seq, then what is not in the order written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Sent(Seq),
    Echo(u64),
}

/// Places whose lines may look different after a change.
pub(super) type Touched = BTreeSet<Place>;

/// All that is known of a room, whatever the order in which it became known.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) entries: BTreeMap<Seq, Verified>,
    pub(super) echoes: BTreeMap<u64, Echo>,
    /// The order number of each echo.
    orders: BTreeMap<TxnId, u64>,
    /// Echoes that the relay has stored, and that have not come back as entries.
    pub(super) acked: BTreeMap<Seq, u64>,
    /// Where each id stands. More than one: an entry that came back while its echo is shown, or a relay that repeats.
    places: BTreeMap<Target, BTreeSet<Place>>,
    /// What names an id: its edits, replies, and redactions on the way.
    about: BTreeMap<Target, BTreeSet<Place>>,
    /// Redactions of what stands at a seq.
    pub(super) redactions: BTreeMap<Seq, BTreeSet<Seq>>,
    pub(super) reactions: ReactionTable,
    pub(super) receipts: ReceiptTable,
}

/// What stands at a place.
#[derive(Clone, Copy)]
pub(super) enum Thing<'a> {
    Entry(&'a Verified),
    Echo(&'a Echo),
}

impl Facts {
    /// Takes an entry in. The second part of the answer is the place of the echo that it replaces.
    pub(super) fn insert(&mut self, entry: Verified) -> (Touched, Option<Place>) {
        let mut touched = Touched::new();
        let place = Place::Sent(entry.seq);
        if self.entries.get(&entry.seq).is_some_and(|held| !entry.supersedes(held)) {
            return (touched, None);
        }
        self.spread(place, &mut touched);
        self.unlink(place);
        let echo = self.echo_of(&entry.id());
        if let Some(order) = echo {
            self.remove_echo(order, &mut touched);
        }
        if let Some(other) = self.acked.remove(&entry.seq) {
            // The relay said that this was its place, and now something else stands there: it is not stored after all.
            if let Some(echo) = self.echoes.get_mut(&other) {
                echo.state = State::Waiting;
            }
            self.link(Place::Echo(other));
            self.spread(Place::Echo(other), &mut touched);
        }
        self.entries.insert(entry.seq, entry);
        self.link(place);
        self.spread(place, &mut touched);
        (touched, echo.map(Place::Echo))
    }

    /// Takes something in that was written here.
    pub(super) fn echo(&mut self, echo: Echo) -> Touched {
        let mut touched = Touched::new();
        if matches!(self.place_of(&echo.id), Some(Place::Sent(_))) {
            return touched;
        }
        if let Some(order) = self.orders.get(&echo.id.txn).copied() {
            self.remove_echo(order, &mut touched);
        }
        self.remove_echo(echo.order, &mut touched);
        let order = echo.order;
        self.orders.insert(echo.id.txn, order);
        self.echoes.insert(order, echo);
        self.link(Place::Echo(order));
        self.spread(Place::Echo(order), &mut touched);
        touched
    }

    /// Notes how far an echo has come.
    pub(super) fn echo_state(&mut self, txn: &TxnId, state: State) -> Touched {
        let mut touched = Touched::new();
        if let Some(order) = self.orders.get(txn).copied()
            && let Some(echo) = self.echoes.get_mut(&order)
            && echo.state != State::Sent
        {
            echo.state = state;
            self.spread(self.place_of_echo(order), &mut touched);
        }
        touched
    }

    /// The relay stored an echo at `seq`. The second part of the answer is where it was shown.
    pub(super) fn acked(&mut self, txn: &TxnId, seq: Seq) -> (Touched, Option<Place>) {
        let mut touched = Touched::new();
        let Some(order) = self.orders.get(txn).copied() else { return (touched, None) };
        if self.holds(seq) {
            // Something else stands there, or this was said before.
            return (touched, None);
        }
        let before = self.place_of_echo(order);
        self.spread(before, &mut touched);
        self.unlink(before);
        if let Place::Sent(earlier) = before {
            self.acked.remove(&earlier);
        }
        self.acked.insert(seq, order);
        if let Some(echo) = self.echoes.get_mut(&order) {
            echo.state = State::Sent;
        }
        self.link(Place::Sent(seq));
        self.spread(Place::Sent(seq), &mut touched);
        (touched, Some(before))
    }

    /// Forgets an echo: the person discarded it.
    pub(super) fn discard(&mut self, txn: &TxnId) -> Touched {
        let mut touched = Touched::new();
        if let Some(order) = self.orders.get(txn).copied() {
            self.remove_echo(order, &mut touched);
        }
        touched
    }

    /// Forgets the entries before `seq` and the reactions to them.
    pub(super) fn drop_before(&mut self, seq: Seq) -> Touched {
        let mut touched = Touched::new();
        let dropped: Vec<Seq> = self.entries.range(..seq).map(|(seq, _)| *seq).collect();
        for seq in dropped {
            let place = Place::Sent(seq);
            self.spread(place, &mut touched);
            self.unlink(place);
            if let Some(entry) = self.entries.remove(&seq)
                && self.place_of(&entry.id()).is_none()
            {
                self.reactions.forget(&entry.id());
            }
        }
        touched
    }

    /// Forgets all that came from the relay; keeps what was written here and is not sent.
    pub(super) fn forget_log(&mut self) {
        let echoes = std::mem::take(&mut self.echoes);
        let acked: BTreeSet<u64> = self.acked.values().copied().collect();
        let reactions = std::mem::take(&mut self.reactions);
        *self = Self { reactions: reactions.pending_alone(), ..Self::default() };
        for (_, echo) in echoes.into_iter().filter(|(order, _)| !acked.contains(order)) {
            self.echo(echo);
        }
    }

    /// What stands at `place`.
    pub(super) fn thing(&self, place: Place) -> Option<Thing<'_>> {
        match place {
            Place::Sent(seq) => self.entries.get(&seq).map(Thing::Entry).or_else(|| {
                let order = self.acked.get(&seq)?;
                self.echoes.get(order).map(Thing::Echo)
            }),
            Place::Echo(order) => self.echoes.get(&order).map(Thing::Echo),
        }
    }

    /// Where the message of this name is shown.
    pub(super) fn place_of(&self, id: &Target) -> Option<Place> {
        self.places.get(id)?.first().copied()
    }

    /// The places of all that names `id`, in the order shown.
    pub(super) fn about(&self, id: &Target) -> impl DoubleEndedIterator<Item = Place> {
        self.about.get(id).into_iter().flatten().copied()
    }

    /// Whether what stands at `seq` is known.
    pub(super) fn holds(&self, seq: Seq) -> bool {
        self.entries.contains_key(&seq) || self.acked.contains_key(&seq)
    }

    /// Adds all places whose lines depend on what stands at `place`.
    pub(super) fn spread(&self, place: Place, touched: &mut Touched) {
        // A redaction touches an edit, which touches a text. Ids are chosen by their authors, and may run in circles.
        const STEPS: u8 = 2;
        self.spread_steps(place, touched, STEPS);
    }

    fn spread_steps(&self, place: Place, touched: &mut Touched, steps: u8) {
        touched.insert(place);
        let Some(thing) = self.thing(place) else { return };
        touched.extend(self.about(&thing.id()));
        touched.extend(self.places.get(&thing.id()).into_iter().flatten());
        if steps == 0 {
            return;
        }
        if let Some(seq) = thing.redacts() {
            self.spread_steps(Place::Sent(seq), touched, steps - 1);
        }
        if let Some(target) = thing.changes() {
            for place in self.places.get(target).into_iter().flatten() {
                self.spread_steps(*place, touched, steps - 1);
            }
        }
    }

    fn link(&mut self, place: Place) {
        let Some((id, names, redacts)) = self.thing(place).map(Thing::links) else { return };
        self.places.entry(id).or_default().insert(place);
        if let Some(target) = names {
            self.about.entry(target).or_default().insert(place);
        }
        if let (Some(target), Place::Sent(seq)) = (redacts, place) {
            self.redactions.entry(target).or_default().insert(seq);
        }
    }

    fn unlink(&mut self, place: Place) {
        let Some((id, names, redacts)) = self.thing(place).map(Thing::links) else { return };
        remove(&mut self.places, &id, &place);
        if let Some(target) = names {
            remove(&mut self.about, &target, &place);
        }
        if let (Some(target), Place::Sent(seq)) = (redacts, place) {
            remove(&mut self.redactions, &target, &seq);
        }
    }

    fn echo_of(&self, id: &Target) -> Option<u64> {
        let order = self.orders.get(&id.txn).copied()?;
        self.echoes.get(&order).is_some_and(|echo| echo.id == *id).then_some(order)
    }

    fn place_of_echo(&self, order: u64) -> Place {
        let acked = self.acked.iter().find(|(_, acked)| **acked == order);
        acked.map_or(Place::Echo(order), |(seq, _)| Place::Sent(*seq))
    }

    fn remove_echo(&mut self, order: u64, touched: &mut Touched) {
        if !self.echoes.contains_key(&order) {
            return;
        }
        let place = self.place_of_echo(order);
        self.spread(place, touched);
        self.unlink(place);
        if let Place::Sent(seq) = place {
            self.acked.remove(&seq);
        }
        if let Some(echo) = self.echoes.remove(&order) {
            self.orders.remove(&echo.id.txn);
        }
    }
}

impl<'a> Thing<'a> {
    pub(super) fn id(self) -> Target {
        match self {
            Self::Entry(entry) => entry.id(),
            Self::Echo(echo) => echo.id,
        }
    }

    /// The message that this edits or is about to take away.
    fn changes(self) -> Option<&'a Target> {
        match self {
            Self::Entry(Verified { content: Content::Edit(edit), .. })
            | Self::Echo(Echo { content: EchoContent::Edit(edit), .. }) => Some(&edit.target),
            Self::Echo(Echo { content: EchoContent::Redaction(target), .. }) => Some(target),
            _ => None,
        }
    }

    fn redacts(self) -> Option<Seq> {
        match self {
            Self::Entry(Verified { content: Content::Redaction(redaction), .. }) => Some(redaction.target),
            _ => None,
        }
    }

    fn links(self) -> (Target, Option<Target>, Option<Seq>) {
        let answers = match self {
            Self::Entry(Verified { content: Content::Text(text), .. })
            | Self::Echo(Echo { content: EchoContent::Text(text), .. }) => {
                text.reply_to.map(|reply| reply.target)
            }
            _ => None,
        };
        (self.id(), self.changes().copied().or(answers), self.redacts())
    }
}

fn remove<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(values) = index.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(key);
        }
    }
}
