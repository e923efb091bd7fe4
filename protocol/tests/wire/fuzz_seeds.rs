//! What the fuzzers begin with: the samples. `KITH_UPDATE=1` writes them anew.

use crate::samples;
use kith_protocol::frame::{ClientFrame, ServerFrame};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn seeds() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    let mut add = |target: &str, name: &str, bytes: &[u8]| {
        seeds.insert(Path::new(target).join(format!("seed-{name}")), bytes.to_vec());
    };
    for frame in samples::client_frames().iter().map(ClientFrame::encode) {
        add("decode_client_frame", &frame[0].to_string(), &frame);
    }
    for frame in samples::server_frames().iter().map(ServerFrame::encode) {
        add("decode_server_frame", &frame[0].to_string(), &frame);
    }
    for (name, event) in samples::events() {
        add("bodies", name, &event.encode());
    }
    for (name, setting) in samples::settings() {
        add("bodies", &name.replace(' ', "-"), &setting.encode());
    }
    for (name, bytes) in samples::signed() {
        if name.starts_with("register") {
            add("register", &name.to_lowercase().replace(' ', "-"), &bytes);
        } else {
            add("entry", &name.replace(' ', "-"), &bytes);
        }
    }
    let mut chain = Vec::new();
    for entry in [crate::people::Person::alice().genesis.raw().clone()]
        .into_iter()
        .chain(samples::chain_ops().into_iter().map(|(_, op)| samples::chain_entry(op).raw().clone()))
    {
        chain.extend(u16::try_from(entry.len()).unwrap().to_be_bytes());
        chain.extend(&entry);
    }
    add("chain_fold", "chain", &chain);
    add("room_fold", "story", &(0..=255).rev().collect::<Vec<u8>>());
    for (n, link) in samples::invite_links().iter().enumerate() {
        add("links", &format!("join-{n}"), link.to_string().as_bytes());
    }
    for (n, link) in samples::device_links().iter().enumerate() {
        add("links", &format!("link-{n}"), link.to_string().as_bytes());
    }
    add("links", "code", samples::link_code().to_string().as_bytes());
    add("links", "recovery", samples::recovery_key().to_string().as_bytes());
    seeds
}

#[test]
fn the_fuzzers_begin_with_the_samples() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, bytes) in seeds() {
        let path = corpus.join(name);
        if std::env::var_os("KITH_UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        let found = std::fs::read(&path).unwrap_or_default();
        assert!(found == bytes, "{} is out of date: run the test with KITH_UPDATE=1", path.display());
    }
}
