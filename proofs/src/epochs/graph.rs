//! The tie: the graphs of `model/epochs` and of the specification, walked side by side.
//!
//! From states with the same facts both must have the same steps, to states with the same facts again: each transition of the model is
//! one of the specification, and each one of the specification one of the model. The facts are what each honest node
//! signed, knows, and where it is. Two differences of form are bridged, and nothing else:
//!
//! - In the model Byzantine members have signed everything, and a certificate is there as soon as its signatures are. So after each
//!   step the specification does all it can of `byzantine_ticket`, `byzantine_vote`, `notarize`, `certify` and `finalize`, which
//!   disable nothing. What `started`, `begun`, `reached` and `ended` say no guard reads.
//! - A node of the specification comes back from a crash in any notarized round of its epoch, in the model in the first one, a bounded
//!   number of times. Other restarts are counted and left out. So are tickets that the model refuses because an honest
//!   generator makes one block: the specification has no generators, so it has more runs.

use super::layout::{Layout, Unknown, relation};
use crate::{
    bounded::Event,
    spec::{RelationId, Spec},
    structure::{Element, Interpreter, Structure},
};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use zus_epochs::handoff::{Action, BlockId, Instance, Record, State};

/// States of one universe, at most.
const MAX_STATES: usize = 200_000;
/// The actions that the model does not have: it has what they lead to.
const SILENT: [&str; 5] = ["byzantine_ticket", "byzantine_vote", "notarize", "certify", "finalize"];

/// The size of two graphs that agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Compared {
    /// States of the model.
    pub states: usize,
    /// Steps of the model, each with its counterpart.
    pub steps: usize,
    /// Restarts of the specification that are beyond the bounds of the model.
    pub beyond: usize,
}

/// Why graphs do not agree.
#[derive(Debug, thiserror::Error)]
pub enum Apart {
    /// The specification names something else.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// Too many states.
    #[error("more than {MAX_STATES} states\n  fix: take a smaller instance")]
    TooLarge,
    /// They differ.
    #[error("{what}\nafter:\n{run}")]
    Differ {
        /// The step, and the graph that has it; or the statement that does not hold.
        what: String,
        /// A run to the state, in sentences of the model.
        run: String,
    },
}

/// What both know of an honest node: its tickets and votes, the committees that it knows (record and closing block), its epoch's
/// record, and the block below its round.
type Facts = Vec<(
    BTreeSet<Element>,
    BTreeSet<Element>,
    BTreeSet<(Element, Element)>,
    BTreeSet<Element>,
    BTreeSet<Element>,
)>;

/// A walk through both.
struct Walk<'a> {
    layout: Layout<'a>,
    interpreter: Interpreter<'a>,
    silent: Vec<usize>,
    relations: [RelationId; 5],
}

/// Walks both graphs of an instance, for a specification whose rules are those of the instance.
pub fn compare(spec: &Spec, instance: &Instance) -> Result<Compared, Apart> {
    let named = |names: [&str; 5]| -> Result<Vec<RelationId>, Unknown> {
        names.iter().map(|name| relation(spec, name)).collect()
    };
    let relations = named(["ticket", "vote", "known", "present", "through"])?;
    let relations = [relations[0], relations[1], relations[2], relations[3], relations[4]];
    let silent = (0..spec.actions.len()).filter(|at| SILENT.contains(&spec.actions[*at].name.as_str()));
    let walk = Walk {
        layout: Layout::new(instance),
        interpreter: Interpreter::new(spec),
        silent: silent.collect(),
        relations,
    };
    walk.all()
}

