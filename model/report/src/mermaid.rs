//! A run as a Mermaid sequence diagram: a lane for each participant, and one for the network.
//!
//! The network of the model keeps every message for ever, so a message goes to the network when it is sent, and comes
//! from it when somebody acts upon it.

use super::{RunReport, StepKind};
use std::fmt::Write;
use zus_checker::blocks::block_name;
use zus_checker::{action::Action, protocol::Protocol};

/// Steps that are drawn of a longer run: the last ones.
pub const MOST_STEPS: usize = 60;
/// Characters of one diagram; renderers refuse more than this.
pub const MOST_CHARACTERS: usize = 50_000;

/// What is drawn of an action: participants (honest miners, Byzantine ones, observers, in this order), kind, label.
pub fn drawn(protocol: &Protocol, action: &Action) -> (Vec<usize>, StepKind, String) {
    use Action as A;
    use StepKind::{Does, Network, Receives, Sends};
    let name = |block| block_name(&protocol.blocks, block);
    let one = |miner: u8| vec![miner as usize];
    let byzantine = |number: u8| vec![protocol.honest() + number as usize];
    let somebody_byzantine = || if protocol.committee.byzantine > 0 { byzantine(0) } else { Vec::new() };
    let observer =
        |number: u8| vec![protocol.honest() + protocol.committee.byzantine as usize + number as usize];
    match *action {
        A::ShareBeacon { miner } => (one(miner), Sends, "beacon share".into()),
        A::Propose { miner, block } => (one(miner), Sends, format!("block {}", name(block))),
        A::ByzantinePropose { block, .. } => (somebody_byzantine(), Sends, format!("block {}", name(block))),
        A::Select { miner, block } => (one(miner), Does, format!("selects {}", name(block))),
        A::Ticket { miner, block, .. } if protocol.writes_before_sending() => {
            (one(miner), Does, format!("logs its ticket {}", name(block)))
        }
        A::Ticket { miner, block, .. } => (one(miner), Sends, format!("ticket {}", name(block))),
        A::SendTicket { miner } => (one(miner), Sends, "the logged ticket".into()),
        A::ByzantineTicket { byzantine: b, block } => {
            (byzantine(b), Sends, format!("ticket {}", name(block)))
        }
        A::Notarize { block } => (Vec::new(), Network, format!("{} is notarized", name(block))),
        A::Leave { miner, block }
        | A::TimeoutThenLeave { miner, block }
        | A::LeaveRelabelled { miner, block } => {
            (one(miner), Receives, format!("notarization {}", name(block)))
        }
        A::Adopt { miner, block } => (one(miner), Receives, format!("notarization {}, adopts", name(block))),
        A::FormBeacon { round } => {
            (somebody_byzantine(), Does, format!("forms the beacon value of round {round}"))
        }
        A::BelieveSeed { miner } => (one(miner), Receives, "a claimed seed".into()),
        A::VoteWithoutLeaving { miner, block } => {
            (one(miner), Sends, format!("finality vote {}", name(block)))
        }
        A::ByzantineVote { byzantine: b, block } => {
            (byzantine(b), Sends, format!("finality vote {}", name(block)))
        }
        A::Timeout { miner } if protocol.rules.enters_alone() => (one(miner), Does, "times out".into()),
        A::Timeout { miner } => (one(miner), Sends, "timeout".into()),
        A::TimeoutTogether { miners, round, subround } => {
            let who = (0..8).filter(|m| miners >> m & 1 == 1).collect();
            (who, Sends, format!("timeout ({round}, {subround})"))
        }
        A::ByzantineTimeout { byzantine: b, round, subround } => {
            (byzantine(b), Sends, format!("timeout ({round}, {subround})"))
        }
        A::EnterSubround { miner, subround } => {
            (one(miner), Receives, format!("timeout certificate, enters subround {subround}"))
        }
        A::Finalize { observer: o, block } => (observer(o), Does, format!("finalizes {}", name(block))),
        A::Crash { miner } => (one(miner), Does, "crashes".into()),
        A::RestartBehind { miner } => (one(miner), Does, "restarts in (1, 0)".into()),
        A::Restart { miner } => (one(miner), Does, "restarts".into()),
        A::Synchronize => (Vec::new(), Network, "the network is synchronous".into()),
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
    for &who in &taking_part {
        let _ = writeln!(text, "  participant p{who} as {}", escape(&run.participants[who]));
    }
    text.push_str("  participant net as network\n");
    let all = match taking_part.first() {
        Some(first) => format!("p{first},net"),
        None => "net".into(),
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
