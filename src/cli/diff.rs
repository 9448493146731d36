//! `postern diff`.

mod entities;
mod show;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::load;
use crate::cli::{Exit, fail, note, out, progress};
use crate::clock::{Clock as _, SystemClock};
use crate::decide::compare::{Comparison, keys};
use crate::graph::document::Document;
use crate::graph::snapshot::Snapshot;
use crate::limits::{COMPARE_DECISIONS, COMPARE_LISTED, COMPARE_PAIRS_AT_ONCE};
use crate::model::query::UnixTime;
use crate::wire::feed;

/// Who could do what after a change, and could not before?
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  postern diff policy/ policy.new/
  postern diff before.yaml after.yaml --format json | jq '.access.lost'

Compares the entities, then what every principal may do on every node, with every permission,
decided without a context: what needs one is counted apart. Whom neither snapshot names is not
listed, but for anonymous. Exits with 0 if nobody's access differs, with 1 if somebody's does or
routes do, or if not all could be looked at, and with 65 for a snapshot that is not valid.")]
pub struct Arguments {
    /// What is there now: file or directory.
    #[arg(value_name = "A")]
    before: PathBuf,
    /// What would be.
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Most lines of each list.
    #[arg(long, value_name = "N", default_value_t = COMPARE_LISTED)]
    limit: usize,
    /// Most decisions; if more are needed a part is drawn, and the answer says so.
    #[arg(long, value_name = "N", default_value_t = COMPARE_DECISIONS)]
    max_decisions: u64,
    /// Decide as of this moment (RFC 3339), not now.
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn moment(text: &str) -> Result<i64, String> {
    let expected = "expected a moment of whole seconds such as 2026-03-01T12:00:00Z (RFC 3339)";
    feed::moment(text).ok_or_else(|| expected.to_owned())
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let mut sides = Vec::new();
    for path in [&arguments.before, &arguments.after] {
        match load::with_document(path, true, progress::show) {
            Ok(side) => sides.push(side),
            Err(issues) => note(issues.to_string().trim_end()),
        }
    }
    let Ok([(old, before), (new, after)]) = <[_; 2]>::try_from(sides) else {
        return fail(Exit::Data, "a snapshot is not valid, nothing was compared");
    };
    compare(arguments, (&old, &before), (&new, &after))
}

fn compare(
    arguments: &Arguments,
    (old, before): (&Document, &Snapshot),
    (new, after): (&Document, &Snapshot),
) -> Exit {
    let now = arguments.at;
    let now = UnixTime(now.unwrap_or_else(|| SystemClock::start().unix_seconds()));
    let entities = entities::compare(old, new);
    progress::show(Some("finding what may differ"));
    let mut comparison = Comparison::new(before, after, now, arguments.max_decisions);
    let work = comparison.work();
    while comparison.run(COMPARE_PAIRS_AT_ONCE) {
        let done = comparison.tally.examined;
        progress::show(Some(&format!("deciding for pair {done} of {work}")));
    }
    let (losers, winners) = comparison.touched();
    let keys = keys::compare(before, after, (&losers, &winners), now);
    progress::show(None);
    let differs = comparison.tally.triples.all() > 0
        || keys.differ()
        || !comparison.tally.is_exact()
        || entities.iter().any(|difference| difference.kind == "route");
    let found = show::Found {
        entities: &entities,
        comparison: &comparison,
        keys: &keys,
        limit: arguments.limit,
    };
    match arguments.format {
        Format::Text => out(found.text().trim_end()),
        Format::Json => out(found.json()),
    }
    if differs { Exit::No } else { Exit::Good }
}
