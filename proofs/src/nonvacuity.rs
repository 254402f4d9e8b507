//! That the proof is about something: the axioms have models, every action happens, every witness is reached, every
//! progress lemma's assumptions are met in a reachable state.

use crate::{
    bounded::{Run, Search, Target, World, WorldError},
    spec::{Formula, Lemma, Spec},
    verify::parallel,
};

/// Steps that a search may take; the longest witness needs about half.
const MAX_STEPS: usize = 60;
/// Worlds in which actions and lemmas' assumptions are looked for, smallest first: rounds, subrounds, blocks of each.
const WORLDS: &[[usize; 3]] = &[[1, 1, 1], [1, 2, 1], [2, 2, 1]];

/// The target of a search, and the run that shows it.
pub struct Finding {
    /// `witness:W1`, `action:propose`, `assumptions:L1-log`.
    pub name: String,
    /// The run, if there is one in the worlds searched.
    pub run: Option<Run>,
}

/// The world of a given size for a specification: four miners, one of them Byzantine, or two where any number may be.
pub fn world(spec: &Spec, [rounds, subrounds, blocks]: [usize; 3]) -> World {
    let byzantine = if spec.rules.value("faults") == Some("Any") { 2 } else { 1 };
    World { byzantine, ..World::of_four(rounds, subrounds, blocks) }
}

/// Looks for everything.
pub fn findings(spec: &Spec, threads: usize) -> Result<Vec<Finding>, WorldError> {
    let mut wanted: Vec<(String, Target, Vec<[usize; 3]>)> = Vec::new();
    for witness in &spec.witnesses {
        wanted.push((format!("witness:{}", witness.name), Target::witness(witness), vec![witness.world]));
    }
    for (index, action) in spec.actions.iter().enumerate() {
        wanted.push((format!("action:{}", action.name), Target::action(index), WORLDS.to_vec()));
    }
    for lemma in &spec.lemmas {
        wanted.push((format!("assumptions:{}", lemma.name), assumptions(lemma), WORLDS.to_vec()));
    }
    let found = parallel(wanted.len(), threads, |index| {
        let (name, target, worlds) = &wanted[index];
        let mut run = None;
        // Only W6 is about restarts: the runs of the others have none.
        let plain = name.starts_with("witness:") && name != "witness:W6";
        let excluded: &[&str] = if plain { &["restart"] } else { &[] };
        for size in worlds {
            // W10 is about an adversary that has somebody's key share.
            let exposed = usize::from(name == "witness:W10");
            let world = World { exposed, ..world(spec, *size) };
            run = Search::without(spec, &world, excluded)?.run(name, target, MAX_STEPS)?;
            if run.is_some() {
                break;
            }
        }
        Ok(Finding { name: name.clone(), run })
    });
    found.into_iter().collect()
}

/// A state in which a lemma's assumptions hold, for some parameters.
fn assumptions(lemma: &Lemma) -> Target {
    let parameters = lemma.parameters.iter().map(|p| p.variable).collect();
    let all = Formula::And(lemma.assumptions.iter().map(|(_, formula)| formula.clone()).collect());
    Target::State(Formula::Exists(parameters, Box::new(all)))
}

/// Whether the axioms have a model of the size of a world.
pub fn consistent(spec: &Spec, size: [usize; 3]) -> Result<bool, WorldError> {
    Ok(Search::new(spec, &world(spec, size))?.consistent())
}
