//! Data read back from storage is checked like data from a peer: a disk can change a bit, and one wrong bit in the
//! round of a stored notarization would start a miner in a round that nobody reaches.
//!
//! Certificates are verified. Fields that a block's id does not cover are compared with fields that it covers. A
//! changed bit of the block itself changes its id. For every final block but the last, the link from the next one shows
//! such a change. For the last, a verified certificate shows it: the notarization beside it, a stored certificate that
//! names it, or the notarization that a stored child of it carries. A last final block without any of them is refused,
//! since it would decide in which round the miner starts.
//!
//! A block above the head that changed is another block, under another id. Nothing that is verified names this id, so that it
//! moves nobody and is never extended or ticketed; the block that it was is loaded or fetched again when somebody needs it. The
//! checksum of [`wire::seal`](crate::wire::seal), which hosts use for everything that they store, notices it before. No round
//! above [`MAX_ROUND`] is read, whatever is said of it.

use std::fmt;

use thiserror::Error;

use super::FinalBlock;
use crate::block::Block;
use crate::certified::{CertificateBatch, Notarization};
use crate::committee::Round;
use crate::crypto::certificate::CertificateError;
use crate::crypto::scheme::{Beacon, Verify};
use crate::limits::{KEPT_FINAL_BLOCKS, MAX_ROUND};
use crate::miner::{Config, Stored};

/// Which of the things that were read back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Item {
    /// A final block.
    FinalBlock,
    /// The notarization beside a final block.
    FinalNotarization,
    /// [`Stored::Block`].
    Block,
    /// [`Stored::Notarization`].
    Notarization,
    /// [`Stored::TimeoutCertificate`].
    TimeoutCertificate,
    /// [`Stored::FinalityCertificate`].
    FinalityCertificate,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Item::FinalBlock => "final block",
            Item::FinalNotarization => "notarization of final block",
            Item::Block => "block at stored item",
            Item::Notarization => "notarization at stored item",
            Item::TimeoutCertificate => "timeout certificate at stored item",
            Item::FinalityCertificate => "finality certificate at stored item",
        })
    }
}

/// A certificate's item, its position there, and its round.
type Read = (Item, usize, Round);

/// Something that was read back is not what was stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "the {item} {index} (round {round}) is damaged: {reason}; restore it from a copy, or leave it out and catch up from peers, \
     with the ticket log as it is"
)]
pub struct Damaged {
    /// The kind of item.
    pub item: Item,
    /// Its position among the final blocks, or among the stored items, from 0.
    pub index: usize,
    /// The round that it names.
    pub round: Round,
    /// The damage.
    pub reason: Damage,
}

/// The damage of something that was read back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Damage {
    /// It is of another chain, epoch or committee, or of round 0.
    #[error("it belongs to another chain, epoch or committee")]
    Foreign,
    /// The beacon signature does not make the beacon value.
    #[error("its beacon signature does not make its beacon value")]
    OtherBeacon,
    /// It does not extend the final block before it.
    #[error("it does not extend the final block before it")]
    Unlinked,
    /// The certificate is for another block.
    #[error("it names another block than the final one of its round")]
    OtherBlock,
    /// No certificate says that it is final.
    #[error(
        "no certificate beside it, among the stored items or in a stored child says that it is the block of its round"
    )]
    Uncertified,
    /// Its round is one that no chain reaches.
    #[error("its round is above 2^62, which no chain reaches")]
    Round,
    /// The certificate proves nothing.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
}

/// Checks what is read back: final blocks, lowest first, and what a miner stored beside them.
///
/// # Errors
/// The first damaged item.
pub(crate) fn check_read_back<S: Verify + Beacon>(
    finals: &[FinalBlock],
    stored: &[Stored],
    config: &Config,
    scheme: &S,
) -> Result<(), Damaged> {
    let mut batch = CertificateBatch::new(&config.committee, config.quorum(), scheme);
    let mut places = Vec::new();
    check_finals(finals, config, scheme, &mut batch, &mut places)?;
    if let Some((place, certificate)) = carried_for_head(finals, stored, config)? {
        places.push(place);
        batch.push(certificate);
    }
    let is_final = |round: Round| finals.iter().rev().find(|found| found.block.round() == round);
    for (index, stored) in stored.iter().enumerate() {
        let damaged = |item, round, reason| Damaged { item, index, round, reason };
        let (item, round) = item_of(stored);
        if round.0 > MAX_ROUND {
            return Err(damaged(item, round, Damage::Round));
        }
        match stored {
            Stored::Block(block) => {
                check_block(block, config, scheme).map_err(|reason| damaged(item, round, reason))?;
            }
            Stored::Notarization(certificate) => {
                places.push((item, index, round));
                batch.push(certificate);
            }
            Stored::TimeoutCertificate(certificate) => {
                places.push((item, index, round));
                batch.push(certificate);
            }
            Stored::FinalityCertificate(certificate) => {
                if is_final(round).is_some_and(|own| own.block.id() != certificate.block) {
                    return Err(damaged(item, round, Damage::OtherBlock));
                }
                places.push((item, index, round));
                batch.push(certificate);
            }
        }
    }
    let verdicts = batch.verdicts(config.batch_seed.as_ref());
    for ((item, index, round), verdict) in places.into_iter().zip(verdicts) {
        verdict.map_err(|error| Damaged { item, index, round, reason: error.into() })?;
    }
    Ok(())
}

