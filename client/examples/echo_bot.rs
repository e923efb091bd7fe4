//! A bot that answers every message with the same words: all that it takes to write one.
//!
//! ```text
//! cargo run -p kith-client --example echo_bot -- ./bot-home 'kith://join?...'     the first time, with an invite
//! cargo run -p kith-client --example echo_bot -- ./bot-home                       from then on
//! ```

use kith_client::core::Trouble;
use kith_client::keys::Choice;
use kith_client::timeline::{Diff, Kind, Message};
use kith_client::{Access, Client, Home, Newcomer, Next, Outgoing, Update};
use kith_protocol::ids::RoomId;
use kith_protocol::link::Link;
use std::error::Error;
use std::path::PathBuf;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example talks to whoever tries it")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let home = PathBuf::from(arguments.next().ok_or("the first argument is a directory for the bot")?);
    let home = Home::open(&home)?;
    // A bot has nobody to ask for a passphrase. Where a key store runs, `Choice::Best` is better.
    let access = Access::new(Choice::PlainFile);

    let client = match arguments.next() {
        Some(link) => match link.parse()? {
            Link::Join(invite) => {
                let who = Newcomer { name: "Echo".into(), handle: None, device_name: "bot".into() };
                Client::join(home, access, &invite, who).await?
            }
            Link::Device(_) => return Err("a bot wants an invite: an account of its own".into()),
        },
        None => Client::open(home, access).await?,
    };

    // Listen first, then connect: nothing is missed in between.
    let mut updates = client.updates();
    client.connect();
    println!("@{} listens", client.me().await?.person.handle);

    while let Some(next) = updates.next().await {
        match next {
            Next::Update(Update::Timeline { room, diff: Diff::Append { messages } }) => {
                for message in messages {
                    echo(&client, room, &message).await?;
                }
            }
            // So much happened that single lines were not told: whoever shows rooms asks for them again. A bot that must not
            // miss a message keeps the last Seq that it has seen of each room, and asks `history_after`.
            Next::Update(Update::Behind { .. }) | Next::Lagged(_) => println!("missed some lines"),
            Next::Update(Update::Trouble(trouble @ Trouble::HandleMoved { .. })) => println!("{trouble}"),
            Next::Update(_) => {}
        }
    }
    client.shutdown().await;
    Ok(())
}

/// Answers what somebody else has said.
async fn echo(client: &Client, room: RoomId, message: &Message) -> Result<(), Box<dyn Error>> {
    let Some(seq) = message.seq else { return Ok(()) };
    if message.kind != Kind::Text || message.sender == client.me().await?.person.account {
        return Ok(());
    }
    client.mark_read(room, seq).await?;
    // On disk once this returns: it goes out even if the bot dies now.
    let answer = Outgoing { text: message.text.clone(), reply_to: Some(message.id), ..Outgoing::default() };
    client.send(room, answer).await?;
    Ok(())
}
