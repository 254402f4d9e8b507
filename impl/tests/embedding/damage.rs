//! Damage in the folder of a miner: an old block costs an answer only, and each printed fix is followed until the node goes on.

use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use zus_bpp::block::Time;
use zus_bpp::committee::{MinerId, Peer, Round};
use zus_bpp::crypto::mock_scheme::MockCommittee;
use zus_bpp::message::{ChainRequest, Message};
use zus_bpp::miner::Input;
use zus_bpp::node::{FileStorage, Node};
use zus_bpp::ticket_log::MemoryLog;

use super::{Links, Member, member, new_log};

type Done = Result<(), Box<dyn Error>>;

/// A committee of four on real folders, whose members stop and start; a stopped one misses what is sent to it.
struct Town {
    keys: Arc<MockCommittee>,
    folder: tempfile::TempDir,
    links: Links,
    damage: Rc<RefCell<Vec<String>>>,
    members: [Option<Member>; 4],
    logs: [MemoryLog; 4],
    now: Time,
}

impl Town {
    fn new() -> Result<Self, Box<dyn Error>> {
        let mut town = Town {
            keys: MockCommittee::new(4, 1),
            folder: tempfile::tempdir()?,
            links: Links::default(),
            damage: Rc::default(),
            members: [None, None, None, None],
            logs: [(); 4].map(|()| new_log()),
            now: Time(0),
        };
        (0..4).try_for_each(|id| town.start(id))?;
        Ok(town)
    }

    fn chain(&self, id: u16) -> PathBuf {
        self.folder.path().join(id.to_string())
    }

    fn start(&mut self, id: u16) -> Done {
        let log = self.logs[usize::from(id)].clone();
        let mut node = member(id, &self.keys, self.folder.path(), &self.links, log, &self.damage)?;
        node.handle(self.now, Input::Start)?;
        self.members[usize::from(id)] = Some(node);
        Ok(())
    }

    fn stop(&mut self, id: u16) {
        if let Some(Node { log, .. }) = self.members[usize::from(id)].take() {
            self.logs[usize::from(id)] = log;
        }
    }

    /// The final round of a member that runs.
    fn head(&self, id: u16) -> Result<u64, Box<dyn Error>> {
        Ok(self.members[usize::from(id)].as_ref().ok_or("it runs")?.miner.finalized().round().0)
    }

    /// Lets time pass until a round is final for a member.
    fn run(&mut self, id: u16, until: u64) -> Done {
        let end = self.now.after(600_000);
        while self.head(id)? < until {
            assert!(self.now < end, "member {id} has {} of {until}", self.head(id)?);
            let next = self.links.borrow_mut().pop_front();
            if let Some((from, to, message)) = next {
                for (id, here) in (0..).zip(&mut self.members) {
                    let meant = id != from && to.is_none_or(|to| to == Peer::Miner(MinerId(id)));
                    let Some(here) = here.as_mut().filter(|_| meant) else { continue };
                    let from = Peer::Miner(MinerId(from));
                    here.handle(self.now, Input::Message { from, message: message.clone() })?;
                }
                continue;
            }
            let timers = self.members.iter().flatten().filter_map(Node::next_timer);
            self.now = timers.min().ok_or("a timer")?.max(self.now);
            for here in self.members.iter_mut().flatten() {
                here.expire(self.now)?;
            }
        }
        Ok(())
    }

    /// The rounds of the blocks that a member sends to member 3, which asks for those after a round.
    fn answer(&mut self, id: u16, after: u64) -> Result<Vec<u64>, Box<dyn Error>> {
        self.links.borrow_mut().clear();
        self.now = self.now.after(1_000);
        let asks = Message::ChainRequest(ChainRequest { after: Round(after), tip: None });
        let input = Input::Message { from: Peer::Miner(MinerId(3)), message: asks };
        self.members[usize::from(id)].as_mut().ok_or("it runs")?.handle(self.now, input)?;
        let rounds = self.links.borrow().iter().find_map(|(_, _, message)| match message {
            Message::ChainResponse(found) => Some(found.blocks.iter().map(|block| block.round().0).collect()),
            _ => None,
        });
        Ok(rounds.unwrap_or_default())
    }
}

fn flip_a_bit(file: &Path) -> Done {
    let mut bytes = fs::read(file)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Ok(fs::write(file, bytes)?)
}

