//! From one version to the next, which a relay hands on. The program itself stands in for the AppImage that it is shipped in:
//! one file, which a newer one takes the place of.

use crate::app::App;
use crate::desktop::{APP, Desktop};
use crate::page::{View, word};
use crate::people::Terminal;
use crate::process::program;
use crate::real::Relay;
use crate::wait::until_now;
use minisign::KeyPair;
use std::fs::{self, Permissions};
use std::io::Cursor;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_cut_or_signed_by_others_changes_nothing_and_the_next_version_takes_its_place() {
    let release = Release::of(&fs::read(program(APP)).unwrap());
    let mut relay = Relay::start().await;
    relay.kill();
    relay.start_again_with(&[&format!("updates.folder={}", release.folder.path().display())]);
    let mut desktop = Desktop::start("alice").await;
    let image = release.installed.path().join("Kith.AppImage");
    fs::copy(program(APP), &image).unwrap();
    desktop.turn_to_image(image.clone(), &[("KITH_UPDATE_KEY", release.key().as_ref())]);
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    let unchanged = |image: &Path| assert!(fs::read(image).unwrap() == fs::read(program(APP)).unwrap());

    let app = App::start(&desktop).await;
    release.offer("0.0.1", "0.0.1", &release.maker);
    look(&app).await;
    app.sees_text(word("release_newest")).await;
    release.offer(NEXT, NEXT, &release.maker);
    relay.way().cut_after(10 << 20);
    app.press(word("release_look")).await;
    app.press(word("release_install")).await;
    app.sees("that it did not arrive", |view| view.says(word("error_update_not_fetched"))).await;
    unchanged(&image);
    relay.way().cut_after(u64::MAX);
    release.put(&[&release.next[..], b"more"].concat());
    app.press(word("release_install")).await;
    app.sees("that nobody signed it", |view| view.says(word("error_update_untrusted"))).await;
    app.picture("update-untrusted");
    unchanged(&image);
    // Nobody else is there to ask.
    app.press(word("release_look")).await;
    app.sees("that nobody answers", |view| view.says(word("error_update_unanswered"))).await;
    app.kill().await;

    release.put(&release.next);
    let stranger = KeyPair::generate_unencrypted_keypair().unwrap();
    // An older one under a new number, and one that others have made.
    for (version, signed_as, by) in [("9.0.0", "0.0.1", &release.maker), (NEXT, NEXT, &stranger)] {
        let app = App::start(&desktop).await;
        release.offer(version, signed_as, by);
        look(&app).await;
        app.press(word("release_install")).await;
        app.sees("that nobody signed that", |view| view.says(word("error_update_untrusted"))).await;
        unchanged(&image);
        app.kill().await;
    }

    let app = App::start(&desktop).await;
    release.offer(NEXT, NEXT, &release.maker);
    look(&app).await;
    app.sees_text("Larger letters.").await;
    app.picture("update-offered");
    let before = desktop.app_processes();
    app.press(word("release_install")).await;
    release.runs(&desktop, &before).await;
    assert!(fs::read(&image).unwrap() == release.next);
    until_now("its window", || match desktop.windows() {
        windows if windows.is_empty() => Err("none"),
        _ => Ok(()),
    })
    .await;
    assert_eq!(fs::read_dir(release.installed.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// Kith may not write into the folder where it lies; then the disk takes only a part of what has come.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_new_version_finds_no_place_the_old_one_stays_and_goes_on() {
    let release = Release::of(&fs::read(program(APP)).unwrap());
    let mut relay = Relay::start().await;
    relay.kill();
    relay.start_again_with(&[&format!("updates.folder={}", release.folder.path().display())]);
    let mut desktop = Desktop::start("alice").await;
    let image = release.installed.path().join("Kith.AppImage");
    fs::copy(program(APP), &image).unwrap();
    desktop.turn_to_image(image.clone(), &[("KITH_UPDATE_KEY", release.key().as_ref())]);
    desktop.start_by(if is_root() { &AS_A_PERSON } else { &WITHOUT_SIGNAL });
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");

    release.offer(NEXT, NEXT, &release.maker);
    let app = App::start(&desktop).await;
    look(&app).await;
    let running = desktop.app_processes();
    let stays = async |why: &str| {
        app.press(word("release_install")).await;
        until_now(why, || desktop.app_has_noted(why)).await;
        app.sees("that it is not placed", |view| view.says(word("error_update_not_placed"))).await;
        assert!(fs::read(&image).unwrap() == fs::read(program(APP)).unwrap());
        assert_eq!(fs::read_dir(release.installed.path()).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(desktop.app_processes(), running);
    };
    fs::set_permissions(release.installed.path(), Permissions::from_mode(0o500)).unwrap();
    stays("Permission denied").await;
    fs::set_permissions(release.installed.path(), Permissions::from_mode(0o700)).unwrap();
    // There is room for all but the last bytes.
    set_file_size_max(&running, &fs::metadata(&image).unwrap().len().to_string());
    stays("File too large").await;
    app.picture("update-without-room");

    set_file_size_max(&running, "unlimited");
    app.press(word("release_install")).await;
    release.runs(&desktop, &running).await;
    assert!(fs::read(&image).unwrap() == release.next);
}

/// It says nothing, no list comes, or nobody is there; the relay hands on nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_of_no_use_is_spoken_of_and_holds_nothing_up() {
    let release = Release::of(b"of no matter");
    let relay = Relay::start().await;
    let mut desktop = Desktop::start("alice").await;
    let image = release.installed.path().join("Kith.AppImage");
    fs::copy(program(APP), &image).unwrap();
    let feed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let list = format!("http://{}/latest.json", feed.local_addr().unwrap());
    let key = release.key();
    desktop.turn_to_image(image, &[("KITH_UPDATE_KEY", key.as_ref()), ("KITH_UPDATE_FEED", list.as_ref())]);
    Terminal::of_app(&desktop).join(&relay, "Alice", "alice");
    let app = App::start(&desktop).await;
    let running = desktop.app_processes();
    let useless = |view: &View| view.says(word("error_update_unanswered"));

    look(&app).await;
    let (silent, _) = feed.accept().await.unwrap();
    app.press(word("settings_page_appearance")).await;
    app.press(word("settings_page_about")).await;
    app.sees("no error yet", |view| !useless(view)).await;
    drop(silent);
    app.sees("that it did not answer", useless).await;

    for (answer, again_and_again) in [(GARBAGE, false), (ENDLESS, true)] {
        app.press(word("release_look")).await;
        let mut asked = asked(&feed).await;
        app.sees("no error yet", |view| !useless(view)).await;
        asked.write_all(answer).await.unwrap();
        // Until it is heard no further.
        while again_and_again && asked.write_all(&[b' '; 4096]).await.is_ok() {}
        drop(asked);
        app.sees("that this is no list", useless).await;
    }

    app.press(word("release_look")).await;
    let mut asked = asked(&feed).await;
    release.offer("0.0.1", "0.0.1", &release.maker);
    let list = fs::read(release.folder.path().join("latest.json")).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", list.len());
    asked.write_all(&[head.as_bytes(), &list].concat()).await.unwrap();
    app.sees("no error", |view| !useless(view)).await;
    drop(feed);
    app.press(word("release_look")).await;
    app.sees("that nobody is there", useless).await;
    assert_eq!(desktop.app_processes(), running);
}

/// Somebody who asks, and has said what for.
async fn asked(feed: &TcpListener) -> TcpStream {
    let (mut stream, _) = feed.accept().await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut said).await.unwrap() > 0, "{}", said.escape_ascii());
    }
    stream
}

