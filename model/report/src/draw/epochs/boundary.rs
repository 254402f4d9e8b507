//! The boundary under the deployed rules: two branches, and the block under which each miner has the record.

use super::{empty, push, sent, used};
use crate::draw::scene::{BlockCard, Kind, Lane, Role, Scene, Stay};
use zus_epochs::boundary::{
    Action, Branch, Instance, State,
    sentence::round_name,
    state::{MEMBERS, MOST_ROUNDS},
};

/// Rows of events, by round and branch.
type Rows<T> = [[T; 2]; MOST_ROUNDS];

/// The scene of a run.
pub(super) fn scene(instance: &Instance, run: &[Action]) -> Scene {
    let mut scene = empty();
    let miner = |at: usize| Lane { name: format!("miner {}", at + 1), role: Role::Honest, committee: None };
    scene.lanes = (0..MEMBERS).map(miner).chain([sent()]).collect();
    scene.root = Some("SR - 1".into());
    scene.rounds = (0..instance.rounds).map(round_name).collect();
    let under = |branch: &str| format!("has the record under {branch}");
    scene.tints = vec!["has no record".into(), under("A"), under("B")];
    let blocks = (0..instance.rounds).flat_map(|round| Branch::BOTH.map(|branch| card(round, branch)));
    scene.blocks = blocks.collect();
    let mut tickets: Rows<Vec<usize>> = Default::default();
    let mut notarized: Rows<Option<usize>> = Default::default();
    let mut state = State::default();
    (0..MEMBERS).for_each(|miner| stay(&mut scene, &state, miner, 0));
    for (at, action) in run.iter().enumerate() {
        let mut next = state;
        instance.apply(&mut next, action);
        let who = match *action {
            Action::Ticket { miner, .. }
            | Action::Learn { miner, .. }
            | Action::Evaluate { miner, .. }
            | Action::Fetch { miner } => miner,
        };
        let (before, after) = (state.miners[who], next.miners[who]);
        let installs = after.record.filter(|_| after.record != before.record);
        let (kind, about) = match *action {
            Action::Ticket { branch, .. } => (Kind::Ticket, (before.round, branch)),
            Action::Learn { round, branch, .. } => {
                let kind = if after.round > before.round { Kind::Leave } else { Kind::Adopt };
                (kind, (round, branch))
            }
            Action::Evaluate { .. } | Action::Fetch { .. } => {
                (Kind::Finalize, (0, installs.unwrap_or(Branch::A)))
            }
        };
        let (round, branch) = (usize::from(about.0), about.1);
        // Three lines are too many for a step.
        let says = match (action, installs) {
            (Action::Learn { .. }, Some(under)) => {
                let heard = format!("Miner {} hears of {branch:?} of {}", who + 1, round_name(about.0));
                format!("{heard}: it has the record under {under:?}.")
            }
            _ => instance.sentence(&state, action),
        };
        let kind = if installs.is_some() { Kind::Finalize } else { kind };
        let label = format!("{branch:?} of {}", round_name(about.0));
        let row = push(&mut scene, at + 1, who, kind, label, says);
        scene.events[row].block = Some(index(about.0, branch));
        let is_ticket = kind == Kind::Ticket;
        let below = if is_ticket { round.checked_sub(1) } else { Some(round) };
        used(&mut scene, below.and_then(|round| notarized[round][branch as usize]), Kind::Notarization);
        if is_ticket {
            tickets[round][branch as usize].push(row);
        }
        if let Some(branch) = installs {
            scene.blocks[index(0, branch)].finalized.get_or_insert(row);
        }
        if (before.round, before.record) != (after.round, after.record) {
            stay(&mut scene, &next, who, row);
        }
        if is_ticket && next.notarized[round].has(branch) {
            let says = format!("The block of {} on {branch:?} is notarized.", round_name(about.0));
            let row = push(&mut scene, at + 1, MEMBERS, Kind::Notarization, format!("{branch:?}"), says);
            scene.events[row].implied = true;
            used(&mut scene, tickets[round][branch as usize].clone(), Kind::Ticket);
            notarized[round][branch as usize] = Some(row);
            scene.blocks[index(about.0, branch)].notarized = Some(row);
        }
        state = next;
    }
    scene
}

/// The place of a block among the cards.
fn index(round: u8, branch: Branch) -> usize {
    usize::from(round) * 2 + branch as usize
}

fn card(round: u8, branch: Branch) -> BlockCard {
    BlockCard {
        name: format!("{branch:?} of {}", round_name(round)),
        called: None,
        round: u64::from(round) + 1,
        subround: 0,
        rank: branch as u32,
        twin: 0,
        byzantine: false,
        segment: None,
        parent: round.checked_sub(1).map(|below| index(below, branch)),
        proposed: Some(0),
        notarized: None,
        finalized: None,
    }
}

/// The round of a miner, and the block under which it has the record, from an event on.
fn stay(scene: &mut Scene, state: &State, miner: usize, event: usize) {
    let it = &state.miners[miner];
    let tint = it.record.map_or(0, |branch| 1 + branch as u8);
    let round = u64::from(it.round) + 1;
    scene.stays.push(Stay { lane: miner, event, round, subround: 0, down: false, tint: Some(tint) });
}
