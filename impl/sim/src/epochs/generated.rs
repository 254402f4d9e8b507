//! A network whose committees generate their keys, each for the next one. The first committee has its key from the seed. Some members lie.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use zus_bpp::block::{Block, Digest};
use zus_bpp::committee::{Epoch, MinerId, beacon_threshold};
use zus_bpp::crypto::beacon::KeyShare;
use zus_bpp::crypto::curve::Scalar;
use zus_bpp::crypto::dkg::{Attempt, Disqualified, Identity, MemberError, Receipt};
use zus_bpp::crypto::keys::SecretKey;
use zus_bpp::crypto::polynomial::{Polynomial, abscissa};
use zus_bpp::crypto::scheme::BatchSeed;
use zus_bpp::epochs::generated::{Exchange, GeneratedKeys, NextCommittee, Signatures};
use zus_bpp::epochs::key_generation::{
    Began, Entry, KeyGeneration, Output, Participant, ParticipantError, Progress, Secret, WriteId,
};
use zus_bpp::epochs::lies::Lie;
use zus_bpp::epochs::link::Step;
use zus_bpp::epochs::record::{Record, RecordContent, SharderKey};
use zus_bpp::epochs::replica::Keys;
use zus_bpp::epochs::roster::NodeId;

use super::key_source::{KeySource, KeysMade};
use super::setup::{CHAIN, Setup};

/// See the module doc.
pub struct GeneratedNetwork<S> {
    signatures: S,
    exchange: Arc<Exchange>,
    first: Record,
    shares: BTreeMap<u16, Entry>,
    nodes: Vec<NodeId>,
    identities: Arc<BTreeMap<NodeId, SecretKey>>,
    lies: BTreeMap<u16, Lie>,
}

impl<S> GeneratedNetwork<S> {
    /// The network of a plan: identities, and the key of the first committee, from its seed.
    ///
    /// # Panics
    /// If a planned committee has no members, too many, or one twice.
    #[must_use]
    pub fn new(signatures: S, setup: &Setup) -> Self {
        let secret = |number: u16| SecretKey::from_seed(setup.entropy(number, Epoch(0), 0).bytes());
        let plan = &setup.plan;
        let is_sharder = |number: u16| plan.sharders.contains(&number);
        let encoded: BTreeMap<u16, _> = (0..setup.nodes)
            .filter(|number| !is_sharder(*number))
            .map(|number| (number, Identity::new(CHAIN, &secret(number)).encode()))
            .collect();
        let sharder = |number: u16| SharderKey(Digest::of(b"zus/sim/sharder\0", &[&number.to_be_bytes()]).0);
        let node = |number: u16| match encoded.get(&number) {
            Some(identity) => NodeId::of_member(identity),
            None => NodeId::of(&sharder(number).0),
        };
        let nodes: Vec<NodeId> = (0..setup.nodes).map(node).collect();
        let committee = |members: &Vec<u16>| NextCommittee {
            members: members.iter().map(|member| encoded[member]).collect(),
            sharders: plan.sharders.iter().map(|number| sharder(*number)).collect(),
        };
        let committees: BTreeMap<Epoch, NextCommittee> =
            (plan.first.0..).map(Epoch).zip(plan.committees.iter().map(committee)).collect();
        let (first, shares) = deal(setup, &committees[&plan.first]);
        let shares = plan.committees[0].iter().copied().zip(shares).collect();
        let later = committees.into_iter().skip(1).collect();
        let exchange = Exchange::new(CHAIN, later, plan.rounds, setup.phase_rounds);
        let identities = encoded.keys().map(|&number| (nodes[usize::from(number)], secret(number))).collect();
        Self {
            signatures,
            exchange: Arc::new(exchange.expect("committees that can generate a key")),
            first,
            shares,
            nodes,
            identities: Arc::new(identities),
            lies: setup.lies.iter().copied().collect(),
        }
    }
}

/// The record of the first committee, and the key shares of its members.
fn deal(setup: &Setup, committee: &NextCommittee) -> (Record, Vec<Entry>) {
    let (n, attempt) = (committee.members.len(), Attempt(0));
    let coefficient = |k: usize| {
        let half = |half: u32| *setup.entropy(k as u16, Epoch(0), 1 + half).bytes();
        let mut wide = [0; 64];
        wide[..32].copy_from_slice(&half(0));
        wide[32..].copy_from_slice(&half(1));
        Scalar::from_uniform_bytes(&wide)
    };
    let polynomial = Polynomial::new((0..beacon_threshold(n)).map(coefficient).collect());
    let commitments = polynomial.commit().expect("no coefficient is zero");
    let record = Record::new(RecordContent {
        chain: CHAIN,
        epoch: setup.plan.first,
        previous: Digest::NONE,
        attempt,
        members: committee.members.clone(),
        sharders: committee.sharders.clone(),
        qualified: (0..n as u16).map(MinerId).collect(),
        coefficients: commitments.points().iter().map(|point| point.encode()).collect(),
        items: Digest::NONE,
    });
    let record = record.expect("numbers of a committee");
    let digest = record.digest();
    let share = |seat: u16| {
        let share = KeyShare::from_scalar(polynomial.evaluate(abscissa(MinerId(seat))));
        let share = Secret::new(*share.expect("no share is zero").to_bytes());
        Entry::KeyShare { attempt, record: digest, share }
    };
    let shares = (0..n as u16).map(share).collect();
    (record, shares)
}

