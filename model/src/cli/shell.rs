//! `zus completions`, `zus man` and `zus schema`: what is made from the command line and from the formats themselves.

use super::{Cli, CompletionsArgs, Exit, Failure, ManArgs, SchemaArgs, SchemaOf};
use clap::CommandFactory;
use std::io::Write;
use zus_model::report::schema;

/// Runs `zus completions`.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zus", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::AsExpected)
}

/// Runs `zus man`.
pub fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let unwritable = |source| Failure::Unwritable { path: args.dir.display().to_string(), source };
    std::fs::create_dir_all(&args.dir).map_err(unwritable)?;
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(unwritable)?;
    Ok(Exit::AsExpected)
}

/// Runs `zus schema`.
pub fn schema(args: &SchemaArgs) -> Result<Exit, Failure> {
    let text = match args.of {
        SchemaOf::Report => schema::report(),
        SchemaOf::Figures => schema::figures(),
        SchemaOf::Proofs => schema::proofs(),
    };
    write!(anstream::stdout(), "{text}")?;
    Ok(Exit::AsExpected)
}
