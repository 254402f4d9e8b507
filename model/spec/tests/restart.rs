//! A miner that restarts in the first round again goes through its rounds with its log, and signs nothing against it.

use zus_protocol::{
    ids::{MinerId, Rank, Round, Subround},
    rules::Rules,
};
use zus_spec::{Action, Block, Blocked, Crashes, Fault, GENESIS, Generator, Instance, Order, State};

/// A block of the Byzantine generator of (1, subround).
fn block(subround: u32) -> Block {
    let generator = Generator::Byzantine;
    Block { round: Round(1), subround: Subround(subround), rank: Rank(0), twin: 0, generator }
}

/// Two honest members of four. Miner 1 and the Byzantine members notarized a block in both subrounds of round 1; miner 0
/// ticketed none, voted for the first one, and has restarted in (1, 0).
fn restarted_behind(fault: Option<Fault>) -> (Instance, State) {
    let order = Order { otherwise: vec![Generator::Byzantine], ..Order::default() };
    let crashes = Crashes::RestartBehind;
    let instance = Instance { crashes, fault, ..Instance::new(4, 2, Rules::HARDENED, order) };
    let (first, second) = (MinerId(0), MinerId(1));
    let mut run = vec![Action::ShareBeacon { miner: first }, Action::ShareBeacon { miner: second }];
    for subround in 0..2 {
        let block = block(subround);
        if subround == 1 {
            let (round, left) = (Round(1), Subround(0));
            run.push(Action::Timeout { miner: second });
            let timeout = |member| Action::ByzantineTimeout { member, round, subround: left };
            run.extend([MinerId(2), MinerId(3)].map(timeout));
            run.push(Action::EnterSubround { miner: second, subround: Subround(1) });
        }
        run.extend([
            Action::ByzantinePropose { block, parent: GENESIS },
            Action::Select { miner: second, block },
            Action::Ticket { miner: second, block },
            Action::SendTicket { miner: second },
            Action::ByzantineTicket { member: MinerId(2), block },
            Action::ByzantineTicket { member: MinerId(3), block },
            Action::Notarize { block },
        ]);
    }
    run.push(Action::Leave { miner: first, block: block(0) });
    run.extend([Action::Crash { miner: first }, Action::RestartBehind { miner: first }]);
    let mut state = instance.initial();
    for step in &run {
        assert_eq!(instance.enabled(&state, step), Ok(()), "{step:?}");
        instance.apply(&mut state, step);
    }
    (instance, state)
}

/// Whether miner 0 then votes for the second block.
fn votes_again(fault: Option<Fault>) -> bool {
    let (instance, mut state) = restarted_behind(fault);
    let miner = MinerId(0);
    assert!(state.sent.votes_for(&block(0)).any(|by| *by == miner));
    let leave = Action::Leave { miner, block: block(1) };
    assert_eq!(instance.enabled(&state, &leave), Ok(()));
    instance.apply(&mut state, &leave);
    state.sent.votes_for(&block(1)).any(|by| *by == miner)
}

#[test]
fn it_votes_once_in_a_round() {
    assert!(!votes_again(None));
    assert!(votes_again(Some(Fault::VotesVolatile)), "the log does not matter");
}

#[test]
fn it_signs_nothing_in_a_round_in_which_it_voted() {
    let miner = MinerId(0);
    let steps = [Action::Select { miner, block: block(0) }, Action::Timeout { miner }];
    for (fault, expected) in [(None, Err(Blocked::VoteLogged)), (Some(Fault::VotesVolatile), Ok(()))] {
        let (instance, state) = restarted_behind(fault);
        for step in &steps {
            assert_eq!(instance.enabled(&state, step), expected, "{step:?}, {fault:?}");
        }
    }
}
