//! Blocks a second of the sans-I/O miner on real signatures, by committee and window.
//!
//! A round takes at least its window, so the protocol has a pace of its own; beside it stands what one core could compute. The
//! network is that of the tests: all miners honest, in virtual time, messages as values (encoding is another bench). It delays
//! a message by up to Δ, a fifth of the window, which is the longest delay that the configuration promises to bear.

use std::time::Duration;

use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::miner::Timing;
use zus_bpp::rules::Rules;
use zus_bpp::synchrony::WINDOW;
use zus_measure::figures::{markdown, show};
use zus_measure::paired::{self, Case, Spread};

use zus_sim::timed::{Links, Setup, World};

use crate::Bench;

/// Windows in which a quiet network surely finalizes a block.
const LONG_ENOUGH: u64 = 200;

const COLUMNS: [&str; 6] = [
    "n",
    "window, ms",
    "blocks a second",
    "processor ms a block, one miner",
    "of these without cryptography",
    "blocks a second of one core",
];

/// Measures and prints.
pub fn print(bench: &Bench) {
    let arguments = &bench.arguments;
    let short = arguments.quick || arguments.test;
    let windows = match (&arguments.window[..], short) {
        ([], true) => &[300][..],
        ([], false) => &[100, 300, 1000],
        (wanted, _) => wanted,
    };
    // The head of the table, and each row as it is measured.
    zus_output::say!("\n{}", markdown(&COLUMNS.map(String::from), &[]).trim_end());
    for n in arguments.sizes(&[4, 16], &[4, 16, 100]) {
        let blocks = if short || n > 16 { 1 } else { 8 };
        for &window in windows {
            let row = measure(n, window, blocks, if short { 2 } else { 9 });
            zus_output::say!("| {} |", row.join(" | "));
        }
    }
}

/// One row: so many rounds of measurement, of so many blocks each.
fn measure(n: u16, window: u64, blocks: usize, rounds: usize) -> Vec<String> {
    let setup = setup(n, window);
    let (committee, members) = trusted_dealer::deal([1; 32], n).expect("keys");
    let scheme = |member| BlstScheme::member(committee.clone(), member).expect("its own keys");
    let schemes = members.into_iter().map(scheme).collect();
    let mut real = World::new(&setup, schemes, &BlstScheme::observer(committee.clone()));
    let mut mock = World::mock(&setup);
    let mut rates = Vec::new();
    let times = paired::run(
        vec![
            Case::new("real", |_| rates.push(advance(&mut real, blocks, window))),
            Case::new("mock", |_| assert!(advance(&mut mock, blocks, window) > 0.0)),
        ],
        rounds,
    );
    real.assert_safe();
    let share = 1.0 / (f64::from(n) * blocks as f64);
    let of_one = |name| times.milliseconds(name).map(|spread| spread.scaled(share));
    let one_core = of_one("real").map_or_else(String::new, |time| format!("{:.0}", 1e3 / time.median));
    // The first is a round to warm up, in which the miners start.
    let rate = show(Some(Spread::of(rates.split_off(1))));
    vec![n.to_string(), window.to_string(), rate, show(of_one("real")), show(of_one("mock")), one_core]
}

fn setup(n: u16, window: u64) -> Setup {
    let delta = window / u64::from(WINDOW);
    let links = Links { delay: 1..=delta, ..Links::RELIABLE };
    let mut setup = Setup { sharders: 0, links, ..Setup::new(n, Rules::HARDENED, 1) };
    let (window, delta) = (Duration::from_millis(window), Duration::from_millis(delta));
    let resend = (4 * window).max(setup.config().least_resend());
    setup.timing = Timing::DEFAULT
        .with_window(window)
        .with_ticket_wait(2 * window)
        .with_resend(resend)
        .with_delta(delta);
    setup
}

/// Runs until all miners have finalized so many blocks more. Blocks a second of virtual time.
fn advance<S: Scheme + Clone>(world: &mut World<S>, blocks: usize, window: u64) -> f64 {
    let (height, from) = (world.observer.lowest() + blocks, world.now);
    let reached = world.run_to_height(height, blocks as u64 * LONG_ENOUGH * window);
    assert!(reached, "the network finalizes");
    (world.observer.lowest() + blocks - height) as f64 * 1e3 / (world.now.0 - from.0).max(1) as f64
}
