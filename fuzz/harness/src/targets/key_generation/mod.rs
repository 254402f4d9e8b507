//! Whole key generations: honest members, and at most `f` dishonest ones that do what the bytes say.
//!
//! Dishonest members are played without the production crate's secret side: their polynomials are drawn here, their shares
//! are sealed with HPKE as its documentation says (the context restated), and what they sign is signed with their identity
//! keys. What must become of every dealer, receipt and share is worked out from what was done, never from what a transcript
//! says.

mod committee;
mod dishonest;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use zus_bpp::committee::MinerId;
use zus_bpp::crypto::dkg::{
    Dealing, Disqualified, Member, MemberError, Outcome, Receipt, Settlement, ShareRefused, TranscriptError,
};
use zus_bpp::crypto::keys::DomainTag;
use zus_bpp::epochs::record::Record;

pub use committee::session_of_four;
use committee::{Committee, decryption, of_size};
use dishonest::{Deals, Dishonest, Plan, Settles, early_settlement};

/// A key generation in which everybody has dealt and settled.
struct Generation {
    committee: &'static Committee,
    honest: Vec<Member>,
    dishonest: BTreeMap<MinerId, Dishonest>,
    /// The expected verdict on each dealer.
    verdicts: BTreeMap<MinerId, Result<(), Disqualified>>,
}

/// Honest members agree on who qualifies and on the key, no honest dealer is left out while the network keeps its promise,
/// a dealer is left out exactly when the protocol says so, and any `t` shares sign while fewer do not.
///
/// # Panics
/// When it is not so, with the plan.
pub fn dkg(bytes: &[u8]) {
    let plan = Plan::read(bytes);
    if let Err(wrong) = generate(&plan) {
        panic!("{wrong}\nin {plan:#?}");
    }
}

/// The meaning of an input.
pub fn tell(bytes: &[u8]) -> String {
    format!("{:#?}", Plan::read(bytes))
}

fn require(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong()) }
}

fn require_same<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    require(found == expected, || format!("{what}: {found:?}, expected {expected:?}"))
}

fn generate(plan: &Plan) -> Result<(), String> {
    let committee = of_size(plan.n);
    let session = &committee.session;
    let join = |me: MinerId| {
        let seed = [plan.seed.wrapping_add(me.0 as u8); 32];
        let identity = committee.identity(me).clone();
        Member::new(Arc::clone(session), me, identity, decryption(me.0), &seed).expect("registered keys")
    };
    let is_honest = |member: &MinerId| !plan.dishonest.contains_key(member);
    let honest = session.members().filter(is_honest).map(join).collect();
    let dishonest = plan
        .dishonest
        .iter()
        .map(|(&me, &deeds)| (me, Dishonest::new(committee, me, deeds, plan.seed)))
        .collect();
    let mut generation = Generation { committee, honest, dishonest, verdicts: BTreeMap::new() };
    generation.deal(plan)?;
    generation.settle(plan)?;
    generation.finish()
}

