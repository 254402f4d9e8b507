//! Steps and runs in sentences.

use super::{instance::Instance, state::Branch, steps::Action, transcript::Phase};
use std::fmt::{self, Write};

impl Instance {
    /// A run from the start, a sentence in a line for each step.
    pub fn told(&self, run: &[Action]) -> String {
        let (mut state, mut text) = (self.initial(), String::new());
        for step in run {
            // Writing to a string cannot fail.
            let _ = match step {
                Action::Deadline { on } => {
                    let phase = state.transcript(*on).map_or(Phase::Failed, |transcript| transcript.phase);
                    writeln!(text, "The deadline for {phase} passes on {on}.")
                }
                step => writeln!(text, "{step}"),
            };
            self.apply(&mut state, step);
        }
        text
    }
}

/// The items of the phase.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Registering => "registrations",
            Phase::Dealing => "dealings",
            Phase::Settling => "settlements",
            Phase::Readying => "ready statements",
            Phase::Complete | Phase::Failed => "nothing",
        })
    }
}

/// `the final chain`.
impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Branch::Final => "the final chain",
            Branch::Left => "the left branch",
            Branch::Right => "the right branch",
        })
    }
}

/// The step as a sentence.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Action as A;
        match *self {
            A::Register { on, member } => write!(f, "The registration of member {} comes on {on}.", member.0),
            A::Deal { on, dealer } => write!(f, "The dealing of member {} comes on {on}.", dealer.0),
            A::ByzantineDeal { on, fits } => {
                write!(f, "A dealing of the Byzantine member comes on {on}; among the honest it fits {fits}.")
            }
            A::DealAgain { dealer } => {
                write!(f, "Member {} has lost its seed, and signs another dealing.", dealer.0)
            }
            A::Settle { on, dealer, revealed } => {
                write!(
                    f,
                    "Member {} settles what it dealt on {on}, and reveals the share of {revealed}.",
                    dealer.0
                )
            }
            A::IncludeSettlement { on, dealer, revealed } => {
                write!(
                    f,
                    "The settlement of member {} that reveals the share of {revealed} comes on {on}.",
                    dealer.0
                )
            }
            A::ByzantineSettle { on, revealed, right } => {
                let fits = if right { "" } else { "; what it reveals does not fit" };
                write!(
                    f,
                    "A settlement of the Byzantine member that reveals the share of {revealed} comes on {on}{fits}."
                )
            }
            A::SayReady { on, member, summed, threshold } => write!(
                f,
                "Member {} adds up its shares of {summed} on {on}, takes {threshold} for the threshold, and is ready.",
                member.0
            ),
            A::IncludeReady { on, member } => {
                write!(f, "The ready statement of member {} comes on {on}.", member.0)
            }
            A::ByzantineReady { on } => {
                write!(f, "The ready statement of the Byzantine member comes on {on}.")
            }
            A::Store { member } => write!(f, "Member {} makes its key share durable and usable.", member.0),
            A::Conclude { member } => {
                write!(
                    f,
                    "Member {} sees the complete record, and erases the secrets of the attempt.",
                    member.0
                )
            }
            A::EraseEarly { on, member } => {
                write!(f, "Member {} sees the end of the attempt on {on}, and erases its secrets.", member.0)
            }
            A::Deadline { on } => write!(f, "A deadline passes on {on}."),
            A::SkipSettling { on } => write!(f, "Ready statements begin on {on}, without settlements."),
            A::Fork => f.write_str("Two rival branches begin."),
            A::Finalize { on } => write!(f, "Finality comes to {on}; its rival is dead."),
            A::NextAttempt => f.write_str("The next attempt begins."),
            A::Crash { member } => write!(f, "Member {} crashes.", member.0),
            A::Restart { member } => write!(f, "Member {} is back.", member.0),
        }
    }
}
