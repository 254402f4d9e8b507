//! Targets about arithmetic and bytes that everything else rests upon, each restated here by hand: sets of signers, what is
//! signed, block ids, quorums, waiting times.

use std::sync::Arc;

use sha3::{Digest, Sha3_256};
use zus_bpp::block::{self, BlockId, Header, Time};
use zus_bpp::certified::{FinalityCertificate, Notarization};
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::dkg::Parameters;
use zus_bpp::crypto::mock_scheme::MockCommittee;
use zus_bpp::crypto::scheme::{BeaconValue, Domain, SIGNATURE_BYTES, Sign as _, Signature, Verify as _};
use zus_bpp::miner::{Config, Miner, Recovery, Stored, Timing};
use zus_bpp::rules::Rules;
use zus_bpp::statement::{BeaconTarget, FinalityVote, Proposed, Statement, Ticket, Timeout};
use zus_bpp::wire;

use crate::oracles;

/// Members of the committee whose certificates are checked.
const MINERS: u16 = 7;

/// A bitmap is taken exactly when it has the length of its committee and names nobody outside of it; a list exactly when it
/// names members once; a certificate exactly when it is of this committee, and of a quorum of it.
///
/// # Panics
/// When production judges otherwise.
pub fn signers(bytes: &[u8]) {
    let Some((&[size, kind], rest)) = bytes.split_first_chunk::<2>() else { return };
    let size = usize::from(size) % 40 + 1;
    let members: Vec<usize> = (0..rest.len() * 8).filter(|i| rest[i / 8] >> (i % 8) & 1 == 1).collect();
    let fits = rest.len() == size.div_ceil(8) && members.iter().all(|&member| member < size);
    let found = Signers::from_bitmap(size, rest);
    assert_eq!(found.is_ok(), fits, "{size} members, bitmap {rest:02x?}: {found:?}");
    if let Ok(found) = found {
        let listed: Vec<usize> = found.iter().map(|member| usize::from(member.0)).collect();
        assert_eq!((listed, found.count(), found.bitmap()), (members.clone(), members.len(), rest));
    }

    let list: Vec<usize> = rest.iter().take(12).map(|&byte| usize::from(byte) % (size + 1)).collect();
    let mut once = list.clone();
    once.sort_unstable();
    once.dedup();
    let possible = once.len() == list.len() && once.iter().all(|&member| member < size);
    let made = Signers::from_members(size, list.iter().map(|&member| MinerId(member as u16)));
    assert_eq!(made.is_ok(), possible, "{size} members, {list:?}: {made:?}");

    // Members of a committee of seven sign, and the certificate says that it is of another size.
    let world = MockCommittee::new(MINERS, 1);
    let claimed = if kind & 1 == 0 { MINERS } else { MINERS + 1 + u16::from(kind >> 1) % 9 };
    let signing: Vec<MinerId> =
        (0..MINERS).filter(|i| rest.first().unwrap_or(&0) >> i & 1 == 1).map(MinerId).collect();
    let message = b"zus fuzz signers";
    let signature = |id: &MinerId| world.member(*id).and_then(|key| key.sign(Domain::Ticket, message));
    let signatures: Vec<Signature> = signing.iter().filter_map(signature).collect();
    let aggregate = world.observer().aggregate(&signatures).unwrap_or(Signature([0; SIGNATURE_BYTES]));
    let Ok(signers) = Signers::from_members(claimed.into(), signing.iter().copied()) else { return };
    let certificate = Certificate { signers, aggregate };
    let q = oracles::quorum(MINERS);
    let taken = certificate.verify(&world.observer(), q, Domain::Ticket, message).is_ok();
    assert_eq!(taken, claimed == MINERS && signing.len() >= q, "{signing:?} of {claimed}");
}

