//! The simulation: engines, links and a relay under one clock and one source of chance.

mod act;
mod check;
mod device;
mod link;
pub(crate) mod plan;
mod relay;
mod setup;
mod trace;
mod visitor;
mod world;

pub(crate) use world::run;
