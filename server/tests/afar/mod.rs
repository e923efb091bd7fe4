//! Devices that come by TLS, and what stands between them and the relay.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "support: each test uses its part"
)]

mod authority;
mod root;

pub use authority::Authority;
pub use root::Root;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener, TcpStream as StdStream},
    path::Path,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kith_protocol::{account::Account, chain::ChainEntry, frame::ClientFrame, link::Link};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::{Device, Wire, keys};

/// Where a name leads. Who comes before that is known waits.
pub struct Way {
    pub port: u16,
    to: watch::Sender<Leads>,
    lead: JoinHandle<()>,
}

#[derive(Clone, Copy)]
enum Leads {
    Unknown,
    Nowhere,
    To(u16),
}

impl Way {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (to, leads) = watch::channel(Leads::Unknown);
        let lead = tokio::spawn(async move {
            loop {
                let (mut from, _) = listener.accept().await.unwrap();
                let mut leads = leads.clone();
                tokio::spawn(async move {
                    let known = *leads.wait_for(|leads| !matches!(leads, Leads::Unknown)).await.unwrap();
                    if let Leads::To(port) = known {
                        let mut to = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                        copy_bidirectional(&mut from, &mut to).await?;
                    }
                    io::Result::Ok(())
                });
            }
        });
        Self { port, to, lead }
    }

    pub fn lead_to(&self, port: u16) {
        self.to.send_replace(Leads::To(port));
    }

    pub fn cut(&self) {
        self.to.send_replace(Leads::Nowhere);
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.lead.abort();
    }
}

/// How devices come: to this port, by this name, trusting these.
#[derive(Clone)]
pub struct Comer {
    pub port: u16,
    pub name: &'static str,
    from: Ipv4Addr,
    /// What it says of its address.
    claim: Option<&'static str>,
    config: Arc<ClientConfig>,
}

impl Comer {
    pub fn new(port: u16, name: &'static str, roots: &[u8]) -> Self {
        let mut trusted = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots) {
            trusted.add(root.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Self { port, name, from: Ipv4Addr::LOCALHOST, claim: None, config: Arc::new(config) }
    }

    /// The same to another port.
    pub fn to(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    pub fn from(&self, from: Ipv4Addr) -> Self {
        Self { from, ..self.clone() }
    }

    pub fn claiming(&self, address: &'static str) -> Self {
        Self { claim: Some(address), ..self.clone() }
    }

    pub async fn secured(&self) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.from, 0).into())?;
        let tcp = socket.connect((Ipv4Addr::LOCALHOST, self.port).into()).await?;
        TlsConnector::from(Arc::clone(&self.config))
            .connect(ServerName::try_from(self.name).unwrap(), tcp)
            .await
    }

    /// The serial number of the certificate that is shown, if it is trusted.
    pub async fn serial(&self) -> io::Result<Vec<u8>> {
        let tls = self.secured().await?;
        let shown = tls.get_ref().1.peer_certificates().unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&shown[0]).unwrap();
        Ok(parsed.raw_serial().to_vec())
    }

    pub async fn wire(&self) -> Wire {
        let mut tls = self.secured().await.unwrap();
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        tokio::spawn(async move { copy_bidirectional(&mut theirs, &mut tls).await });
        let mut request = format!("wss://{}/v1/ws", self.name).into_client_request().unwrap();
        if let Some(claim) = self.claim {
            request.headers_mut().insert("x-forwarded-for", claim.parse().unwrap());
        }
        Wire(tokio_tungstenite::client_async(request, ours).await.unwrap().0)
    }

    /// A new account, by an invite.
    pub async fn join(&self, link: &str, seed: u8) -> Device {
        let Link::Join(invite) = link.parse().unwrap() else { panic!("an invite") };
        let keys = keys(seed);
        let genesis = ChainEntry::genesis(&keys, "laptop", 1);
        let mut wire = self.wire().await;
        let hello = wire.hello().await;
        let mut device = Device::new(keys, Account::genesis(&genesis).unwrap(), wire);
        let join = device.joining(&hello, &invite.token, &format!("user{seed}"));
        device.wire.say(&ClientFrame::Join(join)).await;
        device.welcomed().await;
        device
    }
}

/// Flags for a relay that lets people write as fast as they can.
pub const UNHURRIED: [&str; 8] = [
    "--set",
    "limits.messages_per_second=1000000",
    "--set",
    "limits.messages_burst=1000000",
    "--set",
    "limits.account_messages_per_second=1000000",
    "--set",
    "limits.account_messages_burst=1000000",
];

/// Somebody who writes all the time, each message acknowledged.
pub struct Writer {
    stop: Arc<AtomicBool>,
    done: watch::Receiver<usize>,
    writes: JoinHandle<()>,
}

impl Writer {
    pub async fn start(mut device: Device) -> Self {
        let group = device.open_group(&[]).await;
        let stop = Arc::new(AtomicBool::new(false));
        let (counted, done) = watch::channel(0);
        let stopped = Arc::clone(&stop);
        let writes = tokio::spawn(async move {
            while !stopped.load(Ordering::SeqCst) {
                device.post(0, group.id, "still there?").await.unwrap();
                counted.send_modify(|done| *done += 1);
            }
        });
        Self { stop, done, writes }
    }

    /// Returns once more messages have been acknowledged: on the connection that was there at the start.
    pub async fn goes_on(&self) {
        let before = *self.done.borrow();
        self.done.clone().wait_for(|done| *done > before + 5).await.expect("writing has ended");
    }

    pub async fn end(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.writes.await.unwrap();
        *self.done.borrow()
    }
}

/// A program that runs until it is dropped.
pub struct Server(Child);

impl Server {
    /// Starts it on ports that nobody has; `ports` are given anew if somebody was quicker.
    pub fn start<const N: usize>(mut command: impl FnMut([u16; N]) -> Command) -> (Self, [u16; N]) {
        for _ in 0..20 {
            let ports = free_ports();
            let mut started = command(ports);
            let mut child =
                started.spawn().unwrap_or_else(|error| panic!("{started:?} cannot be started: {error}"));
            loop {
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                if ports.iter().all(|port| StdStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok()) {
                    return (Self(child), ports);
                }
                std::thread::yield_now();
            }
        }
        panic!("it does not start")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Free a moment ago, all of them others.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| StdListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// Where a relay listens, as it said.
pub fn port_of(said: &[String]) -> u16 {
    let address = said[0].split(" listens on ").nth(1).unwrap().split(' ').next().unwrap();
    address.parse::<SocketAddr>().unwrap().port()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const PATIENCE: Duration = Duration::from_secs(30);
