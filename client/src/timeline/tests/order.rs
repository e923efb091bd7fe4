//! Whatever comes in whatever order: all see the same, and who follows the steps sees it too.

use super::reference::Known;
use super::*;
use proptest::prelude::*;

const ENTRIES: u8 = 16;

#[derive(Debug, Clone)]
enum Op {
    /// One entry, with its body or without, or a page.
    Insert(Vec<Verified>),
    Register(RegisterValue),
    Choose(Reaction),
    Settle(Target, String),
    Echo(Echo),
    State(TxnId, State),
    /// The entry that an echo becomes.
    Acked(TxnId, Seq),
    Discard(TxnId),
    DropBefore(Seq),
    Reset,
}

fn account() -> impl Strategy<Value = AccountId> {
    prop_oneof![Just(ALICE), Just(BOB)]
}

/// Names what exists, what will, and what never does.
fn target() -> impl Strategy<Value = Target> {
    (account(), prop_oneof![1..=ENTRIES, 101..=104_u8]).prop_map(|(account, n)| id(account, n))
}

fn content(seq: u8) -> impl Strategy<Value = Content> {
    let words = "[a-z]{1,3}";
    prop_oneof![
        4 => words.prop_map(|words| text(&words)),
        2 => (target(), 0..20_u64, words).prop_map(|(target, seq, words)| answer(target, seq, &words)),
        4 => (target(), words).prop_map(|(target, words)| edit(target, &words)),
        3 => (1..=ENTRIES, any::<bool>(), prop::option::of(target()), prop::bool::weighted(0.9)).prop_map(
            |(target, moderates, edit_of, sound)| Content::Redaction(Redaction {
                target: Seq(target.into()),
                digest: Hash([if sound { target } else { 0 }; 32]),
                moderates,
                edit_of,
            })
        ),
        1 => Just(Content::Control(vec![Change::Added { who: CAROL }])),
        1 => Just(Content::Unknown),
        1 => Just(Content::Invalid),
    ]
    .prop_map(move |content| match content {
        // Nothing takes itself away.
        Content::Redaction(it) if it.target == Seq(seq.into()) => Content::Unknown,
        content => content,
    })
}

/// The one log of a relay. The first two texts or edits of Alice were echoes before: their names say which.
fn log() -> impl Strategy<Value = Vec<Verified>> {
    let entries: Vec<_> = (1..=ENTRIES).map(|seq| (account(), content(seq)).boxed()).collect();
    entries.prop_map(|entries| {
        let mut names = 101..=102_u8;
        let mut log = Vec::new();
        for (seq, (account, content)) in (1..=ENTRIES).zip(entries) {
            let mut entry = entry(seq, account, content);
            if account == ALICE
                && matches!(entry.content, Content::Text(_) | Content::Edit(_))
                && let Some(name) = names.next()
            {
                entry.txn = TxnId([name; 16]);
            }
            log.push(entry);
        }
        log
    })
}

/// The echo that came before an entry.
fn echo_of(entry: &Verified) -> Option<Echo> {
    let order = entry.txn.0[0].checked_sub(100).filter(|order| *order > 0)?;
    let content = match &entry.content {
        Content::Text(text) => EchoContent::Text(text.clone()),
        Content::Edit(edit) => EchoContent::Edit(edit.clone()),
        _ => return None,
    };
    Some(Echo { id: entry.id(), at: entry.at, ..echo(order, content) })
}

fn unsent() -> impl Strategy<Value = Echo> {
    let content = prop_oneof![
        "[a-z]{1,3}".prop_map(|text| EchoContent::Text(words(&text))),
        (target(), "[a-z]{1,3}").prop_map(|(target, text)| EchoContent::Edit(new_words(target, &text))),
        target().prop_map(EchoContent::Redaction),
    ];
    (103..=104_u8, content, state()).prop_map(|(n, content, state)| Echo { state, ..echo(n - 100, content) })
}

fn state() -> impl Strategy<Value = State> {
    let code = kith_protocol::error::ErrorCode::Denied;
    prop_oneof![Just(State::Waiting), Just(State::Sending), Just(State::Failed { code })]
}

