//! Rooms: a story of people who change them, valid and not, and readers who must agree.
#![no_main]

#[path = "../../tests/wire/agreement.rs"]
#[allow(dead_code)]
mod agreement;
#[path = "../../tests/wire/choices.rs"]
mod choices;
#[path = "../../tests/wire/world.rs"]
mod world;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // A longer story finds nothing that a short one does not, and takes the time of many.
    let bytes = &bytes[..bytes.len().min(1200)];
    let (story, noise) = bytes.split_at(bytes.len() - bytes.len() / 4);
    let world = world::World::after(story);
    agreement::rooms_with_just_enough_of_each_chain(&world);
    agreement::rooms_with_noise(&world, noise);
});
