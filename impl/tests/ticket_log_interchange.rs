//! A log that moves to another machine, and a log that two processes want.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{
    AppendError, FileLog, Interchange, InterchangeError, LogError, MAX_INTERCHANGE_BYTES, Owner, Record,
    SigningRules, TicketLog,
};

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(3), key: [7; 96] };
/// Names the folder of the log to the tests below that play another process.
const FOLDER: &str = "ZUS_TEST_TICKET_LOG";

fn rules() -> SigningRules {
    SigningRules::from(&Rules::HARDENED)
}

fn ticket(round: u64, block: u8) -> Record {
    Record::ticket(Round(round), Subround(0), [block; 32])
}

fn some_records() -> Vec<Record> {
    vec![
        Record::proposal(Round(5), Subround(0), [1; 32]),
        ticket(5, 1),
        Record::timeout(Round(5), Subround(0)),
        Record::finality_vote(Round(5), Subround(0), [1; 32]),
        Record::timeout(Round(u64::MAX - 1), Subround(u32::MAX)),
    ]
}

fn created(folder: &Path, records: &[Record]) -> FileLog {
    let mut log = FileLog::create(folder, OWNER, rules(), Round(4)).unwrap();
    for record in records {
        log.append(*record).unwrap();
    }
    log.flush().unwrap();
    log
}

#[test]
fn an_exported_log_protects_on_another_machine() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let records = &some_records()[..4];
    let json = created(old.path(), records).export().unwrap().to_json().unwrap();

    let mut log = FileLog::create(new.path(), OWNER, rules(), Round(0)).unwrap();
    log.import(&Interchange::from_json(&json).unwrap()).unwrap();
    assert_eq!(log.signed().floor(), Round(6));
    assert!(records.iter().all(|record| log.signed().contains(record)));
    assert!(matches!(log.append(ticket(5, 2)), Err(AppendError::Conflict(_))));
    drop(log);
    let log = FileLog::open(new.path(), OWNER, rules()).unwrap();
    assert!(records.iter().all(|record| log.signed().contains(record)), "the import is durable");
}

#[test]
fn the_document_round_trips_also_at_the_ends_of_the_numbers() {
    let folder = TempDir::new().unwrap();
    let mut log = created(folder.path(), &some_records());
    let export = log.export().unwrap();
    let json = export.to_json().unwrap();
    assert_eq!(Interchange::from_json(&json).unwrap(), export);
    assert!(json.contains("\"round\": \"18446744073709551614\""), "{json}");
}

#[test]
fn the_document_is_pinned() {
    let folder = TempDir::new().unwrap();
    let json = created(folder.path(), &some_records()[..4]).export().unwrap().to_json().unwrap();
    assert_eq!(json, include_str!("data/ticket-log-interchange.json").trim_end());
}

#[test]
fn an_import_adds_and_never_removes() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let export = created(old.path(), &[ticket(5, 1)]).export().unwrap();
    // This machine signed something else in the same place: both are known now, and nothing more is signed there.
    let mut log = created(new.path(), &[ticket(5, 2), Record::timeout(Round(6), Subround(0))]);
    log.import(&export).unwrap();
    assert!(log.signed().contains(&ticket(5, 1)) && log.signed().contains(&ticket(5, 2)));
    assert_eq!(log.signed().floor(), Round(6), "the floor does not sink");
    assert!(matches!(log.append(ticket(5, 3)), Err(AppendError::Conflict(_))));
}

#[test]
fn the_floor_moves_along() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let export = FileLog::create(old.path(), OWNER, rules(), Round(100)).unwrap().export().unwrap();
    let mut log = created(new.path(), &[]);
    log.import(&export).unwrap();
    assert_eq!(log.signed().floor(), Round(100));
    assert!(matches!(log.append(ticket(99, 1)), Err(AppendError::Conflict(_))));
}

#[test]
fn the_export_of_another_owner_changes_nothing() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let export = created(old.path(), &[ticket(5, 1)]).export().unwrap();
    let others = [
        ("chain", Owner { chain: ChainId([2; 32]), ..OWNER }),
        ("epoch", Owner { epoch: Epoch(4), ..OWNER }),
        ("key", Owner { key: [8; 96], ..OWNER }),
    ];
    for (i, (differs, owner)) in others.into_iter().enumerate() {
        let folder = new.path().join(i.to_string());
        let mut log = FileLog::create(&folder, owner, rules(), Round(0)).unwrap();
        match log.import(&export) {
            Err(InterchangeError::OtherOwner { field, .. }) => assert_eq!(field, differs),
            other => panic!("{differs}: {other:?}"),
        }
        assert_eq!(log.signed().records().count(), 0);
    }
}

