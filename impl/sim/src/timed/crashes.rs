//! Crashes, restarts, partitions.

use zus_bpp::committee::{MinerId, Round};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::{Input, Recovery};
use zus_bpp::ticket_log::{Kind, LogRecord, SignedRecords};

use super::World;
use super::{Crash, Disturbance};
use crate::messages::record_of;

impl<S: Scheme + Clone> World<S> {
    pub(super) fn disturb(&mut self, disturbance: Disturbance) {
        match disturbance {
            Disturbance::Kill(i) => self.kill(usize::from(i)),
            Disturbance::KillInStep(i) => self.hosts[usize::from(i)].kill_in_step = true,
            Disturbance::Restart(i) => {
                let recovery = self.hosts[usize::from(i)].disk.recovery();
                self.start(usize::from(i), recovery);
            }
            Disturbance::RestartWithLogOnly(i) => {
                let disk = &mut self.hosts[usize::from(i)].disk;
                disk.stored.clear();
                let recovery = disk.recovery();
                self.start(usize::from(i), recovery);
            }
            Disturbance::RestartWithNewLog(i, above) => {
                let mut known: Vec<Round> = self
                    .hosts
                    .iter()
                    .filter_map(|host| Some(Round(host.miner.as_ref()?.round().0 - 1)))
                    .collect();
                known.sort_unstable();
                let answers = self.config.quorum();
                let Some(highest) = known.get(answers - 1) else { return };
                let disk = &mut self.hosts[usize::from(i)].disk;
                disk.lose_log(Round(highest.0 + above));
                let recovery = disk.recovery();
                self.start(usize::from(i), recovery);
            }
            Disturbance::Partition(groups) => {
                let members = groups.iter().enumerate();
                self.groups =
                    Some(members.flat_map(|(g, group)| group.iter().map(move |i| (*i, g))).collect());
            }
            Disturbance::Heal => self.groups = None,
            Disturbance::Links(links) => self.links = links,
        }
    }

    pub(super) fn kill(&mut self, i: usize) {
        let host = &mut self.hosts[i];
        if host.miner.take().is_some() {
            let (records, stores) = (host.disk.log.crash_points(), host.disk.unconfirmed());
            let (records, stores) = match self.crash {
                Crash::KeepsAnything => (self.random.usize(0..=records), self.random.usize(0..=stores)),
                Crash::KeepsRecords => (records, 0),
            };
            host.disk.crash(records, stores);
            host.life += 1;
            let me = MinerId(i as u16);
            let durable = host.disk.log.durable().iter();
            let statements = durable.filter(|record| [Kind::Ticket, Kind::Timeout].contains(&record.kind));
            let said = |record: &LogRecord| {
                self.said.keys().any(|(who, _, message)| *who == me && record_of(message) == Some(*record))
            };
            host.unsent = statements.filter(|record| !said(record)).copied().collect();
        }
    }

    pub(super) fn start(&mut self, i: usize, mut recovery: Recovery) {
        if self.hosts[i].miner.is_some() {
            return;
        }
        if !self.config.rules.is_durable() {
            recovery.signed = SignedRecords::default();
        }
        self.hosts[i].start(&self.config, recovery);
        self.step(MinerId(i as u16), Input::Start);
    }
}
