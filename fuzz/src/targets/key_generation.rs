//! Whole key generations: honest members, and at most `f` dishonest ones that do what the bytes say.
//!
//! Dishonest members are played without the production crate's secret side: their polynomials are drawn here, their shares
//! are sealed with HPKE as its documentation says (the context restated), and what they sign is signed with their identity
//! keys. What must become of every dealer, receipt and share is worked out from what was done, never from what a transcript
//! says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use chacha20::rand_core::SeedableRng;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable};
use zus_bpp::committee::{ChainId, Epoch, MinerId};
use zus_bpp::crypto::bls::{DomainTag, SecretKey, aggregate};
use zus_bpp::crypto::certificate::Signers;
use zus_bpp::crypto::curve::Scalar;
use zus_bpp::crypto::dkg::{
    Dealing, DecryptionKey, Disqualified, Member, MemberError, Parameters, Receipt, Registration,
    SealedShare, Session, Settlement, ShareRefused, TranscriptError,
};
use zus_bpp::crypto::magic_block::MagicBlock;
use zus_bpp::crypto::polynomial::{Commitments, Polynomial, abscissa};
use zus_bpp::crypto::scheme::{SIGNATURE_BYTES, Signature};

use super::stream::Stream;
use crate::bounds::tolerated;

const CHAIN: ChainId = ChainId([3; 32]);
const EPOCH: Epoch = Epoch(8);
/// Committee sizes: one dishonest member of four, two of seven.
const SIZES: [u16; 4] = [4, 4, 4, 7];

/// A session with everybody's keys, opened once: opening one verifies proofs of possession.
struct Committee {
    session: Arc<Session>,
    identities: Vec<SecretKey>,
}

fn decryption(i: u16) -> DecryptionKey {
    DecryptionKey::from_seed(&[i as u8 + 101; 32])
}

impl Committee {
    fn of(n: u16) -> Self {
        let identities: Vec<SecretKey> = (0..n).map(|i| SecretKey::from_seed(&[i as u8 + 1; 32])).collect();
        let register =
            |(i, identity)| Registration::new(CHAIN, EPOCH, identity, decryption(i).encryption_key());
        let registrations = (0..).zip(&identities).map(register).collect();
        let parameters = Parameters::hardened(n.into());
        let session = Session::new(CHAIN, EPOCH, parameters, registrations);
        Self { session: Arc::new(session.expect("keys that prove themselves")), identities }
    }

    fn identity(&self, member: MinerId) -> &SecretKey {
        &self.identities[usize::from(member.0)]
    }
}

static FOUR: LazyLock<Committee> = LazyLock::new(|| Committee::of(4));
static SEVEN: LazyLock<Committee> = LazyLock::new(|| Committee::of(7));

/// The session of the committee of four, for decoders that need one.
pub(super) fn session_of_four() -> &'static Session {
    &FOUR.session
}

/// What a dishonest member deals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deals {
    /// As an honest one would.
    Rightly,
    /// Nothing.
    Nothing,
    /// After the deadline.
    Late,
    /// Shares of another polynomial to some members, sealed all the same.
    WrongShares(u8),
    /// Shares to some members that do not open.
    Unreadable(u8),
    /// Commitments to one coefficient too many.
    LongerPolynomial,
    /// Commitments to one coefficient too few.
    ShorterPolynomial,
    /// Two dealings.
    Twice,
    /// A dealing with the signature of somebody else.
    Unsigned,
}

/// How a dishonest member settles. Members without a right share sign no receipt, so that their shares are revealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Settles {
    /// With every receipt that it got, and the right shares of all others.
    Rightly,
    /// Not at all.
    Never,
    /// Before the phase begins.
    Early,
    /// Twice, differently.
    Twice,
    /// With a wrong share revealed in the place of a receipt.
    WrongShare,
    /// With one more share revealed than is allowed.
    RevealsTooMuch,
    /// As if everybody had signed a receipt.
    ClaimsReceipts,
    /// With receipts for another dealing.
    OtherReceipts,
    /// With a bitmap of another committee's size.
    OtherSize,
}

/// What a dishonest member does, as a dealer and as a recipient.
#[derive(Clone, Copy, Debug)]
struct Deeds {
    deals: Deals,
    settles: Settles,
    /// Dealers, as bits, that get no receipt from it: what is a false complaint elsewhere.
    withholds: u8,
    /// Dealers that get a receipt with a wrong signature from it.
    garbles: u8,
}

