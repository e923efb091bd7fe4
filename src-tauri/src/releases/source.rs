//! Who hands on releases: the relays of this computer's accounts, and the feed that was built in.

use kith_client::Relay;
use kith_client::net::{RelayAddress, Trust, client_config};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;
use std::time::Duration;

/// Somebody to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    list: Url,
    trust: Trust,
    /// Of a relay only its own files are fetched.
    files: Option<Url>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("it is not where it should be ({0})")]
    Status(StatusCode),
    #[error("{0} is no address from which Kith fetches updates")]
    Address(String),
    #[error("it is larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
    #[error("it is no list of a release")]
    NoList,
    #[error("the way is not secured: {0}")]
    Tls(String),
    #[error("{}", causes(.0))]
    Broken(#[from] reqwest::Error),
}

impl Source {
    /// A relay, known as its profile knows it.
    pub(crate) fn relay(relay: &Relay) -> Option<Self> {
        let address = RelayAddress::parse(&relay.address).ok()?;
        let base = address.to_string().replacen("ws", "http", 1);
        let files = Url::parse(&format!("{base}/v1/updates/")).ok()?;
        let trust = relay.pin.map_or(Trust::Platform, |pin| Trust::Pin(pin.0));
        Some(Self { list: files.join(LIST).ok()?, trust, files: Some(files) })
    }

    /// The list that releases are published with.
    pub(crate) fn feed(address: &str) -> Option<Self> {
        let list = Url::parse(address).ok().filter(is_secured)?;
        Some(Self { list, trust: Trust::Platform, files: None })
    }

