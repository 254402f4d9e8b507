//! `check`, `controls` and `ledger`.

use super::{BadInput, CheckArguments, End, Format, JudgeName, epochs, folder, read, runs::print_run};
use crate::{
    arithmetic,
    condition::Origin,
    controls,
    explain::{Counterexample, real_run},
    judge::{External, ExternalJudge, Verdict},
    ledger, nonvacuity,
    parts::{self, Ask, Fate, Parts},
    refutations,
    spec::{Sources, Spec},
    stalls,
    verify::{Verification, compare},
};
use std::time::Instant;
use zus_output::folder::Folder;

/// The pinned table of negative controls.
const CONTROLS: &str = include_str!("../../controls.txt");
/// The profile with a clock, whose conditions must hold too.
const CLOCK: &str = "synchronous";
/// The profiles whose conditions must hold.
const PROVED: &[&str] = &["hardened", "accountable"];

pub(super) fn seconds(start: Instant) -> String {
    format!("{:.2} s", start.elapsed().as_secs_f64())
}

/// One choice of rules.
pub(super) fn one(sources: &Sources, arguments: &CheckArguments, threads: usize) -> Result<End, BadInput> {
    let mut spec = read(sources, &arguments.rules)?;
    for item in &arguments.delete {
        spec = spec.without(item)?;
    }
    let (mut judges, mut end) = (Vec::new(), End::Fine);
    for name in &arguments.judge {
        match find(*name) {
            Some(Ok(judge)) => judges.push(judge),
            Some(Err(missing)) => {
                say!("{missing}");
                end = End::Incomplete;
            }
            None => {}
        }
    }
    let certified = arguments.certificates.as_deref().map(folder).transpose()?;
    let (verification, found) = prove(&spec, &judges, arguments.explain, threads)?;
    if let Some(folder) = certified {
        certificates(&verification, folder)?;
    }
    if found == End::Fine && arguments.delete.is_empty() {
        for action in nonvacuity::idle(&spec, threads)? {
            say!("{action}: {}", nonvacuity::IDLE);
            end = End::Incomplete;
        }
    }
    Ok(end.max(found))
}

fn find(name: JudgeName) -> Option<Result<ExternalJudge, crate::judge::ExternalError>> {
    match name {
        JudgeName::Rust => None,
        JudgeName::Z3 => Some(ExternalJudge::find(External::Z3)),
        JudgeName::Cvc5 => Some(ExternalJudge::find(External::Cvc5)),
    }
}

/// Proves all conditions, explains those that fail, and compares the judges.
pub(super) fn prove(
    spec: &Spec,
    judges: &[ExternalJudge],
    explain: usize,
    threads: usize,
) -> Result<(Verification, End), BadInput> {
    let start = Instant::now();
    let verification = Verification::new(spec, threads);
    let count = verification.conditions.len();
    let holding = verification.outcomes.iter().filter(|o| matches!(o, Ok(Verdict::Holds(_)))).count();
    say!(
        "{}: {holding} of {count} conditions hold, {} more because nothing they read changes; rust {}",
        spec.rules,
        verification.unchanged,
        seconds(start)
    );
    let mut end = End::Fine;
    let mut explained = 0;
    for (condition, outcome) in verification.conditions.iter().zip(&verification.outcomes) {
        match outcome {
            Ok(Verdict::Holds(_)) => {}
            Ok(Verdict::Fails(structure)) => {
                end = End::Fails;
                explained += 1;
                if explained <= explain {
                    say!("\n{}", Counterexample::new(spec, condition, structure.clone())?);
                } else {
                    say!("{}: fails", condition.id);
                }
            }
            Err(error) => {
                say!("{error}");
                end = end.max(End::Incomplete);
            }
        }
    }
    if end == End::Fails && explain > 0 && spec.sort("tick").is_some() {
        // To search a run with a clock takes minutes; those of the table are kept.
        match stalls::shown(spec) {
            Some(run) => {
                let broken = stalls::broken(spec, &run).join(", ");
                say!("A real run, of {} actions, that breaks {broken}:\n", run.events.len());
                say!("{}", stalls::drawn(spec, &run).trim_end());
            }
            None => say!("None of the runs that are kept is one of this specification and breaks liveness."),
        }
    } else if end == End::Fails && explain > 0 && spec.sort("epoch").is_some() {
        say!("Real runs of the handover are kept for the rule changes: `zus-proofs epochs` replays them.");
    } else if end == End::Fails && explain > 0 {
        match real_run(spec)? {
            Some((broken, run)) => {
                say!("A real run, of {} actions, that breaks {}:", run.events.len(), broken.join(", "));
                print_run(spec, &run);
            }
            None => say!("No run in the universes searched breaks a property."),
        }
    }
    for judge in judges {
        let start = Instant::now();
        let found = compare(spec, &verification.conditions, &verification.outcomes, judge, threads)?;
        say!(
            "{}: {} {} agrees on {} of {count}, {}",
            spec.rules,
            judge.solver,
            judge.version,
            count - found.len(),
            seconds(start)
        );
        for d in &found {
            say!("  {}: rust says {:?}, {} says {:?}", d.condition, d.holds, judge.solver, d.answer);
            end = end.max(End::Incomplete);
        }
    }
    Ok((verification, end))
}

