//! A running relay, from its start to its end.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    acme::Keeper,
    admin::{AdminDoor, BindError, InviteRow},
    clock::Clock,
    commands::print,
    config::{Change, Config, ConfigError, Layers, Live, Security},
    copied,
    data::{DATABASE, DataDir, DataDirError, NOTE},
    disk, http,
    listen::Door,
    logging::{Logging, LoggingError},
    metrics::Metrics,
    operator::{Desk, Operator, Refusal, describe},
    platform::{self, Signal, Signals, service},
    push::courier,
    reach::Reach,
    relay::{
        hub::{Hub, Threads},
        writes::Write,
    },
    reserve::Reserved,
    retention,
    store::{
        AuditEvent, StoreError, fresh_incarnation,
        sqlite::{Quota, SqliteEngine},
    },
    tls::{Tls, TlsError},
};

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Logging(#[from] LoggingError),
    #[error(transparent)]
    Data(#[from] DataDirError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Admin(#[from] BindError),
    #[error("the port of {address} is in use; choose another with {flag}")]
    PortInUse { address: SocketAddr, flag: &'static str },
    #[error("cannot listen on {address}: {source}; choose an address of this machine with {flag}")]
    Listen { address: SocketAddr, flag: &'static str, source: io::Error },
    #[error("the database {} cannot be opened: {source}", path.display())]
    Open { path: PathBuf, source: StoreError },
    #[error("the database {} cannot be looked at: {source}", path.display())]
    Look { path: PathBuf, source: io::Error },
    #[error("the owner's invite cannot be made: {0}")]
    FirstInvite(#[from] Refusal),
    #[error("the system does not let the relay start: {0}")]
    System(#[from] io::Error),
}

/// Runs until it is told to stop.
pub fn serve(mut layers: Layers, restored: bool) -> Result<(), ServeError> {
    let given = service::listener()?;
    if let Some(tcp) = &given {
        // Whether connections are encrypted follows from where they really come in.
        layers.flags.push(("listen".to_owned(), tcp.local_addr()?.to_string()));
    }
    let config = layers.load()?;
    let logging = Logging::start(&config.log)?;
    let data = DataDir::open(&config.data)?;
    raise_open_files_limit(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("relay").enable_all().build()?;
    let threads = runtime.block_on(run(&layers, config, given, &logging, &data, restored))?;
    end(runtime, threads);
    info!("stopped");
    Ok(())
}

/// Makes the folder, the key and the owner's invite, as a first start does; none if somebody has joined already.
pub fn prepare(config: Config) -> Result<Option<InviteRow>, ServeError> {
    let data = DataDir::open(&config.data)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tls = Tls::open(&config, data.path(), &Reach::host(&config))?;
    let reach = Reach::new(&config, config.listen, tls.as_ref().and_then(Tls::pin));
    let (clock, metrics, live) = (Clock::system(), Arc::new(Metrics::new()), Live::new(config));
    let (hub, threads, _) = runtime.block_on(async { open_hub(&data, false, &live, &metrics, clock) })?;
    let listen = live.load().listen;
    let desk = Desk {
        hub,
        reach,
        listen,
        metrics: None,
        data: data.path().to_owned(),
        tls: None,
        started: clock.now(),
        reload: mpsc::channel(1).0,
    };
    let invite = runtime.block_on(Operator::new(desk).first_invite())?;
    drop(runtime);
    threads.join();
    Ok(invite)
}

async fn run(
    layers: &Layers,
    config: Config,
    given: Option<std::net::TcpListener>,
    logging: &Logging,
    data: &DataDir,
    restored: bool,
) -> Result<Threads, ServeError> {
    let mut signals = Signals::listen()?;
    let tcp = match given {
        Some(tcp) => {
            tcp.set_nonblocking(true)?;
            TcpListener::from_std(tcp)?
        }
        None => bind(config.listen, "--listen").await?,
    };
    let metrics_tcp = match config.metrics.listen {
        Some(address) => Some(bind(address, "--metrics").await?),
        None => None,
    };
    let admin = AdminDoor::bind(data.path())?;
    let tls = Tls::open(&config, data.path(), &Reach::host(&config))?;
    let (clock, metrics, live) = (Clock::system(), Arc::new(Metrics::new()), Live::new(config));
    let (listen, security) = (tcp.local_addr()?, live.load().security());
    let (hub, threads, quota) = open_hub(data, restored, &live, &metrics, clock)?;
    let (reload, mut reloads) = mpsc::channel(1);
    let operator = Operator::new(Desk {
        hub: Arc::clone(&hub),
        reach: Reach::new(&live.load(), listen, tls.as_ref().and_then(Tls::pin)),
        listen,
        metrics: metrics_tcp.as_ref().map(TcpListener::local_addr).transpose()?,
        data: data.path().to_owned(),
        tls: tls.clone().filter(|_| matches!(security, Security::Files | Security::Acme)),
        started: clock.now(),
        reload,
    });
    let stop = CancellationToken::new();
    let door = Door::new(tcp, tls.clone(), live.clone(), Arc::clone(&metrics), clock, operator.clone());
    let door = tokio::spawn(door.run(stop.clone()));
    if let Some(tcp) = metrics_tcp {
        tokio::spawn(http::serve_metrics(tcp, Arc::clone(&metrics), stop.clone()));
    }
    tokio::spawn(admin.run(Arc::new(operator.clone()), stop.clone()));
    tokio::spawn(operator.clone().attend(hub.asked(), stop.clone()));
    announce(&operator, listen, tls.as_ref().filter(|_| security == Security::Acme)).await?;
    let host = live.load().public_address.clone();
    let address = if host.is_empty() { host } else { format!("https://{host}") };
    drop(operator);
    if let Some(tls) = &tls {
        keep_certificate(tls.clone(), &live, data, clock, &metrics, &stop);
    }
    tokio::spawn(disk::watch(data.path().to_owned(), Arc::clone(&hub), stop.clone()));
    tokio::spawn(retention::run(Arc::clone(&hub), stop.clone()));
    tokio::spawn(courier::run(Arc::clone(&hub), address, stop.clone()));
    if let Some(every) = service::watchdog() {
        tokio::spawn(keep_watch(Arc::clone(&hub), every, stop.clone()));
    }
    service::ready();

    let reloading = Reloading { layers, logging, live: &live, tls: tls.as_ref(), quota };
    loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::Stop => break,
                // What came of it stands in the log.
                Signal::Reload => drop(reloading.run(&hub).await),
            },
            Some(reply) = reloads.recv() => {
                let reply: oneshot::Sender<_> = reply;
                let result = reloading.run(&hub).await;
                // Whoever asked may have gone.
                let _ = reply.send(result);
            }
        }
    }
    info!("shutting down");
    service::stopping();
    stop.cancel();
    hub.shut_down(RECONNECT_IN);
    tokio::select! {
        _ = door => {}
        // What is left then has not said who it is, and is owed nothing.
        () = hub.registry.emptied() => {}
        _ = signals.next() => warn!("told to stop again: not waiting for connections to end"),
    }
    Ok(threads)
}

async fn bind(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortInUse { address, flag },
        _ => ServeError::Listen { address, flag, source },
    })
}

/// Opens the database, gives a restored one a new identity, and starts the threads over it.
fn open_hub(
    data: &DataDir,
    restored: bool,
    live: &Live,
    metrics: &Arc<Metrics>,
    clock: Clock,
) -> Result<(Arc<Hub>, Threads, Quota), ServeError> {
    let (path, note) = (data.path().join(DATABASE), data.path().join(NOTE));
    let open = |source| ServeError::Open { path: path.clone(), source };
    let look = |source| ServeError::Look { path: path.clone(), source };
    // SQLite gives the files beside it the same mode.
    platform::open_private_file(&path).map_err(look)?;
    let fresh = fresh_incarnation().map_err(open)?;
    let mut engine = SqliteEngine::open(&path, fresh).map_err(open)?;
    if restored || copied::is_copy(&path, &note).map_err(look)? {
        engine.renew(fresh).map_err(open)?;
        warn!("the database was put back from a copy: devices will offer again what it lacks");
    }
    copied::note(&path, &note).map_err(look)?;
    let quota = engine.quota();
    set_quota(&quota, &live.load());
    let folder = data.path().to_owned();
    let free = move || fs4::available_space(&folder);
    let engine = Reserved::new(Box::new(engine), live.clone(), clock, free);
    let (hub, threads) =
        Hub::start(Box::new(engine), live.clone(), Arc::clone(metrics), clock).map_err(open)?;
    Ok((hub, threads, quota))
}

/// What a person sees first, on standard output: where it listens and, while nobody has joined, the owner's link.
async fn announce(operator: &Operator, listen: SocketAddr, acme: Option<&Tls>) -> Result<(), ServeError> {
    info!(%listen, version = env!("CARGO_PKG_VERSION"), "listening");
    let mut text =
        format!("kith-relay {} listens on {listen} as {}\n", env!("CARGO_PKG_VERSION"), operator.url());
    if acme.is_some_and(|tls| tls.life().is_none()) {
        text += "There is no certificate yet, and no device can connect before: the log tells when the authority has issued it.\n";
    }
    let invite = operator.first_invite().await?;
    if invite.is_some() && service::speaks_to_journal() {
        text += "Nobody has joined yet. The owner's link does not belong into the journal: kith-relay invite --role owner makes one.\n";
    } else if let Some(invite) = invite {
        text += "Nobody has joined yet. Whoever joins with this link owns the relay (one use, seven days):\n";
        text += &invite.link;
        text += "\n";
    }
    print(&text)?;
    Ok(())
}

struct Reloading<'a> {
    layers: &'a Layers,
    logging: &'a Logging,
    live: &'a Live,
    tls: Option<&'a Tls>,
    quota: Quota,
}

