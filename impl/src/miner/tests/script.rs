//! Plays the scripts in `scripts`, whose README says what a line means.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::stage::{MINERS, Stage, is_refused, sent, ticket_of, vote_of};
use crate::block::{Block, BlockContent, BlockId};
use crate::committee::{Round, Subround};
use crate::crypto::scheme::Signature;
use crate::evidence::Evidence;
use crate::message::{BeaconShare, Message};
use crate::miner::{Input, Output, Timer};
use crate::rules::Rules;
use crate::statement::{Statement, Timeout};

/// A certificate's signers where a script names none.
const ALL_OTHERS: [u16; 3] = [1, 2, 3];

/// A script at work.
struct Play {
    stage: Stage,
    blocks: BTreeMap<String, Arc<Block>>,
    /// What came of the last message.
    last: Vec<Output>,
    /// Whether anything was expected since something happened.
    asked: bool,
}

type Played<T = ()> = Result<T, String>;

fn number<T: std::str::FromStr>(word: &str) -> Played<T> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

/// The numbers at the beginning, and the other words.
fn members<'w, 't>(words: &'w [&'t str]) -> Played<(Vec<u16>, &'w [&'t str])> {
    let count = words.iter().take_while(|word| word.starts_with(|c: char| c.is_ascii_digit())).count();
    let members: Vec<u16> = words[..count].iter().map(|word| number(word)).collect::<Played<_>>()?;
    match members.iter().find(|member| **member >= MINERS) {
        Some(member) => Err(format!("there is no miner {member}")),
        None => Ok((members, &words[count..])),
    }
}

/// The words after `key`, as far as they are numbers; `None` where it does not stand.
fn option(words: &[&str], key: &str) -> Played<Option<Vec<u16>>> {
    let Some(at) = words.iter().position(|word| *word == key) else { return Ok(None) };
    members(&words[at + 1..]).map(|(numbers, _)| Some(numbers))
}

/// A position, `(1,0)`.
fn position(word: &str) -> Played<(u64, u32)> {
    let inner = word.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let (round, subround) =
        inner.and_then(|inner| inner.split_once(',')).ok_or_else(|| format!("{word} is no position"))?;
    Ok((number(round)?, number(subround)?))
}

fn told<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Played {
    if found == expected { Ok(()) } else { Err(format!("expected {expected:?}, found {found:?}")) }
}

impl Play {
    fn new(rules: Rules) -> Self {
        Self { stage: Stage::new(rules), blocks: BTreeMap::new(), last: Vec::new(), asked: true }
    }

    fn block(&self, name: &str) -> Played<Arc<Block>> {
        self.blocks.get(name).cloned().ok_or_else(|| format!("no block is called {name}"))
    }

    /// The names of blocks by id; a block without a name is called `?`.
    fn names(&self, ids: impl IntoIterator<Item = BlockId>) -> Vec<String> {
        let name = |id| {
            let found = self.blocks.iter().find(|(_, block)| block.id() == id);
            found.map_or_else(|| "?".to_owned(), |(name, _)| name.clone())
        };
        ids.into_iter().map(name).collect()
    }

    fn hears(&mut self, from: u16, message: Message) {
        self.last = self.stage.hears(from, message).to_vec();
    }

