//! The expected verdicts of PROTOCOL.md, section 6, on production code: the known runs, played by production miners. Each run is
//! also checked against the model under the same rules, and each has its control: `hardened`, which is not broken by it.

use std::collections::BTreeSet;
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::message::Message;
use zus_bpp::miner::Timer;
use zus_bpp::rules::{
    BeaconRule, EchoRule, FinalityRule, Rules, SubroundEntryRule, SubroundSwitchRule, TicketLogRule,
    TicketRule,
};
use zus_bpp::ticket_log::LogRecord;
use zus_checker::action::Action;
use zus_checker::protocol::Protocol;
use zus_fuzz::byzantine::{Deed, Flaw};
use zus_fuzz::liveness::calm;
use zus_fuzz::schedule::{Operation, Run};
use zus_fuzz::world::{Content, Kind, Receivers, Setup, bit};

const HARDENED: Rules = Rules::HARDENED;

/// A world of four, played by hand.
struct Play {
    run: Run,
}

impl Play {
    /// The first keys for which `fits`, with `generators` generators a subround.
    fn new(rules: Rules, byzantine: &[u16], generators: u16, fits: impl Fn(&Play) -> bool) -> Self {
        let keys = (0..200).map(|seed| {
            let mut setup = Setup::new(4, seed);
            (setup.rules, setup.generators) = (rules, Some(generators));
            (setup.rounds, setup.subrounds) = (if generators == 1 { 5 } else { 3 }, 2);
            setup.byzantine = byzantine.to_vec();
            let mut run = Run::new(&setup, 0).expect("the model has room");
            run.judges.oracle.ignore_rules();
            Play { run }
        });
        keys.into_iter().find(fits).expect("some keys fit")
    }

    fn all(&self) -> Receivers {
        self.run.world.hosts.iter().fold(0, |set, host| set | bit(Peer::Miner(host.id)))
    }

    fn me(&self, host: usize) -> Receivers {
        bit(Peer::Miner(self.run.world.hosts[host].id))
    }

    fn host(&self, miner: MinerId) -> usize {
        self.run.world.host_of(miner).expect("an honest miner")
    }

    fn perform(&mut self, operation: Operation) {
        self.run.perform(&operation);
        let failure = self.run.failure();
        assert!(failure.is_none(), "{} after {operation:?}", failure.expect("there is one"));
    }

    /// Everything of a kind arrives everywhere.
    fn deliver(&mut self, kind: Kind) {
        self.perform(Operation::DeliverAll { to: self.all(), kind: Some(kind) });
    }

    fn windows(&mut self) {
        self.perform(Operation::FireAll { waits: false });
    }

    /// All give their subround up and enter the next.
    fn next_subround(&mut self) {
        self.perform(Operation::FireAll { waits: true });
        self.deliver(Kind::Timeout);
        self.deliver(Kind::BeaconShare);
    }

    /// The block of a generator in a subround.
    fn block(&self, round: u64, subround: u32, generator: MinerId) -> BlockId {
        let is = |block: &&Arc<Block>| {
            let place = (block.round(), block.subround(), block.header().generator);
            place == (Round(round), Subround(subround), generator)
        };
        self.run.world.blocks.iter().find(is).expect("it has proposed").id()
    }

    /// The generators of a host's own subround, best rank first.
    fn order(&self, host: usize) -> Vec<MinerId> {
        self.run.world.draw_of(host).expect("the world reaches it").order.clone()
    }

    /// One miner gets one block's proposal, and its window closes.
    fn selects(&mut self, host: usize, block: BlockId) {
        self.shown(host, block);
        let (round, subround) =
            (self.run.world.hosts[host].miner.round(), self.run.world.hosts[host].miner.subround());
        self.perform(Operation::Fire { host, timer: Timer::Window { round, subround }, crash: None });
    }

    /// One miner gets one block's proposal.
    fn shown(&mut self, host: usize, block: BlockId) {
        let me = self.me(host);
        let sent = self.run.world.network.sent();
        let is = |index: &usize| {
            let envelope = &sent[*index];
            matches!(&envelope.content, Content::Message(Message::Proposal(known))
                if known.block.id() == block)
                && envelope.to & me != 0
        };
        let found = (0..sent.len()).find(is);
        if let Some(message) = found {
            self.perform(Operation::Deliver { message, to: me, crash: None });
        }
    }

