//! Actions of the packed model as lists of steps of the specification, and back.

use super::instance::{block_of, members, packed_block};
use crate::{action::Action, protocol::Protocol};
use zus_protocol::ids::{MinerId, Round, Subround};
use zus_spec::{self as spec, Action as Step};

/// The steps of the specification that `action` stands for, but for the messages that it takes for sent.
pub fn expand(protocol: &Protocol, action: &Action) -> Vec<Step> {
    let eager = protocol.reductions.eager;
    let name = |block| block_of(&protocol.blocks, block);
    let all = |miner: u8| members(protocol, miner.into());
    let each = |miner: u8, step: &dyn Fn(MinerId) -> Step| -> Vec<Step> { all(miner).map(step).collect() };
    // With `eager` a share is sent on entering.
    let entering = |miner: u8, step: &dyn Fn(MinerId) -> Step| -> Vec<Step> {
        let shares = all(miner).filter(|_| eager).map(|miner| Step::ShareBeacon { miner });
        all(miner).map(step).chain(shares).collect()
    };
    let byzantine = |byzantine: u8| {
        let honest: u32 = protocol.committee.weights.iter().sum();
        MinerId(honest as u16 + u16::from(byzantine))
    };
    match *action {
        Action::ShareBeacon { miner } => each(miner, &|miner| Step::ShareBeacon { miner }),
        Action::FormBeacon { round } => vec![Step::FormBeacon { round: Round(round.into()) }],
        Action::BelieveSeed { miner } => each(miner, &|miner| Step::BelieveSeed { miner }),
        Action::Propose { miner, block } => {
            // One member of a group is the generator.
            let miner = all(miner).next().unwrap_or_default();
            vec![Step::Propose { miner, block: name(block) }]
        }
        Action::ByzantinePropose { block, parent } => {
            vec![Step::ByzantinePropose { block: name(block), parent: name(parent) }]
        }
        Action::Select { miner, block } => each(miner, &|miner| Step::Select { miner, block: name(block) }),
        Action::Ticket { miner, block, .. } => {
            let block = name(block);
            let steps = move |miner| {
                let select = eager.then_some(Step::Select { miner, block });
                select.into_iter().chain([Step::Ticket { miner, block }])
            };
            all(miner).flat_map(steps).collect()
        }
        Action::SendTicket { miner } => each(miner, &|miner| Step::SendTicket { miner }),
        Action::ByzantineTicket { byzantine: member, block } => {
            vec![Step::ByzantineTicket { member: byzantine(member), block: name(block) }]
        }
        Action::Notarize { block } => vec![Step::Notarize { block: name(block) }],
        Action::Leave { miner, block } => entering(miner, &|miner| Step::Leave { miner, block: name(block) }),
        Action::TimeoutThenLeave { miner, block } => {
            let mut steps = each(miner, &|miner| Step::Timeout { miner });
            steps.extend(entering(miner, &|miner| Step::Leave { miner, block: name(block) }));
            steps
        }
        Action::VoteWithoutLeaving { miner, block } => {
            each(miner, &|miner| Step::VoteWithoutLeaving { miner, block: name(block) })
        }
        Action::LeaveRelabelled { miner, block } => {
            entering(miner, &|miner| Step::LeaveRelabelled { miner, block: name(block) })
        }
        Action::Adopt { miner, block } => entering(miner, &|miner| Step::Adopt { miner, block: name(block) }),
        Action::ByzantineVote { byzantine: member, block } => {
            vec![Step::ByzantineVote { member: byzantine(member), block: name(block) }]
        }
        Action::Timeout { miner } => entering(miner, &|miner| Step::Timeout { miner }),
        Action::TimeoutTogether { miners, .. } => {
            let chosen = (0..protocol.honest() as u8).filter(|miner| miners >> miner & 1 == 1);
            chosen.flat_map(|miner| each(miner, &|miner| Step::Timeout { miner })).collect()
        }
        Action::ByzantineTimeout { byzantine: member, round, subround } => vec![Step::ByzantineTimeout {
            member: byzantine(member),
            round: Round(round.into()),
            subround: Subround(subround.into()),
        }],
        Action::EnterSubround { miner, subround } => {
            entering(miner, &|miner| Step::EnterSubround { miner, subround: Subround(subround.into()) })
        }
        Action::Finalize { observer, block } => {
            vec![Step::Finalize { observer: observer.into(), block: name(block) }]
        }
        Action::Crash { miner } => each(miner, &|miner| Step::Crash { miner }),
        Action::Restart { miner } => each(miner, &|miner| Step::Restart { miner }),
        Action::RestartBehind { miner } => each(miner, &|miner| Step::RestartBehind { miner }),
        Action::Synchronize => vec![Step::Synchronize],
    }
}

