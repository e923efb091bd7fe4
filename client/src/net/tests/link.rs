use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, frame::coding::CloseCode};

use super::*;
use crate::net::limits::{MESSAGE_BYTES_MAX, OUTGOING_BYTES_MAX};

type Relay = WebSocketStream<DuplexStream>;

/// A link and the relay's end of it, with `pipe` bytes on their way in each direction.
async fn pair(pipe: usize) -> (Link, Relay) {
    let (near, far) = duplex(pipe);
    let link = Link::over(near, &Timeouts::default()).await;
    (link, WebSocketStream::from_raw_socket(far, Role::Server, None).await)
}

fn message(size: usize) -> Bytes {
    Bytes::from(vec![b'm'; size])
}

const COUNT: usize = 8;

#[tokio::test]
async fn two_sides_that_both_write_much_do_not_wait_for_each_other() {
    let (mut link, mut relay) = pair(16 * 1024).await;
    for _ in 0..COUNT {
        link.feed(message(64 * 1024)).unwrap();
    }
    let relay = tokio::spawn(async move {
        for _ in 0..COUNT {
            relay.send(Message::Binary(message(64 * 1024))).await.unwrap();
        }
        for _ in 0..COUNT {
            assert_eq!(relay.next().await.unwrap().unwrap().len(), 64 * 1024);
        }
        relay
    });
    link.flush().await.unwrap();
    for _ in 0..COUNT {
        assert!(matches!(link.next().await, Some(Ok(Incoming::Binary(m))) if m.len() == 64 * 1024));
    }
    relay.await.unwrap();
}