impl Reloading<'_> {
    /// Notes what was taken up.
    async fn run(&self, hub: &Hub) -> Result<Change, String> {
        service::reloading();
        let result = self.take_up();
        service::ready();
        match &result {
            Ok(change) => info!("configuration read again; {}", describe(change)),
            Err(error) => warn!("configuration not taken up: {error}"),
        }
        if let Ok(Change { applied, .. }) = &result
            && !applied.is_empty()
        {
            let event = AuditEvent::ConfigurationChanged { keys: applied.clone() };
            if let Err(code) = hub.ask(Write::Audit(event)).await {
                warn!(?code, "the audit log lacks this change");
            }
        }
        result
    }

    /// All or nothing: what can fail comes before anything is changed.
    fn take_up(&self) -> Result<Change, String> {
        let next = self.layers.load().map_err(|error| error.to_string())?;
        let (merged, change) = self.live.merged(&next);
        let secured = self.tls.map(|tls| tls.read(&merged)).transpose().map_err(|error| error.to_string())?;
        self.logging.set_level(&merged.log.level).map_err(|error| error.to_string())?;
        set_quota(&self.quota, &merged);
        self.live.put(merged);
        if let Some((tls, secured)) = self.tls.zip(secured) {
            tls.put(secured);
        }
        Ok(change)
    }
}