    fn line(&mut self, words: &[&str]) -> Played {
        if let [">", expected @ ..] = words {
            self.asked = true;
            return self.expect(expected);
        }
        self.asked = false;
        match words {
            ["rules", key, "=", value] => {
                let mut rules = serde_json::to_value(Rules::HARDENED).map_err(|error| error.to_string())?;
                rules[*key] = (*value).into();
                *self = Play::new(serde_json::from_value(rules).map_err(|error| error.to_string())?);
            }
            ["block", name, at, rest @ ..] => {
                let block = self.make(position(at)?, rest)?;
                self.blocks.insert((*name).to_owned(), block);
            }
            [name, "is", "proposed", rest @ ..] => {
                let block = self.block(name)?;
                let after = match rest {
                    [] => None,
                    ["after", at] => Some(position(at)?),
                    _ => return Err(format!("{rest:?} is not understood")),
                };
                let certificate = after.map(|(r, s)| self.stage.timeouts(r, s, &ALL_OTHERS));
                let message = self.stage.proposal(&block, certificate);
                self.hears(block.header().generator.0, message);
            }
            ["notarization", name, rest @ ..] => {
                let (by, from) = self.certificate(rest)?;
                let certificate = self.stage.notarization(&*self.block(name)?, &by);
                self.hears(from, Message::Notarization(certificate));
            }
            ["finality", name, rest @ ..] => {
                let (by, from) = self.certificate(rest)?;
                let certificate = self.stage.finality(&*self.block(name)?, &by);
                self.hears(from, Message::FinalityCertificate(certificate));
            }
            ["timeouts", at, rest @ ..] => {
                let (by, from) = self.certificate(rest)?;
                let (round, subround) = position(at)?;
                let certificate = self.stage.timeouts(round, subround, &by);
                self.hears(from, Message::TimeoutCertificate(certificate));
            }
            ["window", "closes"] => self.stage.window_closes(),
            ["wait", "is", "over"] => self.stage.wait_is_over(),
            ["late", timer, at] => {
                let (round, subround) = position(at)?;
                let (round, subround) = (Round(round), Subround(subround));
                self.stage.input(Input::Timer(match *timer {
                    "window" => Timer::Window { round, subround },
                    "wait" => Timer::Wait { round, subround },
                    other => return Err(format!("there is no timer {other}")),
                }));
            }
            ["restart"] => self.stage.restart(),
            ["records", "wait"] => self.stage.writes_at_once = false,
            ["records", "are", "durable"] => self.stage.confirm_records(),
            ["stores", "wait"] => self.stage.stores_at_once = false,
            ["stores", "are", "durable"] => self.stage.confirm_stores(),
            ["an", "hour", "passes"] => self.stage.now = self.stage.now.after(3_600_000),
            _ => return self.say(words),
        }
        Ok(())
    }

    /// Some members sign something, and miner 0 hears it from each.
    fn say(&mut self, words: &[&str]) -> Played {
        let (members, said) = members(words)?;
        if members.is_empty() {
            return Err("it is not understood".into());
        }
        for member in members {
            let message = match said {
                ["ticket", name] => Message::Ticket(self.sign(member, ticket_of(&*self.block(name)?))),
                ["vote", name] => Message::FinalityVote(self.sign(member, vote_of(&*self.block(name)?))),
                ["time", "out", at] => {
                    let (round, subround) = position(at)?;
                    let timeout = Timeout { round: Round(round), subround: Subround(subround) };
                    Message::Timeout(self.sign(member, timeout))
                }
                ["forges", "a", "ticket", name] => {
                    let mut ticket = self.sign(member, ticket_of(&*self.block(name)?));
                    ticket.signature = Signature([9; 48]);
                    Message::Ticket(ticket)
                }
                ["share", round] => Message::BeaconShare(self.stage.share(member, number(round)?)),
                ["forges", "a", "share", round] => {
                    let genuine = self.stage.share(member, number(round)?);
                    Message::BeaconShare(BeaconShare { share: Signature([9; 48]), ..genuine })
                }
                _ => return Err("it is not understood".into()),
            };
            self.hears(member, message);
        }
        Ok(())
    }

    fn sign<T: Statement>(&self, member: u16, statement: T) -> crate::statement::Signed<T> {
        self.stage.signed(member, statement)
    }

