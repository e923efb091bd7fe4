//! From one version to the next, which a relay hands on. The program itself stands in for the AppImage that it is shipped in:
//! one file, which a newer one takes the place of.

use crate::app::App;
use crate::desktop::{APP, Desktop};
use crate::page::word;
use crate::people::Terminal;
use crate::process::program;
use crate::real::Relay;
use crate::wait::until_now;
use minisign::KeyPair;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use tempfile::TempDir;

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
    let next = until_now("the next version", || {
        let running = desktop.app_processes();
        let next: Vec<_> = running.iter().filter(|id| !before.contains(id)).copied().collect();
        if next.is_empty() { Err(running) } else { Ok(next) }
    })
    .await;
    assert!(fs::read(&image).unwrap() == release.next);
    // Not only the file: what runs is what stands in its place.
    assert!(fs::read(format!("/proc/{}/exe", next[0])).unwrap() == release.next);
    until_now("its window", || match desktop.windows() {
        windows if windows.is_empty() => Err("none"),
        _ => Ok(()),
    })
    .await;
    assert_eq!(fs::read_dir(release.installed.path()).unwrap().count(), 1, "nothing is left beside it");
}

async fn look(app: &App<'_>) {
    app.desktop().xdotool(&["key", "ctrl+comma"]).unwrap();
    app.press(word("settings_page_about")).await;
    app.press(word("release_look")).await;
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
