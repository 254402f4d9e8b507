//! A log that moves to another machine, and a log that two processes want.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::limits::{MAX_IMPORTED_RISE, MAX_ROUND};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{
    AppendError, FileLog, Interchange, InterchangeError, LogError, LogRecord, MAX_INTERCHANGE_BYTES, Owner,
    SigningRules, TicketLog,
};

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(3), key: [7; 96] };
/// Names the folder of the log to the tests below that play another process.
const FOLDER: &str = "ZUS_TEST_TICKET_LOG";

fn rules() -> SigningRules {
    SigningRules::from(&Rules::HARDENED)
}

fn ticket(round: u64, block: u8) -> LogRecord {
    LogRecord::ticket(Round(round), Subround(0), [block; 32])
}

fn some_records() -> Vec<LogRecord> {
    vec![
        LogRecord::proposal(Round(5), Subround(0), [1; 32]),
        ticket(5, 1),
        LogRecord::timeout(Round(5), Subround(0)),
        LogRecord::finality_vote(Round(5), Subround(0), [1; 32]),
        LogRecord::timeout(Round(MAX_ROUND), Subround(u32::MAX)),
    ]
}

fn created(folder: &Path, records: &[LogRecord]) -> FileLog {
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
    assert!(json.contains("\"round\": \"4611686018427387904\""), "{json}");
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
    let mut log = created(new.path(), &[ticket(5, 2), LogRecord::timeout(Round(6), Subround(0))]);
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
    assert_eq!((log.signed().floor(), log.signed().complete_from()), (Round(100), Round(100)));
    assert!(matches!(log.append(ticket(99, 1)), Err(AppendError::Conflict(_))));
    let vote = LogRecord::finality_vote(Round(99), Subround(0), [1; 32]);
    assert!(
        matches!(log.append(vote), Err(AppendError::Conflict(_))),
        "nobody knows what was ticketed there"
    );
}