/// Preimages of signatures and hashes have the bytes that are written down here; sizes and waiting times follow the
/// protocol's arithmetic for every committee.
///
/// # Panics
/// When they differ.
pub fn statements(bytes: &[u8]) {
    let mut input = [0; 88];
    for (place, byte) in input.iter_mut().zip(bytes.iter().cycle()) {
        *place = *byte;
    }
    let number = |at: usize| u64::from_be_bytes(input[at..at + 8].try_into().expect("eight bytes"));
    let hash = |at: usize| -> [u8; 32] { input[at..at + 32].try_into().expect("32 bytes") };
    let (chain, epoch, round, subround) = (hash(0), number(32), number(40), number(48) as u32);
    let (id, miners) = (hash(56), (number(80) % 1024) as u16 + 1);
    read_back(bytes.len());
    let committee =
        Committee::new(ChainId(chain), Epoch(epoch), miners, 1).expect("a committee of at most 1024");
    let (r, s, block) = (Round(round), Subround(subround), BlockId(id));
    let layout = |tag: &[u8], subround: u32, subject: [u8; 32]| {
        let mut bytes = tag.to_vec();
        bytes.resize(16, 0);
        bytes.extend(chain);
        bytes.extend(epoch.to_be_bytes());
        bytes.extend(round.to_be_bytes());
        bytes.extend(subround.to_be_bytes());
        bytes.extend(subject);
        bytes
    };
    let signed = [
        (
            Proposed { round: r, subround: s, block }.preimage(&committee),
            layout(b"zus/proposal/v1", subround, id),
        ),
        (
            Ticket { round: r, subround: s, block }.preimage(&committee),
            layout(b"zus/ticket/v1", subround, id),
        ),
        (
            Timeout { round: r, subround: s }.preimage(&committee),
            layout(b"zus/timeout/v1", subround, [0; 32]),
        ),
        (
            FinalityVote { round: r, subround: s, block }.preimage(&committee),
            layout(b"zus/finality/v1", subround, id),
        ),
        (BeaconTarget::Round(r).preimage(&committee), layout(b"zus/beacon-r/v1", 0, [0; 32])),
        (
            BeaconTarget::Chained { round: r, subround: s, previous: BeaconValue(id) }.preimage(&committee),
            layout(b"zus/beacon-c/v1", subround, id),
        ),
    ];
    for (production, own) in signed {
        assert_eq!(production[..], own[..], "what is signed");
    }
    ids(&input, chain, epoch, (round, subround), id);
    arithmetic(committee, usize::from(miners), s);
}

/// A block's id is a hash of every field, and a certificate's digest of every byte.
fn ids(input: &[u8; 88], chain: [u8; 32], epoch: u64, (round, subround): (u64, u32), parent: [u8; 32]) {
    let turned = |by: usize| -> [u8; 32] { std::array::from_fn(|i| input[(i * 3 + by) % input.len()]) };
    let (generator, time) = (u16::from(input[3]) << 8 | u16::from(input[87]), u64::from(input[41]) << 20);
    let header = Header {
        chain: ChainId(chain),
        epoch: Epoch(epoch),
        round: Round(round),
        subround: Subround(subround),
        generator: MinerId(generator),
        parent: BlockId(parent),
        parent_certificate: block::Digest(turned(1)),
        final_round: Round(round >> 3),
        finality_certificate: block::Digest(turned(5)),
        beacon: BeaconValue(turned(7)),
        payload_root: block::Digest(turned(11)),
        closing: block::Closing::Tail {
            round: Round(round >> 5),
            block: BlockId(turned(13)),
            record: block::Digest(turned(17)),
        },
        items_root: block::Digest(turned(19)),
        time: Time(time),
    };
    let own = Sha3_256::new()
        .chain_update(b"zus/block/v2\0\0\0\0")
        .chain_update(chain)
        .chain_update(epoch.to_be_bytes())
        .chain_update(round.to_be_bytes())
        .chain_update(subround.to_be_bytes())
        .chain_update(generator.to_be_bytes())
        .chain_update(parent)
        .chain_update(turned(1))
        .chain_update((round >> 3).to_be_bytes())
        .chain_update(turned(5))
        .chain_update(turned(7))
        .chain_update(turned(11))
        .chain_update([2])
        .chain_update((round >> 5).to_be_bytes())
        .chain_update(turned(13))
        .chain_update(turned(17))
        .chain_update(turned(19))
        .chain_update(time.to_be_bytes());
    assert_eq!(header.id().0[..], own.finalize()[..], "the id of {header:?}");

    let members = (0..MINERS).filter(|i| input[5] >> i & 1 == 1).map(MinerId);
    let signers = Signers::from_members(MINERS.into(), members).expect("members, each once");
    let aggregate = Signature(std::array::from_fn(|i| input[i]));
    let statement = Ticket { round: Round(round), subround: Subround(subround), block: BlockId(parent) };
    let mut bytes = round.to_be_bytes().to_vec();
    bytes.extend(subround.to_be_bytes());
    bytes.extend(parent);
    bytes.extend(MINERS.to_be_bytes());
    bytes.push(input[5] & 0x7f);
    bytes.extend(aggregate.0);
    let certificate = Certificate { signers, aggregate };
    let own = Sha3_256::new().chain_update(b"zus/certified/v1").chain_update(&bytes);
    let found = Notarization { statement, certificate: certificate.clone() };
    assert_eq!(found.digest().0[..], own.finalize()[..], "the digest of {found:?}");
    // A finality certificate of the same bytes has another digest.
    let statement =
        FinalityVote { round: Round(round), subround: Subround(subround), block: BlockId(parent) };
    let own = Sha3_256::new().chain_update(b"zus/final-crt/v1").chain_update(&bytes);
    let found = FinalityCertificate { statement, certificate };
    assert_eq!(found.digest().0[..], own.finalize()[..], "the digest of {found:?}");
}