impl Generation {
    /// Every honest member hears all dealings in an order of its own, and answers.
    fn deal(&mut self, plan: &Plan) -> Result<(), String> {
        let session = &self.committee.session;
        let mut broadcast: Vec<Dealing> = self.honest.iter().map(|member| member.dealing().clone()).collect();
        for dishonest in self.dishonest.values() {
            if !matches!(dishonest.deeds.deals, Deals::Nothing | Deals::Late) {
                broadcast.extend(dishonest.dealings.iter().cloned());
            }
        }
        let mut receipts: Vec<Receipt> = Vec::new();
        for index in 0..self.honest.len() {
            let me = self.honest[index].me();
            let (start, twice) = plan.orders[usize::from(me.0)];
            self.replay(index)?;
            let mut seen: Vec<MinerId> = Vec::new();
            for position in 0..broadcast.len() {
                let dealing = &broadcast[(start + position) % broadcast.len()];
                let answer = self.honest[index].on_dealing(dealing);
                self.judge_answer(me, dealing, seen.contains(&dealing.dealer), &answer)?;
                seen.push(dealing.dealer);
                let Ok(receipt) = answer else { continue };
                if twice {
                    require_same(
                        "the same dealing again",
                        self.honest[index].on_dealing(dealing),
                        Ok(receipt),
                    )?;
                }
                require_same("a receipt, read back", Receipt::decode(&receipt.encode()), receipt)?;
                receipts.push(receipt);
            }
            for (&dealer, _) in self.dishonest.iter().filter(|(_, it)| it.deeds.settles == Settles::Early) {
                let early = self.honest[index].on_settlement(&early_settlement(self.committee, dealer));
                let refused =
                    matches!(early, Err(MemberError::Transcript(TranscriptError::WrongPhase { .. })));
                require(refused, || format!("an early settlement: {early:?}"))?;
            }
            self.honest[index].end_dealing().map_err(|error| error.to_string())?;
        }
        for receipt in receipts {
            self.hand_over(plan, receipt, true)?;
        }
        // Dishonest recipients sign what they like, for the first dealing of each dealer.
        for (&recipient, dishonest) in &plan.dishonest {
            for dealing in &broadcast {
                let (dealer, bit) = (dealing.dealer, dealing.dealer.0);
                if dishonest.withholds >> bit & 1 == 1 {
                    continue;
                }
                let genuine = dishonest.garbles >> bit & 1 == 0;
                let digest = if genuine { dealing.digest(session) } else { [9; 32] };
                let signature = self.committee.identity(recipient).sign(DomainTag::DKG_RECEIPT, &digest);
                self.hand_over(
                    plan,
                    Receipt { attempt: session.attempt(), dealer, recipient, signature },
                    genuine,
                )?;
            }
        }
        // A dealing after the deadline is refused.
        for dishonest in self.dishonest.values().filter(|other| other.deeds.deals == Deals::Late) {
            for member in &mut self.honest {
                let late = member.on_dealing(&dishonest.dealings[0]);
                require(
                    matches!(late, Err(MemberError::Transcript(TranscriptError::WrongPhase { .. }))),
                    || format!("a late dealing: {late:?}"),
                )?;
            }
        }
        Ok(())
    }

    /// A message of the attempt before is refused for that reason, and under the number of this attempt it is not
    /// authentic. Nobody is blamed: the verdicts are compared in the end.
    fn replay(&mut self, index: usize) -> Result<(), String> {
        let (expected, dealing) = (self.committee.session.attempt(), &self.committee.replayed);
        let (found, dealer) = (dealing.attempt, dealing.dealer);
        let member = &mut self.honest[index];
        let other =
            MemberError::Transcript(TranscriptError::OtherAttempt { sender: dealer, found, expected });
        require_same("a replayed dealing", member.on_dealing(dealing), Err(other))?;
        let relabelled = Dealing { attempt: expected, ..dealing.clone() };
        let refused = Err(MemberError::Transcript(TranscriptError::NotAuthentic { dealer }));
        require_same("a replayed dealing, relabelled", member.on_dealing(&relabelled), refused)?;
        let signature = relabelled.signature;
        let receipt = Receipt { attempt: found, dealer: member.me(), recipient: dealer, signature };
        require_same("a replayed receipt", member.on_receipt(receipt.recipient, &receipt), Err(other))
    }

