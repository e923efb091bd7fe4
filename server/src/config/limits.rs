//! What one connection, account or room may ask of the relay.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// Every bound of the relay in one place. The reasons stand in `relay.example.toml`, beside the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub max_connections: u32,
    pub max_handshakes: u32,
    pub connections_per_address: u32,
    pub new_connections_per_address_per_second: u32,
    pub new_connections_per_address_burst: u32,
    pub connections_per_account: u32,
    pub frames_per_second: u32,
    pub frames_burst: u32,
    pub messages_per_second: u32,
    pub messages_burst: u32,
    pub account_messages_per_second: u32,
    pub account_messages_burst: u32,
    pub hook_messages_per_second: u32,
    pub hook_messages_burst: u32,
    pub max_body_bytes: u32,
    pub max_frame_bytes: u32,
    pub max_accounts: u32,
    pub devices_per_account: u32,
    pub rooms_per_account: u32,
    pub members_per_room: u32,
    pub registers_per_account_and_room: u32,
    pub fetches_in_flight: u32,
    pub link_slots: u32,
    pub outbound_queue: u32,
    pub outbound_queue_bytes: u32,
    pub handshake_timeout_s: u32,
    pub write_timeout_s: u32,
    pub ping_interval_s: u32,
    pub idle_timeout_s: u32,
    pub shutdown_timeout_s: u32,
}

impl Limits {
    /// New connections from one address.
    pub fn new_connections(&self) -> Rate {
        Rate::new(self.new_connections_per_address_per_second, self.new_connections_per_address_burst)
    }

    /// Frames of any kind on one connection.
    pub fn frames(&self) -> Rate {
        Rate::new(self.frames_per_second, self.frames_burst)
    }

    /// Writes (entries and registers) on one connection.
    pub fn messages(&self) -> Rate {
        Rate::new(self.messages_per_second, self.messages_burst)
    }

    /// Writes of one account over all its connections.
    pub fn account_messages(&self) -> Rate {
        Rate::new(self.account_messages_per_second, self.account_messages_burst)
    }

    /// Messages of one integration.
    pub fn hook_messages(&self) -> Rate {
        Rate::new(self.hook_messages_per_second, self.hook_messages_burst)
    }

    /// TLS, HTTP and the hello of the protocol, each.
    pub fn handshake_timeout(&self) -> Duration {
        seconds(self.handshake_timeout_s)
    }

    pub fn write_timeout(&self) -> Duration {
        seconds(self.write_timeout_s)
    }

    /// The mean: jitter is added by whoever pings.
    pub fn ping_interval(&self) -> Duration {
        seconds(self.ping_interval_s)
    }

    /// Silence after which a connection is dead.
    pub fn idle_timeout(&self) -> Duration {
        seconds(self.idle_timeout_s)
    }

    /// How long a shutdown waits for connections to drain.
    pub fn shutdown_timeout(&self) -> Duration {
        seconds(self.shutdown_timeout_s)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_handshakes: 512,
            connections_per_address: 256,
            new_connections_per_address_per_second: 20,
            new_connections_per_address_burst: 200,
            connections_per_account: 32,
            frames_per_second: 200,
            frames_burst: 2_000,
            messages_per_second: 50,
            messages_burst: 1_000,
            account_messages_per_second: 100,
            account_messages_burst: 2_000,
            hook_messages_per_second: 1,
            hook_messages_burst: 60,
            max_body_bytes: 65_536,
            max_frame_bytes: 1_048_576,
            max_accounts: 10_000,
            devices_per_account: 32,
            rooms_per_account: 2_000,
            members_per_room: 5_000,
            registers_per_account_and_room: 4_096,
            fetches_in_flight: 4,
            link_slots: 1_000,
            outbound_queue: 512,
            outbound_queue_bytes: 1_048_576,
            handshake_timeout_s: 10,
            write_timeout_s: 20,
            ping_interval_s: 30,
            idle_timeout_s: 90,
            shutdown_timeout_s: 10,
        }
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}
