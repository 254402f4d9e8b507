//! The folders of a node across epochs: which epoch a restart goes on in, whatever a crash left.

use std::fs;
use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, Closing, Digest};
use zus_bpp::certified::FinalityCertificate;
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{Epoch, MinerId, Round};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::dkg::Attempt;
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::handoff::HandoffCertificate;
use zus_bpp::epochs::key_generation::{Entry, Secret};
use zus_bpp::epochs::link::Beginning;
use zus_bpp::epochs::planned::PlannedRecord;
use zus_bpp::epochs::roster::CommitteeRecord as _;
use zus_bpp::message::Message;
use zus_bpp::miner::Output;
use zus_bpp::node::{EpochFolders, FoldersError};
use zus_bpp::rules::Rules;
use zus_bpp::statement::FinalityVote;
use zus_bpp::ticket_log::{KEY_BYTES, LogError, LogRecord, Owner, SigningRules, TicketLog as _};
use zus_sim::epochs::{CHAIN, Setup};

fn setup() -> Setup {
    Setup::new(vec![vec![0, 1, 2, 3], vec![0, 1, 2, 4], vec![1, 2, 3, 4]], 1, 2, 1)
}

fn owner(record: &PlannedRecord) -> Option<Owner> {
    record.miners.contains(&0).then_some(Owner { chain: CHAIN, epoch: record.epoch, key: [1; KEY_BYTES] })
}

fn rules() -> SigningRules {
    SigningRules::from(&Rules::HARDENED)
}

fn first() -> Beginning<PlannedRecord> {
    Beginning::first(setup().plan.record(Epoch(1)).expect("the first"), setup().genesis())
}

/// The beginning of an epoch on a closing block of the one before. Nobody signed for it: folders check no signature.
fn beginning(epoch: u64, round: u64) -> Beginning<PlannedRecord> {
    let record = setup().plan.record(Epoch(epoch)).expect("a planned epoch");
    let content = BlockContent {
        epoch: Epoch(epoch - 1),
        round: Round(round),
        closing: Closing::Closes { record: record.digest() },
        items: b"item".to_vec(),
        ..setup().genesis().content()
    };
    let anchor = Arc::new(Block::new(content));
    let statement = FinalityVote { round: anchor.round(), subround: anchor.subround(), block: anchor.id() };
    let signers = Signers::from_members(4, [MinerId(0)]).expect("a member");
    let certificate = Certificate { signers, aggregate: Signature([0; 48]) };
    let handoff =
        HandoffCertificate::new(*anchor.header(), Arc::new(FinalityCertificate { statement, certificate }));
    Beginning { record, anchor, handoff: Some(Arc::new(handoff.expect("they fit together"))) }
}

fn open(root: &std::path::Path) -> Result<EpochFolders<PlannedRecord>, FoldersError> {
    EpochFolders::open(root, first(), rules(), owner)
}

#[test]
fn a_restart_goes_on_in_the_last_epoch_whose_beginning_is_durable() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let mut folders = open(root).expect("it opens");
    let log = folders.log.as_mut().expect("a member");
    log.append(LogRecord::ticket(Round(1), zus_bpp::committee::Subround(0), [7; 32])).expect("it is taken");
    log.flush().expect("it is flushed");
    let second = beginning(2, 5);
    folders.begin(second.clone(), owner(&second.record)).expect("it begins");
    assert_eq!(folders.beginning(), &second);
    // One log for each epoch, and neither bars the other.
    let log = folders.log.as_mut().expect("a member");
    assert_eq!(log.owner().epoch, Epoch(2));
    assert!(
        log.append(LogRecord::ticket(Round(5), zus_bpp::committee::Subround(0), [8; 32])).is_err(),
        "not above"
    );
    log.append(LogRecord::ticket(Round(6), zus_bpp::committee::Subround(0), [8; 32])).expect("it is taken");
    log.flush().expect("it is flushed");
    drop(folders);
    let mut folders = open(root).expect("it opens again");
    assert_eq!(folders.beginning(), &second);
    assert_eq!(folders.log.as_ref().expect("a member").signed().records().count(), 1);
    // A node that is no member any more has no log.
    let third = beginning(3, 9);
    folders.begin(third.clone(), owner(&third.record)).expect("it begins");
    assert!(folders.log.is_none());
    let links = folders.links(Epoch(1)).expect("they are read");
    assert_eq!(links.iter().map(|link| link.record.epoch).collect::<Vec<_>>(), [Epoch(2), Epoch(3)]);
    assert_eq!(folders.links(Epoch(3)).expect("none"), []);
}

#[test]
fn a_crash_between_the_log_and_the_beginning_leaves_the_epoch_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let second = beginning(2, 5);
    let mut folders = open(root).expect("it opens");
    folders.begin(second.clone(), owner(&second.record)).expect("it begins");
    drop(folders);
    fs::remove_file(root.join("epoch-2/beginning")).expect("as if it had not been written");
    let mut folders = open(root).expect("it opens");
    assert_eq!(folders.beginning().record.epoch, Epoch(1));
    folders.begin(second.clone(), owner(&second.record)).expect("the log that is there is taken");
    assert_eq!(folders.beginning(), &second);
}