/// A run, before anything happens.
#[derive(Debug)]
struct Plan {
    n: u16,
    dishonest: BTreeMap<MinerId, Deeds>,
    /// By honest dealer, recipients whose receipts the network loses, as bits.
    lost: Vec<u8>,
    /// Where each member begins in the list of broadcasts, and whether it hears them twice.
    orders: Vec<(usize, bool)>,
    seed: u8,
}

impl Plan {
    fn read(bytes: &[u8]) -> Self {
        let mut stream = Stream::new(bytes);
        let n = SIZES[stream.below(SIZES.len())];
        let f = tolerated(n);
        let first = stream.below(n.into()) as u16;
        let count = if stream.below(8) == 0 { 0 } else { f };
        let mut dishonest = BTreeMap::new();
        for i in 0..count as u16 {
            let some = stream.byte();
            let deals = [
                Deals::Rightly,
                Deals::Nothing,
                Deals::Late,
                Deals::WrongShares(some),
                Deals::Unreadable(some),
                Deals::LongerPolynomial,
                Deals::ShorterPolynomial,
                Deals::Twice,
                Deals::Unsigned,
                Deals::WrongShares(1 << (some % 8)),
                Deals::Rightly,
                Deals::Rightly,
            ];
            let settles = [
                Settles::Rightly,
                Settles::Never,
                Settles::Early,
                Settles::Twice,
                Settles::WrongShare,
                Settles::RevealsTooMuch,
                Settles::ClaimsReceipts,
                Settles::OtherReceipts,
                Settles::OtherSize,
                Settles::Rightly,
            ];
            let deeds = Deeds {
                deals: deals[stream.below(deals.len())],
                settles: settles[stream.below(settles.len())],
                withholds: stream.byte(),
                garbles: stream.byte(),
            };
            dishonest.insert(MinerId((first + i) % n), deeds);
        }
        // Most networks are as the protocol assumes: what honest members say arrives.
        let loses = stream.below(4) == 0;
        let lost = (0..n).map(|_| if loses { stream.byte() & stream.byte() } else { 0 }).collect();
        let orders = (0..n).map(|_| (stream.byte().into(), stream.byte() & 1 == 1)).collect();
        Self { n, dishonest, lost, orders, seed: stream.byte() % 4 }
    }
}

/// What a dishonest member said and knows.
struct Dishonest {
    deeds: Deeds,
    polynomial: Polynomial,
    dealings: Vec<Dealing>,
    /// Who can read a right share in its first dealing.
    served: Vec<bool>,
    receipts: BTreeMap<MinerId, Signature>,
}

/// Draws a polynomial of `coefficients` coefficients.
fn polynomial(seed: u8, member: MinerId, coefficients: usize) -> Polynomial {
    let coefficient = |k: usize| {
        let mut wide = [seed; 64];
        (wide[0], wide[1], wide[2]) = (member.0 as u8, k as u8 + 1, 0x5a);
        Scalar::from_uniform_bytes(&wide)
    };
    Polynomial::new((0..coefficients).map(coefficient).collect())
}

/// Seals a share as the module doc of the production crate's encryption says: HPKE in base mode, bound to session, dealer,
/// recipient and commitments.
fn seal(
    session: &Session,
    dealer: MinerId,
    recipient: MinerId,
    points: &Commitments,
    share: &Scalar,
) -> SealedShare {
    let mut context = session.id().to_vec();
    context.extend(dealer.0.to_be_bytes());
    context.extend(recipient.0.to_be_bytes());
    points.points().iter().for_each(|point| context.extend(point.encode()));
    let registration = session.registration(recipient).expect("a member");
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&registration.encryption.encode());
    let mut randomness = chacha20::ChaCha20Rng::from_seed([dealer.0 as u8 ^ 0x77; 32]);
    let (encapsulated, sealed) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &key.expect("a registered key"),
            b"ZUS-BPP-V01-DKG-SHARE",
            &share.to_bytes()[..],
            &context,
            &mut randomness,
        )
        .expect("a registered key seals");
    let bytes = [&encapsulated.to_bytes()[..], &sealed].concat();
    SealedShare(bytes.try_into().expect("a sealed share has one length"))
}

