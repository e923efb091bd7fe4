use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;

async fn relay_end(listener: &mut MemoryListener) -> WebSocketStream<tokio::io::DuplexStream> {
    WebSocketStream::from_raw_socket(listener.accept().await.unwrap(), Role::Server, None).await
}

#[tokio::test]
async fn links_without_a_socket_carry_messages() {
    let (dialer, mut listener) = memory(Timeouts::default());
    let connector: &dyn Connect = &dialer;
    let mut link = connector.connect().await.unwrap();
    let server = tokio::spawn(echo(relay_end(&mut listener).await));
    assert_echoes(&mut link).await;
    link.close(1000, "").await;
    server.await.unwrap();
}

#[tokio::test]
async fn a_cut_breaks_links_and_spares_later_ones() {
    let (dialer, mut listener) = memory(Timeouts::default());
    let mut first = dialer.connect().await.unwrap();
    let waits = tokio::spawn(async move { first.next().await });
    // The wait is under way before the cut.
    tokio::task::yield_now().await;
    listener.cut();
    assert!(matches!(waits.await.unwrap(), Some(Err(LinkError::Lost(_)))));
    drop(listener.accept().await);

    let mut second = dialer.connect().await.unwrap();
    tokio::spawn(echo(relay_end(&mut listener).await));
    assert_echoes(&mut second).await;
}

#[tokio::test]
async fn nobody_dials_without_a_network_or_a_listener() {
    let (dialer, mut listener) = memory(Timeouts::default());
    let mut link = dialer.connect().await.unwrap();
    listener.set_online(false);
    assert!(matches!(link.next().await, Some(Err(LinkError::Lost(_)))));
    assert!(matches!(dialer.connect().await, Err(DialError::Unreachable { .. })));
    listener.set_online(true);
    drop(listener.accept().await);
    dialer.connect().await.unwrap();
    drop(listener);
    let error = dialer.connect().await.unwrap_err();
    assert_eq!(error.retry(), Retry::Now);
}
