//! Which properties hold under which rules: the one table that the oracles ask before they call something wrong.
//!
//! Under rules other than `hardened` some properties of PROTOCOL.md, section 5, are *expected* to break (section 6).
//! Refinement, and the properties that still hold, judge the code there. A run that ignores the table
//! ([`Oracle::ignore_rules`](super::Oracle::ignore_rules)) finds the verdicts of section 6 on production code.

use super::{quorum_by, tolerated};
use crate::world::Setup;

/// The properties that hold; those that are not named hold under all rules (S3, S4, S7, S8: each is a check of one certificate,
/// block or chain, which no rule changes; obligations ask the rules themselves).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope {
    /// S1, within what the ticket rule allows: unless somebody forgot what it signed.
    pub s1: bool,
    /// S2: two quorums share an honest miner, and it signs once in a subround. A better block may be ticketed too under
    /// `BetterRank` and `BetterOrEqualRank` ("late better rank"), or after amnesia.
    pub s2: bool,
    /// S5 by finality votes. Notarized blocks of one round in two subrounds make every rule without votes contradict itself
    /// in an asynchronous network ("notarized = final", "depth k", "2 delta").
    pub s5: bool,
    /// S6: only votes say of a block that it is the only one of its round.
    pub s6: bool,
    /// S9: a chained beacon has a value for each seed, so two miners rightly hold two values of one round.
    pub s9: bool,
    /// S10: whoever forgot what it signed may contradict itself, and be convicted.
    pub s10: bool,
}

impl Scope {
    /// Everything holds: the scope of `hardened`.
    pub const ALL: Scope = Scope { s1: true, s2: true, s5: true, s6: true, s9: true, s10: true };

    /// The properties that hold in a world; `crashed`: whether somebody has crashed in it.
    #[must_use]
    pub fn of(setup: &Setup, crashed: bool) -> Self {
        let rules = &setup.rules;
        let remembers = rules.is_durable() || !crashed;
        let (n, q, f) =
            (usize::from(setup.miners), quorum_by(rules.quorum, setup.miners), tolerated(setup.miners));
        // Two quorums of `q` share `2q - n` members, of which one has to be honest (fails for 66 percent from n = 50 on).
        let overlap = 2 * q > n + f;
        let votes = rules.votes();
        Self {
            s1: remembers,
            s2: remembers && overlap && rules.tickets_once(),
            s5: remembers && overlap && votes,
            s6: remembers && overlap && votes,
            s9: !rules.chained(),
            s10: remembers,
        }
    }

    /// Whether the property of this id, or the obligation of this name, is judged.
    #[must_use]
    pub fn judges(&self, property: &str) -> bool {
        match property {
            "S1" => self.s1,
            "S2" => self.s2,
            "S5" => self.s5,
            "S6" => self.s6,
            "S9" => self.s9,
            "S10" => self.s10,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zus_bpp::rules::{FinalityRule, Rules, TicketLogRule, TicketRule};

    #[test]
    fn the_table_says_what_section_6_says() {
        let scope = |rules, crashed| Scope::of(&Setup { rules, ..Setup::new(4, 0) }, crashed);
        assert_eq!(scope(Rules::HARDENED, true), Scope::ALL);
        let better = scope(Rules { ticket: TicketRule::BetterRank, ..Rules::HARDENED }, true);
        assert_eq!(better, Scope { s2: false, ..Scope::ALL });
        for finality in
            [FinalityRule::TwoThirds, FinalityRule::CommonAncestor { depth: 3 }, FinalityRule::TwoDelta]
        {
            let found = scope(Rules { finality, ..Rules::HARDENED }, true);
            assert_eq!(found, Scope { s5: false, s6: false, ..Scope::ALL });
        }
        let volatile = Rules { ticket_log: TicketLogRule::Volatile, ..Rules::HARDENED };
        assert_eq!(scope(volatile, false), Scope::ALL);
        let amnesia = Scope { s1: false, s2: false, s5: false, s6: false, s9: true, s10: false };
        assert_eq!(scope(volatile, true), amnesia);
        assert!(!scope(Rules::DOCUMENTED, false).s9);
    }
}