fn item_of(stored: &Stored) -> (Item, Round) {
    match stored {
        Stored::Block(block) => (Item::Block, block.round()),
        Stored::Notarization(certificate) => (Item::Notarization, certificate.round),
        Stored::TimeoutCertificate(certificate) => (Item::TimeoutCertificate, certificate.round),
        Stored::FinalityCertificate(certificate) => (Item::FinalityCertificate, certificate.round),
    }
}

/// The certificate of the last final block that a stored child carries, where neither the final block itself nor a stored
/// certificate is one. Those are verified anyway; this one still has to be.
///
/// # Errors
/// [`Damage::Uncertified`] when there is no certificate at all.
fn carried_for_head<'a>(
    finals: &[FinalBlock],
    stored: &'a [Stored],
    config: &Config,
) -> Result<Option<(Read, &'a Notarization)>, Damaged> {
    let Some(FinalBlock { block, notarization: None }) = finals.last() else { return Ok(None) };
    let (round, id) = (block.round(), block.id());
    let named = stored.iter().any(|stored| match stored {
        Stored::Notarization(certificate) => (certificate.round, certificate.block) == (round, id),
        Stored::FinalityCertificate(certificate) => (certificate.round, certificate.block) == (round, id),
        Stored::Block(_) | Stored::TimeoutCertificate(_) => false,
    });
    if named || id == config.genesis.id() {
        return Ok(None);
    }
    let carried = stored.iter().enumerate().find_map(|(index, stored)| {
        let Stored::Block(child) = stored else { return None };
        let certificate = child.parent_notarization()?;
        let is_its = (certificate.round, certificate.block) == (round, id) && child.header().parent == id;
        is_its.then_some(((Item::Block, index, child.round()), &**certificate))
    });
    let uncertified =
        Damaged { item: Item::FinalBlock, index: finals.len() - 1, round, reason: Damage::Uncertified };
    carried.map(Some).ok_or(uncertified)
}

/// Final blocks are linked, and each certificate beside one is for it. Those that will not be kept are only linked.
fn check_finals<S: Verify + Beacon>(
    finals: &[FinalBlock],
    config: &Config,
    scheme: &S,
    batch: &mut CertificateBatch<'_, S>,
    places: &mut Vec<Read>,
) -> Result<(), Damaged> {
    let mut below: Option<&Block> = None;
    for (index, FinalBlock { block, notarization }) in finals.iter().enumerate() {
        let round = block.round();
        let damaged = |item, reason| Damaged { item, index, round, reason };
        if block.id() != config.genesis.id() {
            check_block(block, config, scheme).map_err(|reason| damaged(Item::FinalBlock, reason))?;
        }
        if below.is_some_and(|below| block.header().parent != below.id() || round != below.round().next()) {
            return Err(damaged(Item::FinalBlock, Damage::Unlinked));
        }
        below = Some(block);
        let is_kept = finals.len() - index <= KEPT_FINAL_BLOCKS;
        if let Some(certificate) = notarization.as_ref().filter(|_| is_kept) {
            if (certificate.round, certificate.block) != (round, block.id()) {
                return Err(damaged(Item::FinalNotarization, Damage::OtherBlock));
            }
            places.push((Item::FinalNotarization, index, round));
            batch.push(certificate);
        }
    }
    Ok(())
}

fn check_block<S: Verify + Beacon>(block: &Block, config: &Config, scheme: &S) -> Result<(), Damage> {
    let (header, committee) = (block.header(), &config.committee);
    if header.round.0 > MAX_ROUND {
        return Err(Damage::Round);
    }
    let own = (header.chain, header.epoch) == (committee.chain(), committee.epoch());
    if !own || !committee.contains(header.generator) || header.round <= config.anchor() {
        return Err(Damage::Foreign);
    }
    let fits = scheme.beacon_value(block.beacon_signature()) == header.beacon;
    fits.then_some(()).ok_or(Damage::OtherBeacon)
}