fn certificates(verification: &Verification, mut folder: Folder) -> Result<(), BadInput> {
    let proofs = verification.proofs();
    for (id, proof) in &proofs {
        let name = id.to_string().replace(':', "_");
        folder.write(&format!("{name}.cnf"), proof.certificate.dimacs())?;
        folder.write(&format!("{name}.drat"), proof.certificate.drat())?;
    }
    say!("{} refutations in {}", proofs.len(), zus_output::plain::path(folder.root()));
    eprint!("{}", folder.finish()?.lines());
    Ok(())
}

/// Everything.
pub(super) fn all(sources: &Sources, threads: usize) -> Result<End, BadInput> {
    let start = Instant::now();
    let (mut judges, mut end) = (Vec::new(), End::Fine);
    for solver in [External::Z3, External::Cvc5] {
        match ExternalJudge::find(solver) {
            Ok(judge) => judges.push(judge),
            Err(missing) => {
                say!("{missing}");
                end = End::Incomplete;
            }
        }
    }
    end = end.max(check_arithmetic(&judges, threads)?);
    for choice in sources.choices()?.0.iter().filter(|p| !PROVED.contains(&p.as_str())) {
        read(sources, choice)?;
    }
    let mut tables = String::new();
    for profile in PROVED {
        let spec = read(sources, profile)?;
        let (verification, found) = prove(&spec, &judges, usize::MAX, threads)?;
        end = end.max(found).max(inhabited(&spec, threads)?);
        if found == End::Fine {
            tables += &controls_of(&spec, &verification, &judges, threads, &mut end)?;
        }
    }
    end = end
        .max(pinned(&tables, "controls.txt", CONTROLS))
        .max(refuted(sources)?)
        .max(clock(sources, &judges, threads)?);
    end = end.max(epochs::check(&judges, threads)?);
    let rows = ledger::check(sources)?;
    say!("ledger: {} properties, each with its proof or exemption", rows.len());
    say!("{} in {}", if end == End::Fine { "all is well" } else { "NOT all is well" }, seconds(start));
    Ok(end)
}

/// The hypotheses that the refutations of the clock's conditions use.
pub(super) fn print_hints(sources: &Sources, threads: usize) -> Result<End, BadInput> {
    let spec = read(sources, CLOCK)?;
    let verification = Verification::new(&spec, threads);
    for (id, proof) in verification.proofs() {
        let used = proof.used.iter().filter(|origin| **origin != Origin::Goal);
        say!("{id}{}", used.map(|origin| format!(" {origin}")).collect::<String>());
    }
    Ok(if verification.holds() { End::Fine } else { End::Fails })
}

