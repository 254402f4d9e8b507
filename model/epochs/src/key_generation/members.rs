//! A set of members of the new committee.

use std::fmt;
use zus_protocol::ids::MinerId;

/// A set of members, as a bit for each. A committee has at most [`Members::MOST`] members here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Members(u8);

impl Members {
    /// Members that a committee of this model may have.
    pub const MOST: usize = 6;
    /// Nobody.
    pub const NONE: Members = Members(0);

    /// The members `0..n`.
    pub fn first(n: usize) -> Members {
        (0..n as u16).map(MinerId).collect()
    }

    /// This member alone.
    pub fn only(member: MinerId) -> Members {
        Members(1 << member.0)
    }

    /// Whether `member` is in it.
    pub fn has(self, member: MinerId) -> bool {
        self.0 & 1 << member.0 != 0
    }

    /// This set and that one.
    pub fn or(self, other: Members) -> Members {
        Members(self.0 | other.0)
    }

    /// This set and `member`.
    pub fn with(self, member: MinerId) -> Members {
        self.or(Members::only(member))
    }

    /// Those of this set that are in the other.
    pub fn and(self, other: Members) -> Members {
        Members(self.0 & other.0)
    }

    /// Those of this set that are not in the other.
    pub fn without(self, other: Members) -> Members {
        Members(self.0 & !other.0)
    }

    /// Whether all of this set are in the other.
    pub fn is_within(self, other: Members) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether nobody is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Its members, in order.
    pub fn iter(self) -> impl Iterator<Item = MinerId> {
        (0..Members::MOST as u16).map(MinerId).filter(move |member| self.has(*member))
    }

    /// Every set of its members.
    pub fn subsets(self) -> impl Iterator<Item = Members> {
        (0..=self.0).map(Members).filter(move |set| set.is_within(self))
    }

    /// The same with each member replaced by the member at its place in `names`.
    pub fn renamed(self, names: &[MinerId]) -> Members {
        let renamed = |member: MinerId| names.get(usize::from(member.0)).copied().unwrap_or(member);
        self.iter().map(renamed).collect()
    }
}

impl FromIterator<MinerId> for Members {
    fn from_iter<I: IntoIterator<Item = MinerId>>(members: I) -> Members {
        members.into_iter().fold(Members::NONE, Members::with)
    }
}

/// `members 0 and 2`, `nobody`.
impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(|member| member.0.to_string()).collect();
        match names.split_last() {
            None => f.write_str("nobody"),
            Some((last, [])) => write!(f, "member {last}"),
            Some((last, rest)) => write!(f, "members {} and {last}", rest.join(", ")),
        }
    }
}

/// As `{0, 2}`.
impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|member| member.0)).finish()
    }
}