impl Dishonest {
    fn new(committee: &Committee, me: MinerId, deeds: Deeds, seed: u8) -> Self {
        let session = &committee.session;
        let threshold = session.parameters().threshold;
        let coefficients = match deeds.deals {
            Deals::LongerPolynomial => threshold + 1,
            Deals::ShorterPolynomial => threshold - 1,
            _ => threshold,
        };
        let right = polynomial(seed, me, coefficients);
        let wrong = polynomial(seed ^ 0xff, me, coefficients);
        let spoiled = match deeds.deals {
            Deals::WrongShares(victims) | Deals::Unreadable(victims) => victims,
            _ => 0,
        };
        let dealing = |right: &Polynomial| {
            let commitments = right.commit().expect("no coefficient is zero");
            let sealed = session.members().map(|recipient| {
                let spoiled = spoiled >> recipient.0 & 1 == 1;
                let share = if spoiled { &wrong } else { right }.evaluate(abscissa(recipient));
                let mut sealed = seal(session, me, recipient, &commitments, &share);
                if spoiled && matches!(deeds.deals, Deals::Unreadable(_)) {
                    sealed.0[40] ^= 1;
                }
                sealed
            });
            let sealed = sealed.collect();
            let mut dealing =
                Dealing { dealer: me, commitments, sealed, signature: Signature([0; SIGNATURE_BYTES]) };
            let signer =
                if deeds.deals == Deals::Unsigned { MinerId((me.0 + 1) % session.size() as u16) } else { me };
            dealing.signature =
                committee.identity(signer).sign(DomainTag::DKG_DEALING, &dealing.digest(session));
            dealing
        };
        let mut dealings = vec![dealing(&right)];
        if deeds.deals == Deals::Twice {
            dealings.push(dealing(&polynomial(seed ^ 0x33, me, coefficients)));
        }
        let served = session.members().map(|member| spoiled >> member.0 & 1 == 0).collect();
        Self { deeds, polynomial: right, dealings, served, receipts: BTreeMap::new() }
    }

    /// How many of its dealings are authentic and in time.
    fn counted(&self) -> usize {
        match self.deeds.deals {
            Deals::Nothing | Deals::Late | Deals::Unsigned => 0,
            Deals::LongerPolynomial | Deals::ShorterPolynomial => 0,
            Deals::Rightly | Deals::WrongShares(_) | Deals::Unreadable(_) => 1,
            Deals::Twice => 2,
        }
    }

    /// Its settlements, those that are authentic marked, and what they bring upon it if its dealing was in order.
    fn settle(&self, committee: &Committee, me: MinerId) -> (Vec<Settlement>, Option<Disqualified>) {
        let session = &committee.session;
        let (n, allowed) = (session.size(), session.parameters().max_revealed);
        let digest = self.dealings[0].digest(session);
        let own = |member: MinerId| self.polynomial.evaluate(abscissa(member));
        let mut receipts = self.receipts.clone();
        if self.deeds.settles == Settles::RevealsTooMuch {
            while receipts.len() + allowed + 1 > n {
                receipts.pop_last();
            }
        }
        let mut fault = None;
        let mut wrong_receipts = None;
        match self.deeds.settles {
            Settles::ClaimsReceipts => {
                for member in session.members().filter(|member| !self.receipts.contains_key(member)) {
                    receipts.insert(member, committee.identity(me).sign(DomainTag::DKG_RECEIPT, &digest));
                    // Its own receipt is genuine, however late it makes it.
                    if member != me {
                        fault = Some(Disqualified::BadReceipts);
                    }
                }
            }
            Settles::OtherReceipts => {
                wrong_receipts = Some(committee.identity(me).sign(DomainTag::DKG_RECEIPT, &[7; 32]));
                fault = Some(Disqualified::BadReceipts);
            }
            Settles::WrongShare => {
                // Somebody must be missing for a share to be revealed.
                receipts.remove(&MinerId((me.0 + 1) % n as u16));
            }
            _ => {}
        }
        let missing: Vec<MinerId> =
            session.members().filter(|member| !receipts.contains_key(member)).collect();
        let mut revealed: Vec<Scalar> = missing.iter().map(|&member| own(member)).collect();
        if let (Settles::WrongShare, Some(first)) = (self.deeds.settles, missing.first()) {
            revealed[0] = revealed[0].add(&Scalar::from_u64(1));
            fault = Some(Disqualified::BadShare { recipient: *first });
        }
        if missing.len() > allowed {
            fault = Some(Disqualified::TooManyRevealed { revealed: missing.len(), allowed });
        }
        let summands: Vec<Signature> = receipts.values().copied().collect();
        let Ok(sum) = aggregate(&summands) else { return (Vec::new(), Some(Disqualified::NoSettlement)) };
        let signers = Signers::from_members(n, receipts.keys().copied()).expect("members");
        let sign = |mut settlement: Settlement| {
            let digest = settlement.digest(session);
            settlement.signature = committee.identity(me).sign(DomainTag::DKG_SETTLEMENT, &digest);
            settlement
        };
        let first = sign(Settlement {
            dealer: me,
            receipts: signers.clone(),
            aggregate: wrong_receipts.unwrap_or(sum),
            revealed: revealed.clone(),
            signature: Signature([0; SIGNATURE_BYTES]),
        });
        match self.deeds.settles {
            Settles::Never | Settles::Early => (Vec::new(), Some(Disqualified::NoSettlement)),
            Settles::OtherSize => {
                let receipts = Signers::from_members(n + 1, signers.iter()).expect("members");
                (vec![sign(Settlement { receipts, ..first })], Some(Disqualified::NoSettlement))
            }
            Settles::Twice => {
                let other = committee.identity(me).sign(DomainTag::DKG_RECEIPT, &[8; 32]);
                let second = sign(Settlement { aggregate: other, ..first.clone() });
                (vec![first, second], Some(Disqualified::TwoSettlements))
            }
            _ => (vec![first], fault),
        }
    }
}

