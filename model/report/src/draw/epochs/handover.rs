//! The handover: the lanes of both committees, the closing block, its tail, the handoff certificate, and the members that take it.

use super::{empty, push, sent, used};
use crate::draw::scene::{BlockCard, Committee, Kind, Lane, Role, Scene, Segment, Stay};
use zus_epochs::handoff::{Action, BlockId, Instance, Member, START, State};

/// A run that is being drawn.
struct Stage<'i> {
    instance: &'i Instance,
    scene: Scene,
    /// The lane of each member.
    lanes: Vec<usize>,
    /// The rows of the tickets, and of the votes, for each block.
    tickets: Vec<Vec<usize>>,
    votes: Vec<Vec<usize>>,
    /// The rows of the certificates of each block.
    notarized: Vec<Option<usize>>,
    handed_off: Vec<Option<usize>>,
}

/// The scene of a run.
pub(super) fn scene(instance: &Instance, run: &[Action]) -> Scene {
    let mut order: Vec<usize> = (0..instance.members.len()).collect();
    let of = |at: usize| committee(&instance.members[at]);
    order.sort_by_key(|&at| (of(at).is_none(), of(at), !instance.members[at].honest));
    let mut scene = empty();
    let lane = |&at: &usize| {
        let member = &instance.members[at];
        let role = if member.honest { Role::Honest } else { Role::Byzantine };
        Lane { name: member.name.clone(), role, committee: of(at) }
    };
    scene.lanes = order.iter().map(lane).chain([sent()]).collect();
    let place = |at| order.iter().position(|&other| other == at).unwrap_or(0);
    let lanes = (0..order.len()).map(place).collect();
    scene.root = Some(instance.block(START).name.into());
    let first = instance.block(START).round.0 + 1;
    let last = instance.blocks.iter().map(|block| block.round.0).max().unwrap_or(first);
    scene.rounds = (first..=last).map(|round| format!("round {round}")).collect();
    scene.tints = (0..instance.epochs).map(|epoch| format!("in epoch {epoch}")).collect();
    scene.blocks = instance.above_start().map(|block| card(instance, block)).collect();
    let blocks = instance.blocks.len();
    let nothing = || vec![Vec::new(); blocks];
    let (tickets, votes) = (nothing(), nothing());
    let mut stage = Stage {
        instance,
        scene,
        lanes,
        tickets,
        votes,
        notarized: vec![None; blocks],
        handed_off: vec![None; blocks],
    };
    let mut state = instance.initial();
    (0..state.nodes.len()).for_each(|node| stage.stay(&state, node, 0));
    for (at, action) in run.iter().enumerate() {
        let mut next = state.clone();
        instance.apply(&mut next, action);
        stage.step(at + 1, &state, action, &next);
        state = next;
    }
    stage.scene
}

/// The committees of a member, by the first and the last epoch; none for a node that only follows.
fn committee(member: &Member) -> Option<Committee> {
    match (member.of.first()?, member.of.last()?) {
        (true, true) => Some(Committee::Both),
        (true, false) => Some(Committee::Leaves),
        (false, true) => Some(Committee::Joins),
        (false, false) => None,
    }
}

fn card(instance: &Instance, block: BlockId) -> BlockCard {
    let of = instance.block(block);
    let segment = match (of.epoch.0, of.closed_by) {
        (_, Some(closing)) if closing == block => Segment::Closing,
        (_, Some(_)) => Segment::Tail,
        (0, None) => Segment::Before,
        (_, None) => Segment::Next,
    };
    let called = match segment {
        Segment::Before => None,
        Segment::Closing => Some("closing".into()),
        Segment::Tail => Some("tail".into()),
        Segment::Next => Some(format!("epoch {}", of.epoch)),
    };
    // The start stands for all that is below.
    let index = |block: BlockId| usize::from(block.0).checked_sub(1);
    BlockCard {
        name: of.name.into(),
        called,
        round: of.round.0.saturating_sub(instance.block(START).round.0).max(1),
        subround: of.subround.0,
        rank: block.0.into(),
        twin: 0,
        byzantine: false,
        segment: Some(segment),
        parent: index(of.parent),
        proposed: Some(0),
        notarized: None,
        finalized: None,
    }
}