    /// Whether a recipient's answer is what the dealing deserves.
    fn judge_answer(
        &self,
        me: MinerId,
        dealing: &Dealing,
        again: bool,
        answer: &Result<Receipt, MemberError>,
    ) -> Result<(), String> {
        let dealer = dealing.dealer;
        let wrong = |expected: &str| Err(format!("{me} answers {dealer}: {answer:?}, expected {expected}"));
        let Some(dishonest) = self.dishonest.get(&dealer) else {
            return if answer.is_ok() { Ok(()) } else { wrong("a receipt") };
        };
        if dishonest.counted() == 0 {
            let refused = Err(MemberError::Transcript(TranscriptError::NotAuthentic { dealer }));
            return if *answer == refused { Ok(()) } else { wrong("that it is not authentic") };
        }
        if again {
            let refused = Err(MemberError::Share(ShareRefused::SecondDealing { dealer }));
            return if *answer == refused { Ok(()) } else { wrong("that it is a second dealing") };
        }
        match (dishonest.served[usize::from(me.0)], dishonest.deeds.deals, answer) {
            (true, _, Ok(_)) => Ok(()),
            (true, ..) => wrong("a receipt"),
            (false, Deals::Unreadable(_), Err(MemberError::Share(ShareRefused::Unreadable { .. }))) => Ok(()),
            (false, Deals::WrongShares(_), Err(MemberError::Share(ShareRefused::Wrong { .. }))) => Ok(()),
            (false, ..) => wrong("that the share is wrong or cannot be read"),
        }
    }

    /// A receipt reaches its dealer, unless the network loses it.
    fn hand_over(&mut self, plan: &Plan, receipt: Receipt, genuine: bool) -> Result<(), String> {
        let dealer = receipt.dealer;
        if let Some(dishonest) = self.dishonest.get_mut(&dealer) {
            // Each keeps receipts that are for its first dealing; it is the only one that counts for a settlement.
            let first = dishonest.dealings[0].digest(&self.committee.session);
            let key = self.committee.identity(receipt.recipient).public_key();
            if key.verify(DomainTag::DKG_RECEIPT, &first, &receipt.signature) {
                dishonest.receipts.insert(receipt.recipient, receipt.signature);
            }
            return Ok(());
        }
        if plan.lost[usize::from(dealer.0)] >> receipt.recipient.0 & 1 == 1 {
            return Ok(());
        }
        let member = self.honest.iter_mut().find(|member| member.me() == dealer).expect("an honest dealer");
        let taken = member.on_receipt(receipt.recipient, &receipt);
        require(taken.is_ok() == genuine, || format!("{receipt:?}, genuine {genuine}: {taken:?}"))
    }

    /// Everybody settles, and everybody hears it.
    fn settle(&mut self, plan: &Plan) -> Result<(), String> {
        let session = Arc::clone(&self.committee.session);
        let allowed = session.parameters().max_revealed();
        let mut broadcast: Vec<(Settlement, bool)> = Vec::new();
        for member in &self.honest {
            let me = member.me();
            let missing = session.members().filter(|recipient| {
                let lost = plan.lost[usize::from(me.0)] >> recipient.0 & 1 == 1;
                let deeds = plan.dishonest.get(recipient);
                lost || deeds.is_some_and(|deeds| (deeds.withholds | deeds.garbles) >> me.0 & 1 == 1)
            });
            let missing = missing.count();
            let settled = member.settle();
            let settles = missing <= allowed;
            let verdict = if settles { Ok(()) } else { Err(Disqualified::NoSettlement) };
            require(settled.is_ok() == settles, || format!("{me} without {missing} receipts: {settled:?}"))?;
            // Where nothing of honest members is lost, the dishonest ones are too few to keep an honest dealer out.
            let promised = plan.lost.iter().all(|&lost| lost == 0);
            require(settles || !promised, || format!("honest dealer {me} is kept out"))?;
            self.verdicts.insert(me, verdict);
            broadcast.extend(settled.ok().map(|settlement| (settlement, true)));
        }
        for (&me, dishonest) in &self.dishonest {
            let (settlements, fault) = dishonest.settle(self.committee, me);
            let authentic = dishonest.deeds.settles != Settles::OtherSize;
            let verdict = match dishonest.counted() {
                0 => Err(Disqualified::NoDealing),
                1 => fault.map_or(Ok(()), Err),
                _ => Err(Disqualified::TwoDealings),
            };
            self.verdicts.insert(me, verdict);
            broadcast.extend(settlements.into_iter().map(|it| (it, authentic && dishonest.counted() > 0)));
        }
        for member in &mut self.honest {
            let (start, twice) = plan.orders[usize::from(member.me().0)];
            for position in 0..broadcast.len() {
                let (settlement, authentic) = &broadcast[(start + position) % broadcast.len()];
                for _ in 0..=u8::from(twice) {
                    let taken = member.on_settlement(settlement);
                    let told = || format!("settlement of {}: {taken:?}", settlement.dealer);
                    require(taken.is_ok() == *authentic, told)?;
                }
            }
        }
        Ok(())
    }