fn copy(from: &Path, to: &Path) -> Done {
    fs::create_dir(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

/// The highest number of a file of a kind.
fn highest(folder: &Path, kind: &str) -> Result<u64, Box<dyn Error>> {
    let names = fs::read_dir(folder)?.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let numbers = names.filter_map(|name| name.strip_prefix(kind)?.parse().ok());
    Ok(numbers.max().ok_or("a file")?)
}

#[test]
fn an_old_block_that_is_damaged_or_missing_costs_an_answer_and_stops_nobody() -> Done {
    let mut town = Town::new()?;
    town.run(0, 80)?;
    let (file, other) = (town.chain(0).join("final-5"), town.chain(1).join("final-5"));
    let heard = |town: &Town| std::mem::take(&mut *town.damage.borrow_mut());

    town.stop(0);
    flip_a_bit(&file)?;
    town.start(0)?;
    assert_eq!(heard(&town), [""; 0], "no restart reads it");
    assert_eq!(town.answer(0, 3)?, [4], "the whole blocks below");
    let said = heard(&town).concat();
    assert!(said.starts_with(file.to_str().ok_or("a name")?) && said.contains("\n  fix: "), "{said}");
    assert_eq!(town.answer(0, 4)?, [0; 0], "nothing is below");
    assert_eq!(heard(&town), [""; 0], "the host hears of it once");
    assert!(town.answer(0, 5)?.starts_with(&[6, 7, 8]), "those above are whole");

    // A file that goes while the node runs, and one that is not there at the start.
    let gone = town.chain(0).join("final-9");
    fs::remove_file(&gone)?;
    assert_eq!(town.answer(0, 7)?, [8]);
    assert!(heard(&town).concat().contains("final-9 to final-9 are missing"));
    town.stop(0);
    fs::remove_file(town.chain(0).join("final-10"))?;
    let said = FileStorage::open(town.chain(0))?.take_damage().ok_or("a gap")?.to_string();
    assert!(said.contains("final-9 to final-10 are missing") && said.contains("\n  fix: "), "{said}");
    town.start(0)?;

    // The printed fix: files of these names from another member's folder.
    for file in ["final-5", "final-9", "final-10"] {
        fs::copy(town.chain(1).join(file), town.chain(0).join(file))?;
    }
    assert!(other.is_file() && town.answer(0, 3)?.starts_with(&[4, 5, 6, 7, 8, 9, 10, 11]));
    let head = town.head(0)?;
    town.run(0, head + 2)
}

/// Damage to a file that a restart needs: a change to the folder of member 3, in which the given final block is the last one, words of the refusal,
/// and what its fix says.
type Case = (&'static str, fn(&Path, u64) -> Done, fn(u64) -> String, Fix);

#[derive(Clone, Copy)]
enum Fix {
    OldCopy,
    EmptyFolder,
    Rename,
    Remove,
}

#[test]
fn each_printed_fix_of_a_folder_lets_the_node_start_again() -> Done {
    let of = |folder: &Path, round: u64| folder.join(format!("final-{round}"));
    let cases: [Case; 7] = [
        (
            "missing",
            |chain, last| Ok(fs::remove_file(chain.join(format!("final-{}", last - 10)))?),
            |last| format!("final-{}: this file is missing", last - 10),
            Fix::OldCopy,
        ),
        (
            "damaged",
            |chain, last| flip_a_bit(&chain.join(format!("final-{}", last - 10))),
            |last| format!("final-{}: ", last - 10),
            Fix::EmptyFolder,
        ),
        (
            "the last one damaged",
            |chain, last| flip_a_bit(&chain.join(format!("final-{last}"))),
            |last| format!("final-{last}: "),
            Fix::OldCopy,
        ),
        (
            "missing, no copy",
            |chain, last| Ok(fs::remove_file(chain.join(format!("final-{}", last - 1)))?),
            |last| format!("final-{}: this file is missing", last - 1),
            Fix::EmptyFolder,
        ),
        (
            "a stored item",
            |chain, _| flip_a_bit(&chain.join(format!("stored-{}", highest(chain, "stored-")?))),
            |_| "stored-".into(),
            Fix::EmptyFolder,
        ),
        (
            "renamed",
            |chain, last| {
                Ok(fs::rename(
                    chain.join(format!("final-{last}")),
                    chain.join(format!("final-{}", last + 19)),
                )?)
            },
            |last| format!("final-{}: its block is that of ", last + 19),
            Fix::Rename,
        ),
        (
            "a copy of another name",
            |chain, last| {
                Ok(fs::copy(chain.join(format!("final-{last}")), chain.join(format!("final-{}", last + 19)))
                    .map(|_| ())?)
            },
            |last| format!("final-{}: its block is that of ", last + 19),
            Fix::Remove,
        ),
    ];
    let mut town = Town::new()?;
    town.run(3, 70)?;
    town.stop(3);
    let (chain, old) = (town.chain(3), town.folder.path().join("copy"));
    copy(&chain, &old)?;
    town.start(3)?;
    town.run(3, 80)?;
    for (name, break_it, words, fix) in cases {
        town.stop(3);
        let last = highest(&chain, "final-")?;
        break_it(&chain, last)?;
        let said = town.start(3).err().ok_or(name)?.to_string();
        assert!(said.contains(&words(last)), "{name}: {said}");
        let advice = match fix {
            Fix::OldCopy | Fix::EmptyFolder => {
                "a copy of its whole folder, also an old one, in the folder's place, or else an empty folder; \
                 leave the ticket log as it is"
            }
            Fix::Rename => "rename it to that name",
            Fix::Remove => "remove the one with the wrong name",
        };
        let printed = said.split_once("\n  fix: ").ok_or("a fix")?.1;
        assert!(printed.contains(advice), "{name}: {said}");
        match fix {
            Fix::OldCopy => {
                fs::remove_dir_all(&chain)?;
                copy(&old, &chain)?;
            }
            Fix::EmptyFolder => {
                fs::remove_dir_all(&chain)?;
                fs::create_dir(&chain)?;
            }
            Fix::Rename => fs::rename(of(&chain, last + 19), of(&chain, last))?,
            Fix::Remove => fs::remove_file(of(&chain, last + 19))?,
        }
        town.start(3).map_err(|error| format!("{name}, after the fix: {error}"))?;
        let others = town.head(0)?;
        town.run(3, others + 3)?;
        assert_eq!(town.damage.borrow().as_slice(), [""; 0], "{name}");
    }
    Ok(())
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named_with_a_fix() -> Done {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("chain");
    fs::write(&path, "x")?;
    let said = FileStorage::open(&path).err().ok_or("a file")?.to_string();
    assert!(
        said.starts_with(path.to_str().ok_or("a name")?) && said.contains("\n  fix: move the file away"),
        "{said}"
    );
    // The printed fix.
    fs::rename(&path, folder.path().join("away"))?;
    FileStorage::open(&path)?;
    Ok(())
}