#[tokio::test]
async fn waiting_for_the_relay_writes_what_was_fed() {
    let (mut link, relay) = pair(1024).await;
    let relay = tokio::spawn(echo(relay));
    link.feed(message(100_000)).unwrap();
    assert!(matches!(link.next().await, Some(Ok(Incoming::Binary(m))) if m.len() == 100_000));
    drop(link);
    relay.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_never_reads_stalls_the_link_within_the_limit() {
    let limit = Timeouts::default().write;
    for through_next in [false, true] {
        let (mut link, relay) = pair(1024).await;
        let start = Instant::now();
        link.feed(message(100_000)).unwrap();
        let error = if through_next {
            link.next().await.unwrap().unwrap_err()
        } else {
            link.flush().await.unwrap_err()
        };
        assert!(matches!(error, LinkError::Stalled { after } if after == limit), "{error:?}");
        assert!(start.elapsed() >= limit && start.elapsed() < limit * 2);
        drop(relay);
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_only_talks_and_never_reads_stalls_the_link_too() {
    let (near, far) = duplex(1024);
    let mut link = Link::over(near, &Timeouts::default()).await;
    let (_never_read, mut talks) = tokio::io::split(far);
    tokio::spawn(async move {
        // A binary message of one byte, each second.
        while talks.write_all(&[0x82, 1, 9]).await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    link.feed(message(100_000)).unwrap();
    let mut heard = 0;
    let error = loop {
        match link.next().await.unwrap() {
            Ok(_) => heard += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LinkError::Stalled { .. }) && heard >= 19, "{heard} {error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_relay_is_not_a_stalled_one() {
    let (near, mut far) = duplex(1024);
    let mut link = Link::over(near, &Timeouts::default()).await;
    let reads = tokio::spawn(async move {
        let mut some = [0; 1024];
        let mut total = 0;
        while total < 20_000 {
            sleep(Duration::from_secs(15)).await;
            total += far.read(&mut some).await.unwrap();
        }
    });
    let start = Instant::now();
    link.send(message(20_000)).await.unwrap();
    assert!(start.elapsed() > Timeouts::default().write * 10);
    reads.await.unwrap();
}

#[tokio::test]
async fn text_ends_the_link_and_the_relay_learns_why() {
    let (mut link, mut relay) = pair(4096).await;
    relay.send(Message::text("hello")).await.unwrap();
    assert!(matches!(link.next().await, Some(Err(LinkError::Text))));
    assert!(link.next().await.is_none());
    assert!(matches!(link.feed(message(1)), Err(LinkError::Ended)));
    let Some(Ok(Message::Close(Some(frame)))) = relay.next().await else { panic!("no close frame") };
    assert_eq!(frame.code, CloseCode::Unsupported);
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_before_it_is_read() {
    let (mut link, mut relay) = pair(16 * 1024).await;
    let sends = tokio::spawn(async move { drop(relay.send(binary(&vec![0; 5 * 1024 * 1024])).await) });
    assert!(matches!(link.next().await, Some(Err(LinkError::TooBig))));
    assert!(link.traffic().received < 64 * 1024, "{:?}", link.traffic());
    drop(link);
    sends.await.unwrap();
}

#[tokio::test]
async fn a_message_in_pieces_over_the_limit_is_refused_too() {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };
    let (mut link, mut relay) = pair(16 * 1024).await;
    let sends = tokio::spawn(async move {
        let piece = Bytes::from(vec![0; 1024 * 1024]);
        for i in 0..6 {
            let kind = if i == 0 { Data::Binary } else { Data::Continue };
            let frame = Frame::message(piece.clone(), OpCode::Data(kind), i == 5);
            if relay.send(Message::Frame(frame)).await.is_err() {
                return;
            }
        }
    });
    assert!(matches!(link.next().await, Some(Err(LinkError::TooBig))));
    drop(link);
    sends.await.unwrap();
}

#[tokio::test]
async fn the_largest_message_passes_both_ways() {
    let (mut link, relay) = pair(64 * 1024).await;
    let server = tokio::spawn(echo(relay));
    link.feed(message(MESSAGE_BYTES_MAX)).unwrap();
    assert!(matches!(link.next().await, Some(Ok(Incoming::Binary(m))) if m.len() == MESSAGE_BYTES_MAX));
    assert!(matches!(link.feed(message(MESSAGE_BYTES_MAX + 1)), Err(LinkError::TooBig)));
    drop(link);
    server.await.unwrap();
}

#[tokio::test]
async fn what_waits_is_bounded() {
    let (mut link, _relay) = pair(1024).await;
    while link.has_room() {
        link.feed(message(10_000)).unwrap();
    }
    let mut fed = OUTGOING_BYTES_MAX;
    let error = loop {
        match link.feed(message(100_000)) {
            Ok(()) => fed += 100_000,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LinkError::Full));
    assert!(fed <= OUTGOING_BYTES_MAX + MESSAGE_BYTES_MAX + 10_000);
}

#[tokio::test]
async fn pings_are_answered_while_waiting_and_show_as_traffic() {
    let (mut link, mut relay) = pair(4096).await;
    let waits = tokio::spawn(async move {
        let end = link.next().await;
        (link, end)
    });
    relay.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
    assert_eq!(relay.next().await.unwrap().unwrap(), Message::Pong(Bytes::from_static(b"there?")));
    relay.send(binary(b"x")).await.unwrap();
    let (mut link, end) = waits.await.unwrap();
    assert_eq!(end.unwrap().unwrap(), Incoming::Binary(Bytes::from_static(b"x")));

    let before = link.traffic().received;
    link.ping().unwrap();
    link.ping().unwrap();
    link.flush().await.unwrap();
    assert_eq!(relay.next().await.unwrap().unwrap(), Message::Ping(Bytes::new()));
    relay.flush().await.unwrap();
    relay.send(binary(b"y")).await.unwrap();
    link.next().await.unwrap().unwrap();
    assert_eq!(link.traffic().received, before + 2 + 3, "a pong and a message of one byte");
}

#[tokio::test]
async fn a_close_of_the_relay_carries_code_and_reason() {
    let (mut link, mut relay) = pair(4096).await;
    relay.send(binary(b"last")).await.unwrap();
    let frame = CloseFrame { code: CloseCode::Library(4001), reason: "restarting".into() };
    relay.close(Some(frame)).await.unwrap();
    assert_eq!(link.next().await.unwrap().unwrap(), Incoming::Binary(Bytes::from_static(b"last")));
    let closed = Incoming::Closed { code: 4001, reason: "restarting".to_owned() };
    assert_eq!(link.next().await.unwrap().unwrap(), closed);
    assert!(link.next().await.is_none());
    assert!(matches!(link.flush().await, Err(LinkError::Ended)));
}

#[tokio::test]
async fn a_close_is_heard_even_if_writing_fails() {
    let (mut link, mut relay) = pair(64 * 1024).await;
    relay.close(None).await.unwrap();
    drop(relay);
    link.feed(message(1)).unwrap();
    assert_eq!(link.next().await.unwrap().unwrap(), Incoming::Closed { code: 1005, reason: String::new() });
    assert!(link.next().await.is_none());
}

#[tokio::test]
async fn a_connection_that_breaks_is_lost_once() {
    let (mut link, relay) = pair(4096).await;
    drop(relay);
    assert!(matches!(link.next().await, Some(Err(LinkError::Lost(_)))));
    assert!(link.next().await.is_none());
}

#[tokio::test]
async fn what_is_not_websocket_is_garbage() {
    let (near, mut far) = duplex(4096);
    let mut link = Link::over(near, &Timeouts::default()).await;
    far.write_all(&[0xff; 64]).await.unwrap();
    let error = link.next().await.unwrap().unwrap_err();
    assert!(matches!(error, LinkError::Garbage(_)), "{error:?}");
    assert!(matches!(error.retry(), Retry::After(_)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_loses_nothing() {
    let (near, mut far) = duplex(4096);
    let mut link = Link::over(near, &Timeouts::default()).await;
    for byte in [0x82, 3, b'a', b'b'] {
        far.write_all(&[byte]).await.unwrap();
        assert!(timeout(Duration::from_millis(1), link.next()).await.is_err());
    }
    far.write_all(b"c").await.unwrap();
    assert_eq!(link.next().await.unwrap().unwrap(), Incoming::Binary(Bytes::from_static(b"abc")));
}

#[tokio::test]
async fn a_goodbye_comes_after_what_was_fed() {
    let (mut link, mut relay) = pair(4096).await;
    let server = tokio::spawn(async move {
        let mut heard = Vec::new();
        while let Some(Ok(message)) = relay.next().await {
            heard.push(message);
        }
        heard
    });
    link.feed(message(10_000)).unwrap();
    link.close(4000, &"ü".repeat(100)).await;
    assert!(link.next().await.is_none());
    let heard = server.await.unwrap();
    assert_eq!(heard[0].len(), 10_000);
    let Message::Close(Some(frame)) = &heard[1] else { panic!("{heard:?}") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4000, "ü".repeat(61).as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_to_nobody_takes_its_limit() {
    let (mut link, _relay) = pair(1024).await;
    let start = Instant::now();
    link.feed(message(10_000)).unwrap();
    link.close(1000, "bye").await;
    assert_eq!(start.elapsed().as_secs(), Timeouts::default().close.as_secs());
}
