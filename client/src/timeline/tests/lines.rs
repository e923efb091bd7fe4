use super::*;
use kith_protocol::error::ErrorCode;

#[test]
fn lines_stand_in_the_order_of_their_places_however_they_come() {
    let mut shown = Shown::with([entry(5, BOB, text("five"))]);
    shown.insert(entry(9, BOB, text("nine")));
    shown.insert(entry(2, ALICE, text("two")));
    shown.insert(entry(7, ALICE, text("seven")));
    assert_eq!(shown.texts(), ["two", "five", "seven", "nine"]);
    assert_eq!(shown.insert(entry(7, ALICE, text("seven"))), [], "twice is once");
}

#[test]
fn a_page_of_history_is_one_step() {
    let mut shown = Shown::with([entry(9, BOB, text("nine"))]);
    let diffs =
        shown.change(|timeline| timeline.insert_all((1..9).map(|seq| entry(seq, BOB, text("older")))));
    assert!(matches!(&diffs[..], [Diff::Prepend { messages }] if messages.len() == 8), "{diffs:?}");
}

#[test]
fn the_newest_edit_of_the_author_counts_wherever_it_comes() {
    let mut shown = Shown::with([entry(4, BOB, edit(id(BOB, 1), "third"))]);
    shown.insert(entry(3, BOB, edit(id(BOB, 1), "second")));
    shown.insert(entry(5, ALICE, edit(id(BOB, 1), "not hers")));
    assert_eq!(shown.texts(), [""; 0]);
    shown.insert(entry(1, BOB, text("first")));
    assert_eq!(shown.texts(), ["third"]);
    assert!(shown.copy[0].edited);
}

#[test]
fn an_edit_that_is_taken_away_is_undone() {
    let first = id(BOB, 1);
    let mut shown = Shown::with([entry(1, BOB, text("first")), entry(2, BOB, edit(first, "second"))]);
    shown.insert(entry(3, BOB, edit(first, "third")));
    shown.insert(entry(4, BOB, redaction(3, Some(first))));
    assert_eq!(shown.texts(), ["second"]);

    // The same for one who comes when the body is gone.
    let late = [
        entry(1, BOB, text("first")),
        entry(2, BOB, edit(first, "second")),
        entry(3, BOB, Content::Redacted),
        entry(4, BOB, redaction(3, Some(first))),
    ];
    assert_eq!(Shown::with(late).copy, shown.copy);
}

#[test]
fn a_redaction_leaves_a_line_without_words_and_reactions() {
    let mut shown =
        Shown::with([entry(1, BOB, text("secret")), entry(2, BOB, edit(id(BOB, 1), "secret too"))]);
    shown.register(&reaction(1, ALICE, id(BOB, 1), "👍", true));
    assert_eq!(shown.copy[0].reactions.len(), 1);
    shown.insert(entry(3, BOB, redaction(1, None)));
    let line = &shown.copy[0];
    assert!(line.redacted && !line.edited && line.text.is_empty() && line.reactions.is_empty());
    assert!(!serde_json::to_string(&shown.copy).unwrap().contains("secret"));
}

#[test]
fn only_the_author_or_a_moderator_takes_away_and_only_what_they_name() {
    let others = redaction(1, None);
    let mut wrong = redaction(1, None);
    if let Content::Redaction(redaction) = &mut wrong {
        redaction.digest = Hash([9; 32]);
    }
    let mut shown = Shown::with([entry(1, BOB, text("here"))]);
    shown.insert(entry(2, ALICE, others));
    shown.insert(entry(3, BOB, wrong));
    assert_eq!(shown.texts(), ["here"]);

    let mut by_admin = redaction(1, None);
    if let Content::Redaction(redaction) = &mut by_admin {
        redaction.moderates = true;
    }
    shown.insert(entry(4, ALICE, by_admin));
    assert!(shown.copy[0].redacted);
}

#[test]
fn edits_that_run_in_a_circle_are_nothing() {
    let shown = Shown::with([entry(1, BOB, edit(id(BOB, 2), "a")), entry(2, BOB, edit(id(BOB, 1), "b"))]);
    assert_eq!(shown.texts(), [""; 0]);
}

