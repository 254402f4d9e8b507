//! A run as a Mermaid sequence diagram. Lanes, their order and the labels are those of the drawn run
//! ([`draw`](crate::draw)); where they stand is Mermaid's part.
//!
//! The network of the model keeps every message for ever, so a message goes to the network when it is sent, and comes
//! from it when somebody acts upon it.

use super::{RunReport, StepKind};
use std::fmt::Write;
use zus_checker::{action::Action, protocol::Protocol};

/// Steps that are drawn of a longer run: the last ones.
pub const MOST_STEPS: usize = 60;
/// Characters of one diagram; renderers refuse more than this.
pub const MOST_CHARACTERS: usize = 50_000;

/// The kind of message between the acting participant and the network.
pub(crate) fn passes(protocol: &Protocol, action: &Action) -> StepKind {
    use Action as A;
    match *action {
        A::Ticket { .. } if protocol.writes_before_sending() => StepKind::Does,
        A::Timeout { .. } if protocol.rules.enters_alone() => StepKind::Does,
        A::ShareBeacon { .. }
        | A::Propose { .. }
        | A::ByzantinePropose { .. }
        | A::Ticket { .. }
        | A::SendTicket { .. }
        | A::ByzantineTicket { .. }
        | A::VoteWithoutLeaving { .. }
        | A::ByzantineVote { .. }
        | A::Timeout { .. }
        | A::TimeoutTogether { .. }
        | A::ByzantineTimeout { .. } => StepKind::Sends,
        A::Leave { .. }
        | A::TimeoutThenLeave { .. }
        | A::LeaveRelabelled { .. }
        | A::Adopt { .. }
        | A::BelieveSeed { .. }
        | A::EnterSubround { .. } => StepKind::Receives,
        A::Select { .. }
        | A::FormBeacon { .. }
        | A::Finalize { .. }
        | A::Crash { .. }
        | A::Restart { .. }
        | A::RestartBehind { .. } => StepKind::Does,
        A::Notarize { .. } | A::Synchronize => StepKind::Network,
    }
}

/// Text inside a diagram: what Mermaid would read as syntax is written as an entity.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in zus_output::plain::line(text).chars() {
        match character {
            '#' | ';' | '<' | '>' | '{' | '}' | '"' | '`' | '%' | '\\' | ':' => {
                let _ = write!(escaped, "#{};", character as u32);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// The diagram, without the fence around it.
pub fn diagram(run: &RunReport) -> String {
    // Each step takes a line of bounded length, so fewer steps always fit in the end.
    let mut most = MOST_STEPS.min(run.steps.len());
    loop {
        let drawn = draw(run, most);
        if drawn.chars().count() < MOST_CHARACTERS || most == 0 {
            return drawn;
        }
        most /= 2;
    }
}

fn draw(run: &RunReport, most: usize) -> String {
    let left_out = run.steps.len() - most;
    let shown = &run.steps[left_out..];
    let taking_part: Vec<usize> =
        (0..run.participants.len()).filter(|who| shown.iter().any(|s| s.who.contains(who))).collect();
    let mut text = String::from("sequenceDiagram\n");
    let sent = run.sent.unwrap_or(run.participants.len());
    let name = |text: &mut String, who: usize| {
        let _ = writeln!(text, "  participant p{who} as {}", escape(&run.participants[who]));
    };
    taking_part.iter().filter(|&&who| who < sent).for_each(|&who| name(&mut text, who));
    text.push_str("  participant net as sent\n");
    taking_part.iter().filter(|&&who| who >= sent).for_each(|&who| name(&mut text, who));
    let all = match taking_part[..] {
        [first, .., last] if last >= sent => format!("p{first},p{last}"),
        [first, ..] if first < sent => format!("p{first},net"),
        [first, ..] => format!("net,p{first}"),
        [] => "net".into(),
    };
    if left_out > 0 {
        let _ = writeln!(text, "  Note over {all}: {left_out} steps before these are left out");
    }
    for (index, step) in shown.iter().enumerate() {
        let number = left_out + index + 1;
        let label = format!("{number}. {}", escape(&step.label));
        for who in &step.who {
            let _ = match step.kind {
                StepKind::Sends => writeln!(text, "  p{who}->>net: {label}"),
                StepKind::Receives => writeln!(text, "  net-->>p{who}: {label}"),
                StepKind::Does | StepKind::Network => writeln!(text, "  Note over p{who}: {label}"),
            };
        }
        if step.who.is_empty() {
            let _ = writeln!(text, "  Note over {all}: {label}");
        }
    }
    let _ = writeln!(text, "  Note over {all}: {}", escape(&run.because));
    text
}