    fn make(&self, (round, subround): (u64, u32), words: &[&str]) -> Played<Arc<Block>> {
        let mut generator = self.stage.generator(round, subround);
        let (mut payload, mut parent) = (Vec::new(), (Arc::clone(&self.stage.config.genesis), None));
        for pair in words.chunks(2) {
            match pair {
                ["by", member] => generator = number(member)?,
                ["rank", rank] => {
                    let order = self.stage.order(round, subround);
                    generator = *order.get(number::<usize>(rank)?).ok_or("there is no such rank")?;
                }
                ["payload", byte] => payload = vec![number(byte)?],
                ["on", name] => {
                    let block = self.block(name)?;
                    let certificate = self.stage.notarization(&block, &ALL_OTHERS);
                    parent = (block, Some(certificate));
                }
                _ => return Err(format!("{} is not understood", pair.join(" "))),
            }
        }
        let (parent, certificate) = parent;
        told(&parent.round().next().0, &round)?;
        let content = self.stage.content(subround, &parent, certificate, generator);
        Ok(Arc::new(Block::new(BlockContent { payload, ..content })))
    }

    /// `by 1 2 from 3`: the signers of a certificate, and who sends it.
    fn certificate(&self, words: &[&str]) -> Played<(Vec<u16>, u16)> {
        let by = option(words, "by")?.unwrap_or_else(|| ALL_OTHERS.to_vec());
        match option(words, "from")?.as_deref() {
            Some([from]) => Ok((by, *from)),
            _ => Err("it is not said from whom".into()),
        }
    }

    fn expect(&self, words: &[&str]) -> Played {
        let miner = &self.stage.miner;
        let list = |words: &[&str]| -> Vec<String> {
            words.iter().filter(|word| **word != "none").map(|word| (*word).to_owned()).collect()
        };
        match words {
            ["at", at] => told(&(miner.round().0, miner.subround().0), &position(at)?),
            ["phase", phase] => told(&format!("{:?}", miner.phase()), &(*phase).to_owned()),
            ["entered", "through", name] => told(&self.names([miner.entry()]), &list(&[name])),
            ["tickets", names @ ..] => {
                told(&self.names(self.stage.tickets_sent().iter().map(|ticket| ticket.block)), &list(names))
            }
            ["votes", names @ ..] => {
                told(&self.names(self.stage.votes_sent().iter().map(|vote| vote.block)), &list(names))
            }
            ["timeouts", places @ ..] => {
                let sent = self.stage.timeouts_sent();
                let sent = sent.iter().map(|timeout| format!("({},{})", timeout.round.0, timeout.subround.0));
                told(&sent.collect(), &list(places))
            }
            ["notarizations", names @ ..] => {
                let blocks = self.stage.sent().filter_map(|message| match message {
                    Message::Notarization(known) => Some(known.block),
                    _ => None,
                });
                told(&self.names(blocks), &list(names))
            }
            ["final", names @ ..] => {
                let blocks = self.stage.out.iter().filter_map(|output| match output {
                    Output::Finalized(found) => Some(found.block.id()),
                    _ => None,
                });
                told(&self.names(blocks), &list(names))
            }
            ["pending", names @ ..] => {
                told(&self.names(miner.pending_finality().map(|known| known.block)), &list(names))
            }
            ["refused"] => told(&is_refused(&self.last), &true),
            ["taken"] => told(&is_refused(&self.last), &false),
            ["silence"] => told(&self.last.len(), &0),
            ["blamed", who @ ..] => {
                let blamed = self.stage.out.iter().filter_map(|output| match output {
                    Output::Blamed(signer) => Some(signer.0.to_string()),
                    _ => None,
                });
                told(&blamed.collect(), &list(who))
            }
            ["convicted", who @ ..] => {
                let mut convicted: Vec<u16> =
                    miner.evidence().iter().flat_map(|proof| proof.convicts()).map(|id| id.0).collect();
                convicted.sort_unstable();
                convicted.dedup();
                told(&convicted.iter().map(u16::to_string).collect(), &list(who))
            }
            ["proofs", kinds @ ..] => {
                told(&miner.evidence().iter().map(|proof| kind(proof).to_owned()).collect(), &list(kinds))
            }
            ["beacon", known] => {
                let found = if miner.beacon().is_some() { "known" } else { "unknown" };
                told(&found, known)
            }
            ["sent", "timeout", "certificate"] => {
                let is_one = |message: &Message| matches!(message, Message::TimeoutCertificate(_));
                told(&sent(&self.stage.out).any(is_one), &true)
            }
            _ => Err("it is not understood".into()),
        }
    }
}

