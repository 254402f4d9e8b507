//! The cost of one peer for a miner of 100 on real signatures: by kind of message, as fast as a link of 1 and of 100
//! Mbit/s carries them, while the other members are served.
//!
//! ```text
//! cargo run --release -p zus-measure --bin floods            # the table of README.md
//! cargo run --release -p zus-measure --bin floods -- request # some kinds
//! ```
//!
//! In each second of virtual time the other members bring the miner one round further: beacon shares, a proposal with a
//! payload of 64 KiB, tickets and finality votes, in 100 slices, and between them come the messages that the flooder's
//! link carries in 10 ms. The first second is quiet. The host leaves the link unread while [`Miner::hears_now`] says
//! that its peer is ignored. The table shows the processor time of *all* messages, less that of a miner that nobody
//! floods: the search for a wrong signature among those of others counts too. A second that takes more than 200 ms is
//! not played to its end but scaled up.
//!
//! Two more tables have a sharder and a member of a key generation as the victim.
#![allow(missing_docs)]

mod attacks;
mod key_generation;
mod script;
mod sharder;

use std::process::ExitCode;
use std::time::Duration;

use attacks::{ATTACKS, At, Attack, require_all_kinds};
use script::{ROUNDS, Script, served};
use zus_bpp::block::Time;
use zus_bpp::committee::{Peer, Round};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::message::Message;
use zus_bpp::miner::{Input, Miner, Output};
use zus_bpp::wire;
use zus_measure::process_time;

/// Slices of a second.
const SLICES: usize = 100;
/// The processor time for the flood of one virtual second, at most.
const ENOUGH: Duration = Duration::from_millis(200);
/// How many miners are told the first messages of a flood, for the costs of one byte; and how many messages.
const TOLD: usize = 5;
const FIRST: usize = 4;
/// Messages that the host reads before it asks again whether their sender is heard.
const READ: usize = 64;

/// Inputs of a flood, made before the clock runs: what the flooder spends on them is its own.
struct Flood<'a> {
    attack: &'a Attack,
    script: &'a Script,
    messages: Vec<Vec<u8>>,
    sent: usize,
}

impl<'a> Flood<'a> {
    fn new(attack: &'a Attack, script: &'a Script) -> Self {
        Self { attack, script, messages: Vec::new(), sent: 0 }
    }

    /// The victim is in another round.
    fn turn(&mut self, round: Round) {
        let index = (round.0 as usize - 1).min(ROUNDS - 1);
        let at = At {
            round,
            now: &self.script.rounds[index],
            before: index.checked_sub(1).map(|before| &self.script.rounds[before]),
        };
        self.messages = (self.attack.messages)(self.script, at);
    }

    /// A wrong signature is a point of the subgroup, another one each time, so that only a pairing tells.
    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.messages.get(self.sent % self.messages.len().max(1))?.clone();
        self.sent += 1;
        if let Some(before_the_end) = self.attack.spoilt {
            let Signature(signature) = self.script.wrong[self.sent % self.script.wrong.len()];
            let at = bytes.len() - signature.len() - before_the_end;
            bytes[at..at + signature.len()].copy_from_slice(&signature);
        }
        Some(bytes)
    }
}

/// Nanoseconds that a message takes whose sender is not heard, if the host hands it over all the same.
fn unheard(quiet: &Miner<BlstScheme>) -> f64 {
    let mut miner = quiet.clone();
    let input = || Input::Bytes { from: Peer::Miner(script::FLOODER), bytes: vec![0xee; 97] };
    (0..1_000).for_each(|_| miner.step(Time(1_000), input(), &mut Vec::new()));
    let inputs: Vec<Input> = (0..10_000).map(|_| input()).collect();
    let mut out = Vec::new();
    let all = || inputs.into_iter().for_each(|input| miner.step(Time(1_000), input, &mut out));
    process_time::of(all).1.as_nanos() as f64 / 10_000.0
}

/// A miner and the time that its messages took.
struct Run<'a> {
    script: &'a Script,
    miner: Miner<BlstScheme>,
    /// Bytes of answers to the flooder, and of its messages that were handed over.
    answered: usize,
    asked: usize,
}

impl<'a> Run<'a> {
    /// A miner that has made one round.
    fn new(script: &'a Script) -> Self {
        let mut run = Self { script, miner: script.miner(), answered: 0, asked: 0 };
        run.second(0, None, 0);
        run
    }

    /// One second. Processor time of all messages, as if all were played.
    fn second(
        &mut self,
        number: usize,
        mut flood: Option<&mut Flood<'_>>,
        bytes_a_second: usize,
    ) -> Duration {
        let said = &self.script.rounds[number].said;
        let in_slice = said.len().div_ceil(SLICES);
        let mut due = said.chunks(in_slice);
        let (mut honest, mut flooded) = (Duration::ZERO, Duration::ZERO);
        let (mut sent, mut left_out) = (0, 0);
        let mut round = None;
        for slice in 0..SLICES {
            let now = Time(1_000 * number as u64 + 10 * slice as u64);
            if let Some(flood) = flood.as_deref_mut() {
                if round != Some(self.miner.round()) {
                    round = Some(self.miner.round());
                    flood.turn(self.miner.round());
                }
                // All bytes that the link carries in one second are handed over in it, however large one message is.
                let due_by_now = bytes_a_second * (slice + 1) / SLICES;
                while sent + left_out < due_by_now {
                    if !self.miner.hears_now(flood.attack.from, now) {
                        // Lost, or left where it is: it costs nothing here.
                        sent = due_by_now - left_out;
                        break;
                    }
                    if flooded > ENOUGH {
                        left_out = due_by_now - sent;
                        break;
                    }
                    let mut inputs = Vec::new();
                    while sent + left_out < due_by_now && inputs.len() < READ {
                        let Some(bytes) = flood.next() else { break };
                        sent += bytes.len();
                        self.asked += bytes.len();
                        inputs.push(Input::Bytes { from: flood.attack.from, bytes });
                    }
                    if inputs.is_empty() {
                        break;
                    }
                    flooded += self.flooded(now, flood.attack.from, inputs);
                }
            }
            for (from, bytes) in due.next().unwrap_or_default() {
                let input = Input::Bytes { from: Peer::Miner(*from), bytes: bytes.clone() };
                honest += process_time::of(|| served(&mut self.miner, now, input)).1;
            }
        }
        let reached = self.miner.round().0 as usize;
        let name = flood.map_or("nothing", |flood| flood.attack.name);
        assert_eq!(reached, number + 2, "{name}: the others are not served");
        honest + flooded.mul_f64((sent + left_out).max(1) as f64 / sent.max(1) as f64)
    }

