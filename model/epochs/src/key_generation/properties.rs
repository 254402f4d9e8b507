//! The properties and the witnesses.
//!
//! [`Instance::shows`] says whether a state shows a property: that it *violates* it, or that it *is* a witness.

use super::{
    instance::{Instance, quorum, tolerated},
    members::Members,
    rules::AttemptsRule,
    state::{Kept, Key, State},
    steps::Blocked,
    transcript::Phase,
};
use zus_protocol::ids::MinerId;

/// Declares the properties with their ids and sentences.
macro_rules! properties {
    ($($property:ident $id:literal $text:literal;)*) => {
        /// A property of the key generation, or a witness.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Property { $(#[doc = $text] $property,)* }

        impl Property {
            /// All of them: those that must never break, then the witnesses.
            pub const ALL: &[Property] = &[$(Property::$property),*];

            /// Its id: the property of the protocol that it is a part of, and a name.
            pub const fn id(self) -> &'static str {
                match self { $(Property::$property => $id,)* }
            }

            /// Its sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Property::$property => $text,)* }
            }
        }

        /// Each property as Stateright has it.
        pub(super) fn conditions() -> Vec<stateright::Property<super::explore::Exploration>> {
            use super::explore::Exploration;
            vec![$(
                if Property::$property.is_witness() {
                    stateright::Property::sometimes($id, |m: &Exploration, s: &State| m.instance.shows(s, Property::$property))
                } else {
                    stateright::Property::always($id, |m: &Exploration, s: &State| !m.instance.shows(s, Property::$property))
                }
            ),*]
        }
    };
}

properties! {
    Secret "S11 secret" "the adversary never holds t points of the dealing of an honest member";
    FewFaulty "E4 few faulty" "at most f(n) of the n members of an attempt are Byzantine";
    OneKey "E5 one key" "honest members that have a key share of one record have it of one group key";
    Share "E5 share" "once the record is complete, each honest member has its key share of exactly this record, or can compute it";
    Backed "E5 backed" "once the record is complete, q - f honest members have made its key share durable";
    Reached "E5 reached" "the honest members of a complete record reach its threshold";
    Begins "E5 begins" "an attempt in which messages arrive before the deadlines completes its record";
    Followed "E6 followed" "an attempt that failed is followed by another";
    OneThreshold "E1 one threshold" "honest members that have a key share of one record take the same threshold";
    Innocent "E9 innocent" "no honest member signs two dealings or two settlements of one attempt";
    Completes "complete" "a record is completed";
    Disqualified "disqualified" "a record is completed without the dishonest dealer, which dealt";
    Revealed "revealed" "a record is completed whose key share some honest member has from a share that was revealed";
    Exposed "exposed" "every other qualified dealer has revealed the share of one honest member";
    Late "late" "a record is completed although an honest dealer, and an honest ready statement, came too late";
    Again "WE3 again" "an attempt fails, and a later one completes its record";
    BackInDealing "back in dealing" "a member that crashed before the deadline for dealings is ready and counts";
    BackInSettling "back in settling" "a member that crashed before the settlement deadline is ready and counts";
    BackInReadying "back in readying" "a member that crashed after the settlement deadline is ready and counts";
}

impl Property {
    /// Whether it is something that must be reachable, not something that must never happen.
    pub const fn is_witness(self) -> bool {
        self as u8 >= Property::Completes as u8
    }
}

