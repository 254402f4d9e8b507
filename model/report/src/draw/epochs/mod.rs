//! Runs of the models of epochs as scenes: the handover of committees, and the boundary under the deployed rules.
//!
//! A certificate is no step of these models: it is there as soon as the signatures are. So it is an event of its own here, implied by
//! the step with which it is complete. Byzantine members have signed everything, and are lanes without events.

mod boundary;
mod handover;

use super::scene::{Event, FORMAT, Kind, Role, Scene, Shown, Use, VERSION};
use crate::draw::scene::Lane;
use zus_epochs::catalog::{Question, Run, Verdict};

/// The scene of a run that shows `verdict`; none for a run of the key generation, which has no chain to draw.
pub fn scene(title: &str, question: &Question, run: &Run, verdict: &Verdict) -> Option<Scene> {
    let mut scene = match (question, run) {
        (Question::Boundary(instance), Run::Boundary(run)) => boundary::scene(instance, run),
        (Question::Handover(search), Run::Handover(run)) => handover::scene(&search.instance, run),
        (Question::Boundary(_) | Question::Handover(_) | Question::Keys(_), _) => return None,
    };
    scene.title = title.into();
    let last = scene.events.iter().rposition(|event| !event.implied)?;
    scene.events[last].shows.push(verdict.id.into());
    let kind = if verdict.is_witness { "reachable" } else { "violated" };
    scene.shows = Some(Shown {
        property: verdict.id.into(),
        verdict: kind.into(),
        text: format!("{}: {}", verdict.id, verdict.text),
        because: format!("The run ends in a state that shows {}: {}.", verdict.id, verdict.text),
        event: last,
    });
    Some(scene)
}

/// A scene without events.
fn empty() -> Scene {
    Scene {
        format: FORMAT.into(),
        version: VERSION,
        title: String::new(),
        about: Vec::new(),
        shows: None,
        story: Vec::new(),
        again: None,
        root: None,
        rounds: Vec::new(),
        tints: Vec::new(),
        lanes: Vec::new(),
        blocks: Vec::new(),
        events: Vec::new(),
        stays: Vec::new(),
        initial: Vec::new(),
    }
}

/// The lane of everything that was sent.
fn sent() -> Lane {
    Lane { name: "sent".into(), role: Role::Network, committee: None }
}

/// Adds an event without messages, and returns its row.
fn push(scene: &mut Scene, step: usize, lane: usize, kind: Kind, label: String, says: String) -> usize {
    scene.events.push(Event {
        step,
        implied: false,
        lane,
        kind,
        byzantine: false,
        label,
        says,
        block: None,
        uses: Vec::new(),
        changes: Vec::new(),
        shows: Vec::new(),
    });
    scene.events.len() - 1
}

/// Adds the messages from these rows to the last event.
fn used(scene: &mut Scene, from: impl IntoIterator<Item = usize>, what: Kind) {
    if let Some(event) = scene.events.last_mut() {
        event.uses.extend(from.into_iter().map(|from| Use { from, what, late: false }));
    }
}
