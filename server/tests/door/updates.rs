//! A release of the app from the operator's folder, over real sockets.
use std::{path::Path, time::Duration};

use kith_relay::config::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::common::Opened;

const FILE: &str = "Kith_2.0.0_amd64.AppImage";

/// More than the buffers of two sockets hold.
const LARGE: usize = 16 << 20;

/// A door that hands on what is in `folder`: a release of one file of so many bytes.
async fn door(folder: &Path, bytes: usize) -> Opened {
    let url = format!("https://elsewhere.example/{FILE}");
    let list = serde_json::json!({ "version": "2.0.0", "notes": "New.", "platforms": {
        "linux-x86_64": { "url": url, "signature": "signed" } } });
    std::fs::write(folder.join("latest.json"), list.to_string()).unwrap();
    std::fs::write(folder.join(FILE), pattern(bytes)).unwrap();
    std::fs::write(folder.join("secret"), "not of the release").unwrap();
    let mut config = Config::default();
    folder.clone_into(&mut config.updates.folder);
    config.limits.write_timeout_s = 4;
    Opened::with(config).await
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8).collect()
}

async fn download(door: &Opened, name: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream
        .write_all(format!("GET /v1/updates/{name} HTTP/1.1\r\nhost: relay.example:7443\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer.split_off(end))
}

/// A download whose first bytes have come, to a reader who has little room.
async fn begun(door: &Opened) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut stream = socket.connect(door.address).await.unwrap();
    let request = format!("GET /v1/updates/{FILE} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    stream
}

#[tokio::test]
async fn a_release_is_handed_on_under_the_name_by_which_one_came() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path(), 1_000_000).await;
    let (head, list) = download(&door, "latest.json").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(list["version"], "2.0.0");
    assert_eq!(
        list["platforms"]["linux-x86_64"],
        serde_json::json!({ "url": format!("http://relay.example:7443/v1/updates/{FILE}"), "signature": "signed" })
    );
    let (head, file) = download(&door, FILE).await;
    assert!(head.to_lowercase().contains("content-length: 1000000\r\n"), "{head}");
    assert!(file == pattern(1_000_000), "{} bytes came", file.len());
    let head = door.exchange(&format!("HEAD /v1/updates/{FILE} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    assert!(
        head.to_lowercase().contains("content-length: 1000000\r\n") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_newer_release_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path(), 10).await;
    std::fs::write(folder.path().join("latest.json"), "{\"version\":\"3.0.0\",\"platforms\":{}}").unwrap();
    let (_, list) = download(&door, "latest.json").await;
    assert_eq!(list, b"{\"platforms\":{},\"version\":\"3.0.0\"}");
    assert!(download(&door, FILE).await.0.starts_with("HTTP/1.1 404 "), "the new one does not name it");
    std::fs::write(folder.path().join("latest.json"), "{\"version\":").unwrap();
    assert!(download(&door, "latest.json").await.0.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn nothing_else_in_the_folder_or_beside_it_is_served() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    std::fs::write(folder.path().join("outside"), "outside").unwrap();
    let door = door(&folder.path().join("inner"), 10).await;
    for name in
        ["", "secret", "../outside", "..%2Foutside", "%2e%2e/outside", "./secret", "inner", "latest.json/"]
    {
        let (head, body) = download(&door, name).await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{name}: {head}");
        assert_eq!(body, b"there is no such update here\n", "{name}");
    }
    let post = format!("POST /v1/updates/{FILE} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
    assert!(door.exchange(&post).await.starts_with("HTTP/1.1 405 "));
    let odd = "GET /v1/updates/latest.json HTTP/1.1\r\nhost: a\"b\r\n\r\n";
    assert!(door.exchange(odd).await.starts_with("HTTP/1.1 400 "));
    let without = Opened::with(Config::default()).await;
    assert!(without.get("/v1/updates/latest.json").await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn whoever_takes_nothing_loses_his_place_and_others_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path(), LARGE).await;
    let mut slow = Vec::new();
    for _ in 0..64 {
        slow.push(begun(&door).await);
    }
    let refused = download(&door, FILE).await.0.to_lowercase();
    assert!(refused.starts_with("http/1.1 503 ") && refused.contains("retry-after: 10"), "{refused}");
    assert!(door.get("/health").await.starts_with("HTTP/1.1 200 "), "the rest goes on");
    let freed = async {
        let asked = format!("HEAD /v1/updates/{FILE} HTTP/1.1\r\nhost: x\r\n\r\n");
        while !door.exchange(&asked).await.starts_with("HTTP/1.1 200 ") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), freed).await.expect("places come back");
    let mut cut = 0;
    for mut stream in slow {
        let mut rest = Vec::new();
        // Whoever knows the length sees it.
        let _ = stream.read_to_end(&mut rest).await;
        cut += usize::from(rest.len() < LARGE);
    }
    assert_ne!(cut, 0);
}

#[tokio::test]
async fn a_file_that_is_cut_while_it_goes_out_ends_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    let door = door(folder.path(), LARGE).await;
    let mut stream = begun(&door).await;
    std::fs::File::options().write(true).open(folder.path().join(FILE)).unwrap().set_len(1 << 20).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < LARGE, "{}", rest.len());
}