fn register() -> impl Strategy<Value = RegisterValue> {
    let emoji = prop_oneof![Just("+"), Just("-")];
    prop_oneof![
        // A rev belongs to one write alone.
        (1..50_u64, account(), target(), emoji, any::<bool>()).prop_map(
            |(rev, account, target, emoji, on)| reaction(rev * 2 + u64::from(on), account, target, emoji, on)
        ),
        (1..50_u64, account(), 0..20_u64).prop_map(|(rev, account, seq)| receipt(
            rev * 100 + seq,
            account,
            seq
        )),
    ]
}

fn without_body(entry: &Verified) -> Verified {
    Verified { content: Content::Redacted, ..entry.clone() }
}

fn op(log: &[Verified]) -> impl Strategy<Value = Op> + use<> {
    let entries = log.to_vec();
    let any_entry = || prop::sample::select(entries.clone());
    let echoed: Vec<(Echo, Seq)> = log.iter().filter_map(|it| Some((echo_of(it)?, it.seq))).collect();
    let (mut echo, mut acked) = (unsent().boxed(), Just(Op::Reset).boxed());
    if !echoed.is_empty() {
        let sent = prop::sample::select(echoed);
        echo = prop_oneof![echo, sent.clone().prop_map(|(echo, _)| echo)].boxed();
        acked = sent.prop_map(|(echo, seq)| Op::Acked(echo.id.txn, seq)).boxed();
    }
    let chosen = |(target, emoji, on): (Target, &str, bool)| Reaction { target, emoji: emoji.to_owned(), on };
    let emoji = || prop_oneof![Just("+"), Just("-")];
    let txn = || (101..=104_u8).prop_map(|n| TxnId([n; 16]));
    prop_oneof![
        8 => any_entry().prop_map(|entry| Op::Insert(vec![entry])),
        2 => any_entry().prop_map(|entry| match entry.content {
            Content::Text(_) | Content::Edit(_) => Op::Insert(vec![without_body(&entry)]),
            _ => Op::Insert(vec![entry]),
        }),
        3 => prop::collection::vec(any_entry(), 2..9).prop_map(Op::Insert),
        4 => register().prop_map(Op::Register),
        1 => (target(), emoji(), any::<bool>()).prop_map(move |it| Op::Choose(chosen(it))),
        1 => (target(), emoji()).prop_map(|(target, emoji)| Op::Settle(target, emoji.to_owned())),
        5 => echo.prop_map(Op::Echo),
        2 => (txn(), state()).prop_map(|(txn, state)| Op::State(txn, state)),
        3 => acked,
        1 => txn().prop_map(Op::Discard),
        1 => (1..=u64::from(ENTRIES)).prop_map(|seq| Op::DropBefore(Seq(seq))),
        1 => Just(Op::Reset),
    ]
}

fn take_step(shown: &mut Shown, known: &mut Known, op: Op) {
    match op {
        Op::Insert(entries) => {
            for entry in &entries {
                known.insert(entry);
            }
            shown.change(|timeline| timeline.insert_all(entries));
        }
        Op::Register(value) => {
            known.register(&value);
            shown.register(&value);
        }
        Op::Choose(reaction) => {
            known.chosen.insert((reaction.target, ALICE, reaction.emoji.clone()), reaction.on);
            shown.change(|timeline| timeline.echo_reaction(ALICE, &reaction));
        }
        Op::Settle(target, emoji) => {
            known.chosen.remove(&(target, ALICE, emoji.clone()));
            shown.change(|timeline| timeline.settle_reaction(ALICE, &target, &emoji));
        }
        Op::Echo(echo) => {
            let stored = known.entries.values().any(|entry| entry.id() == echo.id);
            let acked = known.echoes.iter().any(|(it, seq)| it.id == echo.id && seq.is_some());
            if !stored && !acked {
                known.echoes.retain(|(it, _)| it.id != echo.id);
                known.echoes.push((echo.clone(), None));
            }
            shown.echo(echo);
        }
        Op::State(txn, state) => {
            for (echo, seq) in &mut known.echoes {
                if echo.id.txn == txn && seq.is_none() {
                    echo.state = state;
                }
            }
            shown.change(|timeline| timeline.echo_state(&txn, state));
        }
        Op::Acked(txn, at) => {
            for (echo, seq) in &mut known.echoes {
                if echo.id.txn == txn {
                    (echo.state, *seq) = (State::Sent, Some(at));
                }
            }
            shown.change(|timeline| timeline.acked(&txn, at));
        }
        Op::Discard(txn) => {
            known.echoes.retain(|(echo, _)| echo.id.txn != txn);
            shown.change(|timeline| timeline.discard(&txn));
        }
        Op::DropBefore(seq) => {
            let kept = known.entries.split_off(&seq);
            for entry in std::mem::replace(&mut known.entries, kept).into_values() {
                known.reactions.retain(|(target, ..), _| *target != entry.id());
            }
            shown.change(|timeline| timeline.drop_before(seq));
        }
        Op::Reset => {
            known.entries.clear();
            known.reactions.clear();
            known.receipts.clear();
            known.echoes.retain(|(_, seq)| seq.is_none());
            shown.change(Timeline::reset);
        }
    }
}

