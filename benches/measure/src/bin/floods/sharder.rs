//! A sharder as the victim. In each second the miners tell it of one final round, and answer what it asks for.

use std::sync::Arc;
use std::time::Duration;

use zus_bpp::block::Time;
use zus_bpp::committee::{MinerId, Peer, Round, SharderId};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::message::{ChainResponse, Message};
use zus_bpp::sharder::{MemoryHistory, Sharder, SharderInput, SharderOutput};
use zus_bpp::wire;

use super::attacks::{ATTACKS, Attack};
use super::script::{ROUNDS, Script};
use super::{ENOUGH, FIRST, Flood, READ, SLICES, TOLD, milliseconds, process_time, worst_and_mean};

/// Kinds that a sharder hears, and some that it does not.
pub const NAMES: &[&str] = &[
    "three bytes that are no message",
    "97 bytes that are no message",
    "a proposal of 1 MiB and a byte too many",
    "proposal of 1 MiB, wrong signature",
    "ticket, wrong",
    "notarization, wrong",
    "notarization of a later round, wrong",
    "notarization, genuine, again",
    "finality certificate, wrong",
    "finality certificate against the chain, wrong",
    "finality certificate, genuine, again",
    "evidence, wrong",
    "chain request",
    "answer that nobody asked for",
    "answer that nobody asked for, 4 MiB",
];

struct Run<'a> {
    script: &'a Script,
    sharder: Sharder<BlstScheme>,
    history: MemoryHistory,
    spent: Duration,
}

impl<'a> Run<'a> {
    fn new(script: &'a Script) -> Self {
        let (config, scheme) = (Arc::clone(&script.config), script.schemes[0].clone());
        let sharder = Sharder::new(config, scheme, SharderId(0), Vec::new()).expect("it starts");
        let mut run = Self { script, sharder, history: MemoryHistory::default(), spent: Duration::ZERO };
        run.miners_say(0, Time(0));
        run
    }

    /// Hands messages over; returns what the sharder asks of whom.
    fn hears(&mut self, now: Time, messages: Vec<(Peer, Vec<u8>)>) -> Vec<Peer> {
        let (sharder, history, mut out) = (&mut self.sharder, &self.history, Vec::new());
        let (_, time) = process_time::of(|| {
            for (from, bytes) in messages {
                sharder.step(now, SharderInput::Bytes { from, bytes }, history, &mut out);
            }
        });
        self.spent += time;
        let mut asked = Vec::new();
        for output in out {
            match output {
                SharderOutput::Finalized(block) => self.history.store(block),
                SharderOutput::Send { to, message: Message::ChainRequest(_) } => asked.push(to),
                _ => {}
            }
        }
        asked
    }

    /// A round is final, and who is asked for its block sends it.
    fn miners_say(&mut self, number: usize, now: Time) {
        let scripted = &self.script.rounds[number];
        let said = [
            Message::Notarization(Arc::clone(&scripted.notarization)),
            Message::FinalityCertificate(Arc::clone(&scripted.finality)),
        ];
        let from = Peer::Miner(MinerId(1));
        let asked = self.hears(now, said.iter().map(|message| (from, wire::encode(message))).collect());
        let response = ChainResponse {
            blocks: vec![Arc::clone(&scripted.block)],
            notarization: Arc::clone(&scripted.notarization),
            finality: Some(Arc::clone(&scripted.finality)),
        };
        let answer = wire::encode(&Message::ChainResponse(Arc::new(response)));
        self.hears(now, asked.into_iter().map(|peer| (peer, answer.clone())).collect());
        assert_eq!(self.sharder.finalized().round().0 as usize, number + 1, "the miners are heard");
    }

    /// One second, as [`super::Run::second`].
    fn second(&mut self, number: usize, flood: Option<&mut Flood<'_>>, bytes_a_second: usize) -> Duration {
        self.spent = Duration::ZERO;
        let at = |slice: usize| Time(1_000 * number as u64 + 10 * slice as u64);
        let (mut sent, mut left_out) = (0, 0);
        if let Some(flood) = flood {
            flood.turn(Round(number as u64 + 1));
            for slice in 0..SLICES {
                let due_by_now = bytes_a_second * (slice + 1) / SLICES;
                while sent + left_out < due_by_now {
                    if !self.sharder.hears_now(flood.attack.from, at(slice)) {
                        sent = due_by_now - left_out;
                        break;
                    }
                    if self.spent > ENOUGH {
                        left_out = due_by_now - sent;
                        break;
                    }
                    let mut messages = Vec::new();
                    while sent + left_out < due_by_now && messages.len() < READ {
                        let Some(bytes) = flood.next() else { break };
                        sent += bytes.len();
                        messages.push((flood.attack.from, bytes));
                    }
                    if messages.is_empty() {
                        break;
                    }
                    self.hears(at(slice), messages);
                }
            }
        }
        let flooded = std::mem::take(&mut self.spent);
        self.miners_say(number, at(SLICES - 1));
        self.spent + flooded.mul_f64((sent + left_out).max(1) as f64 / sent.max(1) as f64)
    }
}

/// Microseconds a byte of the first messages of a flood.
fn first_messages(attack: &Attack, script: &Script) -> (usize, f64) {
    let mut flood = Flood::new(attack, script);
    flood.turn(Round(2));
    let (mut bytes, mut time, mut longest) = (0, Duration::ZERO, 0);
    for _ in 0..TOLD {
        let mut run = Run::new(script);
        for message in std::iter::from_fn(|| flood.next()).take(FIRST) {
            bytes += message.len();
            longest = longest.max(message.len());
            run.spent = Duration::ZERO;
            run.hears(Time(1_000), vec![(attack.from, message)]);
            time += run.spent;
        }
    }
    (longest, time.as_secs_f64() * 1e6 / bytes.max(1) as f64)
}

/// Prints one row for each of [`NAMES`].
pub fn table(script: &Script, filter: Option<&str>) {
    let seconds = 1..ROUNDS - 1;
    let usual: Vec<f64> = {
        let mut run = Run::new(script);
        seconds.clone().map(|number| milliseconds(run.second(number, None, 0))).collect()
    };
    let mean = usual.iter().sum::<f64>() / usual.len() as f64;
    zus_output::say!("\nA sharder; the miners cost it {mean:.1} ms a second.\n");
    zus_output::say!("| what one peer sends to a sharder | bytes | us a byte | 1 Mbit/s | 100 Mbit/s |");
    zus_output::say!("|---|--:|--:|--:|--:|");
    for name in NAMES.iter().filter(|name| filter.is_none_or(|filter| name.contains(filter))) {
        let attack = ATTACKS.iter().find(|attack| attack.name == *name).expect("a flood of that name");
        let (length, a_byte) = first_messages(attack, script);
        let floods: Vec<String> = [1, 100]
            .into_iter()
            .map(|megabits| {
                let (mut run, mut flood) = (Run::new(script), Flood::new(attack, script));
                let more: Vec<f64> = seconds
                    .clone()
                    .zip(&usual)
                    .map(|(number, usual)| {
                        milliseconds(run.second(number, Some(&mut flood), megabits * 125_000)) - usual
                    })
                    .collect();
                worst_and_mean(&more)
            })
            .collect();
        zus_output::say!("| {name} | {length} | {a_byte:.3} | {} |", floods.join(" | "));
    }
}
