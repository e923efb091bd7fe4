//! Told elsewhere: through a real relay, to a real server.

use super::world::{World, until};
use crate::commands::pushes::{add, test};
use crate::convert::pushes::pushes;
use crate::ipc::{ErrorCode, NewPushPlace, PushKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Answers one request, and says what it was.
async fn answer(listener: &TcpListener, status: &str) -> (String, serde_json::Value) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line == "\r\n" {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(bytes) = line.strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_with_a_secret_and_each_test_says_how_it_went() {
    let mut world = World::new();
    world.sends_pushes();
    let alice = world.shell("alice");
    let id = world.join(&alice, "alice").await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let host = listener.local_addr().unwrap().to_string();

    let elsewhere = NewPushPlace::Webhook { url: host.clone(), secret: None };
    let refused = add(&alice, &id, elsewhere).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::PushFailed);
    assert!(refused.message.contains("https://host/path"), "{}", refused.message);

    let hook = NewPushPlace::Webhook { url: format!("http://{host}/kith?x=1"), secret: None };
    let new = add(&alice, &id, hook).await.ok().unwrap();
    assert!(new.secret.unwrap().starts_with("whsec_"));
    let [place] = new.pushes.places.as_slice() else { panic!("{:?}", new.pushes) };
    assert_eq!((place.kind, &place.host, &place.failure), (PushKind::Webhook, &host, &None));

    let tested = test(&alice, &id, &place.id);
    let ((head, told), tested) =
        until("a test", async { tokio::join!(answer(&listener, "503 Busy"), tested) }).await;
    assert!(head.starts_with("post /kith?x=1 ") && head.contains("webhook-signature: v1,"), "{head}");
    assert_eq!(told["type"], "kith.test");
    let refused = tested.unwrap_err();
    assert_eq!(refused.code, ErrorCode::PushFailed);
    assert!(refused.message.contains("503"), "{}", refused.message);

    let tested = test(&alice, &id, &place.id);
    let (_, tested) =
        until("a test", async { tokio::join!(answer(&listener, "204 No Content"), tested) }).await;
    tested.unwrap();

    let client = alice.client(&id).unwrap();
    assert!(pushes(&client.pushes().await.unwrap()).vapid_key.is_some(), "what browsers subscribe with");
    let unknown = test(&alice, &id, "no name of a place").await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    drop(client);
    world.end().await;
}
