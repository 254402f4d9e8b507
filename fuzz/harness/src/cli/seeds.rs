//! Writes the first committed inputs: the same files every time. Campaigns add to them (`fuzz/campaign`).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use zus_bpp::block::Digest;
use zus_bpp::committee::{ChainId, Epoch, MinerId};
use zus_bpp::crypto::dkg::{
    Attempt, DecryptionKey, Identity, Member, Parameters, Registration, Session, SessionMember,
};
use zus_bpp::crypto::keys::SecretKey;
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::item::{self, EpochItem};
use zus_bpp::epochs::link::{Beginning, Link};
use zus_bpp::epochs::record::{Record, RecordContent};
use zus_bpp::evidence::Evidence;
use zus_bpp::message::{Message, UncompressedTicket};
use zus_bpp::ticket_log::{Interchange, LogContents, LogImage, SignedRecords};
use zus_bpp::wire;
use zus_output::lock::Lock;

use crate::refinement::Names;
use crate::schedule::{Random, Run, Schedule};
use crate::targets::codecs::{OTHERS, OWNER};
use crate::targets::handoffs::genuine;
use crate::targets::{ALL, tell};
use crate::world::{Content, record_of};

/// Random seeds of each target that is driven by bytes.
const SEEDS: u64 = 8;
/// Random inputs that are looked through for seeds that stand for something new.
const CANDIDATES: u64 = 4_000;

pub(super) type Found = Vec<(String, Vec<u8>)>;

/// Writes them under `inputs/`.
pub fn seeds() -> std::io::Result<bool> {
    let root = crate::room().join("inputs");
    let _taken = Lock::take(&root)?;
    for (target, _) in ALL {
        let below = Lock::take(root.join(target))?;
        for (name, bytes) in of(target) {
            zus_output::whole::write(below.folder().join(name), bytes)?;
        }
    }
    Ok(true)
}

/// The first inputs of a target, by name.
fn of(target: &str) -> Found {
    match target {
        "decode" => [messages(), others()].concat(),
        "scenario" => scenarios(),
        "trace" => traces(),
        "dkg" | "differential_bls" => [random(), kinds(target)].concat(),
        "soak" => long_runs(),
        "overrun" => [random(), forks()].concat(),
        _ => random(),
    }
}

pub(super) fn random() -> Found {
    let seed = |seed: u64| {
        let mut random = Random::new(seed);
        let length = 8 + 4 * random.below(12);
        (format!("seed-{seed}"), (0..length).map(|_| random.bits() as u8).collect())
    };
    (0..SEEDS).map(seed).collect()
}

/// A long run of each kind that takes no minute: not the one of many subrounds, nor that of hundreds of rounds.
fn long_runs() -> Found {
    [0, 1, 2, 4].into_iter().map(|kind| (format!("seed-{kind}"), vec![kind, 1])).collect()
}

/// Every way in which members that are enough for every certificate make two final blocks of one round, among four, five and seven
/// miners, with keys that give one of them its turn in both subrounds.
fn forks() -> Found {
    let input = |(size, way): (u8, u8)| {
        let header = [size, 0, 0, 0, 7, 0, 0, way << 1];
        (format!("seed-fork-{size}-{way}"), [&header[..], &[way; 8]].concat())
    };
    [0, 5, 6].into_iter().flat_map(|size| (0..32).map(move |way| (size, way))).map(input).collect()
}

/// Short inputs that stand for something that no earlier one stands for, as [`tell`] names it: each deed of a dishonest
/// member, each question to two libraries.
fn kinds(target: &str) -> Found {
    let mut random = Random::new(1);
    let (mut known, mut found) = (BTreeSet::new(), Vec::new());
    for _ in 0..CANDIDATES {
        let bytes = random.bits().to_le_bytes();
        let told = tell(target, &bytes);
        let words: Vec<&str> =
            told.split_whitespace().filter(|word| word.starts_with(char::is_uppercase)).collect();
        let before = known.len();
        // Pairs of neighbours count too: a dealer's dealing matters together with its settlement.
        known.extend(words.windows(2).map(|two| two.join(" ")));
        known.extend(words.iter().map(|&word| word.to_owned()));
        if known.len() > before {
            found.push((format!("kind-{}", found.len()), bytes.to_vec()));
        }
    }
    found
}

/// Runs that sent much.
fn runs() -> impl Iterator<Item = Run> {
    (0..64).filter_map(|seed| {
        let schedule = Schedule::random(&mut Random::new(seed));
        let mut run = Run::new(&schedule.header.setup(), 0).ok()?;
        run.choose_all(&schedule.choices);
        Some(run)
    })
}

