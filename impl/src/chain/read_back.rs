//! What is read back from storage is checked like what a peer says: a disk can change a bit, and one bit of the round of a stored
//! notarization would start a miner in a round that nobody reaches.
//!
//! Certificates are verified, and what a block's id does not cover is compared with what it does cover. Bits of a block itself
//! change its id: the links of final blocks and the certificates for them show it; for blocks above the head the checksum of
//! [`wire::seal`](crate::wire::seal) does, which hosts use for everything that they store.

use std::fmt;

use thiserror::Error;

use super::FinalBlock;
use crate::block::Block;
use crate::bounds::KEPT_FINAL_BLOCKS;
use crate::certified::CertificateBatch;
use crate::committee::Round;
use crate::crypto::certificate::CertificateError;
use crate::crypto::scheme::Scheme;
use crate::miner::{Config, Stored};
use crate::mutants::mutant;

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

/// Something that was read back is not what was stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "the {item} {index} (round {round}) is damaged: {reason}; restore it from a copy, or leave it out and catch up from peers, \
     with the ticket log as it is"
)]
pub struct Damaged {
    /// What it is.
    pub item: Item,
    /// Its position among the final blocks, or among the stored items, from 0.
    pub index: usize,
    /// The round that it names.
    pub round: Round,
    /// What is wrong with it.
    pub reason: Damage,
}

/// What is wrong with something that was read back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
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
    /// The certificate proves nothing.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
}

/// Checks what is read back: final blocks, lowest first, and what a miner stored beside them.
///
/// # Errors
/// The first damaged item.
pub(crate) fn check_read_back<S: Scheme>(
    finals: &[FinalBlock],
    stored: &[Stored],
    config: &Config,
    scheme: &S,
) -> Result<(), Damaged> {
    if mutant!(ReadBackTrusted) {
        return Ok(());
    }
    let mut batch = CertificateBatch::new(&config.committee, config.quorum(), scheme);
    let mut places = Vec::new();
    check_finals(finals, config, scheme, &mut batch, &mut places)?;
    let is_final = |round: Round| finals.iter().rev().find(|found| found.block.round() == round);
    for (index, stored) in stored.iter().enumerate() {
        let damaged = |item, round, reason| Damaged { item, index, round, reason };
        match stored {
            Stored::Block(block) => {
                let round = block.round();
                check_block(block, config, scheme).map_err(|reason| damaged(Item::Block, round, reason))?;
            }
            Stored::Notarization(certificate) => {
                places.push((Item::Notarization, index, certificate.round));
                batch.push(certificate);
            }
            Stored::TimeoutCertificate(certificate) => {
                places.push((Item::TimeoutCertificate, index, certificate.round));
                batch.push(certificate);
            }
            Stored::FinalityCertificate(certificate) => {
                let (item, round) = (Item::FinalityCertificate, certificate.round);
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

/// Final blocks are linked, and each certificate beside one is for it. Those that will not be kept are only linked.
fn check_finals<S: Scheme>(
    finals: &[FinalBlock],
    config: &Config,
    scheme: &S,
    batch: &mut CertificateBatch<'_, S>,
    places: &mut Vec<(Item, usize, Round)>,
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

fn check_block<S: Scheme>(block: &Block, config: &Config, scheme: &S) -> Result<(), Damage> {
    let (header, committee) = (block.header(), &config.committee);
    let own = (header.chain, header.epoch) == (committee.chain(), committee.epoch());
    if !own || !committee.contains(header.generator) || header.round == Round(0) {
        return Err(Damage::Foreign);
    }
    let fits = scheme.beacon_value(block.beacon_signature()) == header.beacon;
    fits.then_some(()).ok_or(Damage::OtherBeacon)
}
