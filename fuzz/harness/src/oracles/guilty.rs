//! Whom evidence convicts, and whether it holds: told from what it says and from who has signed what, not from production.

use std::collections::BTreeSet;

use zus_bpp::certified::Certified;
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::evidence::Evidence;
use zus_bpp::statement::Signed;
use zus_bpp::ticket_log::LogRecord;

use super::genuine::{defect, has_signed, signature_of};
use crate::world::World;

/// The members against whom evidence speaks, if it holds. Exhaustive: a new kind of evidence does not compile until it is here.
pub(crate) fn guilty(proof: &Evidence) -> BTreeSet<MinerId> {
    match proof {
        Evidence::Proposals { first, .. } => BTreeSet::from([first.signer]),
        Evidence::Tickets { first, .. } => BTreeSet::from([first.signer]),
        Evidence::FinalityVotes { first, .. } => BTreeSet::from([first.signer]),
        Evidence::TicketAgainstVote { ticket, .. } => BTreeSet::from([ticket.signer]),
        Evidence::Notarizations { first, second } => in_both(first, second),
        Evidence::NotarizationAgainstFinality { notarization, finality } => in_both(notarization, finality),
        Evidence::FinalityCertificates { first, second } => in_both(first, second),
    }
}

/// The members whose bit is set in both bitmaps.
fn in_both<A, B>(first: &Certified<A>, second: &Certified<B>) -> BTreeSet<MinerId> {
    let (a, b) = (first.certificate.signers.bitmap(), second.certificate.signers.bitmap());
    let common = a.iter().zip(b).map(|(a, b)| a & b).enumerate();
    let members = common.flat_map(|(byte, bits)| {
        (0..8).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| MinerId((byte * 8 + bit) as u16))
    });
    members.collect()
}

/// The flaw of evidence, if any. Sound evidence holds two statements that its convicts signed, and that no honest miner
/// signs both.
pub(super) fn flaw<S: Scheme + Clone>(world: &World<S>, proof: &Evidence) -> Option<String> {
    let rules = &world.ground.setup.rules;
    let two = |first: &(MinerId, LogRecord, bool), second: &(MinerId, LogRecord, bool), contradicts: bool| {
        let genuine = first.2 && second.2;
        if first.0 != second.0 {
            Some("of two members")
        } else if !genuine {
            Some("with a signature that was never made")
        } else if !contradicts || first.1.block == second.1.block {
            Some("of two statements that an honest miner signs both")
        } else {
            None
        }
    };
    let place = |record: &LogRecord| (record.round, record.subround);
    let of_certificates = |contradicts: bool, defects: [Option<String>; 2]| {
        let wrong = defects.into_iter().flatten().next().map(|wrong| format!("with a certificate {wrong}"));
        wrong.or_else(|| (!contradicts).then(|| "of two certificates that can both be".to_owned()))
    };
    match proof {
        Evidence::Proposals { first, second } => {
            let (a, b) = (signed(world, first), signed(world, second));
            two(&a, &b, place(&a.1) == place(&b.1)).map(str::to_owned)
        }
        Evidence::Tickets { first, second } => {
            let (a, b) = (signed(world, first), signed(world, second));
            let once = rules.tickets_once();
            two(&a, &b, once && place(&a.1) == place(&b.1)).map(str::to_owned)
        }
        Evidence::FinalityVotes { first, second } => {
            let (a, b) = (signed(world, first), signed(world, second));
            two(&a, &b, a.1.round == b.1.round).map(str::to_owned)
        }
        Evidence::TicketAgainstVote { ticket, vote } => {
            let (a, b) = (signed(world, ticket), signed(world, vote));
            two(&a, &b, a.1.round == b.1.round).map(str::to_owned)
        }
        Evidence::Notarizations { first, second } => {
            let (a, b) = (LogRecord::from(first.statement), LogRecord::from(second.statement));
            let contradicts = place(&a) == place(&b) && a.block != b.block;
            of_certificates(
                contradicts,
                [defect(world, &a, &first.certificate), defect(world, &b, &second.certificate)],
            )
        }
        Evidence::NotarizationAgainstFinality { notarization: first, finality: second } => {
            let (a, b) = (LogRecord::from(first.statement), LogRecord::from(second.statement));
            let contradicts = a.round == b.round && a.block != b.block;
            of_certificates(
                contradicts,
                [defect(world, &a, &first.certificate), defect(world, &b, &second.certificate)],
            )
        }
        Evidence::FinalityCertificates { first, second } => {
            let (a, b) = (LogRecord::from(first.statement), LogRecord::from(second.statement));
            let contradicts = a.round == b.round && a.block != b.block;
            of_certificates(
                contradicts,
                [defect(world, &a, &first.certificate), defect(world, &b, &second.certificate)],
            )
        }
    }
}

/// The signer and the record of a statement, and whether the member signed it with exactly this signature.
fn signed<S: Scheme + Clone, T: Copy>(world: &World<S>, said: &Signed<T>) -> (MinerId, LogRecord, bool)
where
    LogRecord: From<T>,
{
    let record = LogRecord::from(said.statement);
    let genuine = has_signed(world, said.signer, &record)
        && signature_of(world, said.signer, &record) == Some(said.signature);
    (said.signer, record, genuine)
}