impl Instance {
    /// Whether `state` violates `property`, or is a witness of it.
    pub fn shows(&self, state: &State, property: Property) -> bool {
        let chain = &state.chain;
        let complete = chain.phase == Phase::Complete;
        let thresholds = self.thresholds(chain.members.count());
        let members = || self.honest().and(chain.members);
        let qualified = || self.record(chain).qualified;
        match property {
            Property::Secret => {
                self.honest().iter().any(|dealer| self.points(state, dealer).count() >= thresholds.threshold)
            }
            Property::FewFaulty => {
                let faulty = self.adversary().and(chain.members).count();
                chain.phase != Phase::Registering && faulty > tolerated(chain.members.count())
            }
            Property::OneKey => self.keys_differ(state, |a, b| a.summed != b.summed),
            Property::Share => {
                complete && members().iter().any(|member| !self.has_share(state, chain, member))
            }
            Property::Backed => {
                let backing = members().iter().filter(|&member| self.backs(state, member)).count();
                let n = chain.members.count();
                complete && backing < quorum(n).saturating_sub(tolerated(n))
            }
            Property::Reached => complete && members().count() < thresholds.threshold,
            Property::Begins => chain.phase == Phase::Failed && self.is_synchronous(state.attempt),
            Property::Followed => {
                let last = Err(Blocked::LastAttempt);
                let next = self.next_attempt_enabled(state);
                chain.phase == Phase::Failed && next.is_err() && next != last
            }
            Property::OneThreshold => self.keys_differ(state, |a, b| a.threshold != b.threshold),
            Property::Innocent => self.honest().iter().any(|member| self.convicted(state, member)),
            Property::Completes => complete,
            Property::Disqualified => {
                complete
                    && self
                        .adversary()
                        .iter()
                        .any(|dealer| chain.dealt(dealer).is_some() && !qualified().has(dealer))
            }
            Property::Revealed => complete && members().iter().any(|member| self.revealed_to(state, member)),
            Property::Exposed => {
                complete
                    && members().iter().any(|member| {
                        let others = qualified().without(Members::only(member));
                        others
                            .iter()
                            .all(|dealer| chain.settled(dealer).is_some_and(|it| it.revealed.has(member)))
                    })
            }
            Property::Late => {
                complete && !self.honest().is_within(qualified()) && !self.honest().is_within(chain.ready)
            }
            Property::Again => complete && state.attempt > 0,
            Property::BackInDealing => complete && returned(state, Phase::Dealing),
            Property::BackInSettling => complete && returned(state, Phase::Settling),
            Property::BackInReadying => complete && returned(state, Phase::Readying),
        }
    }

    /// Whether two honest members have key shares of one record that differ.
    fn keys_differ(&self, state: &State, differ: impl Fn(&Key, &Key) -> bool) -> bool {
        let keys: Vec<&Key> =
            self.honest().iter().flat_map(|member| state.member(member).keys.iter().flatten()).collect();
        keys.iter().any(|a| keys.iter().any(|b| a.record == b.record && differ(a, b)))
    }

    /// Whether `member` has made the key share of the record of the final chain durable.
    fn backs(&self, state: &State, member: MinerId) -> bool {
        let m = state.member(member);
        m.key_of(self.record(&state.chain)).is_some_and(|key| key.kept == Kept::Durable)
    }

    /// Whether `member` was shown a share of a qualified dealing in clear.
    fn revealed_to(&self, state: &State, member: MinerId) -> bool {
        let mut dealers = self.record(&state.chain).qualified.iter();
        dealers.any(|dealer| state.chain.settled(dealer).is_some_and(|settled| settled.revealed.has(member)))
    }

    /// Whether an honest member has signed statements that convict it: two dealings, or two settlements, that nothing tells apart.
    fn convicted(&self, state: &State, member: MinerId) -> bool {
        let dealt_before = match self.rules.attempts {
            AttemptsRule::Numbered => false,
            AttemptsRule::Silent => state.dealt_before.has(member),
        };
        dealt_before || state.sent.dealt_again.has(member) || state.sent.settlements_of(member).count() > 1
    }
}

/// Whether the member that crashed in `phase` is back, and its ready statement counts.
fn returned(state: &State, phase: Phase) -> bool {
    state.crashed.is_some_and(|(member, when)| {
        when == phase && state.member(member).up && state.chain.ready.has(member)
    })
}
