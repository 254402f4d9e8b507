//! Liveness in numbers: the proof, the model's good period, the production code and the documents have the same ones, those of
//! `zus_protocol::synchrony`.

use std::{collections::BTreeMap, path::Path};
use zus_proofs::{
    spec::{Formula, RelationId, RuleChoice, Sources, Spec, Term, load},
    stalls,
};
use zus_protocol::{
    ids::{MinerId, Round, Subround},
    rules::Rules,
    synchrony::{ENDED, FINAL, LEFT, NOTARIZED, TICKET_WAIT, WINDOW},
};
use zus_spec::{Action, Bounds, Exploration, Generator, Instance, Network, Order, State};

/// The numbers of one source, by their names.
type Numbers = BTreeMap<&'static str, u32>;

/// The numbers that everybody shares.
fn shared() -> Numbers {
    let all = [
        ("WINDOW", WINDOW),
        ("TICKET_WAIT", TICKET_WAIT),
        ("NOTARIZED", NOTARIZED),
        ("LEFT", LEFT),
        ("FINAL", FINAL),
        ("ENDED", ENDED),
    ];
    all.into_iter().collect()
}

/// A tick told by p0 and W: so many windows, and so many ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct At {
    windows: u32,
    ticks: u32,
}

/// The ticks that the axioms of a specification name, and the properties that speak of them.
struct Ticks<'a> {
    spec: &'a Spec,
    at: BTreeMap<Term, At>,
}

impl<'a> Ticks<'a> {
    /// `next_tick` of the axioms adds a tick, and `window` adds a window.
    fn new(spec: &'a Spec) -> Self {
        let mut at = BTreeMap::from([(constant(spec, "p0"), At { windows: 0, ticks: 0 })]);
        let axioms = spec.axioms.iter().filter(|axiom| ["phases", "windows"].contains(&axiom.name.as_str()));
        let facts: Vec<_> = axioms.flat_map(|axiom| atoms(&axiom.formula)).collect();
        let relation = |name: &str| spec.relation(name).unwrap();
        for _ in 0..facts.len() {
            for (of, terms) in &facts {
                let [.., from, to] = &terms[..] else { continue };
                let Some(&before) = at.get(from) else { continue };
                if *of == relation("next_tick") {
                    at.insert(to.clone(), At { ticks: before.ticks + 1, ..before });
                } else if *of == relation("window") {
                    at.insert(to.clone(), At { windows: before.windows + 1, ..before });
                }
            }
        }
        Ticks { spec, at }
    }

    /// The two ticks of the axiom that says that one is not after the other.
    fn ordered(&self, axiom: &str) -> [Term; 2] {
        let axiom = self.spec.axioms.iter().find(|found| found.name == axiom).unwrap();
        let tick_le = self.spec.relation("tick_le").unwrap();
        let mut found = atoms(&axiom.formula).into_iter().filter(|(of, _)| *of == tick_le);
        let (_, terms) = found.next().unwrap();
        assert!(found.next().is_none(), "{} orders more than two ticks", axiom.name);
        terms.try_into().unwrap()
    }

    /// Ticks after W of the one tick that has come where a property speaks.
    fn of_property(&self, name: &str) -> u32 {
        let At { windows, ticks } = self.at[&self.reached(name)];
        assert_eq!(windows, 1, "{name} speaks of a tick that is not one window after p0");
        ticks
    }

    fn reached(&self, name: &str) -> Term {
        let property = self.spec.statement(name).unwrap();
        let reached = self.spec.relation("reached").unwrap();
        let mut found = atoms(&property.formula).into_iter().filter(|(of, _)| *of == reached);
        let (_, terms) = found.next().unwrap();
        assert!(found.next().is_none(), "{name} speaks of more than one tick that has come");
        terms.into_iter().next().unwrap()
    }
}

fn constant(spec: &Spec, name: &str) -> Term {
    Term::constant(spec.function(name).unwrap())
}

/// The relations of a formula, each with its terms.
fn atoms(formula: &Formula) -> Vec<(RelationId, Vec<Term>)> {
    let mut found = Vec::new();
    formula.rewrite(&mut |atom| {
        if let Formula::Relation(of, _, terms) = atom {
            found.push((*of, terms.clone()));
        }
        atom.clone()
    });
    found
}

