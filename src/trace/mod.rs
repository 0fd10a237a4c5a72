//! `wirespan trace`: recent traces as a list, or one as a tree; from a file, or from the `wirespan
//! run` of this node.

mod client;
mod list;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use store::{Query, Reader, Trace};

use self::client::Daemon;
use crate::cli::{Output, TraceArgs};
use crate::failure::Failure;
use crate::output::{Stdout, Style, tree};

/// Runs the command.
pub(crate) fn execute(args: &TraceArgs) -> anyhow::Result<()> {
    let mut out = Stdout::lock();
    let style = Style::for_stdout();
    match &args.id {
        Some(id) => {
            let trace = one(args, id)?;
            match args.output {
                Output::Jsonl => out.json(&trace)?,
                Output::Table => out.write_all(tree::draw(&trace, style).as_bytes())?,
            }
        }
        None => {
            let traces = recent(args)?;
            match args.output {
                Output::Jsonl => traces.iter().try_for_each(|trace| out.json(trace))?,
                Output::Table => list::print(&traces, style, &mut out)?,
            }
            if traces.is_empty() {
                tracing::warn!("no traces {}", if args.is_filtered() { "that fit" } else { "yet" });
            }
        }
    }
    Ok(out.flush()?)
}

fn one(args: &TraceArgs, id: &str) -> anyhow::Result<Arc<Trace>> {
    if id.is_empty() || id.len() > 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!(
            "`{id}` is no trace id: up to 32 hexadecimal digits expected"
        ))
        .into());
    }
    let found = match &args.store {
        Some(path) => open(path)?.trace_by_prefix(id).map_err(Failure::runtime)?,
        None => Daemon::new(&args.url)?.get(&format!("/api/traces/{id}"))?,
    };
    Ok(found.ok_or_else(|| {
        Failure::runtime(format!("no trace {id}; `wirespan trace` lists those there are"))
    })?)
}

fn recent(args: &TraceArgs) -> anyhow::Result<Vec<Arc<Trace>>> {
    let limit = args.limit as usize;
    if let Some(path) = &args.store {
        let query = Query {
            service: args.service.clone(),
            min_duration: Duration::from_millis(args.min_duration_ms.unwrap_or(0)),
            error: args.error.then_some(true),
            limit,
        };
        return Ok(open(path)?.traces(&query).map_err(Failure::runtime)?);
    }
    let mut path =
        format!("/api/traces?limit={limit}&min_duration_ms={}", args.min_duration_ms.unwrap_or(0));
    if let Some(service) = &args.service {
        path.push_str("&service=");
        path.push_str(&client::percent_encode(service));
    }
    if args.error {
        path.push_str("&error=true");
    }
    Ok(Daemon::new(&args.url)?.get(&path)?.unwrap_or_default())
}

fn open(path: &std::path::Path) -> Result<Reader, Failure> {
    if !path.exists() {
        return Err(Failure::usage(format!(
            "{}: no such file; `wirespan run --store` and `replay --store` write one",
            path.display()
        )));
    }
    Reader::open(path).map_err(Failure::usage)
}