impl Walk<'_> {
    fn all(&self) -> Result<Compared, Apart> {
        let instance = self.layout.instance;
        let first = instance.initial();
        let structure = self.saturated(self.layout.initial(self.interpreter.spec())?);
        let broken = self.interpreter.broken_axioms(&structure);
        if let Some(axiom) = broken.first() {
            return Err(self.differ(&[], format!("the instance breaks axiom `{}`", axiom.name)));
        }
        self.same(&first, &structure, &[])?;
        let mut compared = Compared { states: 1, ..Compared::default() };
        let mut seen = HashSet::from([first.clone()]);
        let mut waiting: Vec<(State, Structure, Vec<Action>)> = vec![(first, structure, Vec::new())];
        while let Some((state, structure, run)) = waiting.pop() {
            let mut theirs = self.steps(&structure);
            for action in instance.steps(&state) {
                compared.steps += 1;
                let mut after = state.clone();
                instance.apply(&mut after, &action);
                let Some(events) = label(&action).and_then(|label| theirs.remove(&label)) else {
                    return Err(self.differ(&run, format!("the model alone has {action:?}")));
                };
                for event in events {
                    let moved = self.interpreter.apply(&structure, event.action, &event.arguments);
                    let moved = self.saturated(moved);
                    let mut run = run.clone();
                    run.push(action);
                    self.same(&after, &moved, &run)?;
                    if seen.insert(after.clone()) {
                        compared.states += 1;
                        if compared.states > MAX_STATES {
                            return Err(Apart::TooLarge);
                        }
                        waiting.push((after.clone(), moved, run));
                    }
                }
            }
            for (label, events) in theirs {
                let bound = matches!(label, Label::Restart(..) | Label::RestartAbove(..));
                if !bound && !self.one_block(&state, &label) {
                    let action = &self.interpreter.spec().actions[events[0].action];
                    let what =
                        format!("the specification alone has {} {:?}", action.name, events[0].arguments);
                    return Err(self.differ(&run, what));
                }
                compared.beyond += events.len();
            }
        }
        Ok(compared)
    }

    /// Whether the model refuses a ticket only because another block of an honest generator's subround is ticketed.
    fn one_block(&self, state: &State, label: &Label) -> bool {
        let Label::Ticket(node, block) = *label else { return false };
        let mut lenient = self.layout.instance.clone();
        for block in &mut lenient.blocks {
            block.generator = zus_epochs::handoff::block::Generator::Byzantine;
        }
        lenient.enabled(state, &Action::Ticket { node: node as usize, block: BlockId(block as u8) })
    }

    /// All that the silent actions lead to.
    fn saturated(&self, mut structure: Structure) -> Structure {
        loop {
            let mut changed = false;
            for &action in &self.silent {
                for arguments in self.interpreter.instances(&structure, action) {
                    if self.interpreter.changes(&structure, action, &arguments) {
                        structure = self.interpreter.apply(&structure, action, &arguments);
                        changed = true;
                    }
                }
            }
            if !changed {
                return structure;
            }
        }
    }

    /// The other actions that are enabled, by their label.
    fn steps(&self, structure: &Structure) -> BTreeMap<Label, Vec<Event>> {
        let mut steps: BTreeMap<Label, Vec<Event>> = BTreeMap::new();
        for action in (0..self.interpreter.spec().actions.len()).filter(|at| !self.silent.contains(at)) {
            for arguments in self.interpreter.instances(structure, action) {
                let label = self.label_of(action, &arguments);
                steps.entry(label).or_default().push(Event { action, arguments });
            }
        }
        steps
    }

    fn label_of(&self, action: usize, arguments: &[Element]) -> Label {
        let declared = &self.interpreter.spec().actions[action];
        let of = |name: &str| {
            let at = declared.parameters.iter().position(|p| p.name == name);
            at.map_or(Element::MAX, |at| arguments[at])
        };
        match declared.name.as_str() {
            "ticket" => Label::Ticket(of("n"), of("b")),
            "enter" => {
                let (_, genuine) = self.layout.epoch_of(of("l"));
                Label::Enter(of("n"), of("d"), genuine)
            }
            "restart" if of("p") == of("c") => Label::Restart(of("n")),
            "restart" => Label::RestartAbove(of("n"), of("p")),
            _ => Label::Leave(of("n"), of("b")),
        }
    }

    /// Whether the facts are the same and every statement holds where all rules are the recommended ones.
    fn same(&self, state: &State, structure: &Structure, run: &[Action]) -> Result<(), Apart> {
        let (ours, theirs) = (self.facts_of_model(state), self.facts(structure));
        if ours != theirs {
            let what = format!("the facts differ: {ours:?} in the model, {theirs:?} in the specification");
            return Err(self.differ(run, what));
        }
        if self.layout.instance.rules.is_hardened() && self.layout.instance.fault.is_none() {
            let broken = self.interpreter.broken_invariants(structure);
            if let Some(statement) = broken.first() {
                return Err(self.differ(run, format!("`{}` does not hold", statement.name)));
            }
        }
        Ok(())
    }

    fn facts_of_model(&self, state: &State) -> Facts {
        let node = |node: &zus_epochs::handoff::Node| {
            let blocks =
                |of: zus_epochs::handoff::block::Blocks| of.iter().map(|b| Element::from(b.0)).collect();
            let record = |epoch: u64, record: Record| match record {
                Record::OfChain => self.layout.record(zus_protocol::ids::Epoch(epoch)),
                Record::OfNode | Record::Forged => self.layout.forged(zus_protocol::ids::Epoch(epoch)),
            };
            let entries = node.entries.iter().enumerate();
            let entries =
                entries.map(|(at, e)| (record(at as u64 + 1, e.record), Element::from(e.closing.0)));
            let known: BTreeSet<_> = [(0, 0)].into_iter().chain(entries).collect();
            let present = known.iter().max().map(|(record, _)| *record).into_iter().collect();
            let through = BTreeSet::from([Element::from(node.through.0)]);
            (blocks(node.tickets()), blocks(node.votes()), known, present, through)
        };
        state.nodes.iter().map(node).collect()
    }

    fn facts(&self, structure: &Structure) -> Facts {
        let honest = self.layout.instance.members.iter().filter(|member| member.honest).count();
        let mut facts: Facts = vec![Default::default(); honest];
        let [ticket, vote, known, present, through] = self.relations;
        for (relation, place) in [(ticket, 0), (vote, 1), (known, 2), (present, 3), (through, 4)] {
            for tuple in structure.tuples(relation) {
                let Some(of) = facts.get_mut(tuple[0] as usize) else { continue };
                match place {
                    0 => drop(of.0.insert(tuple[1])),
                    1 => drop(of.1.insert(tuple[1])),
                    2 => drop(of.2.insert((tuple[1], tuple[2]))),
                    3 => drop(of.3.insert(tuple[1])),
                    _ => drop(of.4.insert(tuple[1])),
                }
            }
        }
        facts
    }

    fn differ(&self, run: &[Action], what: String) -> Apart {
        Apart::Differ { what, run: self.layout.instance.tell(run) }
    }
}

/// A step that both have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Label {
    Ticket(Element, Element),
    Leave(Element, Element),
    /// With whether a chain makes the record.
    Enter(Element, Element, bool),
    Restart(Element),
    RestartAbove(Element, Element),
}

/// The step of the specification that an action is. It has no timeouts, and nobody turns Byzantine later.
fn label(action: &Action) -> Option<Label> {
    let label = match *action {
        Action::Ticket { node, block } => Label::Ticket(node as Element, Element::from(block.0)),
        Action::Leave { node, block } => Label::Leave(node as Element, Element::from(block.0)),
        Action::Enter { node, closing, record } => {
            let genuine = match record {
                Record::OfChain => true,
                Record::OfNode | Record::Forged => false,
            };
            Label::Enter(node as Element, Element::from(closing.0), genuine)
        }
        Action::Restart { node } => Label::Restart(node as Element),
        Action::Timeout { .. } | Action::EnterSubround { .. } | Action::Turn { .. } => return None,
    };
    Some(label)
}