#[test]
fn an_entry_that_a_relay_repeats_shows_once() {
    let again = Verified { seq: Seq(8), ..entry(3, BOB, text("once")) };
    let mut shown = Shown::with([again, entry(5, BOB, text("between"))]);
    assert_eq!(shown.texts(), ["between", "once"]);
    shown.insert(entry(3, BOB, text("once")));
    assert_eq!(shown.texts(), ["once", "between"]);
}

#[test]
fn a_reply_shows_what_it_answers_as_it_is_now() {
    let mut shown = Shown::with([entry(9, ALICE, answer(id(BOB, 2), 2, "yes"))]);
    let reply = shown.copy[0].reply_to.clone().unwrap();
    assert_eq!((reply.seq, reply.preview), (Some(Seq(2)), None));
    shown.insert(entry(2, BOB, text("lunch?")));
    shown.insert(entry(3, BOB, edit(id(BOB, 2), "dinner?")));
    let reply = shown.copy[1].reply_to.clone().unwrap();
    assert_eq!(reply.preview, Some(Preview { sender: BOB, text: "dinner?".to_owned(), redacted: false }));
    shown.insert(entry(4, BOB, redaction(2, None)));
    assert!(shown.copy[1].reply_to.clone().unwrap().preview.unwrap().redacted);
}

#[test]
fn reactions_are_counted_once_for_each_person_and_the_later_value_counts() {
    let (mut shown, first) = (Shown::default(), id(BOB, 1));
    shown.register(&reaction(7, BOB, first, "🎉", true));
    shown.register(&reaction(3, ALICE, first, "👍", true));
    shown.register(&reaction(5, BOB, first, "👍", true));
    shown.register(&reaction(4, BOB, first, "👍", false));
    shown.insert(entry(1, BOB, text("done")));
    let of = |shown: &Shown| -> Vec<(String, usize)> {
        let reactions = &shown.copy[0].reactions;
        reactions.iter().map(|it| (it.emoji.clone(), it.accounts.len())).collect()
    };
    assert_eq!(of(&shown), [("👍".to_owned(), 2), ("🎉".to_owned(), 1)]);

    let back = Reaction { target: first, emoji: "👍".to_owned(), on: false };
    shown.change(|timeline| timeline.echo_reaction(ALICE, &back));
    assert_eq!(of(&shown), [("👍".to_owned(), 1), ("🎉".to_owned(), 1)], "shown before it is stored");
    shown.change(|timeline| timeline.settle_reaction(ALICE, &first, "👍"));
    assert_eq!(of(&shown), [("👍".to_owned(), 2), ("🎉".to_owned(), 1)], "given up");
}

#[test]
fn receipts_stand_at_the_last_line_that_was_read() {
    let mut shown = Shown::with([entry(1, BOB, text("one")), entry(3, BOB, text("three"))]);
    shown.register(&receipt(1, CAROL, 4));
    assert!(shown.copy.iter().all(|line| line.receipts.is_empty()), "nothing is known of 4");
    shown.insert(entry(4, BOB, edit(id(BOB, 3), "THREE")));
    assert_eq!(shown.copy[1].receipts, [CAROL]);
    shown.register(&receipt(2, CAROL, 1));
    assert_eq!((&shown.copy[0].receipts[..], &shown.copy[1].receipts[..]), (&[CAROL][..], &[][..]));
}

#[test]
fn echoes_keep_their_order_and_become_sent_in_place() {
    let mut shown = Shown::with([entry(1, BOB, text("hi"))]);
    shown.echo(echo(1, EchoContent::Text(words("one"))));
    shown.echo(echo(2, EchoContent::Text(words("two"))));
    shown.insert(entry(2, BOB, text("meanwhile")));
    assert_eq!(shown.texts(), ["hi", "meanwhile", "one", "two"]);

    let diffs = shown.change(|timeline| timeline.acked(&TxnId([101; 16]), Seq(3)));
    assert!(
        matches!(&diffs[..], [Diff::Set { index: 2, message }] if message.state == State::Sent),
        "{diffs:?}"
    );
    shown.insert(entry(4, BOB, text("later")));
    assert_eq!(shown.texts(), ["hi", "meanwhile", "one", "later", "two"]);

    // What the relay pushes of it is the same line.
    let pushed = Verified { txn: TxnId([101; 16]), at: 9001, ..entry(3, ALICE, text("one")) };
    assert_eq!(shown.insert(pushed), []);
    // Pushed before it is acknowledged: the push is the news, the ack is none.
    let pushed = Verified { txn: TxnId([102; 16]), at: 9002, ..entry(5, ALICE, text("two")) };
    let diffs = shown.insert(pushed);
    assert!(matches!(&diffs[..], [Diff::Set { index: 4, .. }]), "{diffs:?}");
    assert_eq!(shown.change(|timeline| timeline.acked(&TxnId([102; 16]), Seq(5))), []);
}

