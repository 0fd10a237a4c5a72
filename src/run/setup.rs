//! Opens everything that takes rights, before they are given up.

use std::net::TcpListener;
use std::sync::Arc;

use capture::CaptureWriter;
use capture::interfaces::{Selector, Watch};
use store::{Reader, Store, StoreConfig};
use wire::Source;
use xdp::SocketRecords;

use super::frame_file;
use super::source::{self, InterfaceEvents, SkippedFrames};
use crate::cli::RunArgs;
use crate::config::{self, Backend, Settings, Sources};
use crate::failure::Failure;
use crate::privileges::Plan;
use crate::taps::Taps;

/// Everything that needed rights, open.
pub(super) struct Ready {
    pub(super) taps: Arc<Taps>,
    pub(super) sources: Vec<Box<dyn Source>>,
    pub(super) watch: Watch,
    pub(super) events: InterfaceEvents,
    pub(super) skipped: Vec<Arc<SkippedFrames>>,
    pub(super) records: Option<SocketRecords>,
    pub(super) store: Store,
    pub(super) reader: Reader,
    pub(super) listener: TcpListener,
    pub(super) writer: Option<CaptureWriter>,
    pub(super) plan: Plan,
}

/// Settings from all sources; flags are the strongest.
pub(super) fn settings(args: &RunArgs) -> Result<Settings, Failure> {
    let mut flags = Vec::new();
    let mut flag =
        |key, value: Option<String>, name| flags.extend(value.map(|value| (key, value, name)));
    let interfaces = (!args.interfaces.is_empty()).then(|| args.interfaces.join(","));
    flag("capture.interfaces", interfaces, "--interface");
    flag("capture.backend", args.backend.clone(), "--backend");
    flag("capture.filter", args.filter.expression(), "--filter");
    flag("http.listen", args.listen.clone(), "--listen");
    flag("store.path", args.store.as_ref().map(|path| path.display().to_string()), "--store");
    flag("ebpf.enabled", args.no_ebpf.then(|| "false".to_owned()), "--no-ebpf");
    let environment = Sources::process_environment();
    config::load(&Sources { file: args.config.as_deref(), environment, flags })
}

/// Opens everything, cheap checks first.
pub(super) fn open(args: &RunArgs, settings: &Settings) -> Result<Ready, Failure> {
    let selector = Selector::new(&settings.capture.interfaces).map_err(Failure::usage)?;
    let watch = Watch::open().map_err(Failure::runtime)?;
    check_names(&selector, &watch)?;
    let plan =
        Plan { xdp: settings.capture.backend == Backend::Xdp, records: settings.records.enabled };
    plan.check()?;
    let listener = listen(settings)?;
    let taps = Arc::new(Taps::default());
    let (sources, events, skipped) = source::open(settings, selector, &watch, &taps)?;
    let records = records(settings);
    let config = StoreConfig { node: settings.node(), ..settings.store.clone() };
    let store = Store::open(config).map_err(Failure::runtime)?;
    let reader = store.reader().map_err(Failure::runtime)?;
    let writer =
        args.write.as_deref().map(frame_file::create).transpose().map_err(Failure::runtime)?;
    Ok(Ready {
        taps,
        sources,
        watch,
        events,
        skipped,
        records,
        store,
        reader,
        listener,
        writer,
        plan,
    })
}

/// Interfaces that were named must be there; those that match a glob may come later.
fn check_names(selector: &Selector, watch: &Watch) -> Result<(), Failure> {
    let interfaces: Vec<_> = watch.interfaces().collect();
    let missing = selector.missing(interfaces.iter().copied());
    if missing.is_empty() {
        return Ok(());
    }
    let there: Vec<&str> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    Err(Failure::usage(format!(
        "no such interface: {}; there {} {} (`wirespan interfaces` tells more)",
        missing.join(", "),
        if there.len() == 1 { "is" } else { "are" },
        there.join(", "),
    )))
}

fn listen(settings: &Settings) -> Result<TcpListener, Failure> {
    let address = settings.http.listen;
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::runtime(format!(
            "{address} is in use by another program; choose another address with --listen, or stop that program"
        )),
        _ => Failure::runtime(format!("cannot listen on {address}: {error}")),
    })?;
    listener
        .set_nonblocking(true)
        .map_err(|error| Failure::runtime(format!("cannot listen on {address}: {error}")))?;
    Ok(listener)
}

/// Opens the records of system calls. Where that fails, logs what is lost, and the run goes on
/// with packets.
fn records(settings: &Settings) -> Option<SocketRecords> {
    if !settings.records.enabled {
        return None;
    }
    let missing = Plan::missing_for_records();
    if !missing.is_empty() {
        tracing::warn!(
            "no rights to record system calls ({} missing): traces will not know processes",
            missing.join(", ")
        );
        return None;
    }
    if let Err(error) = xdp::ensure_tracefs() {
        tracing::warn!("{} cannot be mounted: {error}", xdp::TRACEFS);
    }
    match SocketRecords::load(&settings.records.config) {
        Ok(records) => {
            for missing in records.missing() {
                tracing::warn!(
                    "{}; {}; remedy: {}",
                    missing.what,
                    missing.consequence,
                    missing.remedy
                );
            }
            Some(records)
        }
        Err(error) => {
            tracing::warn!(
                "system calls are not recorded, traces will not know processes: {error}"
            );
            None
        }
    }
}
