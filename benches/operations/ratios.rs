//! The table of ratios: ours, the peers and the limit, interleaved in one run. See [`zus_benches::paired`].

use zus_benches::asked::Measured;
use zus_benches::committee::Tickets;
use zus_benches::figures::{columns, markdown, rows};
use zus_benches::paired::{self, Case};

use crate::Effort;
#[cfg(feature = "herumi")]
use crate::peers::herumi;
use crate::peers::{self, arkworks, blstrs, commonware, ours};
use crate::ticket_aggregation::Stage;

/// Measures and prints one table after the other.
pub fn print(effort: Effort) -> Vec<Measured> {
    let mut all = Vec::new();
    for (n, rounds) in [(100, effort.choose(3, 20)), (1000, effort.choose(1, 5))] {
        let stage = Stage::new(n);
        for wrong in stage.wrong() {
            if n == 1000 && wrong > 1 && effort == Effort::Quick {
                continue;
            }
            stage.assert_agreement(wrong);
            let measured = measure(&stage, wrong, rounds);
            zus_output::say!("\n{}", markdown(&columns(&measured), &rows(&measured)));
            all.push(measured);
        }
    }
    all
}

/// All that can be done with so many wrong tickets.
fn measure(stage: &Stage, wrong: usize, rounds: usize) -> Measured {
    let placements: Vec<Tickets> =
        (0..=rounds as u64).map(|seed| stage.tickets.with_wrong(wrong, seed)).collect();
    let quorum = stage.keys.quorum();
    let placements = &placements;
    let at = move |round: usize| &placements[round];
    let mut cases = vec![
        Case::new("ours", |round| drop(ours::aggregate(&stage.keys, at(round)))),
        Case::new("ours, portable", |round| {
            drop(ours::portably(|| ours::aggregate(&stage.keys, at(round))));
        }),
        Case::new("commonware", |round| {
            drop(commonware::aggregate(&stage.commonware, quorum, &stage.statement, at(round)));
        }),
        Case::new("blst", |round| drop(peers::blst::aggregate(&stage.blst, quorum, at(round)))),
        Case::new("one by one", |round| {
            assert_eq!(ours::one_by_one(&stage.hash, &stage.lines, at(round)), at(round).len() - wrong);
        }),
    ];
    if wrong == 0 {
        let encoded = ours::uncompressed(&stage.tickets);
        let expected = ours::aggregate(&stage.keys, &stage.tickets);
        assert_eq!(ours::aggregate_uncompressed(&stage.keys, &stage.tickets, &encoded), expected);
        cases.push(Case::new("ours, 96-byte tickets", move |round| {
            drop(ours::aggregate_uncompressed(&stage.keys, at(round), &encoded));
        }));
        cases.push(Case::new("blstrs", |round| drop(blstrs::aggregate(&stage.blstrs, at(round)))));
        cases.push(Case::new("arkworks", |round| {
            drop(arkworks::aggregate(&stage.arkworks, &stage.arkworks_hash, at(round)));
        }));
        cases.push(Case::new("limit, portable", |round| {
            assert!(ours::portably(|| ours::limit(at(round), &stage.all_keys)));
        }));
        cases.push(Case::new("limit", |round| assert!(ours::limit(at(round), &stage.all_keys))));
    }
    #[cfg(feature = "herumi")]
    cases.push(Case::new("herumi mcl", |round| {
        drop(herumi::aggregate(&stage.herumi, quorum, at(round)));
    }));
    Measured { n: stage.keys.n(), wrong, times: paired::run(cases, rounds) }
}