/// One message of each kind that a run sends, and of each kind of evidence.
fn messages() -> Found {
    let mut found: Found = Vec::new();
    let (mut tickets, mut votes, mut proposals) = (Vec::new(), Vec::new(), Vec::new());
    let (mut notarizations, mut finalities) = (Vec::new(), Vec::new());
    for run in runs() {
        for envelope in run.world.network.sent() {
            let Content::Message(message) = &envelope.content else { continue };
            match message {
                Message::Ticket(ticket) => tickets.push(*ticket),
                Message::FinalityVote(vote) => votes.push(*vote),
                Message::Proposal(proposal) => proposals.push(proposal.signed()),
                Message::Notarization(known) => notarizations.push(Arc::clone(known)),
                Message::FinalityCertificate(known) => finalities.push(Arc::clone(known)),
                _ => {}
            }
            let kind = format!("{message:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
            if !found.iter().any(|(known, _)| *known == kind) {
                found.push((kind, wire::encode(message)));
            }
        }
    }
    let key = SecretKey::from_seed(&[1; 32]);
    let signature = key.sign(zus_bpp::crypto::scheme::Domain::Ticket.into(), b"seed");
    let two = (tickets.first().zip(tickets.last()), votes.first().zip(votes.last()));
    let (Some((&t1, &t2)), Some((&v1, &v2))) = two else { return found };
    if let Ok(signature) = UncompressedSignature::new(signature) {
        let ticket = UncompressedTicket { statement: t1.statement, signer: t1.signer, signature };
        found.push(("UncompressedTicket-BLS".into(), wire::encode(&Message::UncompressedTicket(ticket))));
    }
    let (Some(&p1), Some(n1), Some(f1)) = (proposals.first(), notarizations.first(), finalities.first())
    else {
        return found;
    };
    let p2 = proposals.last().copied().unwrap_or(p1);
    let (n2, f2) = (notarizations.last().unwrap_or(n1), finalities.last().unwrap_or(f1));
    let all = [
        Evidence::Proposals { first: p1, second: p2 },
        Evidence::Tickets { first: t1, second: t2 },
        Evidence::FinalityVotes { first: v1, second: v2 },
        Evidence::TicketAgainstVote { ticket: t1, vote: v2 },
        Evidence::Notarizations { first: Arc::clone(n1), second: Arc::clone(n2) },
        Evidence::NotarizationAgainstFinality { notarization: Arc::clone(n1), finality: Arc::clone(f1) },
        Evidence::FinalityCertificates { first: Arc::clone(f1), second: Arc::clone(f2) },
    ];
    for (number, evidence) in all.into_iter().enumerate() {
        let message = Message::Evidence(Arc::new(evidence.canonical()));
        found.push((format!("evidence-{number}"), wire::encode(&message)));
    }
    found
}

/// Inputs from peers and disks beside messages, each behind its own first byte.
fn others() -> Found {
    let (chain, epoch, n) = (ChainId([3; 32]), Epoch(8), 4);
    let identity = |i: u16| SecretKey::from_seed(&[i as u8 + 1; 32]);
    let decryption = |i: u16| DecryptionKey::from_seed(&[i as u8 + 101; 32]);
    let mut all = Vec::new();
    let about = (chain, epoch, Attempt(1));
    let key = decryption(0).encryption_key();
    if let Some(registration) = Registration::new(about, MinerId(0), &identity(0), key, b"10.0.0.1:7071") {
        let items = item::encode(vec![EpochItem::from(&registration).as_item()]);
        all.extend([("registration", registration.encode()), ("items", items)]);
    }
    let member = |i: u16| {
        let identity = Identity::new(chain, &identity(i)).verify(chain).ok()?;
        Some(SessionMember { identity, encryption: Some(decryption(i).encryption_key()) })
    };
    let members: Vec<SessionMember> = (0..n).filter_map(member).collect();
    if let Some((dealing, settlement, receipt, record)) = key_generation(chain, epoch, members) {
        all.extend([
            ("dealing", dealing),
            ("settlement", settlement),
            ("receipt", receipt),
            ("record", record.encode()),
        ]);
        all.extend(handoffs(record));
    }
    let mut image = LogImage::with_room(&OWNER, &SignedRecords::default(), 8);
    let records: Vec<_> = runs()
        .take(2)
        .flat_map(|run| run.world.network.sent().to_vec())
        .filter_map(|envelope| match &envelope.content {
            Content::Message(message) => record_of(message),
            Content::Bytes(_) => None,
        })
        .take(12)
        .collect();
    assert!(records.chunks(3).all(|records| image.write(records)), "four frames fit");
    all.push(("log_file", image.bytes().to_vec()));
    let read = LogContents::read(&PathBuf::from("seed"), image.bytes(), &OWNER);
    if let Ok(Ok(json)) = read.map(|found| Interchange::new(&OWNER, found.signed()).to_json()) {
        all.push(("interchange", json.into_bytes()));
    }
    let with_first = |(name, bytes): (&str, Vec<u8>)| {
        let first = OTHERS.iter().find(|(_, known)| *known == name).map_or(0, |(first, _)| *first);
        (name.to_owned(), [&[first], &bytes[..]].concat())
    };
    all.into_iter().map(with_first).collect()
}

type Generated = (Vec<u8>, Vec<u8>, Vec<u8>, Record);

/// Messages between nodes across epochs: a certificate of a closing block, and of a tail block.
fn handoffs(record: Record) -> Vec<(&'static str, Vec<u8>)> {
    let (direct, closing) = genuine(false);
    let (tail, _) = genuine(true);
    let link = Link { handoff: tail.clone(), record: record.clone() };
    let handoff = Some(Arc::new(direct.clone()));
    let beginning = Beginning { record, anchor: Arc::new(closing), handoff };
    vec![
        ("handoff", wire::to_bytes(&direct)),
        ("link", wire::to_bytes(&link)),
        ("beginning", wire::to_bytes(&beginning)),
        ("envelope", wire::to_bytes(&Envelope::Links(vec![Arc::new(link)]))),
    ]
}

/// A dealing, a settlement, a receipt and a record of an honest key generation, encoded. `None` if it fails, which it
/// does not.
fn key_generation(chain: ChainId, epoch: Epoch, members: Vec<SessionMember>) -> Option<Generated> {
    let n = members.len() as u16;
    let parameters = Parameters::hardened(members.len()).ok()?;
    let session = Arc::new(Session::new(chain, epoch, Attempt(1), parameters, members).ok()?);
    let join = |i: u16| {
        let identity = SecretKey::from_seed(&[i as u8 + 1; 32]);
        let decryption = DecryptionKey::from_seed(&[i as u8 + 101; 32]);
        Member::new(Arc::clone(&session), MinerId(i), identity, decryption, &[i as u8; 32]).ok()
    };
    let mut members: Vec<Member> = (0..n).map(join).collect::<Option<_>>()?;
    let dealings: Vec<_> = members.iter().map(|member| member.dealing().clone()).collect();
    let mut kept = None;
    for dealing in &dealings {
        for recipient in 0..members.len() {
            let receipt = members[recipient].on_dealing(dealing).ok()?;
            kept = Some(receipt);
            // One receipt is missing, so that a share is revealed.
            if recipient > 0 {
                members[usize::from(dealing.dealer.0)].on_receipt(receipt.recipient, &receipt).ok()?;
            }
        }
    }
    members.iter_mut().try_for_each(Member::end_dealing).ok()?;
    let settlements: Vec<_> = members.iter().map(Member::settle).collect::<Result<_, _>>().ok()?;
    for member in &mut members {
        settlements.iter().try_for_each(|settlement| member.on_settlement(settlement)).ok()?;
    }
    let (outcome, _) = members[0].finish().ok()?;
    let identity = |i: u16| Identity::new(chain, &SecretKey::from_seed(&[i as u8 + 1; 32])).encode();
    let content = RecordContent {
        chain,
        epoch,
        previous: Digest::NONE,
        attempt: Attempt(1),
        members: (0..n).map(identity).collect(),
        sharders: Vec::new(),
        qualified: outcome.qualified().keys().copied().collect(),
        coefficients: outcome.sum().ok()?.points().iter().map(|point| point.encode()).collect(),
        items: Digest(*session.id()),
    };
    Some((dealings[0].encode(), settlements[0].encode(), kept?.encode().to_vec(), Record::new(content).ok()?))
}

fn traces() -> Found {
    let trace = |(seed, run): (usize, Run)| {
        let trace = run.judges.refinement.trace("zus-fuzz seeds", None, &Names::of(&run.world)).ok()?;
        Some((format!("run-{seed}.json"), trace.to_json().into_bytes()))
    };
    runs().enumerate().take(4).filter_map(trace).collect()
}

fn scenarios() -> Found {
    let read = |name: &str| {
        let file = crate::room().join("../model/scenarios").join(format!("{name}.toml"));
        Some((format!("{name}.toml"), std::fs::read(file).ok()?))
    };
    ["hardened_live", "late_better_rank", "two_subrounds"].into_iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of an encoding makes the first inputs anew: `zus-fuzz seeds`.
    #[test]
    fn the_committed_inputs_begin_with_these() {
        for (target, _) in ALL {
            let found = of(target);
            assert!(!found.is_empty(), "{target}");
            let names: BTreeSet<&String> = found.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), found.len(), "{target}: two inputs have one name");
            for (name, bytes) in found {
                let file = crate::room().join("inputs").join(target).join(name);
                let committed =
                    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                assert!(committed == bytes, "{} is old\n  fix: zus-fuzz seeds", file.display());
            }
        }
    }
}
