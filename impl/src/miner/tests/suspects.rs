//! One wrong signature in a sum costs several checks, and shares, tickets, timeouts and votes have sums of their own: after
//! the first fault of a member, what it sent before is verified by itself.

use super::stage::{Stage, id, ticket_of, vote_of};
use crate::committee::{Peer, Round, Subround};
use crate::crypto::scheme::Signature;
use crate::message::Message;
use crate::miner::{Input, Output};
use crate::rules::Rules;
use crate::statement::Timeout;

/// Checks that the miner made, of sums and of single signatures, and whom it blamed, when miner 3 sends a wrong message of this
/// kind, shows another fault or none, and the others' messages make a quorum with it.
fn cost(kind: usize, faulty: bool) -> (u64, u64, Vec<u16>) {
    let mut stage = Stage::new(Rules::HARDENED);
    let block = stage.first_block(0, 3);
    let message = |stage: &Stage, signer: u16, wrong: bool| {
        let spoil = |signature: &mut Signature| signature.0[5] ^= u8::from(wrong);
        match kind {
            0 => {
                let mut share = stage.share(signer, 1);
                spoil(&mut share.share);
                Message::BeaconShare(share)
            }
            1 => {
                let mut ticket = stage.signed(signer, ticket_of(&block));
                spoil(&mut ticket.signature);
                Message::Ticket(ticket)
            }
            2 => {
                let timeout = Timeout { round: Round(1), subround: Subround(0) };
                let mut timeout = stage.signed(signer, timeout);
                spoil(&mut timeout.signature);
                Message::Timeout(timeout)
            }
            _ => {
                let mut vote = stage.signed(signer, vote_of(&block));
                spoil(&mut vote.signature);
                Message::FinalityVote(vote)
            }
        }
    };
    let wrong = message(&stage, 3, true);
    stage.hears(3, wrong);
    if faulty {
        stage.input(Input::Bytes { from: Peer::Miner(id(3)), bytes: vec![0xee; 3] });
    }
    stage.out.clear();
    let before = stage.schemes[0].calls();
    for signer in [1, 2] {
        let right = message(&stage, signer, false);
        stage.hears(signer, right);
    }
    let after = stage.schemes[0].calls();
    let blamed = |output: &Output| match output {
        Output::Blamed(signer) => Some(signer.0),
        _ => None,
    };
    let sums =
        after.verify_aggregate - before.verify_aggregate + after.combine_beacon - before.combine_beacon;
    let single = after.verify - before.verify + after.verify_beacon_share - before.verify_beacon_share;
    (sums, single, stage.out.iter().filter_map(blamed).collect())
}

#[test]
fn what_a_member_sent_before_its_first_fault_spoils_no_sum() {
    for kind in 0..4 {
        let (sums, single, blamed) = cost(kind, true);
        let (spoilt_sums, spoilt_single, spoilt_blamed) = cost(kind, false);
        println!("{kind}: {sums} {single} {blamed:?}; {spoilt_sums} {spoilt_single} {spoilt_blamed:?}");
        assert_eq!((blamed, spoilt_blamed), (vec![3], vec![3]), "kind {kind}");
        assert!(single <= 1, "{single} single checks of kind {kind}");
        assert!(sums + single < spoilt_sums + spoilt_single, "kind {kind}: as dear as without the fault");
    }
}
