//! Blocks of Byzantine generators, in their turn or not, with a flaw or without one.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Time};
use zus_bpp::certified::{Certified, FinalityCertificate, Notarization};
use zus_bpp::committee::{MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::scheme::{Scheme, Signature};
use zus_bpp::message::{Message, Proposal};
use zus_bpp::statement::{Proposed, Signed};
use zus_bpp::ticket_log::LogRecord;

use super::{Flaw, MOST_BLOCKS, assembled, certify_quietly, notarization, sign_missing, signature_of};
use crate::chosen::{REFUSED_PAYLOAD, World};

/// The block of a member, with its signature. `None` where there can be none.
pub(super) fn propose<S: Scheme + Clone>(
    world: &mut World<S>,
    member: MinerId,
    round: Round,
    subround: Subround,
    parent: BlockId,
    flaw: Flaw,
) -> Option<Proposal> {
    let ground = Arc::clone(&world.ground);
    let committee = &ground.config.committee;
    let chained = ground.setup.chained();
    let by_certificate = !ground.setup.rules.enters_alone();
    // Under a chained beacon the value follows from the parent that the block names.
    let above = if flaw == Flaw::OldParent { world.block(&parent)?.header().parent } else { parent };
    let draw = ground.drawn(round.0, subround.0, &world.beacon_in(&above))?;
    let (mut beacon_signature, beacon) = (draw.signature, draw.value);
    // The value is nobody's before enough shares were sent; the Byzantine members pool theirs.
    let cap = ground.config.subround_cap().unwrap_or(subround);
    let is_for = |(of, at, entry): &(Round, Subround, BlockId)| {
        *of == round && (!chained || *at == subround.min(cap) && *entry == parent)
    };
    let shared = world.hosts.iter().filter(|host| host.shared.iter().any(is_for)).count();
    if shared + ground.setup.byzantine.len() < ground.setup.beacon_threshold() {
        return None;
    }
    let own = world.blocks.iter().filter(|block| {
        (block.round(), block.subround(), block.header().generator) == (round, subround, member)
            && !world.flawed.contains(&block.id())
    });
    let made = own.count();
    if flaw == Flaw::None && made >= MOST_BLOCKS {
        return None;
    }
    let genesis = ground.config.genesis.id();
    let about_parent =
        [Flaw::NoCertificate, Flaw::OtherCertificate, Flaw::OldParent, Flaw::ForgedCertificate]
            .contains(&flaw);
    // Genesis needs no certificate, and the first subround no timeouts, nor any that is entered locally: nothing would be wrong with the block.
    let no_timeouts = subround == Subround(0) || !by_certificate;
    if about_parent && parent == genesis || flaw == Flaw::NoTimeoutCertificate && no_timeouts {
        return None;
    }
    let mut parent = parent;
    let mut certificate = None;
    if parent != genesis {
        let of = |record: &LogRecord| certify_quietly(world, record).and_then(notarization);
        let known =
            world.block(&parent).map(|block| LogRecord::ticket(block.round(), block.subround(), parent.0));
        certificate = known.as_ref().and_then(of);
        match flaw {
            Flaw::NoCertificate => certificate = None,
            Flaw::OldParent => {
                let older = world.block(&parent)?;
                parent = older.header().parent;
                certificate = older.parent_notarization().cloned();
            }
            Flaw::OtherCertificate => {
                let other = world.notarized.iter().rev().find(|ticket| ticket.block != parent)?;
                certificate = of(&LogRecord::ticket(other.round, other.subround, other.block.0));
            }
            Flaw::ForgedCertificate => {
                let record = known?;
                let signature =
                    signature_of(&ground.keys.members[usize::from(member.0)], committee, &record)?;
                let signatures: Vec<(MinerId, Signature)> =
                    (0..ground.setup.quorum()).map(|i| (MinerId(i as u16), signature)).collect();
                certificate = match (round.0 + u64::from(member.0)) % 3 {
                    // One that was genuine, less a signer, or of another subround.
                    0 => certificate.and_then(|known| thinner(&known)),
                    1 => certificate.map(|known| in_subround(&known, known.subround.next())),
                    _ => notarization(assembled(world, &record, &signatures)?),
                };
                certificate.as_ref()?;
            }
            _ => {
                // Its members sign what completes the certificate.
                certificate.as_ref()?;
                sign_missing(world, &known?);
            }
        }
    }
    let mut timeout_certificate = None;
    if let Some(before) = subround.previous().filter(|_| by_certificate) {
        let record = LogRecord::timeout(round, before);
        timeout_certificate = match certify_quietly(world, &record) {
            Some(Message::TimeoutCertificate(known)) => Some(known),
            _ => None,
        };
        if flaw == Flaw::NoTimeoutCertificate {
            // Where there is one, that of the subround before the last takes its place.
            timeout_certificate =
                match before.previous().map(|old| certify_quietly(world, &LogRecord::timeout(round, old))) {
                    Some(Some(Message::TimeoutCertificate(known))) => Some(known),
                    _ => None,
                };
        } else {
            timeout_certificate.as_ref()?;
            sign_missing(world, &record);
        }
    }
    let finality = named_final(world, member, round, parent, flaw)?;
    let named = finality.as_ref().map_or(Round(0), |known| known.round);
    let beyond = ground.setup.votes() && round.0.saturating_sub(named.0) > ground.setup.payload_rounds;
    if flaw == Flaw::RefusedPayload && beyond || flaw == Flaw::PayloadBeyond && !beyond {
        return None;
    }
    let mut payload = vec![2, member.0 as u8, made as u8];
    if flaw == Flaw::RefusedPayload {
        payload[0] = REFUSED_PAYLOAD;
    }
    payload.push(flaw as u8);
    if beyond && flaw != Flaw::PayloadBeyond {
        payload.clear();
    }
    let mut value = beacon;
    let variant = (round.0 + u64::from(subround.0) + u64::from(member.0)) % 3;
    // Blocks with empty payloads differ in their times.
    let (mut time, mut epoch) = (world.now.after(made as u64), committee.epoch());
    match flaw {
        // The value; or the signature, to which the block's id does not commit.
        Flaw::WrongBeacon if round.0 % 2 == 1 => value.0[0] ^= 1,
        Flaw::WrongBeacon => beacon_signature.0[0] ^= 1,
        Flaw::OutOfPlace => match variant {
            // Genesis is of time 0: nothing is before it.
            1 if round > Round(1) => time = Time(0),
            2 => epoch.0 += 1,
            _ => time = time.after(1_000_000),
        },
        _ => {}
    }
    let block = Arc::new(Block::new(BlockContent {
        chain: committee.chain(),
        epoch,
        round,
        subround,
        generator: member,
        parent,
        parent_notarization: certificate,
        finality,
        beacon: value,
        beacon_signature,
        closing: Closing::Open,
        items: Vec::new(),
        payload,
        time,
    }));
    let proposed = Proposed { round, subround, block: block.id() };
    let scheme = &ground.keys.members[usize::from(member.0)];
    let signature = Signed::sign(proposed, committee, scheme)?.signature;
    if world.block(&block.id()).is_none() {
        world.blocks.push(Arc::clone(&block));
    }
    if flaw != Flaw::None {
        world.flawed.push(block.id());
    }
    world.byzantine_signed(member, LogRecord::from(proposed));
    Some(Proposal { block, timeout_certificate, signature })
}

/// The same certificate, with one signer less in its bitmap.
fn thinner(known: &Notarization) -> Option<Arc<Notarization>> {
    let signers = &known.certificate.signers;
    let fewer = Signers::from_members(signers.committee_size(), signers.iter().skip(1)).ok()?;
    let certificate = Certificate { signers: fewer, aggregate: known.certificate.aggregate };
    Some(Arc::new(Certified { statement: known.statement, certificate }))
}

/// The same certificate under the label of another subround.
fn in_subround(known: &Notarization, subround: Subround) -> Arc<Notarization> {
    let mut other = known.clone();
    other.statement.subround = subround;
    Arc::new(other)
}

/// The certificate by which a block names a final one. `None` when the block cannot have this flaw.
///
/// Without a flaw: the highest that the Byzantine members can make of the votes that were sent and their own, if it is above
/// the one that the parent names.
#[allow(clippy::option_option, reason = "a block may name none, and that may be what is wrong with it")]
fn named_final<S: Scheme + Clone>(
    world: &mut World<S>,
    member: MinerId,
    round: Round,
    parent: BlockId,
    flaw: Flaw,
) -> Option<Option<Arc<FinalityCertificate>>> {
    let about_finality =
        [Flaw::ForgedFinality, Flaw::LaterFinality, Flaw::LowerFinality, Flaw::PayloadBeyond].contains(&flaw);
    if !world.ground.setup.votes() {
        return (!about_finality).then_some(None);
    }
    let of_parent = world.block(&parent).and_then(|block| block.finality().cloned());
    let certificate = |world: &World<S>, record: &LogRecord| match certify_quietly(world, record) {
        Some(Message::FinalityCertificate(known)) => Some(known),
        _ => None,
    };
    let vote = |block: &Arc<Block>| LogRecord::finality_vote(block.round(), block.subround(), block.id().0);
    match flaw {
        Flaw::LowerFinality => of_parent.is_some().then_some(None),
        Flaw::ForgedFinality => {
            let record = world.block(&parent).map(vote)?;
            let ground = Arc::clone(&world.ground);
            let scheme = &ground.keys.members[usize::from(member.0)];
            let signature = signature_of(scheme, &ground.config.committee, &record)?;
            let signatures: Vec<(MinerId, Signature)> =
                (0..ground.setup.quorum()).map(|i| (MinerId(i as u16), signature)).collect();
            match assembled(world, &record, &signatures)? {
                Message::FinalityCertificate(known) => Some(Some(known)),
                _ => None,
            }
        }
        _ => {
            let later = flaw == Flaw::LaterFinality;
            let least = of_parent.as_ref().map_or(Round(0), |known| known.round);
            let fits = |block: &&Arc<Block>| {
                if later { block.round() >= round } else { block.round() > least && block.round() < round }
            };
            let mut records: Vec<LogRecord> = world.blocks.iter().filter(fits).map(vote).collect();
            records.sort_unstable_by_key(|record| std::cmp::Reverse(record.round));
            let found = records.into_iter().find_map(|record| Some((record, certificate(world, &record)?)));
            let Some((record, known)) = found else { return (!later).then_some(of_parent) };
            sign_missing(world, &record);
            Some(Some(known))
        }
    }
}
