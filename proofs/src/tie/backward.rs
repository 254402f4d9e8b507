//! From the specification to the model: every action that is enabled in an image and changes it exists in the model, or
//! is beyond a bound that the scenario has on purpose.

use super::{
    Drift, Tie,
    placement::{Placement, block},
};
use crate::{
    explain::Names,
    structure::{Element, Structure},
};
use std::collections::{BTreeMap, BTreeSet};
use zus_checker::{
    action::Action,
    blocks::{BlockId, GENESIS},
    state::State,
};

/// Why the model does not have an action of the specification.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Bound {
    /// It is in a round after the last one explored, or in the last subround, or about round 0.
    Universe,
    /// Byzantine miners of the model have sent the genuine shares from the start. Others combine to nothing: f of them
    /// are too few; and where there are more than f, the model leaves what they combine to out.
    WrongShare,
    /// Byzantine miners of the model sign only what has been proposed, extend only what has been proposed, and call the
    /// first block of a twin the first.
    Unproposed,
    /// A restarted miner of the model comes back where it was, or in round 1, so many times. In the specification it may
    /// come back wherever a notarization leads it.
    Restart,
    /// A miner of the model that restarted behind sends nothing again, not even what it had logged and not sent.
    SentBefore,
    /// A scenario without observers judges finality of any observer at once.
    Observer,
}

/// How often each bound was the reason.
pub type BoundsHit = BTreeMap<Bound, u64>;

