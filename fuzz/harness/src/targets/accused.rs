//! Target about evidence (S10): it holds exactly when its signatures are genuine and no honest miner signs both.

use std::sync::Arc;

use zus_bpp::block::BlockId;
use zus_bpp::certified::Certified;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::{SIGNATURE_BYTES, Sign as _, Signature, Verify as _};
use zus_bpp::evidence::{Evidence, EvidenceRules};
use zus_bpp::message::Message;
use zus_bpp::statement::{FinalityVote, Proposed, Signed, Statement, Ticket};
use zus_bpp::wire;

use crate::oracles::quorum;

const MINERS: u16 = 7;

/// A statement of a small world: who signs it, about what, and whether the signature is spoilt.
#[derive(Clone, Copy)]
struct Said {
    signers: u8,
    round: Round,
    subround: Subround,
    block: BlockId,
    spoilt: bool,
}

impl Said {
    fn new(who: u8, what: u8) -> Self {
        Self {
            signers: who,
            round: Round(1 + u64::from(what & 1)),
            subround: Subround(u32::from(what >> 1 & 1)),
            block: BlockId([1 + (what >> 2 & 1); 32]),
            spoilt: what & 0x38 == 0x38,
        }
    }

    fn one<T: Statement>(&self, statement: T, court: &Court) -> Signed<T> {
        let key = court.key(MinerId(u16::from(self.signers) % MINERS));
        let mut signed = Signed::sign(statement, &court.committee, &key).expect("members sign");
        signed.signature.0[0] ^= u8::from(self.spoilt);
        signed
    }

    fn all<T: Statement>(&self, statement: T, court: &Court) -> Arc<Certified<T>> {
        let message = statement.preimage(&court.committee);
        let signing = || (0..MINERS).filter(|i| self.signers >> i & 1 == 1).map(MinerId);
        let signatures: Vec<Signature> =
            signing().filter_map(|id| court.key(id).sign(T::DOMAIN, &message)).collect();
        let sum = court.world.observer().aggregate(&signatures);
        let mut aggregate = sum.unwrap_or(Signature([0; SIGNATURE_BYTES]));
        aggregate.0[0] ^= u8::from(self.spoilt);
        let signers = Signers::from_members(MINERS.into(), signing()).expect("members, each once");
        Arc::new(Certified { statement, certificate: Certificate { signers, aggregate } })
    }

    fn proposed(&self) -> Proposed {
        Proposed { round: self.round, subround: self.subround, block: self.block }
    }

    fn ticket(&self) -> Ticket {
        Ticket { round: self.round, subround: self.subround, block: self.block }
    }

    fn vote(&self) -> FinalityVote {
        FinalityVote { round: self.round, subround: self.subround, block: self.block }
    }
}

struct Court {
    world: Arc<MockCommittee>,
    committee: Committee,
}

impl Court {
    fn key(&self, id: MinerId) -> MockScheme {
        self.world.member(id).expect("a member")
    }
}