    fn flooded(&mut self, now: Time, from: Peer, inputs: Vec<Input>) -> Duration {
        let mut out = Vec::new();
        let (_, time) = process_time::of(|| {
            for input in inputs {
                self.miner.step(now, input, &mut out);
            }
        });
        for output in out {
            match output {
                Output::Send { to, message: message @ Message::ChainResponse(_) } if to == from => {
                    self.answered += wire::encode(&message).len();
                }
                _ => {}
            }
        }
        time
    }
}

/// Microseconds a byte of the first messages of a flood, of which all are looked at unless their sender is muted.
fn first_messages(attack: &Attack, script: &Script, quiet: &Miner<BlstScheme>) -> (usize, f64) {
    let mut flood = Flood::new(attack, script);
    flood.turn(quiet.round());
    let (mut bytes, mut time, mut longest) = (0, Duration::ZERO, 0);
    for _ in 0..TOLD {
        let mut miner = quiet.clone();
        for _ in 0..FIRST {
            let Some(message) = flood.next() else { continue };
            bytes += message.len();
            longest = longest.max(message.len());
            let input = Input::Bytes { from: attack.from, bytes: message };
            time += process_time::of(|| miner.step(Time(1_000), input, &mut Vec::new())).1;
        }
    }
    (longest, time.as_secs_f64() * 1e6 / bytes.max(1) as f64)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (filter, more) = (words.next(), words.next());
    let names: Vec<&str> = ATTACKS
        .iter()
        .map(|attack| attack.name)
        .chain(sharder::NAMES.iter().copied())
        .chain(key_generation::names())
        .collect();
    let unknown = filter.as_ref().filter(|filter| !names.iter().any(|name| name.contains(filter.as_str())));
    if let Some(word) = more.as_ref().or(unknown) {
        eprintln!(
            "error: {word}: no kind of flood\n  fix: one word of these, or none:\n    {}",
            names.join("\n    ")
        );
        return ExitCode::from(2);
    }
    let script = Script::new();
    require_all_kinds(&script);
    // The cost of the honest members, second by second: the median of some runs.
    let quiet: Vec<Duration> = {
        let runs: Vec<Vec<Duration>> = (0..5)
            .map(|_| {
                let mut run = Run::new(&script);
                (1..ROUNDS - 1).map(|number| run.second(number, None, 0)).collect()
            })
            .collect();
        let of_second = |second: usize| {
            let mut times: Vec<Duration> = runs.iter().map(|run| run[second]).collect();
            times.sort_unstable();
            times[times.len() / 2]
        };
        (0..ROUNDS - 2).map(of_second).collect()
    };
    let usual = quiet.iter().sum::<Duration>() / quiet.len() as u32;
    let quiet_miner = Run::new(&script).miner;
    zus_output::say!(
        "Honest members: {:.1} ms a second. A message of a peer that is not heard: {:.0} ns.\n",
        milliseconds(usual),
        unheard(&quiet_miner)
    );
    zus_output::say!(
        "| what one peer sends | bytes | us a byte, first four | 1 Mbit/s: worst second, mean, ms | 100 Mbit/s: worst second, mean, ms | bytes of answers, of requests |"
    );
    zus_output::say!("|---|---|---|---|---|---|");
    for attack in ATTACKS.iter() {
        if filter.as_ref().is_some_and(|filter| !attack.name.contains(filter.as_str())) {
            continue;
        }
        let (length, a_byte) = first_messages(attack, &script, &quiet_miner);
        let mut row = vec![
            format!("{}{}", attack.name, if attack.impossible { " *" } else { "" }),
            length.to_string(),
            format!("{a_byte:.3}"),
        ];
        let mut answers = String::new();
        for megabits in [1, 100] {
            let mut run = Run::new(&script);
            let mut flood = Flood::new(attack, &script);
            let bytes = megabits * 1_000_000 / 8;
            let more: Vec<f64> = (1..ROUNDS - 1)
                .map(|number| {
                    let all = run.second(number, Some(&mut flood), bytes);
                    milliseconds(all) - milliseconds(quiet[number - 1])
                })
                .collect();
            row.push(worst_and_mean(&more));
            if run.answered > 0 {
                answers = format!("{}, {}", run.answered, run.asked);
            }
        }
        zus_output::say!("| {} | {} |", row.join(" | "), answers);
    }
    sharder::table(&script, filter.as_deref());
    key_generation::table(filter.as_deref());
    ExitCode::SUCCESS
}

/// The worst of some seconds and their mean, in milliseconds.
fn worst_and_mean(more: &[f64]) -> String {
    let worst = more.iter().copied().fold(f64::MIN, f64::max);
    let mean = more.iter().sum::<f64>() / more.len().max(1) as f64;
    format!("{worst:.1}, {mean:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_message_has_a_flood() {
        require_all_kinds(&Script::new());
    }
}