impl<S: Signatures> KeySource for GeneratedNetwork<S> {
    type Keys = NodeKeys<S>;

    fn keys(&self, node: u16) -> NodeKeys<S> {
        let identity = self.identities.get(&self.node(node)).cloned();
        let endpoint = format!("node-{node}").into_bytes();
        NodeKeys {
            keys: GeneratedKeys::new(self.signatures.clone(), Arc::clone(&self.exchange), identity, endpoint),
            identities: Arc::clone(&self.identities),
            lie: self.lies.get(&node).copied(),
        }
    }

    fn node(&self, number: u16) -> NodeId {
        self.nodes.get(usize::from(number)).copied().unwrap_or_else(|| NodeId::of(&number.to_be_bytes()))
    }

    fn first(&self, _: &Setup) -> Record {
        self.first.clone()
    }

    fn first_journal(&self, node: u16) -> Vec<Entry> {
        self.shares.get(&node).cloned().into_iter().collect()
    }

    fn keys_made(&self, progress: &Progress) -> Option<KeysMade> {
        let (record, transcript) = (progress.record()?, progress.transcript()?);
        let why = |member: MinerId| -> Option<(u16, String)> {
            let reason: Disqualified = transcript.qualifies(member).err()?;
            Some((member.0, reason.to_string()))
        };
        Some(KeysMade {
            attempt: record.content().attempt.0,
            first_round: progress.plan().first().0,
            excluded: (0..record.size() as u16).map(MinerId).filter_map(why).collect(),
        })
    }
}

/// The keys of one node, which may lie.
#[derive(Clone)]
pub struct NodeKeys<S> {
    keys: GeneratedKeys<S>,
    identities: Arc<BTreeMap<NodeId, SecretKey>>,
    lie: Option<Lie>,
}

impl<S: Signatures> Keys for NodeKeys<S> {
    type Scheme = S::Scheme;
    type Verifier = S::Verifier;
    type Record = Record;
    type Progress = Progress;
    type Participant = Lying;

    fn verifier(&self, record: &Record) -> Option<S::Verifier> {
        self.keys.verifier(record)
    }

    fn verify_steps(&self, steps: &[Step<'_, Record>], seed: &BatchSeed) -> bool {
        self.keys.verify_steps(steps, seed)
    }

    fn observer(&self, record: &Record) -> Option<S::Scheme> {
        self.keys.observer(record)
    }

    fn member(&self, record: &Record, seat: MinerId, share: Option<&KeyShare>) -> Option<S::Scheme> {
        self.keys.member(record, seat, share)
    }

    fn begin(&self, record: &Record, anchor: &Block) -> Option<Progress> {
        self.keys.begin(record, anchor)
    }

    fn participant(
        &self,
        progress: &Progress,
        journal: &[Entry],
        entropy: &Secret,
    ) -> Result<Option<Began<Lying>>, ParticipantError> {
        let began = self.keys.participant(progress, journal, entropy)?;
        Ok(began.map(|(participant, outputs)| {
            let (identities, tip) = (Arc::clone(&self.identities), progress.clone());
            (Lying { participant, lie: self.lie, identities, tip }, outputs)
        }))
    }
}

/// A participant, honest or with a lie.
pub struct Lying {
    participant: Participant,
    lie: Option<Lie>,
    identities: Arc<BTreeMap<NodeId, SecretKey>>,
    tip: Progress,
}

impl fmt::Debug for Lying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lying").field("lie", &self.lie).finish_non_exhaustive()
    }
}

impl Lying {
    fn lies(&self, outputs: Vec<Output>) -> Vec<Output> {
        let Some(lie) = self.lie else { return outputs };
        let identity = |member: MinerId| {
            let encoded = &self.tip.plan().members()[usize::from(member.0)];
            self.identities[&NodeId::of_member(encoded)].clone()
        };
        let me = self.participant.me();
        let mut said = Vec::new();
        for output in outputs {
            match output {
                Output::Item(item) => {
                    said.extend(lie.items(me, &identity, item, &self.tip).into_iter().map(Output::Item));
                }
                Output::Receipt { to, receipt } => {
                    let receipt = lie.receipt(&identity(me), receipt);
                    said.extend(receipt.map(|receipt| Output::Receipt { to, receipt }));
                }
                honest => said.push(honest),
            }
        }
        said
    }
}

impl KeyGeneration<Progress> for Lying {
    fn on_final(&mut self, progress: &Progress) -> Vec<Output> {
        self.tip = progress.clone();
        let outputs = self.participant.on_final(progress);
        self.lies(outputs)
    }

    fn on_stored(&mut self, write: WriteId) -> Vec<Output> {
        let outputs = self.participant.on_stored(write);
        self.lies(outputs)
    }

    fn on_receipt(&mut self, from: MinerId, receipt: &Receipt) -> Result<Vec<Output>, MemberError> {
        let outputs = self.participant.on_receipt(from, receipt)?;
        Ok(self.lies(outputs))
    }

    fn is_done(&self) -> bool {
        self.participant.is_done()
    }
}
