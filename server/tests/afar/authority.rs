//! A real authority, pebble, with a life of its own.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};
use tempfile::TempDir;

use super::{Comer, Root, Server, free_ports};

/// What a relay must know of it; it runs once it is started.
pub struct Authority {
    folder: TempDir,
    port: u16,
    server: Option<(Server, u16)>,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, leaf) = (Root::new(), folder.path());
        fs::write(leaf.join("ca.pem"), root.pem()).unwrap();
        root.issue("localhost", YEAR, &leaf.join("cert.pem"), &leaf.join("key.pem"));
        let [port] = free_ports();
        Self { folder, port, server: None }
    }

    /// It issues certificates that last so long, to whoever answers at `way` on this machine.
    pub fn start(&mut self, way: u16, life_s: u32) {
        let folder = self.folder.path();
        // A relay has been told of the port; pebble that finds it taken ends, and is started again.
        let (server, [management]) = Server::start(|[management]: [u16; 1]| {
            let config = serde_json::json!({ "pebble": {
                "listenAddress": format!("127.0.0.1:{}", self.port),
                "managementListenAddress": format!("127.0.0.1:{management}"),
                "certificate": folder.join("cert.pem"),
                "privateKey": folder.join("key.pem"),
                "httpPort": way,
                "tlsPort": way,
                "certificateValidityPeriod": life_s,
            }});
            fs::write(folder.join("pebble.json"), config.to_string()).unwrap();
            let log = File::create(folder.join("log")).unwrap();
            let mut command = Command::new("pebble");
            command.arg("-config").arg(folder.join("pebble.json"));
            // It looks each time, at once.
            command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_AUTHZREUSE", "0");
            command.stdout(log.try_clone().unwrap()).stderr(log);
            command
        });
        self.server = Some((server, management));
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            std::thread::yield_now();
        }
    }

    pub fn stop(&mut self) {
        self.server = None;
    }

    /// The configuration of a relay that is to be certified at `localhost`, by this port.
    pub fn relay_config(&self, port: u16) -> PathBuf {
        let file = self.folder.path().join("relay.toml");
        let ca = self.folder.path().join("ca.pem");
        let text = format!(
            "public_address = \"localhost:{port}\"\n[tls]\nmode = \"acme\"\nacme_ca = \"{}\"\n\
             acme_directory = \"https://localhost:{}/dir\"\n",
            super::text(&ca),
            self.port
        );
        fs::write(&file, text).unwrap();
        file
    }

    /// Devices that trust it, and come to this port.
    pub fn comer(&self, port: u16) -> Comer {
        Comer::new(port, "localhost", self.root().as_bytes())
    }

    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn root(&self) -> String {
        let (_, management) = self.server.as_ref().unwrap();
        let ca = fs::read(self.folder.path().join("ca.pem")).unwrap();
        let config = Comer::new(*management, "localhost", &ca).config;
        let name = ServerName::try_from("localhost").unwrap();
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, *management)).unwrap();
        let mut tls = StreamOwned::new(ClientConnection::new(Arc::clone(&config), name).unwrap(), tcp);
        tls.write_all(b"GET /roots/0 HTTP/1.0\r\nhost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        tls.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

const YEAR: Duration = Duration::from_hours(365 * 24);
