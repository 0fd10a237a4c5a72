//! `wirespan interfaces`: what could be tapped, what it is, and why it is selected or not.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use capture::interfaces::{CniPod, Interface, Selector, list, read_cni_cache};
use serde::Serialize;

use crate::cli::{InterfacesArgs, Output};
use crate::config::{self, Sources};
use crate::failure::Failure;
use crate::names::pod_name;
use crate::output::table::{Cell, Column, Grid};
use crate::output::{Stdout, Style};

/// Where CNI's library keeps its results.
pub(crate) const CNI_CACHE: &str = "/var/lib/cni/results";

const COLUMNS: &[Column] = &[
    Column::left("NAME"),
    Column::left("KIND").gives_way(2),
    Column::left("STATE").gives_way(3),
    Column::left("TAP"),
    Column::left("PEER").gives_way(4),
    Column::left("BRIDGE").gives_way(5),
    Column::left("CONTAINER").gives_way(1),
    Column::left("WHY").keeps(36),
];

/// One line of the list.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "interface")]
struct Row {
    name: String,
    index: u32,
    kind: &'static str,
    up: bool,
    mtu: u32,
    /// Name of the other end, or its index where it is in another network namespace.
    peer: Option<String>,
    /// Id of the network namespace of the other end, where it is another one.
    peer_namespace: Option<i32>,
    master: Option<String>,
    container: Option<String>,
    pod: Option<String>,
    pod_namespace: Option<String>,
    /// The container as metrics and traces call it.
    workload: Option<String>,
    selected: bool,
    why: String,
}

/// Runs the command.
pub(crate) fn execute(args: &InterfacesArgs) -> anyhow::Result<()> {
    let flags = if args.interfaces.is_empty() {
        Vec::new()
    } else {
        vec![("capture.interfaces", args.interfaces.join(","), "--interface")]
    };
    let environment = Sources::process_environment();
    let settings = config::load(&Sources { file: args.config.as_deref(), environment, flags })?;
    let selector = Selector::new(&settings.capture.interfaces).map_err(Failure::usage)?;
    let interfaces = list().map_err(Failure::runtime)?;
    let pods = read_cni_cache(Path::new(CNI_CACHE)).unwrap_or_else(|error| {
        tracing::warn!("containers are not known: {error}");
        Vec::new()
    });
    let names: HashMap<u32, &str> = interfaces.iter().map(|i| (i.index, i.name.as_str())).collect();
    let mut out = Stdout::lock();
    let mut grid = Grid::new(COLUMNS, Style::for_stdout());
    for interface in &interfaces {
        let row = row(interface, &selector, &names, &pods);
        match args.output {
            Output::Jsonl => out.json(&row)?,
            Output::Table => grid.push((row.index.into(), 0), cells(row), &mut out)?,
        }
    }
    grid.print(&mut out)?;
    Ok(out.flush()?)
}

fn row(
    interface: &Interface,
    selector: &Selector,
    names: &HashMap<u32, &str>,
    pods: &[CniPod],
) -> Row {
    let choice = selector.choose(interface);
    let elsewhere = interface.peer_namespace.is_some();
    let peer = interface.peer.map(|index| match names.get(&index) {
        Some(name) if !elsewhere => (*name).to_owned(),
        _ => format!("#{index}"),
    });
    // A bridge stands in the result of every container behind it.
    let pod = pods
        .iter()
        .filter(|_| interface.driver_kind == "veth")
        .find(|pod| pod.host_interfaces.contains(&interface.name));
    Row {
        name: interface.name.clone(),
        index: interface.index,
        kind: interface.kind.as_str(),
        up: interface.up,
        mtu: interface.mtu,
        peer,
        peer_namespace: interface.peer_namespace,
        master: interface.master.map(|index| {
            names.get(&index).map_or_else(|| format!("#{index}"), |n| (*n).to_owned())
        }),
        container: pod.map(|pod| pod.container.clone()),
        pod: pod.and_then(|pod| pod.pod.clone()),
        pod_namespace: pod.and_then(|pod| pod.pod_namespace.clone()),
        workload: pod.map(|pod| pod_name(pod).to_string()),
        selected: choice.tap,
        why: choice.reason,
    }
}

fn cells(row: Row) -> Vec<Cell> {
    let peer = match (row.peer, row.peer_namespace) {
        (Some(peer), Some(namespace)) => format!("{peer} in netns {namespace}"),
        (Some(peer), None) => peer,
        (None, _) => "-".to_owned(),
    };
    vec![
        row.name.into(),
        row.kind.into(),
        if row.up { "up" } else { "down" }.into(),
        if row.selected { "yes" } else { "no" }.into(),
        peer.into(),
        row.master.unwrap_or_else(|| "-".to_owned()).into(),
        row.workload.unwrap_or_else(|| "-".to_owned()).into(),
        row.why.into(),
    ]
}
