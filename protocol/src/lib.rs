//! The wire of Kith.