    /// S11: of the dealing of an honest dealer that counts, the dishonest members know their own shares and those that its
    /// settlement reveals. These are too few, so that the key is a secret until a member that is not exposed uses its share.
    fn exposes_no_value(&self, outcome: &Outcome) -> Result<(), String> {
        for member in self.honest.iter().filter(|member| outcome.qualified().contains_key(&member.me())) {
            let settlement = member.settle().map_err(|error| error.to_string())?;
            let revealed = settlement.revealed().map(|(owner, _)| owner);
            let others = revealed.filter(|owner| !self.dishonest.contains_key(owner)).count();
            let known = self.dishonest.len() + others;
            let needed = outcome.key().threshold();
            require(known < needed, || {
                format!(
                    "S11: {known} shares of the dealing of {} are known, and {needed} make the key",
                    member.me()
                )
            })?;
        }
        Ok(())
    }

    /// The same verdicts and the same key for everybody, and a working share each.
    fn finish(&self) -> Result<(), String> {
        let session = &self.committee.session;
        for member in &self.honest {
            for (&dealer, verdict) in &self.verdicts {
                let found = member.transcript().qualifies(dealer);
                require_same(&format!("{} about dealer {dealer}", member.me()), found, *verdict)?;
            }
        }
        let qualified: Vec<MinerId> =
            self.verdicts.iter().filter(|(_, verdict)| verdict.is_ok()).map(|(dealer, _)| *dealer).collect();
        let parameters = session.parameters();
        let mut results = Vec::new();
        for member in &self.honest {
            match member.finish() {
                Ok(result) => results.push((member.me(), result)),
                Err(MemberError::Transcript(TranscriptError::TooFewQualified { .. }))
                    if qualified.len() < parameters.min_qualified() => {}
                Err(error) => return Err(format!("{}: no key of {qualified:?}: {error}", member.me())),
            }
        }
        if qualified.len() < parameters.min_qualified() {
            return require(results.is_empty(), || format!("a key of only {qualified:?}"));
        }
        let (_, (outcome, _)) = &results[0];
        let dealers: Vec<MinerId> = outcome.qualified().keys().copied().collect();
        require_same("the qualified dealers", dealers, qualified)?;
        let message = b"zus fuzz key generation";
        let mut shares = Vec::new();
        for (me, (other, share)) in &results {
            require(other == outcome, || format!("{me} has another key"))?;
            let signature = share.sign(message);
            require(outcome.key().verify_share(*me, message, &signature), || format!("the share of {me}"))?;
            shares.push((*me, signature));
        }
        let t = parameters.threshold();
        self.exposes_no_value(outcome)?;
        let value = outcome.key().combine(message, &shares).map_err(|error| error.to_string())?;
        require(outcome.key().verify(message, &value), || "the group's signature does not verify".into())?;
        let last = outcome.key().combine(message, &shares[shares.len() - t..]);
        require_same("the last shares combine", last, Ok(value))?;
        require(outcome.key().combine(message, &shares[..t - 1]).is_err(), || "too few combine".into())?;
        // The record for the next epoch, encoded and read back, is the same, and has the same key.
        let record = self.committee.record(outcome)?;
        let read = Record::decode(&record.encode()).map_err(|error| error.to_string())?;
        require(read == record, || "the record reads back as another".into())?;
        let checked = Arc::new(read).check_first(session.chain()).map_err(|error| error.to_string())?;
        let keys = checked.committee_keys().map_err(|error| error.to_string())?;
        require(keys.beacon() == outcome.key(), || "the record has another key".into())
    }
}