    /// Its list; none if it hands on nothing.
    pub(crate) async fn list(&self) -> Result<Option<Value>, FetchError> {
        match self.fetch(self.list.clone(), LIST_MAX, LIST_BYTES_MAX, |_, _| ()).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| FetchError::NoList),
            Err(FetchError::Status(StatusCode::NOT_FOUND)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file that its list calls `url`; `moved` hears how much there is, and of how much.
    pub(crate) async fn file(
        &self,
        url: &str,
        moved: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Vec<u8>, FetchError> {
        self.fetch(self.place_of(url)?, FILE_MAX, FILE_BYTES_MAX, moved).await
    }

    /// A relay names places on itself, by whatever name; another would be a way for it to have things fetched.
    fn place_of(&self, url: &str) -> Result<Url, FetchError> {
        let no_address = || FetchError::Address(url.to_owned());
        let Some(files) = &self.files else {
            return Url::parse(url).ok().filter(is_secured).ok_or_else(no_address);
        };
        let name = url.rsplit('/').next().unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(fits) {
            return Err(no_address());
        }
        files.join(name).map_err(|_| no_address())
    }

    async fn fetch(
        &self,
        url: Url,
        at_most: Duration,
        bytes_max: u64,
        mut moved: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Vec<u8>, FetchError> {
        let mut answer = self.client().await?.get(url).timeout(at_most).send().await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let of = answer.content_length();
        if of.is_some_and(|of| of > bytes_max) {
            return Err(FetchError::TooLarge(bytes_max));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if (bytes.len() + chunk.len()) as u64 > bytes_max {
                return Err(FetchError::TooLarge(bytes_max));
            }
            bytes.extend_from_slice(&chunk);
            moved(bytes.len() as u64, of);
        }
        Ok(bytes)
    }

    async fn client(&self) -> Result<Client, FetchError> {
        let trust = self.trust.clone();
        let tls = tokio::task::spawn_blocking(move || client_config(&trust)).await;
        let tls = tls.map_err(|error| FetchError::Tls(error.to_string()))?;
        let tls = tls.map_err(|error| FetchError::Tls(error.to_string()))?;
        // Where releases are published, files may lie elsewhere.
        let redirects = if self.files.is_some() { Policy::none() } else { Policy::limited(REDIRECTS_MAX) };
        let client = Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .https_only(self.list.scheme() == "https")
            .redirect(redirects)
            .user_agent(concat!("Kith/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_MAX)
            .read_timeout(SILENCE_MAX);
        Ok(client.build()?)
    }
}

/// A build for developers may be fed from where it is built.
fn is_secured(url: &Url) -> bool {
    url.scheme() == "https" || (cfg!(debug_assertions) && url.host_str() == Some("127.0.0.1"))
}

/// The innermost is what happened; what lies around it says that a request failed.
fn causes(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

const LIST: &str = "latest.json";
/// A relay serves no longer ones.
const LIST_BYTES_MAX: u64 = 1 << 20;
/// Some five times as large as the largest of our bundles: it is held in memory until it is checked.
const FILE_BYTES_MAX: u64 = 512 << 20;
const REDIRECTS_MAX: usize = 5;
const CONNECT_MAX: Duration = Duration::from_secs(10);
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// From the first step of the way to the last byte, however little comes at a time.
const LIST_MAX: Duration = Duration::from_secs(20);
/// Long enough for the largest bundle of today at 200 kbit/s.
const FILE_MAX: Duration = Duration::from_secs(2 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Instant;

    #[test]
    fn a_relay_leads_nowhere_but_to_itself() {
        let relay = Relay { address: "wss://relay.example:7443".to_owned(), pin: None };
        let source = Source::relay(&relay).unwrap();
        assert_eq!(source.list.as_str(), "https://relay.example:7443/v1/updates/latest.json");
        let place = |url: &str| source.place_of(url).map(String::from).ok();
        let here = Some("https://relay.example:7443/v1/updates/Kith_1.0.0_x64-setup.exe".to_owned());
        assert_eq!(place("https://relay.example/v1/updates/Kith_1.0.0_x64-setup.exe"), here);
        assert_eq!(place("http://10.0.0.1/secret/Kith_1.0.0_x64-setup.exe"), here);
        for odd in
            ["", "https://relay.example/", "https://relay.example/..", "https://x/a?b=c", "file:///a%2f"]
        {
            assert_eq!(place(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_published_lies_on_a_secured_way() {
        assert!(Source::feed("http://kith.example/latest.json").is_none());
        let source = Source::feed("https://kith.example/latest.json").unwrap();
        assert!(source.place_of("http://kith.example/Kith.AppImage").is_err());
        assert!(source.place_of("https://files.example/Kith.AppImage").is_ok());
    }

    #[tokio::test]
    async fn nobody_there_and_what_is_no_list_are_known_for_what_they_are() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let dead = Source::feed(&format!("http://127.0.0.1:{port}/latest.json")).unwrap();
        assert!(matches!(dead.list().await, Err(FetchError::Broken(_))));
        for garbage in ["", "<html>Sign in to this network</html>", "{\"version\": \"9.0.0\"", "\0\u{7f}"] {
            let feed = feed(async move |mut client: TcpStream| {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", garbage.len());
                client.write_all(&[head.as_bytes(), garbage.as_bytes()].concat()).await
            });
            let listed = feed.await.list().await;
            assert!(matches!(listed, Err(FetchError::NoList)), "{garbage:?}: {listed:?}");
        }
        let noise = feed(async |mut client: TcpStream| client.write_all(&[0xa5; 4096]).await).await;
        assert!(matches!(noise.list().await, Err(FetchError::Broken(_))));
    }

    #[tokio::test]
    async fn a_list_without_an_end_is_read_no_further_than_lists_are_long() {
        let feed = feed(async |mut client: TcpStream| {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n[").await?;
            loop {
                client.write_all(&[b' '; 4096]).await?;
            }
        });
        let listed = feed.await.list().await;
        assert!(matches!(listed, Err(FetchError::TooLarge(LIST_BYTES_MAX))), "{listed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_accepts_and_says_nothing_or_next_to_nothing_is_waited_for_no_longer_than_for_a_list() {
        let silent = feed(async |client: TcpStream| {
            std::future::pending::<()>().await;
            drop(client);
            Ok(())
        });
        let dripping = feed(async |mut client: TcpStream| {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                client.write_all(b" ").await?;
                tokio::time::sleep(SILENCE_MAX / 2).await;
            }
        });
        for feed in [silent.await, dripping.await] {
            let asked = Instant::now();
            let listed = feed.list().await;
            assert!(matches!(&listed, Err(FetchError::Broken(error)) if error.is_timeout()), "{listed:?}");
            assert!(asked.elapsed() <= LIST_MAX + Duration::from_secs(1), "{:?}", asked.elapsed());
        }
    }

    /// Whoever asks it gets this for an answer.
    async fn feed<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> Source
    where
        F: Future<Output = std::io::Result<()>> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if client.read(&mut [0; 4096]).await.is_ok() {
                    // Whoever has heard enough hangs up.
                    let _ = answer(client).await;
                }
            }
        });
        Source::feed(&format!("http://{address}/latest.json")).unwrap()
    }
}
