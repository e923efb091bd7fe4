//! A certificate in files that ends, and is renewed, while people write.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod afar;
mod program;
mod support;

use std::time::Duration;

use afar::{Comer, Root, Writer, port_of, text, until};
use program::Running;

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_ends_and_is_renewed_while_people_write() {
    let (folder, root) = (tempfile::tempdir().unwrap(), Root::new());
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    root.issue("localhost", Duration::from_secs(4), &cert, &key);
    let mut flags = vec!["--cert", text(&cert), "--key", text(&key), "--set", "tls.look_every_s=1"];
    flags.extend(afar::UNHURRIED);
    let running = Running::start(&flags);
    let comer = Comer::new(port_of(&running.said), "localhost", root.pem().as_bytes());
    let writer = Writer::start(comer.join(&running.said[2], 1).await).await;
    let first = comer.serial().await.unwrap();

    until("it has ended", async || {
        comer.serial().await.is_err_and(|error| error.to_string().contains("expired"))
    })
    .await;
    // Who is in stays in.
    writer.goes_on().await;
    root.issue("localhost", Duration::from_hours(1), &cert, &key);
    until("it was renewed", async || comer.serial().await.is_ok()).await;
    assert_ne!(comer.serial().await.unwrap(), first);
    let link = running.json(&["invite"])["link"].as_str().unwrap().to_owned();
    let mut bob = comer.join(&link, 2).await;
    assert!(bob.wire.lives().await);
    writer.goes_on().await;
    let written = writer.end().await;
    assert!(written > 100, "{written} messages only");
}