/// See the module doc.
///
/// # Panics
/// When production judges otherwise, or convicts others.
pub fn evidence(bytes: &[u8]) {
    let Some((&[kind, who_a, what_a, who_b, what_b], _)) = bytes.split_first_chunk::<5>() else { return };
    let world = MockCommittee::new(MINERS, 1);
    let committee = Committee::new(ChainId([7; 32]), Epoch(1), MINERS, 0).expect("a committee of seven");
    let court = Court { world, committee };
    let (a, b) = (Said::new(who_a, what_a), Said::new(who_b, what_b));
    let one_ticket = kind & 0x80 == 0;
    let same_round = a.round == b.round;
    let same_place = same_round && a.subround == b.subround;
    let other_block = a.block != b.block;
    // For each kind: whether no honest miner signs both. Step 2; step 5; step 8, thrice; S2; S6; S5.
    let (evidence, offence, group) = match kind % 7 {
        0 => {
            let [first, second] = [a, b].map(|said| said.one(said.proposed(), &court));
            (Evidence::Proposals { first, second }, same_place && other_block, false)
        }
        1 => {
            let [first, second] = [a, b].map(|said| said.one(said.ticket(), &court));
            (Evidence::Tickets { first, second }, one_ticket && same_place && other_block, false)
        }
        2 => {
            let [first, second] = [a, b].map(|said| said.one(said.vote(), &court));
            (Evidence::FinalityVotes { first, second }, same_round && other_block, false)
        }
        3 => {
            let (ticket, vote) = (a.one(a.ticket(), &court), b.one(b.vote(), &court));
            (Evidence::TicketAgainstVote { ticket, vote }, same_round && other_block, false)
        }
        4 => {
            let [first, second] = [a, b].map(|said| said.all(said.ticket(), &court));
            (Evidence::Notarizations { first, second }, one_ticket && same_place && other_block, true)
        }
        5 => {
            let (notarization, finality) = (a.all(a.ticket(), &court), b.all(b.vote(), &court));
            let evidence = Evidence::NotarizationAgainstFinality { notarization, finality };
            (evidence, same_round && other_block, true)
        }
        _ => {
            let [first, second] = [a, b].map(|said| said.all(said.vote(), &court));
            (Evidence::FinalityCertificates { first, second }, same_round && other_block, true)
        }
    };
    one_form(&evidence);
    let q = quorum(MINERS);
    let genuine = !a.spoilt && !b.spoilt;
    let (convicted, complete) = if group {
        let both = a.signers & b.signers & 0x7f;
        let enough = |said: &Said| (said.signers & 0x7f).count_ones() as usize >= q;
        ((0..MINERS).filter(|i| both >> i & 1 == 1).map(MinerId).collect(), enough(&a) && enough(&b))
    } else {
        let [first, second] = [a, b].map(|said| MinerId(u16::from(said.signers) % MINERS));
        (vec![first], first == second)
    };
    let evidence_rules = EvidenceRules { committee: &court.committee, quorum: q, one_ticket };
    let verdict = evidence.verify(&evidence_rules, &court.world.observer());
    assert_eq!(verdict.is_ok(), offence && genuine && complete, "{verdict:?} about {evidence:?}");
    if verdict.is_ok() {
        assert_eq!(evidence.convicts(), convicted, "convicted by {evidence:?}");
        assert_eq!(evidence.round(), a.round);
        assert!(
            !group || convicted.len() >= 2 * q - usize::from(MINERS),
            "too few are convicted: {convicted:?}"
        );
    }
}

/// One offence is one value with one encoding, in whatever order its halves were found.
fn one_form(evidence: &Evidence) {
    let turned = match evidence.clone() {
        Evidence::Proposals { first, second } => Evidence::Proposals { first: second, second: first },
        Evidence::Tickets { first, second } => Evidence::Tickets { first: second, second: first },
        Evidence::FinalityVotes { first, second } => Evidence::FinalityVotes { first: second, second: first },
        Evidence::Notarizations { first, second } => Evidence::Notarizations { first: second, second: first },
        Evidence::FinalityCertificates { first, second } => {
            Evidence::FinalityCertificates { first: second, second: first }
        }
        other => other,
    };
    let (one, other) = (evidence.clone().canonical(), turned.clone().canonical());
    let statements = |evidence: &Evidence| match evidence {
        Evidence::Proposals { first, second } => first.statement != second.statement,
        Evidence::Tickets { first, second } => first.statement != second.statement,
        Evidence::FinalityVotes { first, second } => first.statement != second.statement,
        Evidence::Notarizations { first, second } => first.statement != second.statement,
        Evidence::FinalityCertificates { first, second } => first.statement != second.statement,
        Evidence::TicketAgainstVote { .. } | Evidence::NotarizationAgainstFinality { .. } => true,
    };
    assert!(one == other || !statements(&one), "one offence in two forms: {one:?}, {other:?}");
    for told in [evidence, &turned] {
        let bytes = wire::encode(&Message::Evidence(Arc::new(told.clone())));
        assert_eq!(wire::decode(&bytes).is_ok(), *told == told.clone().canonical(), "read: {told:?}");
    }
}