/// A settlement that its dealer signed before anybody could have signed a receipt.
fn early_settlement(committee: &Committee, dealer: MinerId) -> Settlement {
    let n = committee.session.size();
    let identity = committee.identity(dealer);
    let mut settlement = Settlement {
        dealer,
        receipts: Signers::from_members(n, committee.session.members()).expect("members"),
        aggregate: identity.sign(DomainTag::DKG_RECEIPT, &[6; 32]),
        revealed: Vec::new(),
        signature: Signature([0; SIGNATURE_BYTES]),
    };
    settlement.signature = identity.sign(DomainTag::DKG_SETTLEMENT, &settlement.digest(&committee.session));
    settlement
}

/// A key generation in which everybody has dealt and settled.
struct Generation {
    committee: &'static Committee,
    honest: Vec<Member>,
    dishonest: BTreeMap<MinerId, Dishonest>,
    /// What must become of each dealer.
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

/// What an input stands for.
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
    let committee: &Committee = if plan.n == 4 { &FOUR } else { &SEVEN };
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
                self.hand_over(plan, Receipt { dealer, recipient, signature }, genuine)?;
            }
        }
        // What comes after the deadline is not looked at.
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
        let taken = member.on_receipt(&receipt);
        require(taken.is_ok() == genuine, || format!("{receipt:?}, genuine {genuine}: {taken:?}"))
    }

    /// Everybody settles, and everybody hears it.
    fn settle(&mut self, plan: &Plan) -> Result<(), String> {
        let session = Arc::clone(&self.committee.session);
        let allowed = session.parameters().max_revealed;
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
                    if qualified.len() < parameters.min_qualified => {}
                Err(error) => return Err(format!("{}: no key of {qualified:?}: {error}", member.me())),
            }
        }
        if qualified.len() < parameters.min_qualified {
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
        let t = parameters.threshold;
        let value = outcome.key().combine(message, &shares).map_err(|error| error.to_string())?;
        require(outcome.key().verify(message, &value), || "the group's signature does not verify".into())?;
        let last = outcome.key().combine(message, &shares[shares.len() - t..]);
        require_same("the last shares combine", last, Ok(value))?;
        require(outcome.key().combine(message, &shares[..t - 1]).is_err(), || "too few combine".into())?;
        // What is carried into the next epoch says the same, read back and checked.
        let magic_block = MagicBlock::from_outcome(outcome.clone());
        let bytes = magic_block.encode();
        let read = MagicBlock::decode(&bytes);
        require(read.as_ref() == Ok(&magic_block), || {
            format!("the magic block reads back as {:?}", read.err())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator must reach every deed and every verdict, or the target is empty.
    #[test]
    fn plans_reach_every_deed() {
        let mut random = crate::schedule::Random::new(11);
        let mut told = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let plan = Plan::read(&random.bits().to_le_bytes());
            for deeds in plan.dishonest.values() {
                let name = |deed: String| deed.split('(').next().map(str::to_owned);
                told.extend(name(format!("deals {:?}", deeds.deals)));
                told.extend(name(format!("settles {:?}", deeds.settles)));
            }
        }
        assert_eq!(told.len(), 9 + 9, "{told:?}");
    }
}