impl Stage<'_> {
    /// The round and the epoch that a node is in from an event on.
    fn stay(&mut self, state: &State, node: usize, event: usize) {
        let it = &state.nodes[node];
        let (round, epoch) = (self.instance.block(it.through).round.0 + 1, it.epoch().0);
        let tint = Some(epoch.min(u64::from(u8::MAX)) as u8);
        let lane = self.lanes[node];
        let subround = it.subround.0;
        self.scene.stays.push(Stay { lane, event, round, subround, down: false, tint });
    }

    fn step(&mut self, step: usize, before: &State, action: &Action, after: &State) {
        let instance = self.instance;
        let says = instance.sentence(before, action);
        let name = |block: BlockId| instance.block(block).name;
        let (node, block) = match *action {
            Action::Ticket { node, block } => {
                self.push(step, node, Kind::Ticket, format!("ticket {}", name(block)), says);
                let parent = instance.block(block).parent;
                let begins = instance.block(parent).epoch != instance.block(block).epoch;
                let from = if begins { self.handed_off[at(parent)] } else { self.notarized[at(parent)] };
                used(&mut self.scene, from, if begins { Kind::Handoff } else { Kind::Notarization });
                let row = self.scene.events.len() - 1;
                self.tickets[at(block)].push(row);
                (Some(node), Some(block))
            }
            Action::Leave { node, block } => {
                let votes = after.nodes[node].votes() != before.nodes[node].votes();
                let (kind, what) = if votes { (Kind::Vote, "votes") } else { (Kind::Leave, "leaves by") };
                self.push(step, node, kind, format!("{what} {}", name(block)), says);
                used(&mut self.scene, self.notarized[at(block)], Kind::Notarization);
                if votes {
                    let row = self.scene.events.len() - 1;
                    self.votes[at(block)].push(row);
                }
                (Some(node), Some(block))
            }
            Action::Timeout { node } => {
                let (_, round, subround) = instance.position(&before.nodes[node]);
                self.push(step, node, Kind::Timeout, format!("timeout ({round}, {subround})"), says);
                (Some(node), None)
            }
            Action::EnterSubround { node, subround } => {
                self.push(step, node, Kind::EnterSubround, format!("enters subround {subround}"), says);
                (Some(node), None)
            }
            Action::Enter { node, closing, record: _ } => {
                let next = instance.block(closing).epoch.0 + 1;
                self.push(step, node, Kind::EnterEpoch, format!("enters epoch {next}"), says);
                used(&mut self.scene, self.handed_off[at(closing)], Kind::Handoff);
                (Some(node), Some(closing))
            }
            Action::Restart { node } => {
                self.push(step, node, Kind::Restart, "restarts".into(), says);
                (Some(node), None)
            }
            Action::Turn { closing } => {
                let lane = self.scene.lanes.len() - 1;
                push(&mut self.scene, step, lane, Kind::Network, "leavers turn Byzantine".into(), says);
                (None, Some(closing))
            }
        };
        let row = self.scene.events.len() - 1;
        self.scene.events[row].block = block.and_then(|block| at(block).checked_sub(1));
        let place = |state: &State, node: usize| {
            let it = &state.nodes[node];
            (it.epoch(), it.through, it.subround)
        };
        if let Some(node) = node.filter(|&node| place(before, node) != place(after, node)) {
            self.stay(after, node, row);
        }
        for block in instance.above_start() {
            self.certificates(step, before, after, block);
        }
    }

    fn push(&mut self, step: usize, node: usize, kind: Kind, label: String, says: String) {
        push(&mut self.scene, step, self.lanes[node], kind, label, says);
    }

    /// The certificates of `block` that are complete with this step.
    fn certificates(&mut self, step: usize, before: &State, after: &State, block: BlockId) {
        let instance = self.instance;
        let name = instance.block(block).name;
        let index = at(block) - 1;
        if instance.notarized(after, block) && !instance.notarized(before, block) {
            let row = self.implied(step, Kind::Notarization, name, format!("{name} is notarized."));
            used(&mut self.scene, self.tickets[at(block)].clone(), Kind::Ticket);
            self.notarized[at(block)] = Some(row);
            self.scene.blocks[index].notarized = Some(row);
        }
        if instance.certified(after, block) && !instance.certified(before, block) {
            let closing = instance.block(block).closed_by;
            let row = match closing {
                None => {
                    let says = format!("A finality certificate for {name} is there.");
                    self.implied(step, Kind::FinalityCertificate, name, says)
                }
                Some(closing) => {
                    let of = instance.block(closing);
                    let (closing, next) = (of.name, of.epoch.0 + 1);
                    let by =
                        if closing == name { String::new() } else { format!(", by its tail block {name}") };
                    let says = format!("Handoff certificate for epoch {next}: {closing} is final{by}.");
                    self.implied(step, Kind::Handoff, closing, says)
                }
            };
            used(&mut self.scene, self.votes[at(block)].clone(), Kind::Vote);
            let mut below = closing.unwrap_or(block);
            if let Some(closing) = closing {
                self.handed_off[at(closing)].get_or_insert(row);
            }
            while below != START {
                self.scene.blocks[at(below) - 1].finalized.get_or_insert(row);
                below = instance.block(below).parent;
            }
        }
    }

    fn implied(&mut self, step: usize, kind: Kind, label: &str, says: String) -> usize {
        let lane = self.scene.lanes.len() - 1;
        let row = push(&mut self.scene, step, lane, kind, label.into(), says);
        self.scene.events[row].implied = true;
        row
    }
}

/// The place of a block in the list of the instance.
fn at(block: BlockId) -> usize {
    usize::from(block.0)
}
