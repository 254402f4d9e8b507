//! The protocol as a [`stateright::Model`]: Stateright's own searches explore it.
//!
//! `bfs.rs` is another search over the same model; that both see the same states and the same violations is a test
//! (`tests/stateright.rs`), and `zus search-speed` measures the states a second of each. Stateright's `eventually` is not
//! used: it is unsound where paths join. L1 to L5 are invariants of quiescent states here as well (`good_period.rs`).

use super::codec::Codec;
use crate::{
    action::Action,
    properties::{Facts, Property},
    protocol::Protocol,
    state::State,
};
use stateright::Model;

/// A property as Stateright has it, of a model that can say what a state shows.
macro_rules! conditions {
    ($($property:ident)*) => {
        fn condition<M: Shows>(property: Property) -> stateright::Property<M> {
            match property {
                $(Property::$property => {
                    let name = Property::$property.id();
                    if Property::$property.is_witness() {
                        stateright::Property::sometimes(name, |m, s| m.shows(s, Property::$property))
                    } else {
                        stateright::Property::always(name, |m, s| !m.shows(s, Property::$property))
                    }
                })*
            }
        }
    };
}

zus_protocol::every_property!(conditions);

/// A model whose states show properties.
trait Shows: Model {
    /// Whether `state` shows `property`.
    fn shows(&self, state: &Self::State, property: Property) -> bool;
}

impl Shows for Protocol {
    fn shows(&self, state: &State, property: Property) -> bool {
        self.facts(state, std::iter::once(property).collect()).has(property)
    }
}

/// Every property of PROTOCOL.md is asked.
impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.normalize(self.initial())]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        Protocol::actions(self, state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.normalize(self.apply(state, &action)))
    }

    fn format_step(&self, state: &State, action: Action) -> Option<String> {
        Some(self.sentence(state, &action, &self.apply(state, &action)))
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        Property::ALL.iter().map(|&p| condition(p)).collect()
    }
}

/// The same model with the packed states of `codec.rs`, a fifth of the size, and only the properties that are asked:
/// what a search by Stateright is fastest with.
#[derive(Clone, Debug)]
pub struct Packed {
    protocol: Protocol,
    codec: Codec,
    asked: Facts,
    jointly: bool,
}

impl Packed {
    /// `protocol`, asked for `asked`.
    pub fn new(protocol: Protocol, asked: Facts) -> Self {
        let codec = Codec::new(&protocol);
        Packed { protocol, codec, asked, jointly: false }
    }

    /// The same with one invariant, that nothing of `asked` shows: a state is then unpacked and judged once, as
    /// `bfs.rs` does, not once for each property.
    pub fn jointly(self) -> Self {
        Packed { jointly: true, ..self }
    }

    /// Whether `state` shows nothing that is asked.
    #[allow(clippy::borrowed_box, reason = "Stateright's conditions take a reference to its state")]
    fn shows_nothing(&self, state: &Box<[u8]>) -> bool {
        self.protocol.facts(&self.codec.unpack(state), self.asked) == Facts::default()
    }

    fn packed(&self, state: &State) -> Box<[u8]> {
        let mut bytes = Vec::with_capacity(self.codec.bytes);
        self.codec.pack(state, &mut bytes);
        bytes.into_boxed_slice()
    }
}

impl Shows for Packed {
    fn shows(&self, state: &Box<[u8]>, property: Property) -> bool {
        self.protocol.shows(&self.codec.unpack(state), property)
    }
}

impl Model for Packed {
    type State = Box<[u8]>;
    type Action = Action;

    fn init_states(&self) -> Vec<Self::State> {
        vec![self.packed(&self.protocol.normalize(self.protocol.initial()))]
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Action>) {
        self.protocol.actions(&self.codec.unpack(state), actions);
    }

    fn next_state(&self, state: &Self::State, action: Action) -> Option<Self::State> {
        let mut next = self.codec.unpack(state);
        self.protocol.perform(&mut next, &action);
        self.protocol.normalize_in_place(&mut next);
        Some(self.packed(&next))
    }

    /// Unpacks once for all successors.
    fn next_states(&self, state: &Self::State) -> Vec<Self::State> {
        let state = self.codec.unpack(state);
        let mut actions = Vec::new();
        self.protocol.actions(&state, &mut actions);
        let next = |action: &Action| {
            let mut next = state;
            self.protocol.perform(&mut next, action);
            self.protocol.normalize_in_place(&mut next);
            self.packed(&next)
        };
        actions.iter().map(next).collect()
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        if self.jointly {
            return vec![stateright::Property::always("all", Packed::shows_nothing)];
        }
        self.asked.iter().map(condition).collect()
    }
}
