//! Whether a certificate, and a block of the chain, is what it says: told from who has signed what in this world, without the
//! verification of production.

use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{MinerId, Round, Subround};
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::scheme::{BeaconValue, Domain, Scheme, Signature};
use zus_bpp::statement::{FinalityVote, Proposed, Statement, Ticket, Timeout};
use zus_bpp::ticket_log::{Kind, LogRecord};

use super::Violation;
use super::naming::misnamed;
use super::promises;
use crate::world::World;

/// Whether a member has signed this, over all its lives.
pub(super) fn has_signed<S: Scheme + Clone>(world: &World<S>, member: MinerId, record: &LogRecord) -> bool {
    match world.host_of(member) {
        Some(host) => world.hosts[host].has_said(record),
        None => world.byzantine.contains(&(member, *record)),
    }
}

/// The signature of a member over a statement: BLS and the mock have one for each key and statement.
pub(super) fn signature_of<S: Scheme + Clone>(
    world: &World<S>,
    member: MinerId,
    record: &LogRecord,
) -> Option<Signature> {
    let committee = &world.ground.config.committee;
    let LogRecord { kind, round, subround, block } = *record;
    let block = BlockId(block);
    let (domain, bytes) = match kind {
        Kind::Proposal => (Domain::Proposal, Proposed { round, subround, block }.preimage(committee)),
        Kind::Ticket => (Domain::Ticket, Ticket { round, subround, block }.preimage(committee)),
        Kind::Timeout => (Domain::Timeout, Timeout { round, subround }.preimage(committee)),
        Kind::FinalityVote => {
            (Domain::FinalityVote, FinalityVote { round, subround, block }.preimage(committee))
        }
    };
    world.ground.keys.members.get(usize::from(member.0))?.sign(domain, &bytes)
}

/// Whether a certificate of a record is the one with which the world began, or every signer of it has signed.
pub(super) fn is_signed<S: Scheme + Clone>(
    world: &World<S>,
    record: &LogRecord,
    certificate: &Certificate,
) -> bool {
    world.is_given(record) || defect(world, record, certificate).is_none()
}

/// S8: what is wrong with a certificate of a record. `None`: it has q distinct members of this committee, each of which has
/// signed exactly this, and the sum of their signatures.
pub(super) fn defect<S: Scheme + Clone>(
    world: &World<S>,
    record: &LogRecord,
    certificate: &Certificate,
) -> Option<String> {
    let (setup, set) = (&world.ground.setup, &certificate.signers);
    if let Err(broken) = promises::signers(set) {
        return Some(broken);
    }
    if set.committee_size() != usize::from(setup.miners) {
        return Some(format!("of a committee of {}", set.committee_size()));
    }
    let signers: Vec<MinerId> =
        (0..setup.miners).map(MinerId).filter(|member| bit_of(set.bitmap(), *member)).collect();
    let needed = setup.quorum();
    if signers.len() < needed {
        return Some(format!("with {} of {needed} signers", signers.len()));
    }
    if let Some(signer) = signers.iter().find(|signer| !has_signed(world, **signer, record)) {
        return Some(format!("with {signer}, who never signed it"));
    }
    let signatures = signers.iter().map(|signer| signature_of(world, *signer, record));
    let sum =
        signatures.collect::<Option<Vec<_>>>().and_then(|all| world.ground.keys.observer.aggregate(&all));
    sum.filter(|sum| *sum != certificate.aggregate)
        .map(|_| "whose sum is not that of its signers' signatures".to_owned())
}

fn bit_of(bitmap: &[u8], member: MinerId) -> bool {
    bitmap.get(usize::from(member.0 / 8)).is_some_and(|bits| bits >> (member.0 % 8) & 1 == 1)
}

/// S3, S4, S8 and S9 of a block that is a candidate, or part of a chain: the certificate that is embedded in it is a genuine one
/// of its parent, its generator has its turn, its beacon value is the committee's. `signed`: so is the signature that shows the
/// value, to which the id does not commit.
pub(super) fn block_defect<S: Scheme + Clone>(
    world: &World<S>,
    block: &Block,
    signed: bool,
) -> Option<Violation> {
    let (config, header) = (&world.ground.config, block.header());
    let wrong =
        |property, facts: String| Some(Violation { property, facts: format!("{}, {facts}", block.id()) });
    if (header.chain, header.epoch) != (config.committee.chain(), config.committee.epoch()) {
        return wrong("step 4", "which is of another chain or epoch".into());
    }
    let parent = world.block(&header.parent);
    let Some(before) = header.round.previous() else {
        return wrong("S3", "which is of round 0".into());
    };
    match block.parent_notarization() {
        None if before == Round(0) && header.parent == config.genesis.id() => {}
        // A world that begins above genesis begins with a block that everybody has.
        None => return wrong("S3", "which has no certificate of its parent".into()),
        Some(known) => {
            let label = (known.round, known.block);
            if label != (before, header.parent) {
                return wrong("S3", format!("which has a certificate of {} of round {}", label.1, label.0));
            }
            let subround = parent.map_or(known.subround, |parent| parent.subround());
            if known.subround != subround {
                return wrong(
                    "S3",
                    format!(
                        "whose parent is of subround {subround}, with a certificate of {}",
                        known.subround
                    ),
                );
            }
            let record = LogRecord::ticket(known.round, known.subround, known.block.0);
            if world.is_given(&record) {
                // The block with which the world began.
            } else if let Some(defect) = defect(world, &record, &known.certificate) {
                return wrong("S8", format!("which has a certificate of its parent {defect}"));
            }
        }
    }
    if let Some(defect) = misnamed(world, block) {
        return Some(defect);
    }
    // Under a chained beacon the value follows from that of the parent.
    let genesis = header.parent == config.genesis.id();
    if world.ground.setup.chained() && parent.is_none() && !genesis {
        return None;
    }
    let previous = world.previous_beacon(block);
    let draw = drawn(world, header.round, header.subround, &previous)?;
    if header.beacon != draw.value {
        return wrong("S9", "which has another beacon value".into());
    }
    if signed && *block.beacon_signature() != draw.signature {
        return wrong("S9", "which has another beacon signature".into());
    }
    (!draw.order.contains(&header.generator)).then(|| Violation {
        property: "S4",
        facts: format!(
            "{} of ({}, {}), where {} has no turn",
            block.id(),
            header.round,
            header.subround,
            header.generator
        ),
    })
}

fn drawn<S: Scheme + Clone>(
    world: &World<S>,
    round: Round,
    subround: Subround,
    previous: &BeaconValue,
) -> Option<std::sync::Arc<crate::world::Draw>> {
    world.ground.drawn(round.0, subround.0, previous)
}