/// The numbers of the proof, out of its axioms and properties.
fn proved(spec: &Spec) -> Numbers {
    let ticks = Ticks::new(spec);
    let mut numbers = Numbers::new();
    // (tick_le p5 w0): a window that opens at p0 closes no earlier than p5.
    let [least, closes] = ticks.ordered("window-long");
    assert_eq!(ticks.at[&closes], At { windows: 1, ticks: 0 });
    assert_eq!(ticks.at[&least].windows, 0);
    numbers.insert("WINDOW", ticks.at[&least].ticks);
    // (tick_le q2 d0): a timer that starts at p0 ends no earlier than q2.
    let [least, ends] = ticks.ordered("timer-long");
    assert_eq!(ends, constant(spec, "d0"));
    assert_eq!(ticks.at[&least].windows, 1);
    numbers.insert("TICKET_WAIT", ticks.at[&least].ticks);
    numbers.insert("NOTARIZED", ticks.of_property("L1"));
    numbers.insert("LEFT", ticks.of_property("L1-all"));
    assert_eq!(ticks.of_property("L1-round"), ticks.of_property("L1-all"));
    numbers.insert("FINAL", ticks.of_property("L2-all"));
    assert_eq!(ticks.of_property("L2"), ticks.of_property("L2-all"));
    // Here the ticks are variables: the timer's end, and those after it.
    let property = spec.statement("L1-ends").unwrap();
    let (next, timer) = (spec.relation("next_tick").unwrap(), spec.relation("timer").unwrap());
    let facts = atoms(&property.formula);
    let mut at = facts.iter().find(|(of, _)| *of == timer).map(|(_, terms)| terms[2].clone()).unwrap();
    let mut after = 0;
    while at != ticks.reached("L1-ends") {
        at = facts
            .iter()
            .find(|(of, terms)| *of == next && terms[0] == at)
            .map(|(_, t)| t[1].clone())
            .unwrap();
        after += 1;
    }
    numbers.insert("ENDED", after);
    numbers
}

fn clock() -> Spec {
    load(&Sources::embedded(), &RuleChoice::new("synchronous")).unwrap()
}

#[test]
fn the_proof_has_the_shared_numbers() {
    assert_eq!(proved(&clock()), shared());
}

/// Each number of the proof is read, and not only believed: changed in the specification, it is another one here.
#[test]
fn a_number_that_is_changed_in_the_proof_is_seen() {
    let edits = [
        ("WINDOW", "(tick_le p5 w0)", "(tick_le p4 w0)"),
        ("TICKET_WAIT", "(tick_le q2 d0)", "(tick_le q3 d0)"),
        (
            "NOTARIZED",
            "(=> (and (led) (reached q2)) (out)))\n    (safety L1-all",
            "(=> (and (led) (reached q1)) (out)))\n    (safety L1-all",
        ),
        (
            "ENDED",
            "(joined x r s) (timer s x e) (next_tick e e1) (next_tick e1 e2) (reached e2) (previous_subround s t))\n          (passed",
            "(joined x r s) (timer s x e) (next_tick e e1) (next_tick e1 e2) (reached e1) (previous_subround s t))\n          (passed",
        ),
    ];
    for (name, from, to) in edits {
        let sources = Sources::embedded().edited(from, to).unwrap();
        let spec = load(&sources, &RuleChoice::new("synchronous")).unwrap();
        let (changed, shared) = (proved(&spec), shared());
        let differ: Vec<_> = changed.iter().filter(|(name, value)| shared[*name] != **value).collect();
        assert!(differ.len() == 1 && *differ[0].0 == name, "{name}: {differ:?}");
    }
}

/// The model's good period, in which each message takes one tick.
struct GoodPeriod {
    search: Exploration,
    state: State,
    ticks: u32,
}

impl GoodPeriod {
    /// Four members, one of them Byzantine and silent, and a sharder.
    fn new(rules: Rules, order: Order) -> Self {
        let mut instance = Instance::new(4, 1, rules, order);
        instance.network = Network::Synchronous;
        instance.observers = 1;
        let state = instance.initial();
        GoodPeriod { search: Exploration::new(instance, Bounds::new(4, 3)), state, ticks: 0 }
    }

    fn take(&mut self, action: &Action) {
        assert_eq!(self.search.instance.enabled(&self.state, action), Ok(()), "{action:?}");
        self.search.instance.apply(&mut self.state, action);
    }

    /// Everybody acts once on all messages that were there at the tick before. A certificate is made as soon as somebody has its parts,
    /// and what a miner has selected it tickets at once.
    fn tick(&mut self) {
        let instance = self.search.instance.clone();
        for made in self.search.steps(&self.state) {
            if matches!(made, Action::Notarize { .. }) {
                self.take(&made);
            }
        }
        for step in self.search.steps(&self.state) {
            let honest = !matches!(
                step,
                Action::ByzantinePropose { .. }
                    | Action::ByzantineTicket { .. }
                    | Action::ByzantineVote { .. }
                    | Action::ByzantineTimeout { .. }
            );
            if honest && instance.enabled(&self.state, &step).is_ok() {
                self.take(&step);
                if let Action::Select { miner, block } = step {
                    self.take(&Action::Ticket { miner, block });
                }
            }
        }
        self.ticks += 1;
    }