#[test]
fn an_echoed_edit_or_redaction_shows_at_once_and_goes_back_if_it_fails() {
    let mut shown =
        Shown::with([entry(1, ALICE, text("first")), entry(2, ALICE, edit(id(ALICE, 1), "second"))]);
    shown.echo(echo(1, EchoContent::Edit(new_words(id(ALICE, 1), "third"))));
    assert_eq!(shown.texts(), ["third"]);
    let failed = State::Failed { code: ErrorCode::Denied };
    shown.change(|timeline| timeline.echo_state(&TxnId([101; 16]), failed));
    assert_eq!(shown.texts(), ["second"]);
    assert_eq!(shown.copy[0].pending.map(|pending| pending.state), Some(failed));
    shown.change(|timeline| timeline.discard(&TxnId([101; 16])));
    assert_eq!(shown.copy[0].pending, None);

    shown.echo(echo(2, EchoContent::Redaction(id(ALICE, 1))));
    assert!(shown.copy[0].redacted);
    assert_eq!(shown.copy[0].pending.map(|pending| pending.redaction), Some(true));
}

#[test]
fn a_message_goes_with_all_its_edits() {
    let first = id(BOB, 1);
    let mut shown = Shown::with([
        entry(1, BOB, text("first")),
        entry(2, BOB, edit(first, "second")),
        entry(3, ALICE, edit(first, "not his")),
        entry(4, ALICE, answer(first, 1, "a reply")),
    ]);
    let removals = shown.timeline.removal_of(&first);
    let expected = [(1, None), (2, Some(first))].map(|(seq, edit_of)| Removal {
        seq: Seq(seq),
        digest: Hash([seq as u8; 32]),
        edit_of,
    });
    assert_eq!(removals, expected);
    shown.insert(entry(5, BOB, redaction(1, None)));
    shown.insert(entry(6, BOB, redaction(2, Some(first))));
    assert_eq!(shown.texts(), ["", "a reply"]);
}

#[test]
fn what_is_dropped_can_be_loaded_again() {
    let all: Vec<_> = (1..=6).map(|seq| entry(seq, BOB, text("words"))).collect();
    let mut shown = Shown::with(all.clone());
    let before = shown.copy.clone();
    shown.change(|timeline| timeline.drop_before(Seq(4)));
    assert_eq!((shown.copy.len(), shown.timeline.first_seq()), (3, Some(Seq(4))));
    shown.change(|timeline| timeline.insert_all(all));
    assert_eq!(shown.copy, before);
}

#[test]
fn a_line_as_json() {
    let mut shown = Shown::with([entry(1, BOB, naming(ALICE, "hi"))]);
    shown.register(&reaction(1, ALICE, id(BOB, 1), "👍", true));
    let (bob, alice) = (BOB.to_string(), ALICE.to_string());
    let expected = serde_json::json!({
        "device": "b0".repeat(16), "txn": "01".repeat(16), "seq": 1, "sender": bob, "at": 1001, "kind": "text",
        "text": "hi", "edited": false, "redacted": false, "mentions": [alice],
        "reactions": [{"emoji": "👍", "accounts": [alice]}], "state": "sent",
    });
    assert_eq!(serde_json::to_value(&shown.copy[0]).unwrap(), expected);
}

#[test]
fn a_step_that_does_not_fit_says_so() {
    let message = Shown::with([entry(1, BOB, text("hi"))]).copy.remove(0);
    let id = message.id;
    assert_eq!(Diff::Remove { index: 0, id }.apply(&mut Vec::new()), Err(OutOfStep));
    assert_eq!(Diff::Set { index: 0, message }.apply(&mut Vec::new()), Err(OutOfStep));
}