    /// One miner gets the tickets for a block, and leaves its round through it.
    fn leaves(&mut self, host: usize, block: BlockId) {
        let to = self.me(host);
        self.perform(Operation::DeliverTickets { to, block });
    }

    /// A Byzantine member does something, and tells some.
    fn byzantine(&mut self, member: u16, deed: Deed, to: Receivers) {
        self.perform(Operation::Byzantine { member: MinerId(member), deed, to });
    }

    fn ticket(&self, block: BlockId) -> LogRecord {
        let found = self.run.world.block(&block).expect("it was proposed");
        LogRecord::ticket(found.round(), found.subround(), block.0)
    }

    /// Every round has two notarized blocks, one in each of two subrounds, and two branches grow side by side, one on each: the
    /// generator of subround 0 has entered through the first, that of subround 1 through the second. Returns the tips.
    fn grow_two_branches(&mut self, rounds: u64) -> (BlockId, BlockId) {
        let mut tips = None;
        for round in 1..=rounds {
            self.deliver(Kind::BeaconShare);
            let mut of_round = Vec::new();
            for subround in 0..2 {
                if subround == 1 {
                    self.next_subround();
                }
                let generator = self.order(0)[0];
                self.deliver(Kind::Proposal);
                self.windows();
                of_round.push(self.block(round, subround, generator));
            }
            let (first, second) = (of_round[0], of_round[1]);
            tips = Some((first, second));
            if round < rounds {
                let next = self.run.world.ground.order(round + 1, 0)[0];
                for host in 0..self.run.world.hosts.len() {
                    let through = if self.host(next) == host { first } else { second };
                    self.leaves(host, through);
                }
            }
        }
        tips.expect("at least one round")
    }

    /// Some miner ends each of the two branches.
    fn end_branches(&mut self, (first, second): (BlockId, BlockId)) {
        self.leaves(0, first);
        self.leaves(1, second);
        for host in [0, 1] {
            let round = self.run.world.hosts[host].entered.0.previous().expect("it has left one");
            self.perform(Operation::Fire { host, timer: Timer::Finality { round }, crash: None });
        }
    }

    fn violated(&self) -> BTreeSet<&'static str> {
        self.run.judges.oracle.violated.clone()
    }
}

/// Whether the generators of the two subrounds of each round are different miners.
fn alternates(play: &Play) -> bool {
    let ground = &play.run.world.ground;
    (1..=4).all(|round| ground.order(round, 0) != ground.order(round, 1))
}

