//! Everything below the session: from the address of a relay to a link that carries binary messages.
//!
//! [`Dial`] knows where the relay is, whom to trust and which way to go; it yields a [`Link`], or a [`DialError`] that says
//! in a sentence what is wrong and whether trying again helps. [`Backoff`] says when to try again, [`WakeWatch`] when not to
//! wait. Whoever owns the link asks for a [`Connect`], of which there are two: [`Dial`] and, without a socket, [`MemoryDialer`].

mod address;
mod backoff;
mod dial;
mod error;
pub mod limits;
mod link;
mod proxy;
mod tcp;
mod tls;
mod transport;
mod tunnel;
mod wake;

#[cfg(test)]
mod tests;

pub use address::{AddressError, RelayAddress};
pub use backoff::{Backoff, EndedLink};
pub use dial::{Dial, Timeouts, dial};
pub use error::{DialError, Phase, Retry};
pub use link::{Incoming, Link, LinkError, Traffic};
pub use proxy::{Proxy, ProxyParseError, ProxySetting};
pub use tls::{Trust, client_config, pin_of};
pub use transport::{Connect, MemoryDialer, MemoryListener, memory};
pub use tunnel::TunnelError;
pub use wake::{Wake, WakeReceiver, WakeWatch};
