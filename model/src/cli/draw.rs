//! `zus draw`: a run as a page, a picture, or a Mermaid diagram.

use super::{DrawArgs, DrawFormat, Exit, Failure, note, promised, write_promised};
use std::io::Write;
use zus_checker::{search::trial::effects_of_run, trace::Trace};
use zus_output::plain;
use zus_report::{
    RunReport,
    draw::{page, scene, scene::Scene, staging, svg},
    itf, mermaid,
};

/// Runs the command.
pub fn run(args: &DrawArgs) -> Result<Exit, Failure> {
    let path = plain::path(&args.trace);
    let out = args.out.as_deref().map(|out| promised(out, [&*args.trace])).transpose()?;
    let text = scene::read(&args.trace)?;
    let (scene, of_trace) = if scene::format_of(&text).as_deref() == Some(scene::FORMAT) {
        (Scene::from_json(&path, &text)?, None)
    } else {
        let trace = Trace::from_json(&path, &text)?;
        effects_of_run(&path, &text, &trace)?;
        // The words of a file may be wrong: what is drawn is read off the run.
        match trace.told().and_then(|trace| Ok((staging::stage(&trace)?, trace))) {
            Ok((scene, trace)) => {
                let diagram = mermaid::diagram(&RunReport::drawn(&trace, Some(&scene)));
                (scene, Some((diagram, itf::write(&trace))))
            }
            Err(error) => {
                note(&format!("{path}: rejected: {}\n", plain::message(&error.to_string())));
                return Ok(Exit::Differs);
            }
        }
    };
    let drawn = match args.format {
        DrawFormat::Html => page::run(&scene, of_trace.as_ref().map(|(diagram, _)| diagram.as_str())),
        DrawFormat::Svg => svg::write(&scene),
        DrawFormat::Scene => scene.to_file(),
        DrawFormat::Mermaid => of_trace.ok_or(Failure::NoDiagram)?.0,
        DrawFormat::Itf => of_trace.and_then(|(_, itf)| itf.ok()).ok_or(Failure::NoDiagram)?,
    };
    match out {
        Some(out) => write_promised(out, drawn)?,
        None => write!(anstream::stdout(), "{drawn}")?,
    }
    Ok(Exit::AsExpected)
}
