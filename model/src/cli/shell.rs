//! `zus completions`, `zus man` and `zus schema`: what is made from the command line and from the formats themselves.

use super::{Cli, CompletionsArgs, Exit, Failure, ManArgs, SchemaArgs, SchemaOf, unwritable};
use clap::CommandFactory;
use std::io::Write;
use zus_output::{lock::Lock, whole};
use zus_report::schema;

/// Runs `zus completions`.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zus", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::AsExpected)
}

/// Runs `zus man`.
pub fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let unwritable = |source| unwritable(&args.dir, source);
    let _taken = Lock::take(&args.dir).map_err(unwritable)?;
    let mut zus = Cli::command().disable_help_subcommand(true);
    zus.build();
    let shown = zus.get_subcommands().filter(|command| !command.is_hide_set());
    for command in std::iter::once(&zus).chain(shown) {
        let page = clap_mangen::Man::new(command.clone());
        let mut text = Vec::new();
        page.render(&mut text).map_err(unwritable)?;
        whole::write(args.dir.join(page.get_filename()), text).map_err(unwritable)?;
    }
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
