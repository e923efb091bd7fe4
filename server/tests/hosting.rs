//! What an operator types: backup, restore, migrate, doctor, init; what systemd hears; certificates that are renewed.
#![allow(clippy::unwrap_used, reason = "a test ends where something fails")]

mod program;

use program::{Running, relay, said};
use rcgen::{CertificateParams, KeyPair};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn run(data: &Path, args: &[&str]) -> Output {
    relay(data).args(args).output().unwrap()
}

/// A folder with a relay of this schema that does not run.
fn of_schema(version: u32) -> TempDir {
    let data = tempfile::tempdir().unwrap();
    let database = rusqlite::Connection::open(data.path().join("relay.db")).unwrap();
    database.pragma_update(None, "user_version", version).unwrap();
    data
}

#[cfg(unix)]
#[test]
fn a_running_relay_is_backed_up_and_a_stopped_one_restored() {
    let running = Running::start(&[]);
    let incarnation = running.json(&["stats"])["incarnation"].clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kith.backup");
    let file = file.to_str().unwrap();
    let made = running.json(&["backup", file]);
    assert_eq!(made["file"], file);
    let (text, code) = said(running.ask(&["backup", file]));
    assert!(code == Some(1) && text.contains("is there already; choose another name"), "{text}");
    let (text, code) = said(running.ask(&["backup", "verify", file]));
    assert!(code == Some(0) && text.contains("all is well: 0 accounts"), "{text}");
    let (text, code) = said(running.ask(&["restore", file, "--yes"]));
    assert!(code == Some(1) && text.contains("another relay already runs on"), "{text}");

    let (data, _) = running.stop();
    let (text, code) = said(run(data.path(), &["restore", file]));
    assert!(code == Some(1) && text.contains("with --yes it is put aside"), "{text}");
    let (text, code) = said(run(data.path(), &["restore", file, "--yes"]));
    assert!(code == Some(0) && text.contains("what was there before is in"), "{text}");
    let restored = Running::start_on(data, &[], 3);
    assert_ne!(restored.json(&["stats"])["incarnation"], incarnation);
    let once = restored.json(&["stats"])["incarnation"].clone();
    let (data, _) = restored.stop();
    let again = Running::start_on(data, &[], 3);
    assert_eq!(again.json(&["stats"])["incarnation"], once, "restored once");
}

#[test]
fn nothing_to_back_up_is_said() {
    let data = tempfile::tempdir().unwrap();
    let (text, code) = said(run(data.path(), &["backup", "x"]));
    assert!(code == Some(1) && text.contains("there is no relay in") && text.contains("--data"), "{text}");
    let (text, code) = said(run(data.path(), &["backup", "verify", "nowhere"]));
    assert!(code == Some(1) && text.contains("there is no file nowhere"), "{text}");
    assert_eq!(run(data.path(), &["backup"]).status.code(), Some(2));
}

