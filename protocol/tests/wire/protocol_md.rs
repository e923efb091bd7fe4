//! PROTOCOL.md says what the code does. `KITH_UPDATE=1` writes its example session anew.

use crate::{dump, samples, session};
use kith_protocol::error::{CloseCode, ErrorCode};
use kith_protocol::frame::{ClientFrame, ServerFrame};
use kith_protocol::limits;
use std::path::PathBuf;

const BEGIN: &str = "<!-- example session: begin -->\n";
const END: &str = "<!-- example session: end -->\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../PROTOCOL.md")
}

fn document() -> String {
    std::fs::read_to_string(path()).unwrap().replace('\r', "")
}

/// What stands behind a line up to the next heading of the same depth or above.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let depth = heading.chars().take_while(|c| *c == '#').count();
    let from = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let rest = &text[from + heading.len() + 2..];
    let ends = |line: &str| line.starts_with('#') && line.chars().take_while(|c| *c == '#').count() <= depth;
    let mut len = 0;
    for line in rest.split_inclusive('\n') {
        if ends(line) {
            break;
        }
        len += line.len();
    }
    &rest[..len]
}

/// The first cells of the rows of a table, without their backquotes.
fn first_cells(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn the_example_session_is_what_the_code_says() {
    let text = document();
    let from = text.find(BEGIN).unwrap() + BEGIN.len();
    let to = text.find(END).unwrap();
    let expected = session::markdown();
    if std::env::var_os("KITH_UPDATE").is_some() {
        std::fs::write(path(), [&text[..from], &expected, &text[to..]].concat()).unwrap();
        return;
    }
    assert!(
        text[from..to] == expected,
        "the example session is out of date: run the test with KITH_UPDATE=1"
    );
}

fn check_frame(side: &str, debug: &str, bytes: &[u8]) {
    let name = debug.split('(').next().unwrap();
    let described = section(side, &format!("### {} `{name}`", bytes[0]));
    assert_eq!(first_cells(described), dump::keys(bytes), "fields of {name}");
}

#[test]
fn every_frame_stands_there_with_its_fields() {
    let text = document();
    let (client, server) =
        (section(&text, "## Frames from a client"), section(&text, "## Frames from a relay"));
    for frame in samples::client_frames() {
        check_frame(client, &format!("{frame:?}"), &frame.encode());
    }
    for frame in samples::server_frames() {
        check_frame(server, &format!("{frame:?}"), &frame.encode());
    }
    let frames = |side: &str| side.lines().filter(|line| line.starts_with("### ")).count();
    assert_eq!(frames(client), samples::client_frames().len());
    assert_eq!(frames(server), samples::server_frames().len());
}

#[test]
fn parts_of_frames_and_bodies_stand_there_with_their_fields() {
    let text = document();
    let described = first_cells(&text);
    let mut all: Vec<bytes::Bytes> = samples::client_frames().iter().map(ClientFrame::encode).collect();
    all.extend(samples::server_frames().iter().map(ServerFrame::encode));
    all.extend(samples::events().iter().map(|(_, event)| event.encode()));
    all.extend(samples::settings().iter().map(|(_, setting)| setting.encode()));
    for bytes in all {
        for key in dump::all_keys(&bytes) {
            assert!(described.contains(&key.as_str()), "{key} is described nowhere");
        }
    }
}

#[test]
fn administration_stands_there_with_its_fields() {
    let text = document();
    // Every word in backquotes: several fields share a row.
    let described: Vec<&str> = section(&text, "### Administration").split('`').skip(1).step_by(2).collect();
    let requests = samples::admin::requests().into_iter().map(|ask| ask.encode());
    for bytes in requests.chain(samples::admin::responses().into_iter().map(|answer| answer.encode())) {
        // The dump takes a frame, which begins with its type.
        let frame: Vec<u8> = [&[0], &bytes[..]].concat();
        for key in dump::all_keys(&frame) {
            assert!(described.contains(&key.as_str()), "{key} is not described");
        }
    }
    for ask in samples::admin::requests() {
        let value = serde_json::to_value(&ask).unwrap();
        let name = value["do"].as_str().unwrap();
        assert!(section(&text, "### Administration").contains(&format!("| `{name}` |")), "no row {name}");
    }
}

#[test]
fn every_code_stands_there() {
    let text = document();
    for code in ErrorCode::ALL {
        let row = format!("| {} | {code:?} |", u16::from(*code));
        assert!(section(&text, "## Error codes").contains(&row), "no row {row}");
    }
    for code in CloseCode::ALL {
        let row = format!("| {} | {code:?} |", u16::from(*code));
        assert!(section(&text, "## Close codes").contains(&row), "no row {row}");
    }
}

#[test]
fn every_limit_stands_there() {
    let all: [(&str, u64); 20] = [
        ("BODY_BYTES_MAX", limits::BODY_BYTES_MAX as u64),
        ("REGISTER_BYTES_MAX", limits::REGISTER_BYTES_MAX as u64),
        ("CHAIN_ENTRY_BYTES_MAX", limits::CHAIN_ENTRY_BYTES_MAX as u64),
        ("FRAME_BYTES_MAX", limits::FRAME_BYTES_MAX as u64),
        ("PAGE_BYTES", limits::PAGE_BYTES as u64),
        ("PAGE_ENTRIES_MAX", u64::from(limits::PAGE_ENTRIES_MAX)),
        ("OPS_MAX", limits::OPS_MAX as u64),
        ("DEVICES_MAX", limits::DEVICES_MAX as u64),
        ("DEVICE_NAME_BYTES_MAX", limits::DEVICE_NAME_BYTES_MAX as u64),
        ("HANDLE_BYTES_MAX", limits::HANDLE_BYTES_MAX as u64),
        ("DISPLAY_NAME_BYTES_MAX", limits::DISPLAY_NAME_BYTES_MAX as u64),
        ("SLOT_BYTES_MAX", limits::SLOT_BYTES_MAX as u64),
        ("SLOT_LIFETIME_S", limits::SLOT_LIFETIME_S),
        ("IN_FLIGHT_MAX", limits::IN_FLIGHT_MAX as u64),
        ("HEADS_PER_FRAME", limits::HEADS_PER_FRAME as u64),
        ("LOOKUP_MAX", limits::LOOKUP_MAX as u64),
        ("LIST_MAX", limits::LIST_MAX as u64),
        ("ADMIN_REQUEST_BYTES_MAX", limits::ADMIN_REQUEST_BYTES_MAX as u64),
        ("ANNOUNCEMENT_BYTES_MAX", limits::ANNOUNCEMENT_BYTES_MAX as u64),
        ("ADMIN_RESPONSE_BYTES_MAX", limits::ADMIN_RESPONSE_BYTES_MAX as u64),
    ];
    let text = document();
    for (name, value) in all {
        let row = format!("| `{name}` | {value} |");
        assert!(section(&text, "## Limits").contains(&row), "no row {row}");
    }
}
