//! Who is told when: a machine without socket, store or clock. The courier does what it says.

use crate::clock::Instant;
use crate::store::pushes::{PushId, PushPerson, PushTarget, TargetId};
use kith_protocol::ids::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// After a push, what comes next waits for so long, and goes together.
const GAP: Duration = Duration::from_secs(30);
/// A frame may have been under way already when the message came: only one that comes this much later says that the device
/// is there.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// An act that the store refused is tried again after this.
const STORE_PAUSE: Duration = Duration::from_secs(10);
/// The pause after the first try; each later one is [`RETRY_FACTOR`] times as long.
const RETRY_AFTER: Duration = Duration::from_secs(10);
const RETRY_FACTOR: u32 = 4;
/// However long the other side asks for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);
/// Then the last pause was 43 minutes.
const TRIES_MAX: u32 = 6;

/// What is due at once beyond this comes up with the next question.
pub const ACTS_MAX: usize = 16;

/// What is known of a person's devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Some device is connected, as far as the relay can tell.
    pub connected: bool,
    /// When the relay heard last from any device, connected ones and others.
    pub heard: Option<Instant>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The person was there since: nothing waits for them any more.
    Drop(AccountId),
    /// What waits goes to the person's targets now; to these not before their pause is over.
    Collect(AccountId, Vec<TargetId>),
    /// Another try.
    Retry(AccountId, TargetId),
}

/// Everybody for whom something waits.
#[derive(Debug)]
pub struct Rounds {
    started: Instant,
    silence: Duration,
    rounds: BTreeMap<AccountId, Round>,
}

#[derive(Debug)]
struct Round {
    /// When the newest message came.
    newest: Instant,
    /// So long they want to be away before they are told.
    after: Duration,
    /// Something is not on its way yet.
    waiting: bool,
    /// When the last push was made.
    told: Option<Instant>,
    /// Tries whose outcome is not known yet.
    in_flight: BTreeSet<(TargetId, PushId)>,
    /// Where a try failed, and when the next is due.
    retries: BTreeMap<TargetId, Instant>,
    /// Not to be looked at before.
    look_at: Instant,
}

impl Rounds {
    /// Nobody yet.
    pub fn new(now: Instant, silence: Duration) -> Self {
        Self { started: now, silence, rounds: BTreeMap::new() }
    }

    /// Something came for somebody.
    pub fn noted(&mut self, now: Instant, account: AccountId, after: Duration) {
        let round = self.round(now, account, after);
        round.newest = now;
        round.waiting = true;
        round.look_at = round.look_at.min(now);
    }

    /// What a relay has left that ended in between.
    pub fn take_up(&mut self, now: Instant, person: &PushPerson, targets: &[PushTarget]) {
        let after = Duration::from_secs(person.wishes.after_s.into());
        if person.waiting.is_some() {
            self.noted(now, person.account, after);
        }
        for target in targets.iter().filter(|target| target.out.is_some()) {
            let round = self.round(now, person.account, after);
            round.retries.insert(target.id, now + RETRY_AFTER);
        }
    }

    /// What is due, of some people. Each act is answered with one of the functions below.
    pub fn due(&mut self, now: Instant, seen: impl Fn(&AccountId) -> Seen) -> Vec<Act> {
        let mut acts = Vec::new();
        let (started, silence) = (self.started, self.silence);
        self.rounds.retain(|account, round| {
            if round.look_at > now || acts.len() >= ACTS_MAX {
                return true;
            }
            let seen = seen(account);
            if seen.heard.is_some_and(|heard| heard >= round.newest + UNDER_WAY) {
                if round.waiting || !round.retries.is_empty() || !round.in_flight.is_empty() {
                    acts.push(Act::Drop(*account));
                }
                return false;
            }
            if let Some(until) = present_until(seen, now, silence) {
                round.look_at = until;
                return true;
            }
            round.act(*account, now, seen.heard.unwrap_or(started), &mut acts)
        });
        acts
    }

    /// A connection of which nothing was heard for so long counts as gone.
    pub fn silence(&self) -> Duration {
        self.silence
    }

    /// They were there: nothing waits for them any more.
    pub fn came_back(&mut self, account: &AccountId) {
        self.rounds.remove(account);
    }

    /// When something may be due; `None`: not before something is noted.
    pub fn next(&self) -> Option<Instant> {
        self.rounds.values().map(|round| round.look_at).min()
    }

    /// What waited was stored as on its way, to these targets.
    pub fn collected(&mut self, now: Instant, account: &AccountId, targets: &[PushTarget]) {
        let Some(round) = self.rounds.get_mut(account) else { return };
        round.waiting = false;
        round.told = Some(now);
        round.in_flight.extend(targets.iter().filter_map(|it| Some((it.id, it.out?.id))));
    }

    /// Another try has begun.
    pub fn begun(&mut self, account: &AccountId, targets: &[PushTarget]) {
        let Some(round) = self.rounds.get_mut(account) else { return };
        for (target, out) in targets.iter().filter_map(|it| Some((it.id, it.out?))) {
            round.retries.remove(&target);
            round.in_flight.insert((target, out.id));
        }
    }

