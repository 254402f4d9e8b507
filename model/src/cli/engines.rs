//! `zus engines`: how many states each engine has for instances of `hardened`, from a search of all runs to states of certificates
//! without their past.

use super::{EnginesArgs, Exit, Failure, TableFormat, command_line, on_threads, say, table::Table};
use std::io::Write;
use zus_checker::{
    certificates::{
        Reach,
        kept::Past,
        rounds::Rounds,
        search::{Certificates, explore},
    },
    properties::{Facts, Property},
    protocol::{Protocol, Reductions},
    scenario::{ScenarioError, parse},
    search::bfs::{self, End, Exploration, Limits},
};
use zus_report::{
    page::figures::{self, Figures},
    text::grouped,
};

/// Members, rounds, subrounds.
const SIZES: [(u32, u8, u8); 7] =
    [(4, 2, 2), (4, 3, 2), (4, 2, 3), (4, 3, 3), (7, 1, 2), (7, 2, 2), (10, 1, 2)];
/// The same with `--quick`.
const QUICK: [(u32, u8, u8); 3] = [(4, 2, 2), (7, 1, 2), (10, 1, 2)];

/// A search whose states are counted.
#[derive(Clone, Copy)]
enum Counted {
    /// Single steps, in every order.
    All,
    /// Single steps, in sorted runs.
    Sorted,
    /// Certificates with their whole past.
    Kept,
    /// Certificates without it, within the bounds.
    Bounded,
    /// Certificates of any number of rounds and subrounds.
    Any(u8),
}

impl Counted {
    const ROWS: [Counted; 7] = [
        Counted::All,
        Counted::Sorted,
        Counted::Kept,
        Counted::Bounded,
        Counted::Any(2),
        Counted::Any(3),
        Counted::Any(4),
    ];

    fn name(self) -> String {
        match self {
            Counted::All => "explicit, all runs".into(),
            Counted::Sorted => "explicit, sorted runs".into(),
            Counted::Kept => "certificates, the whole past kept".into(),
            Counted::Bounded => "certificates, without the past".into(),
            Counted::Any(idle) => {
                format!("certificates, any rounds and subrounds, at most {idle} idle blocks")
            }
        }
    }
}

/// Runs the command.
pub fn run(args: &EnginesArgs) -> Result<Exit, Failure> {
    let limits = Limits { states: args.max_states, memory: args.max_memory };
    let sizes: &[(u32, u8, u8)] = if args.quick { &QUICK } else { &SIZES };
    let table = on_threads(args.threads, || counts(sizes, limits))??;
    let mut stdout = anstream::stdout();
    if args.format == TableFormat::Json {
        let title = "The states of each engine, by instance";
        let table = figures::Table {
            title: table.title,
            columns: table.columns,
            rows: table.rows,
            ..figures::Table::default()
        };
        let figures = Figures { tables: vec![table], ..Figures::new(title, &command_line()) };
        let json = serde_json::to_string_pretty(&figures).map_err(std::io::Error::from)?;
        writeln!(stdout, "{json}")?;
    } else {
        writeln!(stdout, "{}", table.write(args.format))?;
    }
    Ok(Exit::AsExpected)
}

fn counts(sizes: &[(u32, u8, u8)], limits: Limits) -> Result<Table, Failure> {
    let title = "Unique states of hardened, in brackets those generated (f Byzantine, async, generators [[\"byzantine\", \"honest\"]], beacon threshold f + 1)";
    let size = |(n, rounds, subrounds): &(u32, u8, u8)| format!("n = {n}: {rounds} x {subrounds}");
    let mut table = Table::new(title, &["search"]);
    table.columns.extend(sizes.iter().map(size));
    for counted in Counted::ROWS {
        let mut row = vec![counted.name()];
        for of in sizes {
            say(&format!("{}, {}", counted.name(), size(of)));
            let Exploration { unique, generated, end, .. } = count(counted, &instance(*of)?, limits);
            let stopped = matches!(end, End::States | End::Memory);
            row.push(if stopped {
                format!("> {}", grouped(unique))
            } else {
                format!("{} ({})", grouped(unique), grouped(generated))
            });
        }
        table.rows.push(row);
    }
    say("");
    Ok(table)
}

fn instance((n, rounds, subrounds): (u32, u8, u8)) -> Result<Protocol, ScenarioError> {
    let text = format!(
        "question = \"?\"\nprofile = \"hardened\"\nn = {n}\nrounds = {rounds}\nsubrounds = {subrounds}\n\
         network = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]\n\
         [expect]\nS2 = \"holds\"\n"
    );
    let mut protocol = parse("size", "zus engines", &text)?.protocol;
    // In one round it changes nothing but the states: a scenario may not set it.
    protocol.committee.beacon_threshold = (n - 1) / 3 + 1;
    Ok(protocol)
}

/// The properties that both engines answer for, so that the explicit search keeps what these need and no more.
fn asked() -> Facts {
    use Property::{Final, S2, S3, S5, S6, W1, W2};
    [S2, S3, S5, S6, W1, W2, Final].into_iter().collect()
}

fn count(counted: Counted, protocol: &Protocol, limits: Limits) -> Exploration {
    match counted {
        Counted::All => explicit(protocol, false, limits),
        Counted::Sorted => explicit(protocol, true, limits),
        Counted::Kept => certificates(&Past { protocol }, limits),
        Counted::Bounded => certificates(&Rounds { protocol, reach: Reach::Bounded }, limits),
        Counted::Any(idle) => certificates(&Rounds { protocol, reach: Reach::Any { idle } }, limits),
    }
}

fn explicit(protocol: &Protocol, sorted: bool, limits: Limits) -> Exploration {
    let reductions = Reductions { sorted, ..protocol.reductions };
    let protocol = Protocol { reductions, ..protocol.clone() };
    bfs::explore(&protocol, asked(), None, limits, &|_| {}, &|_| {})
}

fn certificates<C: Certificates>(of: &C, limits: Limits) -> Exploration {
    explore(of, asked(), None, limits, &|_| {}, &mut |_| {})
}
