//! The wire, seen from outside: the bytes of everything that crosses it or is signed, what damage does to them, and the
//! two folds under every order of delivery.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be unwrapped fails the test")]

mod agreement;
mod any;
mod choices;
mod damage;
mod dump;
mod folds;
mod fuzz_seeds;
mod people;
mod protocol_md;
mod round_trip;
mod samples;
mod session;
mod signed;
mod snapshots;
mod versions;
mod world;
