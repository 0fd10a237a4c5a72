//! Lists traces.

use std::io;
use std::sync::Arc;

use store::Trace;

use crate::output::table::{Cell, Column, Grid};
use crate::output::tree::{in_short, status, title};
use crate::output::{Stdout, Style, nanos};

const COLUMNS: &[Column] = &[
    Column::left("TRACE"),
    Column::time("TIME").gives_way(1),
    Column::right("DURATION"),
    Column::right("CALLS").gives_way(3),
    Column::left("RESULT"),
    Column::left("CLIENT"),
    Column::left("REQUEST"),
    Column::left("LONGEST PART").gives_way(2),
];

/// Prints one line for each trace, in the order given.
pub(super) fn print(traces: &[Arc<Trace>], style: Style, out: &mut Stdout) -> io::Result<()> {
    let mut grid = Grid::new(COLUMNS, style);
    for (place, trace) in (0..).zip(traces) {
        let root = &trace.root;
        let mut calls = 0_u64;
        trace.visit(|_| calls += 1);
        let client =
            root.client.name().map_or_else(|| root.client.address.to_string(), ToOwned::to_owned);
        let id = trace.trace_id.to_string();
        let row = vec![
            id.chars().take(12).collect::<String>().into(),
            Cell::time(root.start_unix_ns),
            nanos(root.duration_ns()).into(),
            calls.to_string().into(),
            Cell::bad_if(status(root), trace.is_error()),
            client.into(),
            title(root).into(),
            in_short(trace).into(),
        ];
        grid.push((place, 0), row, out)?;
    }
    grid.print(out)
}