fn check_arithmetic(judges: &[ExternalJudge], threads: usize) -> Result<End, BadInput> {
    for theorem in arithmetic::THEOREMS {
        theorem.check()?;
    }
    say!("arithmetic: {} certificates check", arithmetic::THEOREMS.len());
    let mut end = End::Fine;
    for judge in judges {
        let (count, wrong) = arithmetic::ask(judge, threads)?;
        say!("arithmetic: {} answers {} of {count} scripts as expected", judge.solver, count - wrong.len());
        for (name, answer) in wrong {
            say!("  {name}: {answer:?}");
            end = End::Fails;
        }
    }
    Ok(end)
}

fn inhabited(spec: &Spec, threads: usize) -> Result<End, BadInput> {
    let start = Instant::now();
    let mut end = End::Fine;
    if !nonvacuity::consistent(spec, [2, 2, 2])? {
        say!("{}: the axioms have no model", spec.rules);
        end = End::Fails;
    }
    let findings = nonvacuity::findings(spec, threads)?;
    let reached = findings.iter().filter(|f| f.run.is_some()).count();
    say!(
        "{}: {reached} of {} witnesses, actions and assumptions reached, {}",
        spec.rules,
        findings.len(),
        seconds(start)
    );
    for finding in findings.iter().filter(|f| f.run.is_none()) {
        say!("  {}: not reached", finding.name);
        end = End::Fails;
    }
    Ok(end)
}

/// The table of a specification's controls.
pub(super) fn controls_of(
    spec: &Spec,
    verification: &Verification,
    judges: &[ExternalJudge],
    threads: usize,
    end: &mut End,
) -> Result<String, BadInput> {
    let start = Instant::now();
    let found = controls::controls(spec, verification, threads);
    let redundant = found.iter().filter(|c| c.failing().is_empty()).count();
    say!("{}: {} controls, {redundant} of them redundant, {}", spec.rules, found.len(), seconds(start));
    for undecided in found.iter().flat_map(|c| c.undecided()) {
        say!("  {undecided}");
        *end = (*end).max(End::Incomplete);
    }
    // Most controls fail, and of the two solvers only cvc5 looks for finite models.
    for judge in judges.iter().filter(|j| j.solver == External::Cvc5) {
        let start = Instant::now();
        let (count, wrong) = controls::compare(&found, judge, threads)?;
        say!(
            "{}: {} agrees on {} of {count} conditions decided again, {}",
            spec.rules,
            judge.solver,
            count - wrong.len(),
            seconds(start)
        );
        for (item, d) in wrong {
            say!(
                "  {} without {item}: rust says {:?}, {} says {:?}",
                d.condition,
                d.holds,
                judge.solver,
                d.answer
            );
            *end = (*end).max(End::Incomplete);
        }
    }
    Ok(controls::table(spec, &found))
}

/// Compares with the pinned table.
pub(super) fn pinned(table: &str, file: &str, kept: &str) -> End {
    let changed: Vec<_> = table.lines().filter(|line| !kept.lines().any(|l| l == *line)).collect();
    let gone = kept.lines().filter(|line| !table.lines().any(|l| l == *line)).count();
    if changed.is_empty() && gone == 0 {
        return End::Fine;
    }
    say!("{file} differs; `zus-proofs controls` prints the table. New or changed lines:");
    changed.iter().for_each(|line| say!("  {line}"));
    End::Fails
}

/// The profile with a clock: its conditions, and the runs in which time passes.
fn clock(sources: &Sources, judges: &[ExternalJudge], threads: usize) -> Result<End, BadInput> {
    let spec = read(sources, CLOCK)?;
    let (verification, mut end) = prove(&spec, judges, 0, threads)?;
    let proofs = verification.proofs();
    let hinted = proofs.values().filter(|proof| proof.hinted).count();
    say!("{CLOCK}: {hinted} of {} refutations by the hypotheses of hints.txt", proofs.len());
    if hinted < proofs.len() {
        say!("  the others took longer; `zus-proofs hints` prints the file as it should be");
    }
    let runs = nonvacuity::kept(&spec)?;
    let uncovered = nonvacuity::uncovered(&spec, &runs);
    say!("{CLOCK}: {} runs replayed, {} of the clock's facts not shown", runs.len(), uncovered.len());
    for name in &uncovered {
        say!("  {name}: not shown; `zus-proofs runs --clock` looks for it again");
        end = End::Fails;
    }
    let kept = stalls::kept(&spec)?;
    let stalled: Vec<_> =
        kept.iter().filter(|(without, run)| !stalls::broken(without, run).is_empty()).collect();
    let items = stalls::items(&spec);
    say!("{CLOCK}: {} of {} deletions stall a real run", stalled.len(), items.len());
    for item in items.iter().filter(|item| !stalled.iter().any(|(_, run)| run.name == **item)) {
        say!("  {item}: no run; `zus-proofs runs --stalls` looks for it again");
        end = End::Fails;
    }
    Ok(end)
}