    /// Ticks until something holds; none if it does not within so many as no run needs.
    fn until(&mut self, holds: impl Fn(&State) -> bool) -> Option<u32> {
        while !holds(&self.state) {
            if self.ticks > 50 {
                return None;
            }
            self.tick();
        }
        Some(self.ticks)
    }
}

fn everybody(state: &State, holds: impl Fn(&zus_spec::state::Miner) -> bool) -> bool {
    state.miners.iter().all(holds)
}

/// The numbers of the model, out of runs of its good period.
fn modelled(rules: Rules) -> Option<Numbers> {
    let mut run = GoodPeriod::new(rules, Order { otherwise: vec![Generator::Honest], ..Order::default() });
    // Round 1 has tickets for a notarization, and nobody has left it. Between p0 and p1 miner 0 alone hears of it.
    run.until(|state| state.sent.tickets.values().any(|signers| signers.len() == 3))?;
    let block = *run.state.sent.blocks.keys().next()?;
    run.take(&Action::Notarize { block });
    run.take(&Action::Leave { miner: MinerId(0), block });
    run.ticks = 1;
    let entered = run.until(|state| everybody(state, |m| m.round == Round(2)))?;
    let proposed = run.until(|state| state.sent.blocks.keys().any(|block| block.round == Round(2)))?;
    let ticketed = run.until(|state| {
        state.sent.tickets.iter().any(|(block, signers)| block.round == Round(2) && signers.len() == 3)
    })?;
    // The last window opened when everybody had entered. A tick after it has closed the tickets are there.
    let after_window = |tick: u32| entered + 1 + (tick - ticketed);
    let left = run.until(|state| everybody(state, |m| m.round > Round(2)))?;
    let last = run.until(|state| state.heads.iter().all(|head| head.round == Round(2)))?;
    let mut numbers = Numbers::new();
    // A block that has been proposed by one tick is received by the next.
    numbers.insert("WINDOW", proposed + 1);
    numbers.insert("NOTARIZED", after_window(left));
    // One leaves, on a notarization that only it has seen. The others hear of it as those of round 1 did.
    numbers.insert("LEFT", after_window(left) + (entered - 1));
    numbers.insert("FINAL", after_window(last));
    // Nobody times out who has not the notarization by then.
    numbers.insert("TICKET_WAIT", after_window(left));

    let nobody = BTreeMap::from([((Round(1), Subround(0)), Vec::new())]);
    let mut run = GoodPeriod::new(rules, Order { listed: nobody, otherwise: vec![Generator::Honest] });
    let timed_out =
        run.until(|state| everybody(state, |m| m.log.timeouts.contains(&(Round(1), Subround(0)))))?;
    let next = run.until(|state| everybody(state, |m| m.subround == Subround(1)))?;
    numbers.insert("ENDED", 1 + (next - timed_out));
    Some(numbers)
}

#[test]
fn the_good_period_of_the_model_takes_as_many_ticks_as_the_proof_says() {
    assert_eq!(modelled(Rules::HARDENED), Some(shared()));
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn the_documents_say_the_shared_numbers() {
    let said = |path: &str, sentences: &[String]| {
        let text = read(path).split_whitespace().collect::<Vec<_>>().join(" ");
        for sentence in sentences {
            assert!(text.contains(sentence), "{path} does not say: {sentence}");
        }
    };
    let asked = format!("a window of at least {WINDOW}Δ and a wait for tickets of at least {TICKET_WAIT}Δ");
    let left = format!("all have left the round after W + {LEFT} ticks");
    let end = format!("its block is final after W + {FINAL} ticks");
    said("model/PROTOCOL.md", &[asked, left, end]);
    let waits = format!(
        "Its windows are W ticks, W at least {WINDOW}. Its timer is at least W + {TICKET_WAIT} ticks"
    );
    let one = format!("W + {NOTARIZED} ticks after p0 one miner that is up has a notarization of the round");
    let last = format!("W + {FINAL} ticks after p0 the leader's block has a finality certificate");
    said("proofs/LIVENESS.md", &[waits, one, last]);
}

/// Without these waits liveness is lost in a real run: that the code refuses shorter ones matters.
#[test]
fn shorter_waits_stall() {
    for item in ["axiom:window-long", "axiom:timer-long"] {
        let kept = stalls::kept(&clock()).unwrap();
        let (without, run) = kept.iter().find(|(_, run)| run.name == item).unwrap();
        let broken = stalls::broken(without, run);
        assert!(
            broken.iter().any(|property| property.starts_with("L1") || property.starts_with("L2")),
            "{item}: {broken:?}"
        );
    }
}