fn ids(ids: &[&'static str]) -> BTreeSet<&'static str> {
    ids.iter().copied().collect()
}

/// "two subrounds" and "notarized = final", "depth k", "2 delta".
#[test]
fn two_branches_contradict_every_finality_without_votes() {
    let two_branches = |finality, rounds| {
        let mut play = Play::new(Rules { finality, ..HARDENED }, &[], 1, alternates);
        let tips = play.grow_two_branches(rounds);
        play.end_branches(tips);
        play.violated()
    };
    assert_eq!(two_branches(FinalityRule::TwoThirds, 1), ids(&["S5"]));
    assert_eq!(two_branches(FinalityRule::TwoDelta, 1), ids(&["S5"]));
    for depth in 0..=3 {
        let finality = FinalityRule::CommonAncestor { depth };
        assert_eq!(two_branches(finality, u64::from(depth) + 1), ids(&["S5"]), "depth {depth}");
        if depth > 0 {
            assert_eq!(two_branches(finality, depth.into()), ids(&[]), "depth {depth}, a round too few");
        }
    }
    // W2 and nothing wrong: two notarized blocks in each of four rounds.
    assert_eq!(two_branches(FinalityRule::Votes, 4), ids(&[]));
}

/// "late better rank": three miners ticket the block of rank 1, and then the better one, too.
#[test]
fn a_late_better_rank_makes_two_notarized_blocks_of_one_subround() {
    let late = |ticket| {
        let mut play = Play::new(Rules { ticket, ..HARDENED }, &[], 2, |_| true);
        play.deliver(Kind::BeaconShare);
        let order = play.order(0);
        let (better, worse) = (play.block(1, 0, order[0]), play.block(1, 0, order[1]));
        for host in 0..4 {
            play.selects(host, worse);
        }
        for host in 0..4 {
            play.shown(host, better);
        }
        let owner = play.host(order[0]);
        play.leaves(owner, worse);
        play.leaves((owner + 1) % 4, better);
        (play.violated(), play.run.world.notarized.len())
    };
    assert_eq!(late(TicketRule::BetterRank), (ids(&["S2"]), 2));
    assert_eq!(late(TicketRule::BetterOrEqualRank), (ids(&["S2"]), 2));
    assert_eq!(late(TicketRule::OncePerSubround), (ids(&[]), 1));
}

/// "amnesia": a miner forgets its ticket and signs another; the Byzantine one signs both.
#[test]
fn a_miner_that_forgets_its_ticket_makes_two_notarized_blocks_of_one_subround() {
    let forgets = |ticket_log| {
        let honest = |play: &Play| play.run.world.ground.order(1, 0).iter().all(|id| id.0 != 3);
        let mut play = Play::new(Rules { ticket_log, ..HARDENED }, &[3], 2, honest);
        play.deliver(Kind::BeaconShare);
        let order = play.order(0);
        let (better, worse) = (play.block(1, 0, order[0]), play.block(1, 0, order[1]));
        let (first, second) = (play.host(order[0]), play.host(order[1]));
        let forgetful = 3 - first - second;
        play.selects(forgetful, worse);
        play.selects(second, worse);
        play.selects(first, better);
        play.perform(Operation::Crash { host: forgetful });
        play.perform(Operation::Restart { host: forgetful });
        play.deliver(Kind::BeaconShare);
        play.perform(Operation::Fire {
            host: forgetful,
            timer: Timer::Resend { round: Round(1), subround: Subround(0) },
            crash: None,
        });
        // The shares of the others are said again.
        for host in [first, second] {
            let timer = Timer::Resend { round: Round(1), subround: Subround(0) };
            play.perform(Operation::Fire { host, timer, crash: None });
        }
        play.deliver(Kind::BeaconShare);
        play.selects(forgetful, better);
        for block in [better, worse] {
            let record = play.ticket(block);
            play.byzantine(3, Deed::Sign(record), play.all());
        }
        play.leaves(second, worse);
        play.leaves(first, better);
        play.violated()
    };
    let violated = forgets(TicketLogRule::Volatile);
    assert!(violated.contains("S1") && violated.contains("S2"), "{violated:?}");
    assert_eq!(forgets(TicketLogRule::Durable), ids(&[]));
}

/// "f + 1 Byzantine": two of four; each honest miner sees one branch, and both are final. The signed messages convict the
/// guilty, and no honest miner.
#[test]
fn one_byzantine_miner_too_many_breaks_hardened_and_is_convicted() {
    let mut play = Play::new(HARDENED, &[2, 3], 1, |play| play.run.world.ground.order(1, 0)[0].0 == 3);
    play.deliver(Kind::BeaconShare);
    let genesis = play.run.world.ground.config.genesis.id();
    for host in [0, 1] {
        let to = play.me(host);
        let (round, subround) = (Round(1), Subround(0));
        play.byzantine(3, Deed::Propose { round, subround, parent: genesis, flaw: Flaw::None }, to);
        play.deliver(Kind::Proposal);
        play.windows();
    }
    let blocks: Vec<BlockId> = play.run.world.blocks.iter().map(|block| block.id()).collect();
    for (host, block) in [(0, blocks[0]), (1, blocks[1])] {
        let ticket = play.ticket(block);
        let vote = LogRecord::finality_vote(Round(1), Subround(0), block.0);
        let to = play.me(host);
        for (record, kind) in [(ticket, Kind::Notarization), (vote, Kind::FinalityCertificate)] {
            play.byzantine(3, Deed::Certify(record), to);
            // That one, and nothing from the other honest miner.
            let from = Peer::Miner(MinerId(3));
            let sent = play.run.world.network.sent();
            let is = |index: &usize| (sent[*index].from, sent[*index].kind) == (from, kind);
            let message = (0..sent.len()).rev().find(is).expect("it is enough for a certificate");
            play.perform(Operation::Deliver { message, to, crash: None });
        }
    }
    play.perform(Operation::DeliverAll { to: play.all(), kind: None });
    let violated = play.violated();
    assert!(violated.contains("S2") && violated.contains("S5"), "{violated:?}");
    assert!(!violated.contains("S10"), "an honest miner is convicted: {violated:?}");
    let convicted: BTreeSet<u16> = (play.run.world.hosts.iter())
        .flat_map(|host| host.miner.evidence())
        .flat_map(|evidence| evidence.convicts())
        .map(|id| id.0)
        .collect();
    assert_eq!(convicted, BTreeSet::from([2, 3]), "2q - n of them");
}

/// One miner leaves round 1 through the block of subround 0, two through that of subround 1; the fourth is Byzantine and silent.
fn split(rules: Rules) -> Play {
    let fits = |play: &Play| {
        let order = play.order(0);
        order[0].0 != 3
    };
    let seeds = |play: &Play| fits(play) && grow_split(&mut Play { run: play.run.clone() }).is_some();
    let mut play = Play::new(rules, &[3], 1, seeds);
    grow_split(&mut play).expect("it did just now");
    play
}

fn grow_split(play: &mut Play) -> Option<()> {
    play.deliver(Kind::BeaconShare);
    let mut blocks = Vec::new();
    for subround in 0..2 {
        if subround == 1 {
            play.next_subround();
        }
        let generator = play.order(0)[0];
        play.run.world.host_of(generator)?;
        play.deliver(Kind::Proposal);
        play.windows();
        blocks.push(play.block(1, subround, generator));
    }
    for (host, block) in [(0, blocks[0]), (1, blocks[1]), (2, blocks[1])] {
        play.leaves(host, block);
    }
    Some(())
}

/// "beacon split": chained to the first notarized block that arrived, honest miners sign different beacon messages for ever;
/// where they adopt the greatest seed, they come together.
#[test]
fn a_split_beacon_stops_the_chain_unless_miners_adopt() {
    let chained = Rules { beacon: BeaconRule::Chained, ..HARDENED };
    let first = Rules { subround_switch: SubroundSwitchRule::FirstArrival, ..chained };
    let mut play = split(first);
    play.deliver(Kind::BeaconShare);
    assert!(calm(&mut play.run.world.clone(), &mut ()).is_err());
    // Where the model's miners do not adopt, this one may not either.
    let mut other = split(chained);
    let mut protocol = Protocol::clone(&other.run.judges.refinement.protocol);
    protocol.rules.subround_switch = zus_checker::rules::SubroundSwitchRule::FirstArrival;
    other.run.judges.refinement.protocol = Arc::new(protocol);
    other.run.perform(&Operation::DeliverAll { to: other.me(0), kind: None });
    assert!(other.run.judges.refinement.finding.is_some(), "negative control");
    let mut play = split(chained);
    let before = play.run.judges.refinement.actions.len();
    play.perform(Operation::DeliverAll { to: play.me(0), kind: None });
    let adopts = play.run.judges.refinement.actions[before..]
        .iter()
        .any(|action| matches!(action, Action::Adopt { miner: 0, .. }));
    assert!(adopts, "the miner of the smaller seed adopts the other block");
    assert!(calm(&mut play.run.world.clone(), &mut ()).is_ok());
    assert!(calm(&mut split(HARDENED).run.world.clone(), &mut ()).is_ok());
}

/// The shortest run that stops `documented` and `deployed`: a notarization that the Byzantine miner completes and shows to one
/// miner, which nobody relays.
fn shown_to_one(rules: Rules) -> bool {
    let mut play = Play::new(rules, &[3], 1, |play| play.order(0)[0].0 == 0);
    play.deliver(Kind::BeaconShare);
    let block = play.block(1, 0, MinerId(0));
    // The third gives the subround up, and tickets nothing there.
    let timer = Timer::Wait { round: Round(1), subround: Subround(0) };
    play.perform(Operation::Fire { host: 2, timer, crash: None });
    play.selects(0, block);
    play.selects(1, block);
    let record = play.ticket(block);
    play.byzantine(3, Deed::Certify(record), play.me(1));
    play.perform(Operation::DeliverAll { to: play.me(1), kind: Some(Kind::Notarization) });
    assert_eq!(play.run.world.hosts[1].miner.round(), Round(2));
    assert_eq!(play.run.world.hosts[0].miner.round(), Round(1));
    calm(&mut play.run.world.clone(), &mut ()).is_ok()
}

#[test]
fn a_notarization_shown_to_one_miner_stops_the_profiles_without_an_echo() {
    assert!(!shown_to_one(Rules::DOCUMENTED));
    assert!(!shown_to_one(Rules::DEPLOYED));
    assert!(!shown_to_one(Rules { echo: EchoRule::None, ..HARDENED }));
    assert!(shown_to_one(HARDENED));
    assert!(shown_to_one(Rules { subround_entry: SubroundEntryRule::Local, ..HARDENED }));
    assert!(shown_to_one(Rules { beacon: BeaconRule::Chained, ..HARDENED }));
}