/// `parts`.
pub(super) fn print_parts(
    sources: &Sources,
    only: Option<&str>,
    ask: Ask,
    threads: usize,
) -> Result<End, BadInput> {
    let fates = Parts::new(sources)?.fates(only, ask, threads)?;
    if fates.is_empty() {
        let shown = zus_output::plain::quoted(only.unwrap_or_default());
        return Err(BadInput(format!(
            "no part of the clock has {shown}\n  fix: `zus-proofs parts` without a text prints all"
        )));
    }
    say!("{}", parts::table(&fates).trim_end());
    let undecided = fates.iter().any(|(_, fate)| matches!(fate, Fate::Undecided(_)));
    Ok(if undecided { End::Incomplete } else { End::Fine })
}

fn refuted(sources: &Sources) -> Result<End, BadInput> {
    let mut end = End::Fine;
    for refutation in refutations::table()? {
        let start = Instant::now();
        let spec = refutation.spec(sources)?;
        match refutation.find(&spec) {
            Ok(run) if run.events.len() == refutation.actions => {
                say!(
                    "{} breaks {} in {} actions, {}",
                    refutation.name,
                    refutation.breaks,
                    refutation.actions,
                    seconds(start)
                );
            }
            Ok(run) => {
                say!("{}: {} actions, not {}", refutation.name, run.events.len(), refutation.actions);
                end = End::Fails;
            }
            Err(error) => {
                say!("{error}");
                end = End::Fails;
            }
        }
    }
    Ok(end)
}

/// `controls`.
pub(super) fn print_controls(spec: &Spec, judge: Option<JudgeName>, threads: usize) -> Result<End, BadInput> {
    let verification = Verification::new(spec, threads);
    if !verification.holds() {
        say!("{}: not all conditions hold, so there is nothing to control; see `check`", spec.rules);
        return Ok(End::Fails);
    }
    let found = controls::controls(spec, &verification, threads);
    say!("{}", controls::table(spec, &found).trim_end());
    let judge = match judge.and_then(find) {
        None => return Ok(End::Fine),
        Some(Err(missing)) => {
            say!("{missing}");
            return Ok(End::Incomplete);
        }
        Some(Ok(judge)) => judge,
    };
    let (count, wrong) = controls::compare(&found, &judge, threads)?;
    say!("# {} agrees on {} of {count}", judge.solver, count - wrong.len());
    for (item, d) in &wrong {
        say!(
            "# {} without {item}: rust says {:?}, {} says {:?}",
            d.condition,
            d.holds,
            judge.solver,
            d.answer
        );
    }
    Ok(if wrong.is_empty() { End::Fine } else { End::Incomplete })
}

/// `ledger`.
pub(super) fn print_ledger(format: Format) -> Result<End, BadInput> {
    let rows = ledger::rows()?;
    if format == Format::Markdown {
        say!("{}", ledger::markdown(&rows).trim_end());
        return Ok(End::Fine);
    }
    for id in ledger::ids() {
        let Some(row) = rows.get(id) else { continue };
        say!("{id}: {}\n    {}\n    proof: {}", row.class, row.says, row.proof.join(", "));
        for (room, evidence) in [("model", &row.model), ("fuzz", &row.fuzz), ("test", &row.test)] {
            say!("    {room}: {}", evidence.join(", "));
        }
    }
    Ok(End::Fine)
}