/// An import cannot be taken back: a floor that is far above what is known needs the caller's word.
#[test]
fn a_document_cannot_lock_a_key_for_good() {
    let (old, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let highest = 4 + MAX_IMPORTED_RISE;
    let export = |folder: &str, floor: u64, records: &[LogRecord]| {
        let mut log = FileLog::create(&old.path().join(folder), OWNER, rules(), Round(floor)).unwrap();
        for record in records {
            log.append(*record).unwrap();
        }
        log.export().unwrap()
    };
    let mut log = created(new.path(), &[ticket(4, 1)]);
    let vote = LogRecord::finality_vote(Round(highest), Subround(0), [1; 32]);
    for (name, floor, records) in [("floor", highest + 1, &[][..]), ("record", 5, &[vote])] {
        let too_high = export(name, floor, records);
        let refused = log.import(&too_high);
        let told = refused.as_ref().unwrap_err().to_string();
        assert!(
            matches!(refused, Err(InterchangeError::Rise { floor: Round(found), .. }) if found == highest + 1)
        );
        assert!(told.contains(&(highest + 1).to_string()) && told.contains("import_up_to"), "{told}");
        assert_eq!(log.signed().floor(), Round(4), "nothing was imported");
        assert!(log.append(ticket(4, 1)).is_ok() && log.flush().is_ok(), "and the log goes on");
        assert!(log.import_up_to(&too_high, Round(highest)).is_err(), "the caller named another round");
    }
    log.import(&export("near", highest, &[])).unwrap();
    assert_eq!(log.signed().floor(), Round(highest));
    log.import_up_to(&export("named", MAX_ROUND, &[]), Round(MAX_ROUND)).unwrap();
    assert_eq!(log.signed().floor(), Round(MAX_ROUND));
}

/// A document of the version before does not say from where it is complete: from its floor.
#[test]
fn the_version_before_is_imported_as_complete_from_its_floor() {
    let folder = TempDir::new().unwrap();
    let json = created(folder.path(), &some_records()[..4]).export().unwrap().to_json().unwrap();
    let old = json.replace("version\": \"2\"", "version\": \"1\"");
    let both = Interchange::from_json(&old);
    assert!(matches!(both, Err(InterchangeError::Json { .. })), "a field that version 1 has not");
    let old = old.replace("    \"complete_from\": \"4\",\n", "");
    let mut log = FileLog::create(&folder.path().join("new"), OWNER, rules(), Round(0)).unwrap();
    log.import(&Interchange::from_json(&old).unwrap()).unwrap();
    assert_eq!((log.signed().floor(), log.signed().complete_from()), (Round(6), Round(6)));
    assert!(Interchange::from_json(&json.replace("    \"complete_from\": \"4\",\n", "")).is_err());
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
    let record = LogRecord::ticket(Round(5), Subround(0), [0xab; 32]);
    let json = created(folder.path(), &[record]).export().unwrap().to_json().unwrap();
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
    assert!(format(import(&changed("_version\": \"2\"", "_version\": \"3\""))));
    assert!(format(import("{}")));
    let unreadable = |result| matches!(result, Err(InterchangeError::Json { .. }));
    assert!(unreadable(import("")));
    assert!(unreadable(import(&json[..json.len() / 2])));
    assert!(unreadable(import(&changed("\"floor\"", "\"flour\""))));
    assert!(unreadable(import(&changed("\"epoch\"", "\"more\": 1, \"epoch\""))), "an unknown field");
    assert!(unreadable(import(&changed("\"signed_timeouts\": [],", ""))), "a missing field");
    assert!(unreadable(import(&changed("\"floor\"", "\"floor\": \"1\", \"floor\""))), "a field twice");
    // Each value has one form, and the error says which one has not.
    let round = "\"round\": \"5\"";
    for wrong in ["-5", "+5", "0005", "05", " 5", "5 ", "5.0", "0x5", "\u{665}", "", "4611686018427387905"] {
        let place = "data.signed_tickets[0].round";
        let told = import(&changed(round, &format!("\"round\": \"{wrong}\""))).unwrap_err();
        assert!(matches!(&told, InterchangeError::Value { place: found, .. } if found == place), "{told}");
        assert!(told.to_string().contains(place) && told.to_string().contains(wrong), "{told}");
    }
    let value = |result, expected: &str| matches!(result, Err(InterchangeError::Value { place, .. }) if place == expected);
    let of_subround = "data.signed_tickets[0].subround";
    assert!(value(import(&changed("\"subround\": \"0\"", "\"subround\": \"4294967296\"")), of_subround));
    assert!(value(import(&changed("\"subround\": \"0\"", "\"subround\": \"00\"")), of_subround));
    for wrong in ["\"zzab", "\"ab", "\"ababab", "\"0Xab"] {
        let block = "data.signed_tickets[0].block";
        assert!(
            value(import(&changed("\"block\": \"abab", &format!("\"block\": {wrong}"))), block),
            "{wrong}"
        );
    }
    let capital = json.replace(&"ab".repeat(32), &"AB".repeat(32));
    assert!(value(import(&capital), "data.signed_tickets[0].block"), "{capital}");
    let mut of_floor = |to: &str| import(&changed("\"floor\": \"5\"", &format!("\"floor\": \"{to}\"")));
    assert!(value(of_floor("18446744073709551615"), "data.floor"));
    assert!(value(of_floor("+5"), "data.floor"));
    assert!(value(of_floor("3"), "data.complete_from"), "above the floor");
    let list = json.find("\"signed_tickets\": [").unwrap() + "\"signed_tickets\": [".len();
    let end = list + json[list..].find(']').unwrap();
    let twice = [json[..end].trim_end(), ",", &json[list..]].concat();
    let refused = import(&twice);
    assert!(
        matches!(&refused, Err(InterchangeError::Twice { place }) if place == "data.signed_tickets[1]"),
        "{refused:?}"
    );
    let told = import(&changed("\"epoch\"", &format!("\"{}\u{202e}\": 1, \"epoch\"", "x".repeat(9000))))
        .unwrap_err();
    assert!(told.to_string().len() < 400, "a long name is not repeated");
    let long = " ".repeat(MAX_INTERCHANGE_BYTES + 1);
    assert!(matches!(import(&long), Err(InterchangeError::TooLong { .. })));
    assert!(import(&json).is_ok(), "negative control");
}

/// Runs one of the tests of this file in another process.
fn other_process(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--nocapture", "--test-threads=1"]).env(FOLDER, folder);
    command
}

/// The output of another process that tries to open the log, or to create one in its place.
fn second_process(folder: &Path, test: &str) -> String {
    let output = other_process(test, folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_second_process_is_refused_whatever_lies_beside_the_log() {
    let folder = TempDir::new().unwrap();
    let mut log = created(folder.path(), &[ticket(5, 1)]);
    let beside = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| !path.ends_with("tickets.log")).collect::<Vec<_>>()
    };
    let opens = || second_process(folder.path(), "plays_the_second_process");
    assert!(opens().contains("in use by another process"));
    // Files beside the log can be removed, or put there.
    for path in beside() {
        std::fs::remove_file(path).unwrap();
    }
    assert!(opens().contains("in use by another process"));
    for name in ["lock", "tickets.log.new"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    assert!(opens().contains("in use by another process"));
    // The file is another one after this, under the same name.
    log.compact().unwrap();
    assert!(opens().contains("in use by another process"));
    log.append(ticket(6, 1)).unwrap();
    log.flush().unwrap();
    drop(log);
    assert!(opens().contains("opened"));
}

/// Somebody moves the log away, and another process begins with a new one: the first signs nothing more.
#[test]
fn a_process_whose_log_is_moved_away_stops() {
    let folder = TempDir::new().unwrap();
    let mut log = created(folder.path(), &[ticket(5, 1)]);
    std::fs::rename(folder.path().join("tickets.log"), folder.path().join("backup")).unwrap();
    assert!(second_process(folder.path(), "plays_the_second_process").contains("no ticket log"));
    let mut child = other_process("plays_the_signer", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("released")), "it signs");
    log.append(ticket(6, 2)).unwrap();
    assert!(matches!(log.flush(), Err(LogError::Replaced { .. })), "and this one does not");
    assert!(matches!(log.append(ticket(7, 2)), Err(AppendError::Log(LogError::Failed { .. }))));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(log);
    let moved = folder.path().join("tickets.log");
    assert!(moved.exists(), "the log of the other process is where it was");
}

/// Each way to give the file of a log a second name, as the name of a log in an empty folder.
#[cfg(unix)]
#[test]
fn a_log_with_a_second_name_is_not_opened() {
    use std::os::unix::fs::symlink;
    let folder = TempDir::new().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let [own, other, link] = ["own", "other", "link"].map(|name| root.join(name));
    let (file, second) = (own.join("tickets.log"), other.join("tickets.log"));
    let open = |at: &Path| FileLog::open(at, OWNER, rules()).map_err(|error| error.to_string());
    let refused = |at: &Path, path: &Path, reason: &str| {
        let error = open(at).expect_err(reason);
        assert!(error.starts_with(&format!("cannot open {}: {reason}", path.display())), "{error}");
    };
    std::fs::create_dir(&other).unwrap();
    drop(created(&own, &[ticket(5, 1)]));
    let before = std::fs::read(&file).unwrap();

    symlink(&file, &second).unwrap();
    refused(&other, &second, "it is a symbolic link");
    assert!(second.is_symlink() && std::fs::read(&file).unwrap() == before, "both are left as they were");
    std::fs::remove_file(&second).unwrap();
    // A new log is not made in the place of a link, nor where a link to nothing points.
    symlink(root.join("nothing"), &second).unwrap();
    let error = FileLog::create(&other, OWNER, rules(), Round(4)).unwrap_err().to_string();
    assert!(error.contains("it is a symbolic link"), "{error}");
    assert!(second.is_symlink() && !root.join("nothing").exists());
    std::fs::remove_file(&second).unwrap();

    std::fs::hard_link(&file, &second).unwrap();
    for at in [&own, &other] {
        refused(at, &at.join("tickets.log"), "its file has 2 names");
    }
    std::fs::remove_file(&second).unwrap();

    std::fs::create_dir(&second).unwrap();
    refused(&other, &second, "it is no regular file");
    std::fs::remove_dir(&second).unwrap();

    // The file that is prepared for the replacement is no link either: its target would be overwritten.
    let victim = root.join("victim");
    let (victim_path, new) = (victim.as_path(), own.join("tickets.log.new"));
    let makers: [fn(&Path, &Path) -> std::io::Result<()>; 2] =
        [|from, to| symlink(from, to), |from, to| std::fs::hard_link(from, to)];
    for make in makers {
        std::fs::write(victim_path, "precious").unwrap();
        make(victim_path, &new).unwrap();
        let error = open(&own).unwrap_err();
        assert!(error.starts_with(&format!("cannot open {}: it", new.display())), "{error}");
        assert_eq!(std::fs::read(victim_path).unwrap(), b"precious");
        std::fs::remove_file(&new).unwrap();
    }

    // A link to the folder is the folder; one that leads elsewhere later changes nothing.
    symlink(&own, &link).unwrap();
    let mut log = open(&link).unwrap();
    assert_eq!(log.folder(), own.canonicalize().unwrap());
    assert!(open(&own).unwrap_err().contains("in use"), "one lock");
    std::fs::remove_file(&link).unwrap();
    symlink(&other, &link).unwrap();
    log.append(ticket(6, 1)).unwrap();
    log.flush().unwrap();
    log.compact().unwrap();
    assert!(file.exists() && !second.exists());
}

/// The name is given while the log is open: nothing more is signed, and the file is not replaced.
#[cfg(unix)]
#[test]
fn a_log_that_gets_a_second_name_stops() {
    for replace in [false, true] {
        let folder = TempDir::new().unwrap();
        let mut log = created(folder.path(), &[ticket(5, 1)]);
        let second = folder.path().join("second");
        std::fs::hard_link(folder.path().join("tickets.log"), &second).unwrap();
        log.append(ticket(6, 2)).unwrap();
        let stopped = if replace { log.compact() } else { log.flush().map(|_| ()) };
        let error = stopped.expect_err("it has two names").to_string();
        assert!(error.contains("its file has 2 names (hard links)"), "{error}");
        assert!(matches!(log.flush(), Err(LogError::Failed { .. })), "for good");
        drop(log);
        std::fs::remove_file(second).unwrap();
        let log = FileLog::open(folder.path(), OWNER, rules()).expect("one name again");
        assert!(log.signed().contains(&ticket(5, 1)));
    }
}

#[test]
fn plays_the_second_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    match FileLog::open(Path::new(&folder), OWNER, rules()) {
        Ok(_) => println!("opened"),
        Err(error @ (LogError::InUse { .. } | LogError::Missing { .. })) => println!("{error}"),
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
            assert!(
                log.signed().contains(&record) || round < log.signed().complete_from().0,
                "round {round}"
            );
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