    /// There is nothing for this target any more.
    pub fn gone(&mut self, account: &AccountId, target: &TargetId) {
        if let Some(round) = self.rounds.get_mut(account) {
            round.retries.remove(target);
        }
    }

    /// A try has ended; the next is after this pause, if there is to be one.
    pub fn ended(
        &mut self,
        now: Instant,
        account: &AccountId,
        (target, push): (TargetId, PushId),
        again: Option<Duration>,
    ) {
        // Somebody who came back in between is not tried any more.
        let Some(round) = self.rounds.get_mut(account) else { return };
        if !round.in_flight.remove(&(target, push)) {
            return;
        }
        round.look_at = now;
        if let Some(pause) = again {
            round.retries.insert(target, now + pause);
        }
    }

    fn round(&mut self, now: Instant, account: AccountId, after: Duration) -> &mut Round {
        let round = self.rounds.entry(account).or_insert_with(|| Round {
            newest: now,
            after,
            waiting: false,
            told: None,
            in_flight: BTreeSet::new(),
            retries: BTreeMap::new(),
            look_at: now,
        });
        round.after = after;
        round
    }
}

impl Round {
    /// For somebody who is away. Whether there is anything more to wait for.
    fn act(&mut self, account: AccountId, now: Instant, away_since: Instant, acts: &mut Vec<Act>) -> bool {
        // Whoever was there in between has seen the last one.
        let after_last = self.told.filter(|told| *told >= away_since).map(|told| told + GAP);
        if !self.in_flight.is_empty() {
            // Whoever ends it has this looked at again.
            self.look_at = now + RETRY_AFTER_MAX;
            return true;
        }
        let due = after_last.map_or(away_since + self.after, |at| at.max(away_since + self.after));
        if self.waiting && due <= now {
            let paused = self.retries.iter().filter(|(_, at)| **at > now).map(|(target, _)| *target);
            acts.push(Act::Collect(account, paused.collect()));
            self.retries.retain(|_, at| *at > now);
            self.look_at = now + STORE_PAUSE;
            return true;
        }
        let mut looks = Vec::new();
        for (target, at) in &self.retries {
            if *at <= now {
                acts.push(Act::Retry(account, *target));
                looks.push(now + STORE_PAUSE);
            } else {
                looks.push(*at);
            }
        }
        if self.waiting {
            looks.push(due);
        }
        // Kept for the sake of the gap.
        looks.extend(after_last.filter(|at| *at > now));
        let Some(next) = looks.into_iter().min() else { return false };
        self.look_at = next;
        true
    }
}

/// Until when a person counts as there, if nothing more is heard of them; `None`: they do not.
pub fn present_until(seen: Seen, now: Instant, silence: Duration) -> Option<Instant> {
    if !seen.connected {
        return None;
    }
    let until = seen.heard.unwrap_or(now) + silence;
    (until > now).then_some(until)
}

