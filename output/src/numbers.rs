//! Which numbers of a command line have bounds: for the tests of the tools, so that a new option is asked, too.

use clap::{Arg, Command, builder::ValueParser, error::ErrorKind, parser::ValueSource};

/// An option or an argument of a command that takes whole numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Number {
    /// The command and the option: `run --steps`.
    pub name: String,
    /// It takes 0.
    pub takes_zero: bool,
    /// It takes the largest number of its type: it has no bound of its own.
    pub takes_any: bool,
}

/// All of them, of the commands below, too.
pub fn numbers(command: &Command) -> Vec<Number> {
    let below = command.get_subcommands().flat_map(|below| {
        let named =
            |number: Number| Number { name: format!("{} {}", below.get_name(), number.name), ..number };
        numbers(below).into_iter().map(named)
    });
    command.get_arguments().filter_map(number).chain(below).collect()
}

fn number(argument: &Arg) -> Option<Number> {
    let parser = argument.get_value_parser();
    let largest = largest(parser)?;
    let takes = |number: u64| taken(parser, number);
    let name = argument.get_long().map_or(argument.get_id().to_string(), |long| format!("--{long}"));
    Some(Number { name, takes_zero: takes(0), takes_any: takes(largest) })
}

/// The largest number of the type that a parser returns; none if it returns something else.
fn largest(parser: &ValueParser) -> Option<u64> {
    // A parser says its type by comparing itself with another one only.
    let is = |other: ValueParser| parser.type_id() == other.type_id();
    let types = [
        (is(clap::value_parser!(u8).into()), u64::from(u8::MAX)),
        (is(clap::value_parser!(u16).into()), u64::from(u16::MAX)),
        (is(clap::value_parser!(u32).into()), u64::from(u32::MAX)),
        (is(clap::value_parser!(u64).into()), u64::MAX),
        (is(clap::value_parser!(usize).into()), usize::MAX as u64),
    ];
    types.into_iter().find_map(|(is, largest)| is.then_some(largest))
}

/// Whether a parser takes a number: asked by way of a command that has nothing else.
fn taken(parser: &ValueParser, number: u64) -> bool {
    let argument = Arg::new("number").long("number").value_parser(parser.clone());
    let read = Command::new("one").arg(argument).try_get_matches_from(["one", &format!("--number={number}")]);
    match read {
        Ok(read) => read.value_source("number") == Some(ValueSource::CommandLine),
        Err(error) => {
            let refused = [ErrorKind::ValueValidation, ErrorKind::InvalidValue];
            assert!(refused.contains(&error.kind()), "{error}");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_command_line_are_found_with_their_bounds() {
        let option = |name: &'static str, parser: ValueParser| Arg::new(name).long(name).value_parser(parser);
        let run = Command::new("run")
            .arg(option("free", clap::value_parser!(u64).into()))
            .arg(option("steps", clap::value_parser!(u32).range(1..=60).into()))
            .arg(option("name", clap::value_parser!(String)));
        let all =
            Command::new("tool").arg(option("threads", clap::value_parser!(usize).into())).subcommand(run);
        let number = |name: &str, takes_zero, takes_any| Number { name: name.into(), takes_zero, takes_any };
        assert_eq!(
            numbers(&all),
            [
                number("--threads", true, true),
                number("run --free", true, true),
                number("run --steps", false, false)
            ]
        );
    }
}
