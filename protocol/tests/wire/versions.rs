//! One version apart talks, two apart does not; and what the newer of two says, the older passes over.

use crate::samples;
use kith_protocol::common_version;
use kith_protocol::frame::{ClientFrame, Head, ServerFrame, Typing};
use kith_protocol::ids::{AccountId, Seq};
use proptest::prelude::*;

#[test]
fn one_version_apart_talks_and_two_apart_do_not() {
    assert_eq!(common_version(1, 1), Some(1));
    assert_eq!(common_version(1, 2), Some(1));
    assert_eq!(common_version(2, 1), Some(1));
    assert_eq!(common_version(1, 3), None);
    assert_eq!(common_version(3, 1), None);
    assert_eq!(common_version(u16::MAX, 0), None);
}

proptest! {
    #[test]
    fn both_sides_come_to_the_same_conclusion(ours: u16, step in -3..=3_i32) {
        let theirs = u16::try_from(i32::from(ours) + step).unwrap_or(ours);
        prop_assert_eq!(common_version(ours, theirs), common_version(theirs, ours));
        prop_assert_eq!(common_version(ours, theirs).is_some(), ours.abs_diff(theirs) <= 1);
    }
}

/// The same frame from a version that says more: a field more, in front of the others.
fn with_a_field_more(frame: &[u8], value: &[u8]) -> Vec<u8> {
    assert!((0x80..0x8f).contains(&frame[1]), "a sample holds a short map");
    [&[frame[0], frame[1] + 1, 0xa3], &b"new"[..], value, &frame[2..]].concat()
}

#[test]
fn a_field_more_is_passed_over_whatever_it_holds() {
    let values: [&[u8]; 6] = [
        &[0xc0],
        &[0xcf, 1, 2, 3, 4, 5, 6, 7, 8],
        b"\xa5hello",
        &[0xc4, 2, 0, 0],
        &[0x92, 1, 0x81, 1, 2],
        &[0xc7, 1, 5, 9],
    ];
    for value in values {
        for frame in samples::client_frames() {
            let newer = with_a_field_more(&frame.encode(), value);
            assert_eq!(ClientFrame::decode(&newer).unwrap(), frame);
        }
        for frame in samples::server_frames() {
            let newer = with_a_field_more(&frame.encode(), value);
            assert_eq!(ServerFrame::decode(&newer).unwrap(), frame);
        }
    }
}

#[test]
fn frames_of_unknown_types_are_kept_apart() {
    for code in 100..=255 {
        let newer = [code, 0x81, 0xa1, b'x', 1];
        assert_eq!(ClientFrame::decode(&newer).unwrap(), ClientFrame::Unknown(code));
        assert_eq!(ServerFrame::decode(&newer).unwrap(), ServerFrame::Unknown(code));
    }
}

/// Takes a field out of the outermost map.
fn without(frame: &[u8], key: &[u8], value: &[u8]) -> Vec<u8> {
    let field = [&[0xa0 | u8::try_from(key.len()).unwrap()], key, value].concat();
    let at = frame.windows(field.len()).position(|part| part == field).expect("the field is there");
    [&frame[..at], &frame[at + field.len()..]].concat()
}

#[test]
fn fields_that_an_older_version_leaves_out_have_their_default() {
    let typing = ClientFrame::Typing(Typing { room: samples::ROOM, account: AccountId::ZERO });
    let mut older = without(&typing.encode(), b"account", &[&[0xc4, 32][..], &[0; 32]].concat());
    older[1] -= 1;
    assert_eq!(ClientFrame::decode(&older).unwrap(), typing);

    let heads = samples::server_frames().into_iter().find_map(|frame| match frame {
        ServerFrame::Heads(heads) => Some(heads),
        _ => None,
    });
    let mut heads = heads.unwrap();
    heads.heads[0].redacted = Seq(5);
    let mut older = without(&ServerFrame::Heads(heads.clone()).encode(), b"redacted", &[5]);
    let map_of_six = older.iter().position(|byte| *byte == 0x86).unwrap();
    older[map_of_six] = 0x85;
    let expected = Head { redacted: Seq::ZERO, ..heads.heads[0] };
    let ServerFrame::Heads(read) = ServerFrame::decode(&older).unwrap() else { panic!("heads") };
    assert_eq!(read.heads, [expected]);
}