#[test]
fn documents_that_are_not_understood_are_refused() {
    let folder = TempDir::new().unwrap();
    let json = created(folder.path(), &[ticket(5, 1)]).export().unwrap().to_json().unwrap();
    let target = TempDir::new().unwrap();
    let mut log = FileLog::create(target.path(), OWNER, rules(), Round(0)).unwrap();
    let mut import = |json: &str| log.import(&Interchange::from_json(json)?);

    let changed = |from: &str, to: &str| {
        let changed = json.replacen(from, to, 1);
        assert_ne!(changed, json, "{from}");
        changed
    };
    let format = |result| matches!(result, Err(InterchangeError::Format { .. }));
    assert!(format(import(&changed("zus-ticket-log", "another-log"))));
    assert!(format(import(&changed("_version\": \"1\"", "_version\": \"2\""))));
    assert!(format(import("{}")));
    let unreadable = |result| matches!(result, Err(InterchangeError::Json { .. }));
    assert!(unreadable(import("")));
    assert!(unreadable(import(&json[..json.len() / 2])));
    assert!(unreadable(import(&changed("\"floor\"", "\"flour\""))));
    assert!(unreadable(import(&changed("\"epoch\"", "\"more\": 1, \"epoch\""))), "an unknown field");
    assert!(unreadable(import(&changed("\"signed_timeouts\": [],", ""))), "a missing field");
    let value = |result, expected: &str| matches!(result, Err(InterchangeError::Value { field, .. }) if field == expected);
    assert!(value(import(&changed("\"round\": \"5\"", "\"round\": \"-5\"")), "round"));
    assert!(value(import(&changed("\"subround\": \"0\"", "\"subround\": \"4294967296\"")), "subround"));
    assert!(value(import(&changed("\"block\": \"0101", "\"block\": \"zz01")), "block"));
    assert!(value(import(&changed("\"block\": \"0101", "\"block\": \"01")), "block"));
    let long = " ".repeat(MAX_INTERCHANGE_BYTES + 1);
    assert!(matches!(import(&long), Err(InterchangeError::TooLong { .. })));
    assert!(import(&json).is_ok(), "negative control");
}

/// Runs one of the tests of this file in another process.
fn other_process(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(FOLDER, folder);
    command
}

#[test]
fn a_second_process_is_refused() {
    let folder = TempDir::new().unwrap();
    let log = created(folder.path(), &[ticket(5, 1)]);
    let run = || {
        let output = other_process("plays_the_second_process", folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run().contains("in use by another process"));
    drop(log);
    assert!(run().contains("opened"));
}

#[test]
fn plays_the_second_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    match FileLog::open(Path::new(&folder), OWNER, rules()) {
        Ok(_) => println!("opened"),
        Err(error @ LogError::InUse { .. }) => println!("{error}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_process_that_is_killed_has_recorded_all_that_it_released() {
    let folder = TempDir::new().unwrap();
    for kill_after in [1, 7, 40] {
        let mut child =
            other_process("plays_the_signer", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut released: Vec<u64> = Vec::new();
        let mut read = |released: &mut Vec<u64>| {
            let line = lines.next()?.unwrap();
            released.extend(line.strip_prefix("released ").map(|round| round.parse::<u64>().unwrap()));
            Some(())
        };
        while released.len() < kill_after {
            read(&mut released).expect("the signer ended early");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while read(&mut released).is_some() {}

        let mut log = FileLog::open(folder.path(), OWNER, rules()).unwrap();
        let last = *released.last().unwrap();
        for round in released {
            let record = ticket(round, 1);
            assert!(log.signed().contains(&record) || round < log.signed().kept_from().0, "round {round}");
        }
        assert!(matches!(log.append(ticket(last, 2)), Err(AppendError::Conflict(_))));
    }
}

/// Signs tickets of one round after the other for as long as anybody listens, and says so only when each is durable.
#[test]
fn plays_the_signer() {
    use std::io::Write;
    const AT_MOST: u64 = 100_000;
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let log = FileLog::open(folder, OWNER, rules());
    let mut log = log.or_else(|_| FileLog::create(folder, OWNER, rules(), Round(1))).unwrap();
    for round in log.signed().floor().0 + 1..AT_MOST {
        log.append(ticket(round, 1)).unwrap();
        log.flush().unwrap();
        if writeln!(std::io::stdout(), "released {round}").is_err() {
            return;
        }
    }
}