#[test]
fn a_log_that_is_lost_and_a_beginning_that_is_damaged_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    drop(open(root).expect("it opens"));
    fs::rename(root.join("epoch-1/log"), root.join("elsewhere")).expect("the log is gone");
    let refused = open(root).map(drop);
    assert!(matches!(refused, Err(FoldersError::Log(LogError::Missing { .. }))), "{refused:?}");
    fs::rename(root.join("elsewhere"), root.join("epoch-1/log")).expect("it is back");
    let path = root.join("epoch-1/beginning");
    let mut bytes = fs::read(&path).expect("it is there");
    bytes[40] ^= 1;
    fs::write(&path, bytes).expect("a bit has changed");
    let refused = open(root).map(drop).expect_err("it is damaged").to_string();
    assert!(refused.contains("beginning") && refused.contains("fix:"), "{refused}");
}

#[test]
fn final_blocks_of_every_epoch_are_served_each_with_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut folders = open(folder.path()).expect("it opens");
    let keep = |folders: &mut EpochFolders<PlannedRecord>, epoch: u64, rounds: std::ops::Range<u64>| {
        let statement = zus_bpp::statement::Ticket {
            round: Round(1),
            subround: Default::default(),
            block: first().anchor.id(),
        };
        let signers = Signers::from_members(4, [MinerId(0)]).expect("a member");
        let certificate = Certificate { signers, aggregate: Signature([0; 48]) };
        let notarization = Arc::new(zus_bpp::certified::Notarization { statement, certificate });
        for round in rounds {
            let content =
                BlockContent { epoch: Epoch(epoch), round: Round(round), ..setup().genesis().content() };
            let found =
                FinalBlock { block: Arc::new(Block::new(content)), notarization: Some(notarization.clone()) };
            folders.storage.carry_out(&Output::Finalized(found)).expect("it is stored");
        }
    };
    keep(&mut folders, 1, 1..6);
    let second = beginning(2, 5);
    folders.begin(second.clone(), owner(&second.record)).expect("it begins");
    keep(&mut folders, 2, 6..8);
    let rounds = |folders: &mut EpochFolders<PlannedRecord>, epoch, after| {
        let Some(Envelope::Message { epoch: of, message: Message::ChainResponse(response) }) =
            folders.serve(Epoch(epoch), Round(after), 1 << 20).expect("it is read")
        else {
            return Vec::new();
        };
        assert_eq!(of, Epoch(epoch));
        response.blocks.iter().map(|block| (block.header().epoch.0, block.round().0)).collect::<Vec<_>>()
    };
    assert_eq!(rounds(&mut folders, 1, 2), [(1, 3), (1, 4), (1, 5)]);
    assert_eq!(rounds(&mut folders, 2, 5), [(2, 6), (2, 7)]);
    assert_eq!(rounds(&mut folders, 9, 0), []);
    assert_eq!(folders.blocks().expect("they are read").len(), 2);
}

/// The secrets of a key generation are read back as they were written, and those of an attempt that is over are gone.
#[test]
fn journals_of_key_generations_are_kept_with_the_epoch_that_the_keys_are_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = |byte| Secret::new([byte; 32]);
    let attempt = Attempt(3);
    let secrets = Entry::Secrets { attempt, encryption: secret(1), seed: secret(2) };
    let share = Entry::Share { attempt, dealer: MinerId(2), dealing: Digest([9; 32]), share: secret(3) };
    let settlement = Entry::Settlement { attempt, settlement: vec![7; 200] };
    let key_share = Entry::KeyShare { attempt, record: Digest([8; 32]), share: secret(4) };
    let read = |folders: &EpochFolders<PlannedRecord>| {
        let secrets = folders.secrets(secret(0)).expect("they are read");
        (secrets.present, secrets.next)
    };
    let mut folders = open(folder.path()).expect("it opens");
    assert_eq!(read(&folders), (vec![], vec![]));
    folders.write_journal(Epoch(2), false, vec![secrets.clone()]).expect("it is written");
    folders.write_journal(Epoch(2), false, vec![share.clone(), settlement.clone()]).expect("it is written");
    drop(folders);
    folders = open(folder.path()).expect("a journal is no beginning");
    assert_eq!(folders.beginning().record.epoch, Epoch(1));
    assert_eq!(read(&folders), (vec![], vec![secrets, share, settlement]));
    folders.write_journal(Epoch(2), true, vec![key_share.clone()]).expect("it is written");
    let second = beginning(2, 5);
    folders.begin(second.clone(), owner(&second.record)).expect("it begins");
    assert_eq!(read(&folders), (vec![key_share], vec![]));
    let path = folder.path().join("epoch-2/keys");
    let mut bytes = fs::read(&path).expect("it is there");
    bytes[20] ^= 1;
    fs::write(&path, bytes).expect("a bit has changed");
    let refused = folders.secrets(secret(0)).expect_err("it is damaged").to_string();
    assert!(refused.contains("keys") && refused.contains("fix:"), "{refused}");
}
