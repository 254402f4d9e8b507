//! The ticket log on this machine's disk. A flush is waiting, not work: the wall clock is read here.

use std::time::Instant;

use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{FileLog, KEY_BYTES, LogRecord, Owner, SigningRules, TicketLog as _};

use crate::Bench;

pub fn bench(bench: &mut Bench) {
    let mut group = bench.criterion.benchmark_group("ticket_log");
    for records in [1, 8] {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = Owner { chain: ChainId([7; 32]), epoch: Epoch(1), key: [0; KEY_BYTES] };
        let mut log = FileLog::create(folder.path(), owner, SigningRules::from(&Rules::HARDENED), Round(0))
            .expect("a log");
        let mut round = 0;
        group.bench_function(format!("flush/records={records}"), |b| {
            b.iter_custom(|iterations| {
                let start = Instant::now();
                for _ in 0..iterations {
                    for _ in 0..records {
                        round += 1;
                        let record = LogRecord::ticket(Round(round), Subround(0), [1; 32]);
                        log.append(record).expect("a record that contradicts nothing");
                    }
                    let durable = log.flush().expect("a disk");
                    assert_eq!(durable.0, round);
                }
                start.elapsed()
            });
        });
    }
    group.finish();
}