async fn look(app: &App<'_>) {
    app.desktop().xdotool(&["key", "ctrl+comma"]).unwrap();
    app.press(word("settings_page_about")).await;
    app.press(word("release_look")).await;
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// How large a file may become that these processes write.
fn set_file_size_max(processes: &[u32], bytes: &str) {
    for id in processes {
        let status =
            Command::new("prlimit").args([format!("--pid={id}"), format!("--fsize={bytes}:")]).status();
        assert!(status.unwrap().success());
    }
}

/// What is published of a version, in the folder of a relay.
struct Release {
    folder: TempDir,
    installed: TempDir,
    next: Vec<u8>,
    maker: KeyPair,
}

impl Release {
    /// The next version is this program with something more at its end.
    fn of(program: &[u8]) -> Self {
        let mut next = program.to_vec();
        next.extend_from_slice(NEXT.as_bytes());
        let maker = KeyPair::generate_unencrypted_keypair().unwrap();
        let (folder, installed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let release = Self { folder, installed, next, maker };
        release.put(&release.next);
        release
    }

    /// The file, or something else in its place.
    fn put(&self, file: &[u8]) {
        fs::write(self.folder.path().join(FILE), file).unwrap();
    }

    /// The public key, as it is built in.
    fn key(&self) -> String {
        base64(&self.maker.pk.to_box().unwrap().to_string())
    }

    /// Waits until the next version is what runs, and not only what stands in the place of the one before. Between two
    /// programs, a process that starts another is still the old one.
    async fn runs(&self, desktop: &Desktop, before: &[u32]) {
        let is_next =
            |id: &u32| fs::read(format!("/proc/{id}/exe")).is_ok_and(|program| program == self.next);
        until_now("the next version", || {
            let running = desktop.app_processes();
            let new = running.iter().filter(|id| !before.contains(id));
            if new.into_iter().any(is_next) { Ok(()) } else { Err(running) }
        })
        .await;
    }

    /// The list says one version; the signature may say another.
    fn offer(&self, version: &str, signed_as: &str, by: &KeyPair) {
        let comment = format!("timestamp:1\tfile:{FILE}\tversion:{signed_as}");
        let signature =
            minisign::sign(Some(&by.pk), &by.sk, Cursor::new(&self.next), Some(&comment), None).unwrap();
        let list = serde_json::json!({ "version": version, "notes": "Larger letters.", "platforms": {
            format!("linux-{}", std::env::consts::ARCH): {
                "url": format!("https://releases.invalid/{FILE}"),
                "signature": base64(&signature.to_string()),
            } } });
        fs::write(self.folder.path().join("latest.json"), list.to_string()).unwrap();
    }
}

fn base64(text: &str) -> String {
    data_encoding::BASE64.encode(text.as_bytes())
}

const NEXT: &str = "0.2.0";
const FILE: &str = "Kith_0.2.0_amd64.AppImage";
const GARBAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>Sign in</html>";
const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n[";
/// A write that goes too far fails then, instead of ending the process.
const WITHOUT_SIGNAL: [&str; 2] = ["env", "--ignore-signal=XFSZ"];
/// Root may write where the rights of a folder say no.
const AS_A_PERSON: [&str; 5] =
    ["env", "--ignore-signal=XFSZ", "setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override"];
