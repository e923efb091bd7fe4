//! The story: what two people do with four devices, and that nothing of it is lost.

use owo_colors::{AnsiColors, OwoColorize as _};

use crate::failure::Failure;

use super::agreement::{Account, difference};
use super::relay::{Relay, free_address};
use super::stage::{Device, Stage, link_in, scene, show_line};

const LAPTOP: Device = Device { home: "a1", shown: "Alice, laptop", colour: AnsiColors::Blue };
const PHONE: Device = Device { home: "a2", shown: "Alice, phone", colour: AnsiColors::BrightBlue };
const DESK: Device = Device { home: "b1", shown: "Bob, desk", colour: AnsiColors::Green };
const TABLET: Device = Device { home: "b2", shown: "Bob, tablet", colour: AnsiColors::BrightGreen };
const DEVICES: [Device; 4] = [LAPTOP, PHONE, DESK, TABLET];

/// Plays the story to its end.
///
/// # Errors
/// One sentence, if a command fails or the devices do not agree at the end.
pub(crate) fn play(stage: &Stage) -> Result<(), Failure> {
    let address =
        free_address().map_err(|error| Failure::new(format!("Loopback gives no port: {error}.")))?;

    scene("A relay of one's own: one program, no configuration. It greets its owner with an invite");
    let relay = Relay::start(stage, address, "kith://")?;
    everyone_arrives(stage, &link_in(&relay.lines)?)?;
    they_talk(stage)?;

    scene("The relay is killed in the middle of everything. What is written now, waits");
    drop(relay);
    stage.device(LAPTOP, &["send", ROOM, "I water the tomatoes"])?;
    stage.device(TABLET, &["send", ROOM, "and I bring the cake"])?;
    stage.device(LAPTOP, &["outbox"])?;
    stage.device(PHONE, &["history", ROOM])?;

    scene("The relay is back, with everything that it had acknowledged");
    let _relay = Relay::start(stage, address, "listens on")?;
    // Twice: the first round sends what waited, the second fetches what the others sent meanwhile.
    for device in DEVICES.into_iter().chain(DEVICES) {
        stage.device(device, &["sync"])?;
    }

    scene("The same history on all four");
    stage.device(PHONE, &["history", ROOM])?;
    stage.device(DESK, &["rooms"])?;
    let lines = all_agree(stage)?;
    for device in DEVICES {
        stage.device(device, &["verify"])?;
    }
    anstream::println!(
        "\n{} Four devices of two people hold the same {lines} lines in the same order: nothing lost, nothing doubled.",
        "ok".green().bold()
    );
    Ok(())
}

fn everyone_arrives(stage: &Stage, invite: &str) -> Result<(), Failure> {
    stage.device(LAPTOP, &["join", invite, "--name", "Alice", "--device", "laptop"])?;
    scene("An invite for Bob: good for one person and seven days");
    let invite = link_in(&stage.operator(&["invite", "--uses", "1", "--expires", "7d"])?)?;
    stage.device(DESK, &["join", &invite, "--name", "Bob", "--device", "desk"])?;
    scene(
        "Each of them links a second device: a code that is good for ten minutes, and six digits to compare",
    );
    link(stage, LAPTOP, PHONE, "phone")?;
    link(stage, DESK, TABLET, "tablet")
}

/// The old device waits with its code until the new one has come.
pub(super) fn link(stage: &Stage, old: Device, new: Device, name: &str) -> Result<(), Failure> {
    let mut waiting = stage.start_on(old, &["link", "--yes"])?;
    let mut printed = Vec::new();
    let code = loop {
        let Some(line) = waiting.next_line()? else {
            waiting.succeed()?;
            return Err(Failure::new("`kith-cli link` ended before it had shown a link."));
        };
        show_line(&line);
        printed.push(line);
        if let Ok(code) = link_in(&printed) {
            break code;
        }
    };
    stage.device(new, &["join", &code, "--device", name, "--yes"])?;
    while let Some(line) = waiting.next_line()? {
        show_line(&line);
    }
    waiting.succeed()
}

fn they_talk(stage: &Stage) -> Result<(), Failure> {
    scene("They talk");
    stage.device(LAPTOP, &["dm", "bob", "hello"])?;
    stage.device(TABLET, &["sync"])?;
    stage.device(TABLET, &["history", "alice"])?;
    stage.device(LAPTOP, &["room", "create", ROOM, "--with", "bob"])?;
    stage.device(DESK, &["sync"])?;
    stage.device(DESK, &["send", ROOM, "who comes on Sunday?"])?;
    stage.device(PHONE, &["sync"])?;
    stage.device(PHONE, &["send", ROOM, "I do, at tne"])?;

    scene("A slip is mended from the other device, and liked");
    stage.device(LAPTOP, &["sync"])?;
    let slip = account(stage, LAPTOP)?.seq_of("I do, at tne")?;
    stage.device(LAPTOP, &["edit", ROOM, &slip, "I do, at ten"])?;
    stage.device(TABLET, &["sync"])?;
    stage.device(TABLET, &["react", ROOM, &slip, "👍"])?;
    stage.device(TABLET, &["history", ROOM])?;
    Ok(())
}

/// How many messages all devices tell alike.
fn all_agree(stage: &Stage) -> Result<usize, Failure> {
    let accounts = DEVICES.into_iter().map(|device| account(stage, device)).collect::<Result<Vec<_>, _>>()?;
    if let Some(sentence) = difference(&accounts) {
        return Err(Failure::new(sentence));
    }
    for text in ["who comes on Sunday?", "I do, at ten", "I water the tomatoes", "and I bring the cake"] {
        if let Some(account) = accounts.iter().find(|account| account.count_of(text) != 1) {
            let count = account.count_of(text);
            return Err(Failure::new(format!("{} holds '{text}' {count} times.", account.device)));
        }
    }
    Ok(accounts.first().map_or(0, Account::len))
}

fn account(stage: &Stage, device: Device) -> Result<Account, Failure> {
    Account::parse(device.shown, &stage.ask(device, &["history", ROOM, "--all", "--json"])?)
}

const ROOM: &str = "garden";
