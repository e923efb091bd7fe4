//! The folds, led through many stories.

use crate::agreement;
use crate::world::World;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn stories() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..2000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn accounts_in_pieces(story in stories(), noise in stories()) {
        agreement::accounts_in_pieces(&World::after(&story), &noise);
    }

    #[test]
    fn accounts_with_noise(story in stories(), noise in stories()) {
        agreement::accounts_with_noise(&World::after(&story), &noise);
    }

    #[test]
    fn rooms_with_just_enough_of_each_chain(story in stories()) {
        agreement::rooms_with_just_enough_of_each_chain(&World::after(&story));
    }

    #[test]
    fn rooms_with_noise(story in stories(), noise in stories()) {
        agreement::rooms_with_noise(&World::after(&story), &noise);
    }
}

/// A generator that never makes what it should make tests nothing.
#[test]
fn the_stories_reach_every_verdict() {
    let (mut taken, mut longest) = (0, 0);
    let mut verdicts: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..60 {
        let world = World::after(&senseless_bytes(seed));
        for person in &world.people {
            taken += person.chain.len();
            for (_, _, error) in &person.refused {
                *verdicts.entry(format!("chain {error:?}")).or_default() += 1;
            }
        }
        for log in &world.rooms {
            taken += log.entries.len();
            longest = longest.max(log.entries.len());
            for (_, _, error) in &log.refused {
                *verdicts.entry(format!("room {error:?}")).or_default() += 1;
            }
        }
        for (_, error) in &world.stillborn {
            *verdicts.entry(format!("genesis {error:?}")).or_default() += 1;
        }
    }
    let expected = [
        "chain BadSignature",
        "chain Senseless",
        "chain Stranger",
        "chain Unlinked",
        "genesis Senseless",
        "genesis Stranger",
        "room BadSignature",
        "room Denied",
        "room Senseless",
        "room Stranger",
        "room Unlinked",
    ];
    assert!(verdicts.keys().map(String::as_str).eq(expected), "{verdicts:?}");
    assert!(taken > 1000 && longest >= 12, "{taken} taken, the longest room {longest}");
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
fn senseless_bytes(mut state: u64) -> Vec<u8> {
    let mut byte = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        u8::try_from((z ^ (z >> 27)) >> 56).unwrap()
    };
    (0..2000).map(|_| byte()).collect()
}