/// All that there is to know, shuffled, some of it twice, in batches.
fn arrivals() -> impl Strategy<Value = (Vec<Op>, Vec<Op>)> {
    (log(), prop::collection::vec(register(), 0..12), prop::collection::vec(unsent(), 0..3)).prop_flat_map(
        |(log, registers, unsent)| {
            let known =
                Known { entries: log.iter().map(|it| (it.seq, it.clone())).collect(), ..Known::default() };
            let echoes = log.iter().filter_map(echo_of).chain(unsent).map(Op::Echo);
            let acks = log.iter().filter(|it| echo_of(it).is_some()).map(|it| Op::Acked(it.txn, it.seq));
            let entries = log.iter().flat_map(|it| {
                // A body that was taken away may be gone when the entry comes, or may have come before.
                let gone = known.is_taken(it).then(|| Op::Insert(vec![without_body(it)]));
                [Some(Op::Insert(vec![it.clone()])), gone].into_iter().flatten()
            });
            // Of two echoes of the same name the later counts: here each comes once, as in an outbox.
            let mut names = std::collections::BTreeSet::new();
            let echoes = echoes.filter(move |op| matches!(op, Op::Echo(echo) if names.insert(echo.id)));
            let all: Vec<Op> =
                entries.chain(acks).chain(echoes).chain(registers.into_iter().map(Op::Register)).collect();
            let shuffled = |all: Vec<Op>| {
                let twice = prop::collection::vec(prop::sample::select(all.clone()), 0..10);
                twice.prop_flat_map(move |twice| Just([all.clone(), twice].concat()).prop_shuffle())
            };
            (shuffled(all.clone()), shuffled(all))
        },
    )
}

/// Joins entries that follow each other into pages.
fn in_pages(ops: Vec<Op>) -> Vec<Op> {
    let mut joined: Vec<Op> = Vec::new();
    for op in ops {
        match (joined.last_mut(), op) {
            (Some(Op::Insert(page)), Op::Insert(more)) if page.len() < 5 => page.extend(more),
            (_, op) => joined.push(op),
        }
    }
    joined
}

impl Known {
    /// Whether the relay gives this entry without its body now.
    fn is_taken(&self, entry: &Verified) -> bool {
        if !matches!(entry.content, Content::Text(_) | Content::Edit(_) | Content::Unknown) {
            return false;
        }
        // What is no edit either shows, unless it was taken away.
        let mut known = self.clone();
        known.entries.insert(entry.seq, Verified { content: Content::Unknown, ..entry.clone() });
        !known.lines().iter().any(|line| line.seq == Some(entry.seq) && !line.redacted)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_step_leads_to_what_the_rules_say(ops in log().prop_flat_map(|log| prop::collection::vec(op(&log), 1..40))) {
        let mut shown = Shown::default();
        let mut known = Known::default();
        for op in ops {
            take_step(&mut shown, &mut known, op.clone());
            prop_assert_eq!(&shown.copy, &known.lines(), "after {:?}", op);
        }
    }

    #[test]
    fn all_orders_of_arrival_end_the_same((one, other) in arrivals()) {
        let mut shown = [Shown::default(), Shown::default()];
        let mut known = Known::default();
        for op in one {
            take_step(&mut shown[0], &mut known, op);
        }
        for op in in_pages(other) {
            take_step(&mut shown[1], &mut Known::default(), op);
        }
        prop_assert_eq!(&shown[0].copy, &shown[1].copy);
    }
}