/// Whoever renews the certificate, the relay serves the newest.
fn keep_certificate(
    tls: Tls,
    live: &Live,
    data: &DataDir,
    clock: Clock,
    metrics: &Arc<Metrics>,
    stop: &CancellationToken,
) {
    let (live, metrics, stop) = (live.clone(), Arc::clone(metrics), stop.clone());
    let security = live.load().security();
    match security {
        Security::Acme => {
            let keeper = Keeper { tls, live, data: data.path().to_owned(), clock, metrics };
            tokio::spawn(keeper.run(stop));
        }
        Security::Files => {
            tokio::spawn(follow_files(tls, live, metrics, stop));
        }
        Security::Plain | Security::SelfSigned => {}
    }
}

/// Takes up given certificate files when others stand in their place.
async fn follow_files(tls: Tls, live: Live, metrics: Arc<Metrics>, stop: CancellationToken) {
    let mut told = None;
    loop {
        if let Some(life) = tls.life() {
            metrics.certificate_ends("files", life.to);
        }
        let pause = Duration::from_secs(live.load().tls.look_every_s.into());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let result = tls.reload_if_changed(&live.snapshot()).map_err(|error| error.to_string());
        match &result {
            Ok(true) => info!("certificate read again"),
            Ok(false) => {}
            // Once: until somebody mends it, each look finds the same.
            Err(error) if told.as_ref() == Some(error) => {}
            Err(error) => warn!("the new certificate is not taken up, the old one stays in use: {error}"),
        }
        told = result.err();
    }
}

/// Tells the service manager that the relay does its work, as long as it does: tasks run, and the store answers.
async fn keep_watch(hub: Arc<Hub>, limit: Duration, stop: CancellationToken) {
    loop {
        if tokio::time::timeout(limit, hub.run(|_| ())).await == Ok(Some(())) {
            service::alive();
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(limit / 3) => {}
        }
    }
}

fn set_quota(quota: &Quota, config: &Config) {
    quota.set(Some(config.storage.max_bytes).filter(|bytes| *bytes > 0));
}

/// Ends what is left of the tasks, and with them the last handles to the hub; then its threads write what is queued.
fn end(runtime: Runtime, threads: Threads) {
    runtime.shutdown_timeout(RUNTIME_PATIENCE);
    threads.join();
}

fn raise_open_files_limit(config: &Config) {
    let connections = u64::from(config.limits.max_connections) + u64::from(config.limits.max_handshakes);
    // A download is a socket and a file.
    let downloads = 2 * u64::from(http::DOWNLOADS_MAX);
    let wanted = connections + courier::SOCKETS_MAX as u64 + downloads + OWN_FILES;
    match platform::raise_open_files_limit(wanted) {
        Ok(limit) if limit < wanted => {
            warn!(limit, wanted, "the system allows fewer open files than limits.max_connections needs");
        }
        Ok(_) => {}
        Err(error) => warn!(%error, "the limit of open files cannot be raised"),
    }
}

/// Database, sockets, logs.
const OWN_FILES: u64 = 64;

/// A restart takes about that long; devices add jitter.
const RECONNECT_IN: Duration = Duration::from_secs(2);

const RUNTIME_PATIENCE: Duration = Duration::from_secs(2);