/// A step of the specification as an action of the packed model, where honest miners are no groups.
pub fn packed_action(protocol: &Protocol, state: &spec::State, step: &Step) -> Option<Action> {
    let block = |block| packed_block(&protocol.blocks, block);
    let id = |miner: MinerId| miner.0 as u8;
    let byzantine = |member: MinerId| (usize::from(member.0) - protocol.honest()) as u8;
    Some(match *step {
        Step::ShareBeacon { miner } => Action::ShareBeacon { miner: id(miner) },
        Step::FormBeacon { round } => Action::FormBeacon { round: round.0 as u8 },
        Step::BelieveSeed { miner } => Action::BelieveSeed { miner: id(miner) },
        Step::Propose { miner, block: b } => Action::Propose { miner: id(miner), block: block(b)? },
        Step::ByzantinePropose { block: b, parent } => {
            Action::ByzantinePropose { block: block(b)?, parent: block(parent)? }
        }
        Step::Select { miner, block: b } => Action::Select { miner: id(miner), block: block(b)? },
        Step::Ticket { miner, block: b } => {
            let parent = block(*state.sent.blocks.get(&b)?)?;
            Action::Ticket { miner: id(miner), block: block(b)?, parent }
        }
        Step::SendTicket { miner } => Action::SendTicket { miner: id(miner) },
        Step::ByzantineTicket { member, block: b } => {
            Action::ByzantineTicket { byzantine: byzantine(member), block: block(b)? }
        }
        Step::Notarize { block: b } => Action::Notarize { block: block(b)? },
        Step::Leave { miner, block: b } => Action::Leave { miner: id(miner), block: block(b)? },
        Step::VoteWithoutLeaving { miner, block: b } => {
            Action::VoteWithoutLeaving { miner: id(miner), block: block(b)? }
        }
        Step::LeaveRelabelled { miner, block: b } => {
            Action::LeaveRelabelled { miner: id(miner), block: block(b)? }
        }
        Step::Adopt { miner, block: b } => Action::Adopt { miner: id(miner), block: block(b)? },
        Step::ByzantineVote { member, block: b } => {
            Action::ByzantineVote { byzantine: byzantine(member), block: block(b)? }
        }
        Step::Timeout { miner } => Action::Timeout { miner: id(miner) },
        Step::ByzantineTimeout { member, round, subround } => Action::ByzantineTimeout {
            byzantine: byzantine(member),
            round: round.0 as u8,
            subround: subround.0 as u8,
        },
        Step::EnterSubround { miner, subround } => {
            Action::EnterSubround { miner: id(miner), subround: subround.0 as u8 }
        }
        Step::Finalize { observer, block: b } => {
            Action::Finalize { observer: observer as u8, block: block(b)? }
        }
        Step::Crash { miner } => Action::Crash { miner: id(miner) },
        Step::Restart { miner } => Action::Restart { miner: id(miner) },
        Step::RestartBehind { miner } => Action::RestartBehind { miner: id(miner) },
        Step::Synchronize => Action::Synchronize,
    })
}