/// The pause before the next try, if there is one.
pub fn pause(tries: u32, wanted: Option<Duration>) -> Option<Duration> {
    if tries >= TRIES_MAX {
        return None;
    }
    let own = RETRY_AFTER * RETRY_FACTOR.pow(tries.saturating_sub(1));
    Some(wanted.map_or(own, |wanted| wanted.max(own)).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::Place;
    use crate::store::pushes::{News, PushOut};
    use kith_protocol::frame::PushOption;

    const ALICE: AccountId = AccountId([1; 32]);
    const PHONE: TargetId = [7; 16];

    const PUSH: (TargetId, PushId) = (PHONE, [8; 16]);

    fn phone() -> PushTarget {
        let option = PushOption { name: "url".into(), value: "https://ntfy.example/alice".into() };
        let news = News { count: 1, sender: ALICE };
        PushTarget {
            id: PHONE,
            account: ALICE,
            place: Place::parse("ntfy", &[option]).unwrap(),
            created_at: 1,
            failure: None,
            out: Some(PushOut { id: PUSH.1, news, tries: 1, begun: true, unsure: false }),
        }
    }

    fn s(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn away(heard: Instant) -> impl Fn(&AccountId) -> Seen {
        move |_| Seen { connected: false, heard: Some(heard) }
    }

    fn there(heard: Instant) -> impl Fn(&AccountId) -> Seen {
        move |_| Seen { connected: true, heard: Some(heard) }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_away_long_enough_is_told_at_once_and_then_with_a_gap() {
        let start = Instant::now();
        let mut rounds = Rounds::new(start, s(45));
        rounds.noted(start + s(10), ALICE, s(30));
        assert_eq!(rounds.due(start + s(10), away(start)), []);
        assert_eq!(rounds.next(), Some(start + s(30)), "30 seconds after they were there");
        let collect = || Act::Collect(ALICE, vec![]);
        assert_eq!(rounds.due(start + s(30), away(start)), [collect()]);
        rounds.collected(start + s(30), &ALICE, &[phone()]);
        rounds.noted(start + s(31), ALICE, s(30));
        assert_eq!(rounds.due(start + s(32), away(start)), [], "one is under way");
        rounds.ended(start + s(33), &ALICE, PUSH, None);
        assert_eq!(rounds.due(start + s(34), away(start)), []);
        assert_eq!(rounds.next(), Some(start + s(60)));
        assert_eq!(rounds.due(start + s(60), away(start)), [collect()]);
        rounds.collected(start + s(60), &ALICE, &[phone()]);
        rounds.ended(start + s(61), &ALICE, PUSH, None);
        assert_eq!(rounds.due(start + s(90), away(start)), []);
        assert_eq!(rounds.next(), None, "and forgotten");
        rounds.noted(start + s(899), ALICE, s(30));
        rounds.due(start + s(899), away(start));
        rounds.collected(start + s(899), &ALICE, &[]);
        rounds.noted(start + s(906), ALICE, s(1));
        let collect_again = rounds.due(start + s(910), away(start + s(901)));
        assert_eq!(collect_again, [collect()], "they were there in between");
        rounds = Rounds::new(start, s(45));
        rounds.noted(start + s(900), ALICE, s(30));
        assert_eq!(rounds.due(start + s(900), away(start)), [collect()], "away for long: at once");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_there_is_not_told_and_silence_counts_as_away() {
        let start = Instant::now();
        let mut rounds = Rounds::new(start, s(45));
        rounds.noted(start + s(10), ALICE, s(30));
        assert_eq!(rounds.due(start + s(10), there(start + s(9))), []);
        assert_eq!(rounds.next(), Some(start + s(54)));
        // It answered a ping in between.
        assert_eq!(rounds.due(start + s(54), there(start + s(40))), [Act::Drop(ALICE)]);
        assert_eq!(rounds.next(), None);
        rounds.noted(start + s(100), ALICE, s(30));
        assert_eq!(rounds.due(start + s(100), there(start + s(99))), []);
        assert_eq!(rounds.due(start + s(144), there(start + s(99))), [Act::Collect(ALICE, vec![])]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_is_tried_again_after_growing_pauses_unless_they_came_back() {
        let start = Instant::now();
        let mut rounds = Rounds::new(start, s(45));
        rounds.noted(start, ALICE, s(0));
        assert_eq!(rounds.due(start, |_| Seen::default()), [Act::Collect(ALICE, vec![])]);
        rounds.collected(start, &ALICE, &[phone()]);
        let mut now = start;
        for (tries, seconds) in (1..).zip([10, 40, 160, 640, 2560]) {
            assert_eq!(pause(tries, None), Some(s(seconds)));
            rounds.ended(now, &ALICE, PUSH, pause(tries, None));
            assert_eq!(rounds.due(now + s(seconds - 1), |_| Seen::default()), []);
            now += s(seconds);
            assert_eq!(rounds.due(now, |_| Seen::default()), [Act::Retry(ALICE, PHONE)]);
            rounds.begun(&ALICE, &[phone()]);
        }
        assert_eq!(pause(6, None), None);
        rounds.ended(now, &ALICE, PUSH, Some(s(10)));
        assert_eq!(rounds.due(now + s(10), away(now + s(5))), [Act::Drop(ALICE)]);
        assert_eq!((pause(1, Some(s(99))), pause(1, Some(s(99_999)))), (Some(s(99)), Some(s(3600))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_told_some_at_a_time_and_all_at_last() {
        let start = Instant::now();
        let mut rounds = Rounds::new(start, s(45));
        let everybody: BTreeSet<_> = (0..40).map(|n| AccountId([n; 32])).collect();
        for account in &everybody {
            rounds.noted(start, *account, s(0));
        }
        let mut told = BTreeSet::new();
        for count in [16, 16, 8] {
            assert_eq!(rounds.next(), Some(start), "somebody is left");
            let acts = rounds.due(start, |_| Seen::default());
            assert_eq!(acts.len(), count);
            for act in acts {
                let Act::Collect(account, _) = act else { panic!("{act:?}") };
                rounds.collected(start, &account, &[]);
                assert!(told.insert(account));
            }
        }
        assert_eq!(told, everybody);
        assert_eq!(rounds.due(start, |_| Seen::default()), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_outlasts_what_comes_in_between() {
        let start = Instant::now();
        let mut rounds = Rounds::new(start, s(45));
        rounds.noted(start, ALICE, s(0));
        rounds.due(start, |_| Seen::default());
        rounds.collected(start, &ALICE, &[phone()]);
        rounds.ended(start, &ALICE, PUSH, Some(s(100)));
        rounds.noted(start + s(1), ALICE, s(0));
        assert_eq!(rounds.due(start + s(1), |_| Seen::default()), []);
        let act = Act::Collect(ALICE, vec![PHONE]);
        assert_eq!(rounds.due(start + s(30), |_| Seen::default()), [act]);
        rounds.collected(start + s(30), &ALICE, &[]);
        assert_eq!(rounds.due(start + s(100), |_| Seen::default()), [Act::Retry(ALICE, PHONE)]);
    }
}