/// A bit that changes on the disk is noticed (L4): by the checksum, and without it by the certificate.
fn read_back(seed: usize) {
    let world = MockCommittee::new(MINERS, 1);
    let committee = Committee::new(ChainId([7; 32]), Epoch(1), MINERS, 0).expect("a committee of seven");
    let config = Arc::new(Config::new(committee, Rules::HARDENED, BeaconValue([0; 32]), Time(0)));
    let member = |i| world.member(MinerId(i)).expect("a member");
    let statement = Ticket { round: Round(1), subround: Subround(0), block: BlockId([3; 32]) };
    let sign = |i| member(i).sign(Ticket::DOMAIN, &statement.preimage(&committee)).map(|it| (MinerId(i), it));
    let q = oracles::quorum(MINERS);
    let signatures: Vec<_> = (0..q as u16).filter_map(sign).collect();
    let certificate = Certificate::assemble(&world.observer(), q, &signatures).expect("a quorum");
    let stored = Stored::Notarization(Arc::new(Notarization { statement, certificate }));
    let start = |stored: Stored| {
        let recovery = Recovery::default().with_stored([stored]);
        Miner::new(Arc::clone(&config), member(0), recovery).map(|miner| miner.round())
    };
    assert_eq!(start(stored.clone()), Ok(Round(2)), "L4");
    let (sealed, plain) = (wire::seal(&stored), wire::to_bytes(&stored));
    for bit in (seed % 37..plain.len() * 8).step_by(37) {
        let flipped = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        assert!(wire::unseal::<Stored>(&flipped(&sealed)).is_err(), "L4: bit {bit} of what was sealed");
        if let Ok(other) = wire::from_bytes::<Stored>(&flipped(&plain)) {
            let started = start(other);
            assert!(started.is_err(), "L4: with bit {bit} flipped a miner starts in {started:?}");
        }
    }
}

/// `f` is the largest number of which three fit below `n`, `q` is all but `f`, a fifth are generators.
fn arithmetic(committee: Committee, n: usize, subround: Subround) {
    let f = (0..n).take_while(|f| 3 * f < n).last().unwrap_or(0);
    let config = Config::new(committee, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
    assert_eq!((committee.faulty(), config.quorum(), config.join_threshold()), (f, n - f, f + 1), "n = {n}");
    assert!(2 * config.quorum() - n > f, "two quorums of {n} share no honest miner");
    let generators = (1..=n).find(|g| 5 * g >= n && (*g >= 2 || n == 1)).unwrap_or(1);
    assert_eq!(usize::from(config.generators), generators, "generators of {n}");
    // A7, S11: the shares of f exposed members do not bring f Byzantine ones to the threshold; the honest ones reach it.
    let parameters = Parameters::hardened(n).expect("a committee");
    let numbers = (parameters.threshold(), parameters.max_revealed(), parameters.min_qualified());
    assert_eq!(numbers, (n - f, f, n - f), "n = {n}");
    assert_eq!(committee.beacon_threshold(), n - f, "n = {n}");
    for exposed in 0..=f {
        for threshold in [f, f + 1, f + exposed, f + exposed + 1, n - f, n - f + 1] {
            let sound = threshold > f + exposed && threshold <= n - f;
            let taken = Parameters::new(n, threshold, exposed, n - f);
            assert_eq!(taken.is_ok(), sound, "n = {n}, {exposed} exposed, threshold {threshold}: {taken:?}");
        }
    }
    // Waits grow with the subround, so that some subround is long enough (L1).
    let Timing { window, ticket_wait, .. } = Timing::DEFAULT;
    let times = subround.0.saturating_add(1);
    assert_eq!(config.timing.window_closes(subround), window * times);
    assert_eq!(config.timing.gives_up(subround), (window + ticket_wait) * times);
}
