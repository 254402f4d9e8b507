//! Target about what one member can say against itself (S10): a miner that hears it straight, and through an accomplice, in any
//! order, with wrong signatures among it, late or not, has the proof; the obligation *culprit* says when. A network comes to such a place seldom.

use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::rules::{Rules, TicketRule};
use zus_bpp::ticket_log::LogRecord;

use crate::byzantine::Deed;
use crate::oracles::Oracle;
use crate::schedule::operation::perform;
use crate::schedule::{Operation, ground_of};
use crate::world::{Setup, World, bit};

/// Statements of one run.
const STATEMENTS: usize = 24;
/// From this byte on the honest miners finish their round instead: what is said of it afterwards is late.
const MOVES_ON: u8 = 0xe0;
/// The member, and its accomplice.
const MEMBER: MinerId = MinerId(5);
const ACCOMPLICE: MinerId = MinerId(6);

/// See the module doc.
///
/// # Panics
/// When a miner has no proof that it should have, or accuses somebody honest.
pub fn equivocation(bytes: &[u8]) {
    let mut setup = Setup::new(7, 0);
    setup.byzantine = vec![MEMBER.0, ACCOMPLICE.0];
    const { assert!(TicketRule::ALL.len() <= 4, "two bits of an input are to choose among all values") };
    let chosen = bytes.first().map_or(0, |byte| usize::from(byte % 4));
    let ticket = TicketRule::ALL[chosen % TicketRule::ALL.len()];
    setup.rules = Rules { ticket, ..Rules::HARDENED };
    let long = bytes.first().is_some_and(|byte| byte & 4 != 0);
    let long_tickets = if long { (1 << setup.miners) - 1 } else { 0 };
    let mut world = World::speaking(ground_of(&setup), long_tickets);
    let mut oracle = Oracle::default();
    world.start(&mut oracle);
    let hearer = bit(Peer::Miner(world.hosts[0].id));
    for chunk in bytes.get(1..).unwrap_or_default().chunks_exact(2).take(STATEMENTS) {
        let [what, place] = [chunk[0], chunk[1]];
        if what >= MOVES_ON {
            moves_on(&mut world, &mut oracle);
            continue;
        }
        let (round, subround) = (Round(1 + u64::from(place >> 6)), Subround(u32::from(place & 3)));
        let block = [1 + (place >> 2 & 3); 32];
        let record = match what & 3 {
            0 | 1 => LogRecord::ticket(round, subround, block),
            2 => LogRecord::finality_vote(round, subround, block),
            _ => LogRecord::timeout(round, subround),
        };
        let sent = world.network.sent().len();
        let (signs, spoils) = (Deed::Sign(record), Deed::Forge { victim: MEMBER, record });
        let deeds = match what >> 2 & 7 {
            0..=3 => vec![(MEMBER, signs, hearer)],
            4 | 5 => vec![(MEMBER, spoils, hearer)],
            6 => vec![(MEMBER, signs, bit(Peer::Miner(ACCOMPLICE))), (ACCOMPLICE, Deed::Relay(sent), hearer)],
            _ => {
                vec![(MEMBER, spoils, bit(Peer::Miner(ACCOMPLICE))), (ACCOMPLICE, Deed::Relay(sent), hearer)]
            }
        };
        for (member, deed, to) in deeds {
            perform(&mut world, &Operation::Byzantine { member, deed, to }, &mut oracle);
        }
        for message in sent..world.network.sent().len() {
            if world.network.is_open(message, hearer) {
                world.deliver(message, hearer, None, &mut oracle);
            }
        }
        if let Some(violation) = &oracle.violation {
            panic!("{violation}\n{ticket:?}: {:02x?}", bytes);
        }
    }
}

/// The honest miners go through a round.
fn moves_on(world: &mut World<MockScheme>, oracle: &mut Oracle) {
    let everybody = world.hosts.iter().fold(0, |set, host| set | bit(Peer::Miner(host.id)));
    let front = world.hosts.iter().map(|host| host.miner.round()).max();
    for _ in 0..4 {
        perform(world, &Operation::DeliverAll { to: everybody, kind: None }, oracle);
        if world.hosts.iter().map(|host| host.miner.round()).max() > front {
            break;
        }
        perform(world, &Operation::FireAll { waits: false }, oracle);
    }
    perform(world, &Operation::DeliverAll { to: everybody, kind: None }, oracle);
}
