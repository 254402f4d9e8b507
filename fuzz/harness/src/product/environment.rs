//! Automatic steps of the product after each choice: shares arrive, missing blocks are fetched, and Byzantine members
//! say all that they can say.

use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::message::Message;
use zus_bpp::miner::Timer;
use zus_bpp::ticket_log::LogRecord;

use crate::byzantine::{self, Deed, Flaw};
use crate::schedule::Run;
use crate::world::{Content, Kind, bit};

/// Shares arrive, if they arrive at once, and Byzantine members say all that they can say, until nothing is new.
pub(super) fn settle(run: &mut Run, shares: bool) {
    loop {
        let before = run.world.network.sent().len();
        speak(run);
        let hosts: Vec<_> = run.world.hosts.iter().map(|host| bit(Peer::Miner(host.id))).collect();
        let mut delivered = false;
        for me in hosts {
            let open: Vec<usize> = run.world.network.open(me).collect();
            for index in open {
                if shares
                    && run.world.network.sent()[index].kind == Kind::BeaconShare
                    && run
                        .world
                        .host_of(MinerId(me.trailing_zeros() as u16))
                        .is_some_and(|h| run.world.hosts[h].up)
                {
                    run.world.deliver(index, me, None, &mut run.judges);
                    delivered = true;
                }
            }
        }
        delivered |= fetch(run);
        run.judges.refinement.catch_up(&run.world);
        if !delivered && run.world.network.sent().len() == before {
            return;
        }
    }
}

/// Missing blocks are asked for and arrive, from whoever has them. Returns whether somebody misses nothing any more.
fn fetch(run: &mut Run) -> bool {
    let misses = |run: &Run, host: usize| {
        run.world.hosts[host].up
            && run.world.hosts[host].timers.iter().any(|(_, timer)| *timer == Timer::CatchUp)
    };
    let mut helped = false;
    for host in 0..run.world.hosts.len() {
        // Without sharders each peer is asked twice in turn.
        for _ in 0..2 * run.world.ground.setup.miners {
            if !misses(run, host) {
                break;
            }
            run.world.fire(host, Timer::CatchUp, None, &mut run.judges);
            // Questions first, then the answers to them.
            for _ in 0..2 {
                let chain = |run: &Run, index: &usize| {
                    let envelope = &run.world.network.sent()[*index];
                    envelope.kind == Kind::Chain && run.world.network.is_open(*index, envelope.to)
                };
                let open: Vec<usize> =
                    (0..run.world.network.sent().len()).filter(|index| chain(run, index)).collect();
                for index in open {
                    let to = run.world.network.sent()[index].to;
                    run.world.deliver(index, to, None, &mut run.judges);
                }
            }
            helped |= !misses(run, host);
        }
    }
    helped
}

fn speak(run: &mut Run) {
    let ground = std::sync::Arc::clone(&run.world.ground);
    let all = (1 << ground.setup.miners) - 1;
    for &member in &ground.setup.byzantine {
        let member = MinerId(member);
        for round in (1..=u64::from(ground.setup.rounds)).map(Round) {
            if !ground.setup.chained() && !has_shared(run, member, round) {
                byzantine::perform(&mut run.world, member, &Deed::Share { round, garbage: false }, all);
            }
            for subround in (0..u32::from(ground.setup.subrounds)).map(Subround) {
                if !ground.order(round.0, subround.0).contains(&member) {
                    continue;
                }
                let genesis = ground.config.genesis.id();
                let parent = if round == Round(1) {
                    Some(genesis)
                } else {
                    run.world
                        .notarized
                        .iter()
                        .find(|known| known.round.next() == round)
                        .map(|known| known.block)
                };
                let made = run.world.blocks.iter().filter(|block| {
                    (block.round(), block.subround(), block.header().generator) == (round, subround, member)
                });
                if let Some(parent) = parent.filter(|_| made.count() < byzantine::MOST_BLOCKS) {
                    let deed = Deed::Propose { round, subround, parent, flaw: Flaw::None };
                    byzantine::perform(&mut run.world, member, &deed, all);
                    byzantine::perform(&mut run.world, member, &deed, all);
                }
                if subround.0 + 1 < u32::from(ground.setup.subrounds) {
                    let deed = Deed::Sign(LogRecord::timeout(round, subround));
                    byzantine::perform(&mut run.world, member, &deed, all);
                }
            }
        }
        for index in 0..run.world.blocks.len() {
            let block = &run.world.blocks[index];
            let (round, subround, id) = (block.round(), block.subround(), block.id().0);
            if run.world.byzantine.contains(&(member, LogRecord::ticket(round, subround, id))) {
                continue;
            }
            byzantine::perform(
                &mut run.world,
                member,
                &Deed::Sign(LogRecord::ticket(round, subround, id)),
                all,
            );
            byzantine::perform(
                &mut run.world,
                member,
                &Deed::Sign(LogRecord::finality_vote(round, subround, id)),
                all,
            );
        }
    }
}

/// Whether a member has sent its beacon share for a round.
fn has_shared(run: &Run, member: MinerId, round: Round) -> bool {
    run.world.network.sent().iter().any(|envelope| {
        matches!(&envelope.content, Content::Message(Message::BeaconShare(share))
            if share.signer == member && share.target.round() == round)
    })
}