impl Tie<'_> {
    /// Checks the specification's actions in a state and its image. `reductions` must be off: under them the model
    /// leaves actions out on purpose.
    pub fn missing(
        &self,
        state: &State,
        image: &Structure,
        placement: &Placement,
        bounds: &mut BoundsHit,
    ) -> Result<(), Drift> {
        // Several instances may be one action of the model, as when a quorum is a parameter.
        let mut asked: BTreeSet<(usize, Vec<Element>)> = BTreeSet::new();
        for (index, action) in self.spec.actions.iter().enumerate() {
            for arguments in self.interpreter.instances(image, index) {
                let key = (index, self.distinguishing(index, &arguments));
                if asked.contains(&key) || !self.interpreter.changes(image, index, &arguments) {
                    continue;
                }
                asked.insert(key);
                match self.counterpart(state, placement, index, &arguments) {
                    Ok(true) => {}
                    Err(bound) => *bounds.entry(bound).or_default() += 1,
                    Ok(false) => {
                        let sentence = Names::of(self.spec, image).action(action, &arguments);
                        return Err(Drift::Missing { action: action.name.clone(), sentence });
                    }
                }
            }
        }
        Ok(())
    }

    /// The arguments that the model knows.
    fn distinguishing(&self, index: usize, arguments: &[Element]) -> Vec<Element> {
        let a = &self.actions;
        let free: &[usize] = if index == a.share_beacon {
            &[3]
        } else if index == a.notarize || index == a.certify_finality {
            &[1]
        } else if index == a.certify_timeout {
            &[2]
        } else if index == a.learn_beacon {
            &[3]
        } else {
            &[]
        };
        arguments.iter().enumerate().filter(|(i, _)| !free.contains(i)).map(|(_, e)| *e).collect()
    }

    /// Whether the model has the action.
    fn counterpart(
        &self,
        state: &State,
        placement: &Placement,
        index: usize,
        arguments: &[Element],
    ) -> Result<bool, Bound> {
        let (a, protocol) = (&self.actions, &self.protocol);
        let blocks = &protocol.blocks;
        let honest = protocol.honest() as Element;
        let miner = arguments.first().map_or(0, |m| *m as u8);
        // A miner that is down acts after its restart, which only a crash makes necessary.
        let mut ready = *state;
        if arguments.first().is_some_and(|m| *m < honest) && ready.miners[miner as usize].crashed() == 1 {
            ready.miners[miner as usize].set_crashed(0);
        }
        let can = |action: Action| protocol.enabled(&ready, &action).is_ok();
        let honest_only = [
            a.share_beacon,
            a.learn_beacon,
            a.propose,
            a.log_ticket,
            a.send_ticket,
            a.leave_voting,
            a.leave_silently,
            a.timeout,
            a.enter_subround,
            a.restart,
        ];
        if honest_only.contains(&index) && arguments[0] >= honest {
            return Ok(false);
        }
        let byzantine_only = [
            a.byzantine_share,
            a.byzantine_propose,
            a.byzantine_ticket,
            a.byzantine_vote,
            a.byzantine_timeout,
        ];
        if byzantine_only.contains(&index) && arguments[0] < honest {
            return Ok(false);
        }
        let at = |round: Element, subround: Element| {
            let m = &ready.miners[miner as usize];
            (m.round(), m.subround()) == (round, subround)
        };
        let rounds = 1..=Element::from(blocks.rounds);
        let unproposed = |b: BlockId| b != GENESIS && state.block(b).parent() == 0;
        if index == a.share_beacon {
            let m = &state.miners[miner as usize];
            if !rounds.contains(&arguments[1]) {
                return Err(Bound::Universe);
            }
            if m.round() <= m.reached() {
                return Err(Bound::SentBefore);
            }
            Ok(can(Action::ShareBeacon { miner }))
        } else if index == a.byzantine_share {
            if arguments[1] == arguments[2] { Ok(false) } else { Err(Bound::WrongShare) }
        } else if index == a.learn_beacon {
            let wrong = arguments[1] != arguments[2];
            match (arguments[1] == 0, wrong && protocol.committee.byzantine > protocol.committee.f) {
                (_, true) => Err(Bound::WrongShare),
                (true, false) if !wrong => Err(Bound::Universe),
                _ => Ok(false),
            }
        } else if index == a.form_beacon {
            let wrong = arguments[0] != arguments[1];
            let known = protocol.committee.byzantine + protocol.committee.exposed;
            if wrong && known > 2 * protocol.committee.f {
                Err(Bound::WrongShare)
            } else if arguments[0] == 0 && !wrong && known >= protocol.committee.beacon_threshold {
                Err(Bound::Universe)
            } else {
                let explored = !wrong && rounds.contains(&arguments[0]);
                Ok(explored && can(Action::FormBeacon { round: arguments[0] as u8 }))
            }
        } else if index == a.propose {
            let m = &state.miners[miner as usize];
            if m.round() <= m.reached() {
                return Err(Bound::SentBefore);
            }
            let b = block(arguments[1]);
            if b != GENESIS && blocks.place(b).twin == 1 && unproposed(BlockId(b.0 - 1)) {
                return Err(Bound::Unproposed);
            }
            let propose = Action::Propose { miner, block: b };
            Ok(can(propose) && placement.fits(protocol, &ready, &propose))
        } else if index == a.byzantine_propose {
            let b = block(arguments[1]);
            if b == GENESIS {
                return Ok(false);
            }
            let parent = placement.parent(b);
            let second = blocks.place(b).twin == 1 && unproposed(BlockId(b.0 - 1));
            if unproposed(parent) || second {
                return Err(Bound::Unproposed);
            }
            Ok(can(Action::ByzantinePropose { block: b, parent }))
        } else if index == a.log_ticket {
            let b = block(arguments[1]);
            // The miner may have selected already; here it makes the other choice.
            let mut selecting = ready;
            selecting.miners[miner as usize].set_selected(0);
            if protocol.enabled(&selecting, &Action::Select { miner, block: b }).is_err() {
                return Ok(false);
            }
            let selected = protocol.apply(&selecting, &Action::Select { miner, block: b });
            let ticket = Action::Ticket { miner, block: b, parent: block(arguments[2]) };
            Ok(protocol.enabled(&selected, &ticket).is_ok())
        } else if index == a.send_ticket {
            let m = &ready.miners[miner as usize];
            if m.unsent() == 0 && (m.reached() > 0 || protocol.restarts_behind) {
                return Err(Bound::SentBefore);
            }
            let waits =
                m.unsent() > 0 && blocks.at(m.round() as u8, m.unsent() as u8 - 1) == block(arguments[1]);
            Ok(waits && can(Action::SendTicket { miner }))
        } else if index == a.byzantine_ticket || index == a.byzantine_vote {
            let b = block(arguments[1]);
            if b == GENESIS {
                return Err(Bound::Universe);
            }
            if unproposed(b) {
                return Err(Bound::Unproposed);
            }
            let byzantine = (arguments[0] - honest) as u8;
            Ok(can(if index == a.byzantine_ticket {
                Action::ByzantineTicket { byzantine, block: b }
            } else {
                Action::ByzantineVote { byzantine, block: b }
            }))
        } else if index == a.notarize {
            Ok(protocol.enabled(state, &Action::Notarize { block: block(arguments[0]) }).is_ok())
        } else if index == a.leave_voting || index == a.leave_silently {
            let leave = Action::Leave { miner, block: block(arguments[1]) };
            if !can(leave)
                || !at(arguments[2], arguments[3])
                || arguments[4] != Element::from(blocks.round(block(arguments[1]))) + 1
            {
                return Ok(false);
            }
            // With a vote or without, as the specification has it.
            let after = protocol.apply(&ready, &leave);
            let votes = after.archive[miner as usize].votes != ready.archive[miner as usize].votes;
            Ok(votes == (index == a.leave_voting))
        } else if index == a.timeout {
            let last = arguments[2] + 1 == Element::from(blocks.subrounds);
            if !rounds.contains(&arguments[1]) || last {
                return Err(Bound::Universe);
            }
            Ok(can(Action::Timeout { miner }))
        } else if index == a.byzantine_timeout {
            if !rounds.contains(&arguments[1]) {
                return Err(Bound::Universe);
            }
            let byzantine = (arguments[0] - honest) as u8;
            let (round, subround) = (arguments[1] as u8, arguments[2] as u8);
            Ok(can(Action::ByzantineTimeout { byzantine, round, subround }))
        } else if index == a.enter_subround {
            if !rounds.contains(&arguments[1]) {
                return Err(Bound::Universe);
            }
            let next = at(arguments[1], arguments[2]) && arguments[3] + 1 == arguments[4];
            Ok(next && can(Action::EnterSubround { miner, subround: arguments[4] as u8 }))
        } else if index == a.finalize {
            if arguments[0] as usize >= protocol.observers {
                return Err(Bound::Observer);
            }
            Ok(protocol
                .enabled(state, &Action::Finalize { observer: miner, block: block(arguments[1]) })
                .is_ok())
        } else if index == a.restart {
            let through = block(arguments[1]);
            let opens = Element::from(blocks.round(through)) + 1 == arguments[2];
            let notarized = through == GENESIS || protocol.notarized(state, through);
            if opens && notarized { Err(Bound::Restart) } else { Ok(false) }
        } else {
            // Implied actions have been executed already; any other the model should have.
            Ok(false)
        }
    }
}
