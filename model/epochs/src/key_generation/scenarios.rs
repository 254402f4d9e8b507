//! The instances that are explored: four members, the last of them Byzantine.

use super::{
    instance::Instance,
    members::Members,
    rules::{ActsOnRule, KeyRules},
};
use zus_protocol::ids::MinerId;

/// A set of members by their numbers.
pub fn set(members: &[u16]) -> Members {
    members.iter().copied().map(MinerId).collect()
}

/// All honest members.
pub fn honest() -> Members {
    set(&[0, 1, 2])
}

/// An asynchronous attempt, then one in which messages arrive in time.
pub fn two_attempts(rules: KeyRules) -> Instance {
    Instance { attempts: 2, synchronous_from: Some(1), ..Instance::new(rules) }
}

/// The same with an honest member that crashes, and may come back. Honest dealings come in time, and two dealers settle at once.
pub fn crash(rules: KeyRules) -> Instance {
    Instance {
        crashes: 1,
        dealt: true,
        prompt: set(&[0, 1]),
        dealings: vec![honest()],
        ..two_attempts(rules)
    }
}

/// One asynchronous attempt, with a fork in place of the crash.
pub fn fork(rules: KeyRules) -> Instance {
    Instance { crashes: 0, rivals: true, attempts: 1, synchronous_from: None, ..crash(rules) }
}

/// A fork with two dealings of the Byzantine member, one of them wrong for member 2. All honest dealers settle at once.
pub fn fork_of_dealings(rules: KeyRules) -> Instance {
    Instance { prompt: honest(), dealings: vec![honest(), set(&[0, 1])], ..fork(rules) }
}

/// One asynchronous attempt with a phase of registrations.
pub fn registering(rules: KeyRules) -> Instance {
    Instance { registering: true, dealings: vec![honest()], ..Instance::new(rules) }
}

/// One asynchronous attempt with a crash: nobody settles at once.
pub fn one_crash(rules: KeyRules) -> Instance {
    Instance { crashes: 1, ..Instance::new(rules) }
}

/// A fork with one dealing of the Byzantine member. Members act on each notarized chain.
pub fn on_notarized_chains(rules: KeyRules) -> Instance {
    let rules = KeyRules { acts_on: ActsOnRule::NotarizedChain, ..rules };
    Instance { dealings: vec![honest()], ..fork_of_dealings(rules) }
}