fn kind(proof: &Evidence) -> &'static str {
    match proof {
        Evidence::Proposals { .. } => "proposals",
        Evidence::Tickets { .. } => "tickets",
        Evidence::FinalityVotes { .. } => "votes",
        Evidence::TicketAgainstVote { .. } => "ticket-against-vote",
        Evidence::Notarizations { .. } => "notarizations",
        Evidence::FinalityCertificates { .. } => "finality-certificates",
        Evidence::NotarizationAgainstFinality { .. } => "notarization-against-finality",
    }
}

/// Plays every script of a file. Returns what is wrong, with file, line and heading, and how many scripts there are.
fn play(file: &str, text: &str) -> (Vec<String>, usize) {
    let (mut wrong, mut heading, mut count) = (Vec::new(), String::new(), 0);
    let mut play: Option<Play> = None;
    let ends = |play: &Option<Play>, heading: &str, wrong: &mut Vec<String>| {
        if play.as_ref().is_some_and(|play| !play.asked) {
            wrong.push(format!("{file}: \"{heading}\" ends with something that nothing is asked about"));
        }
    };
    for (index, line) in text.lines().enumerate() {
        // A position is one word.
        let line = line.split('#').next().unwrap_or_default().replace(", ", ",");
        if let Some(title) = line.strip_prefix("==") {
            ends(&play, &heading, &mut wrong);
            heading = title.trim().replace(',', ", ");
            play = Some(Play::new(Rules::HARDENED));
            count += 1;
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(running) = play.as_mut().filter(|_| !words.is_empty()) else { continue };
        if let Err(why) = running.line(&words) {
            wrong.push(format!("{file}:{}: {}: {why} (\"{heading}\")", index + 1, line.trim()));
            play = None;
        }
    }
    ends(&play, &heading, &mut wrong);
    (wrong, count)
}

macro_rules! scripts {
    ($($name:ident: $scripts:expr,)*) => {
        $(
            #[test]
            fn $name() {
                let file = concat!("scripts/", stringify!($name), ".txt");
                let (wrong, count) = play(file, include_str!(concat!("scripts/", stringify!($name), ".txt")));
                assert!(wrong.is_empty(), "{}", wrong.join("\n"));
                assert_eq!(count, $scripts, "scripts were read");
            }
        )*
    };
}

scripts! {
    to_the_ticket: 8,
    from_the_ticket: 20,
    offences: 4,
}

/// A control: each kind of expectation can fail, each word can be wrong, and a script that asks nothing is none.
#[test]
fn what_a_script_expects_can_fail() {
    let begin = "== a script\nblock A (1, 0)\nblock B (1, 1)\nA is proposed\nwindow closes\n";
    for wrong in [
        "> at (2, 0)",
        "> phase Collecting",
        "> entered through A",
        "> tickets none",
        "> tickets B",
        "> votes A",
        "> timeouts (1, 0)",
        "> notarizations A",
        "> final A",
        "> pending A",
        "> refused",
        "> silence",
        "> blamed 1",
        "> convicted 1",
        "> proofs tickets",
        "> beacon unknown",
        "> sent timeout certificate",
        "> no such word",
        "no such word",
        "1 dances",
        "7 ticket A",
        "1 ticket C",
        "block C (3, 0)",
        "block C (1, 0) colour blue",
        "notarization A",
        "notarization A from 1",
    ] {
        let (found, _) = play("control", &format!("{begin}{wrong}\n"));
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
        let place =
            if wrong == "notarization A from 1" { "control: \"a script\" ends" } else { "control:6: " };
        assert!(found[0].starts_with(place), "{}", found[0]);
    }
    assert_eq!(play("control", &format!("{begin}> tickets A\n")).0, [""; 0]);
    assert_eq!(
        play("control", &format!("{begin}notarization A from 1\n> at (2, 0)\n> votes A\n")).0,
        [""; 0]
    );
}