#[test]
fn an_older_database_is_migrated_and_a_dry_run_changes_nothing() {
    let data = of_schema(0);
    let path = data.path().join("relay.db");
    let before = std::fs::read(&path).unwrap();
    let (text, code) = said(run(data.path(), &["migrate", "--dry-run"]));
    assert!(code == Some(0) && text.contains("a copy went from schema 0 to 6"), "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 1, "no trial is left behind");
    let (text, code) = said(run(data.path(), &["migrate"]));
    assert!(code == Some(0) && text.contains("went from schema 0 to 6"), "{text}");
    let (text, code) = said(run(data.path(), &["migrate"]));
    assert!(code == Some(0) && text.contains("there is nothing to do"), "{text}");
}

#[test]
fn a_downgrade_is_refused_with_what_to_do_and_changes_nothing() {
    let data = of_schema(1000);
    let path = data.path().join("relay.db");
    let before = std::fs::read(&path).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for args in [&serve[..], &["migrate"], &["migrate", "--dry-run"], &["backup", "x"], &["doctor"]] {
        let (text, code) = said(run(data.path(), args));
        assert!(code == Some(1), "{args:?}: {text}");
        assert!(
            text.contains("written by a newer kith-relay") && text.contains("update kith-relay"),
            "{text}"
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// What a doctor finds: the exit code, and each finding as `level about: says -> todo`.
fn doctor(data: &Path, config: &str) -> (Option<i32>, String) {
    let file = data.join("doctor.toml");
    std::fs::write(&file, config).unwrap();
    let output = run(data, &["doctor", "--json", "--config", file.to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = report["findings"].as_array().unwrap().iter().map(|finding| {
        let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {} -> {}\n", word("level"), word("about"), word("says"), word("todo"))
    });
    (output.status.code(), lines.collect())
}

#[test]
fn a_doctor_finds_a_relay_that_is_well() {
    let running = Running::start(&[]);
    private(running.data.path());
    let (code, text) = doctor(running.data.path(), "");
    assert!(
        code == Some(0) && text.contains("good port: the relay runs, and answers on 127.0.0.1:"),
        "{text}"
    );
    assert!(
        text.contains("good database: schema 6") && text.contains("only this machine gets there"),
        "{text}"
    );
    // One with a key of its own, that other machines reach.
    let secured = Running::start_on(tempfile::tempdir().unwrap(), &["--set", "listen=0.0.0.0:0"], 3);
    let (code, text) =
        doctor(secured.data.path(), "listen = \"0.0.0.0:1\"\npublic_address = \"localhost:1\"");
    assert!(code == Some(0) && text.contains("answers on 0.0.0.0:"), "{text}");
    assert!(text.contains("good certificate: of a key of its own"), "{text}");
    assert!(text.contains("warning reachability: from this machine it cannot be reached"), "{text}");
    let port = secured.json(&["stats"])["listen"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let reached = format!("listen = \"0.0.0.0:1\"\npublic_address = \"localhost:{port}\"");
    let (code, text) = doctor(secured.data.path(), &reached);
    assert!(code == Some(0) && text.contains("good reachability: it answers at wss://localhost:"), "{text}");
}

#[test]
fn a_doctor_says_what_is_wrong_and_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("listen = \"{}\"", taken.local_addr().unwrap());
    let cases = [
        (listen.as_str(), "bad port", "choose another port in `listen`"),
        ("listen = \"192.0.2.1:7443\"", "bad port", "0.0.0.0 is all of them"),
        ("public_address = \"nowhere.invalid\"", "bad address", "make a DNS record"),
        ("limits.max_conections = 1", "bad configuration", "config check"),
        ("[storage]\nreserve_bytes = 1000000000000000", "bad disk", "make room"),
    ];
    for (config, wrong, todo) in cases {
        let (code, text) = doctor(data.path(), config);
        let line =
            text.lines().find(|line| line.starts_with(wrong)).unwrap_or_else(|| panic!("{config}: {text}"));
        assert!(code == Some(1) && line.contains(todo), "{config}: {text}");
    }
    std::fs::write(data.path().join("relay.db"), "no database".repeat(1000)).unwrap();
    let (code, text) = doctor(data.path(), "listen = \"127.0.0.1:0\"");
    assert!(
        code == Some(1) && text.contains("bad database") && text.contains("restore FILE --yes"),
        "{text}"
    );
}

#[test]
fn a_doctor_looks_at_the_updates_that_are_handed_on() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = format!("listen = \"127.0.0.1:0\"\n[updates]\nfolder = '{}'", folder.path().display());
    let finds = |expected: &str, code| {
        let (seen, text) = doctor(data.path(), &config);
        assert!(seen == Some(code) && text.contains(expected), "{text}");
    };
    finds("warning updates: there is no latest.json in", 0);
    let list = folder.path().join("latest.json");
    std::fs::write(&list, "{}").unwrap();
    finds("bad updates: ", 1);
    let text = r#"{"version":"2.0.0","platforms":{"windows-x86_64":{"url":"https://x/Kith-setup.exe","signature":""}}}"#;
    std::fs::write(&list, text).unwrap();
    finds("but not to windows-x86_64: its file is not in the folder", 0);
    std::fs::write(folder.path().join("Kith-setup.exe"), "").unwrap();
    finds("good updates: version 2.0.0 of the app is offered to devices", 0);
}

#[cfg(unix)]
#[test]
fn a_doctor_sees_who_else_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, text) = doctor(data.path(), "listen = \"127.0.0.1:0\"");
    assert!(code == Some(0) && text.contains("warning permissions") && text.contains("chmod 700"), "{text}");
    private(data.path());
    let (_, text) = doctor(data.path(), "listen = \"127.0.0.1:0\"");
    assert!(!text.contains("permissions"), "{text}");
}

fn private(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let _ = folder;
}

/// Writes a certificate for `chat.example` that ends in so many days, and says how to use it.
fn certificate(folder: &Path, ends_in_days: i64) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["chat.example".to_owned()]).unwrap();
    let now = rcgen::date_time_ymd(1970, 1, 1) + std::time::UNIX_EPOCH.elapsed().unwrap();
    params.not_before = now - std::time::Duration::from_hours(24 * 30);
    params.not_after = if ends_in_days < 0 {
        now - std::time::Duration::from_hours(24 * ends_in_days.unsigned_abs())
    } else {
        now + std::time::Duration::from_hours(24 * ends_in_days.unsigned_abs() + 1)
    };
    let paths = (folder.join("cert.pem"), folder.join("cert-key.pem"));
    std::fs::write(&paths.0, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&paths.1, key.serialize_pem()).unwrap();
    paths
}

#[test]
fn a_doctor_reads_certificates() {
    let data = tempfile::tempdir().unwrap();
    let config = |public: &str| {
        let (cert, key) = (data.path().join("cert.pem"), data.path().join("cert-key.pem"));
        format!(
            "listen = \"127.0.0.1:0\"\npublic_address = \"{public}\"\n[tls]\nmode = \"files\"\ncert = {cert:?}\nkey = {key:?}"
        )
    };
    let found = |public: &str| doctor(data.path(), &config(public)).1;
    certificate(data.path(), 60);
    assert!(
        found("chat.example").contains("good certificate: good for 60 days"),
        "{}",
        found("chat.example")
    );
    assert!(found("other.example").contains("bad certificate: it is not for other.example"));
    certificate(data.path(), 5);
    assert!(found("chat.example").contains("warning certificate: it ends in 5 days"));
    certificate(data.path(), -2);
    assert!(found("chat.example").contains("bad certificate: it ended"));
    std::fs::write(data.path().join("cert-key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(found("chat.example").contains("bad certificate: certificate and key cannot be used"));
}

#[test]
fn renewed_certificates_are_taken_up_and_half_of_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(folder.path(), 5);
    let flags =
        ["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap(), "--set", "tls.look_every_s=1"];
    let mut running = Running::start(&flags);
    let mut log = BufReader::new(running.child.stderr.take().unwrap()).lines();
    let mut until = |words: &str| log.find(|line| line.as_ref().unwrap().contains(words)).unwrap().unwrap();
    // A renewal that is written in two steps, and pauses in between.
    let renewed = tempfile::tempdir().unwrap();
    let (new_cert, new_key) = certificate(renewed.path(), 90);
    std::fs::copy(new_cert, &cert).unwrap();
    until("the new certificate is not taken up, the old one stays in use");
    std::fs::copy(new_key, &key).unwrap();
    until("certificate read again");
}

#[test]
fn a_configuration_is_taken_up_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(folder.path(), 5);
    let file = folder.path().join("relay.toml");
    let write = |connections: u32| {
        let text = format!(
            "[tls]\nmode = \"files\"\ncert = '{}'\nkey = '{}'\n[limits]\nmax_connections = {connections}\n",
            cert.display(),
            key.display()
        );
        std::fs::write(&file, text).unwrap();
    };
    write(100);
    let running = Running::start(&["--config", file.to_str().unwrap()]);
    let good = std::fs::read(&cert).unwrap();
    std::fs::write(&cert, "half of a certificate").unwrap();
    write(200);
    let (text, code) = said(running.ask(&["reload"]));
    assert!(code == Some(1) && text.contains("holds no certificate in PEM"), "{text}");
    std::fs::write(&cert, good).unwrap();
    let (text, code) = said(running.ask(&["reload"]));
    assert!(code == Some(0) && text.contains("changed: limits.max_connections"), "{text}");
    let audit = running.json(&["audit"]);
    let changes = audit.as_array().unwrap().iter().filter(|it| it["event"] == "configuration-changed");
    assert_eq!(changes.count(), 1, "{audit}");
}

#[test]
fn init_writes_what_serve_runs_and_prints_the_owners_invite() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("etc/relay.toml"));
    let config = file.to_str().unwrap();
    let args = ["init", "--config", config, "--address", "chat.example.org", "--port", "8443", "--json"];
    let output = run(&data, &args);
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["url"], "wss://chat.example.org:8443");
    let link = made["invite"].as_str().unwrap();
    assert!(
        link.starts_with("kith://join?relay=wss%3A%2F%2Fchat.example.org%3A8443") && link.contains("pin="),
        "{link}"
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("listen = \"0.0.0.0:8443\"") && text.matches("\n# ").count() > 40, "{text}");
    let (text, code) = said(run(&data, &["config", "check", "--config", config]));
    assert_eq!(code, Some(0), "{text}");
    let (text, code) = said(run(&data, &args));
    assert!(code == Some(1) && text.contains("is there already; start with"), "{text}");

    // The same link, not another owner.
    let mut child = relay(&data)
        .args(["serve", "--config", config, "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let shown = lines.find(|line| line.starts_with("kith://")).unwrap();
    let token = |link: &str| link.split("token=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert_eq!(token(&shown), token(link));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn init_asks_what_was_not_said() {
    let folder = tempfile::tempdir().unwrap();
    let answered = |name: &str, flags: &[&str], answers: &str| {
        let (data, file) = (folder.path().join(name), folder.path().join(name).with_extension("toml"));
        let mut child = relay(&data)
            .args(["init", "--config", file.to_str().unwrap()])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
        let (text, code) = said(child.wait_with_output().unwrap());
        (text, code, std::fs::read_to_string(file).unwrap_or_default())
    };
    let (text, code, _) = answered("a", &[], "chat.example.org\nno\n8443\n");
    assert!(code == Some(0) && text.contains("wss://chat.example.org:8443"), "{text}");
    let (text, code, config) = answered("b", &[], "\n\n");
    assert!(code == Some(0) && text.contains("kith-relay serve --config"), "{text}");
    assert!(
        config.contains("listen = \"0.0.0.0:7443\"") && config.contains("public_address = \"\""),
        "{text}"
    );
    let (text, code, config) = answered("c", &["--behind-proxy"], "chat.example.org\n\n");
    assert!(code == Some(0) && text.contains("at wss://chat.example.org\n"), "{text}");
    assert!(
        config.contains("listen = \"127.0.0.1:7443\"") && config.contains("behind_proxy = true"),
        "{text}"
    );
    let (text, code, config) = answered("f", &[], "chat.example.org\nyes\n\n");
    assert!(
        code == Some(0) && text.contains("at wss://chat.example.org\n") && !text.contains("pin="),
        "{text}"
    );
    assert!(config.contains("listen = \"0.0.0.0:443\"") && config.contains("mode = \"acme\""), "{text}");
    let flags = ["--acme", "--address", "chat.example.org", "--port", "8443"];
    let (text, code, config) = answered("g", &flags, "");
    assert!(code == Some(0) && text.contains("at wss://chat.example.org:8443\n"), "{text}");
    assert!(config.contains("mode = \"acme\""), "{text}");
    let (text, code, config) = answered("h", &["--acme"], "home\n");
    assert!(code == Some(1) && text.contains("vouches for a public name") && config.is_empty(), "{text}");
    let (text, code, config) = answered("d", &[], "home\nnine\n");
    assert!(code == Some(1) && text.contains("the port must be a number") && config.is_empty(), "{text}");
    let (text, code, config) = answered("e", &[], "https://chat.example.org/\n1\n");
    assert!(code == Some(2) && text.contains("without scheme or path") && config.is_empty(), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_owners_link_does_not_go_into_the_journal() {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    let (reader, writer) = std::io::pipe().unwrap();
    let journal = std::fs::metadata(format!("/proc/self/fd/{}", writer.as_raw_fd())).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut child = relay(data.path())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("JOURNAL_STREAM", format!("{}:{}", journal.dev(), journal.ino()))
        .stdout(writer)
        .spawn()
        .unwrap();
    let lines: Vec<_> = BufReader::new(reader).lines().take(2).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines[1].contains("kith-relay invite --role owner"), "{lines:?}");
}

/// Handed over as systemd does: the third descriptor, and a word about it in the environment.
#[cfg(target_os = "linux")]
#[test]
fn a_socket_that_systemd_holds_is_listened_on_and_encrypted_as_its_address_asks() {
    const HAND_OVER: &str = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
    let held = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let address = held.local_addr().unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", HAND_OVER, "sh", env!("CARGO_BIN_EXE_kith-relay"), "--data"]).arg(data.path());
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(held)));
    let running = Running::start_as(command, data, &[], 3);
    assert!(running.said[0].contains(&format!("listens on {address} as wss://")), "{:?}", running.said);
    std::net::TcpStream::connect(("127.0.0.1", address.port())).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_hears_when_it_is_ready_that_it_lives_reloads_and_ends() {
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;
    let folder = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut command = relay(data.path());
    command.env("NOTIFY_SOCKET", folder.path().join("notify")).env("WATCHDOG_USEC", "300000");
    let running = Running::start_as(command, data, &[], 3);
    let until = |word: &str| {
        let mut bytes = [0; 256];
        loop {
            let len = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("no {word}: {error}"));
            if String::from_utf8_lossy(&bytes[..len]).lines().any(|line| line == word) {
                return;
            }
        }
    };
    until("READY=1");
    for _ in 0..3 {
        until("WATCHDOG=1");
    }
    running.signal("HUP");
    until("RELOADING=1");
    until("READY=1");
    running.signal("TERM");
    until("STOPPING=1");
    running.stop();
}
