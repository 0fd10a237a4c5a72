//! The thread that follows the interfaces and pods of this node as they come and go.

use std::path::Path;
use std::time::{Duration, SystemTime};

use capture::interfaces::{Change, Interface, Watch, read_cni_cache};

use super::source::InterfaceEvents;
use crate::interfaces::CNI_CACHE;
use crate::live::Shared;
use crate::names::NameRegistry;

/// How long the thread waits for changes before it checks whether the run ends.
const WAIT: Duration = Duration::from_millis(200);
/// How often the folder of pods is read after it changed: a file may be half written when the
/// folder shows that it is there.
const READS_AFTER_CHANGE: u32 = 5;

/// Passes changes of interfaces on to `events`, and names of pods to the registry of names, until
/// the run ends.
pub(super) fn watch(mut watch: Watch, events: &InterfaceEvents, shared: &Shared) {
    let mut pods = PodWatch::default();
    while !shared.stopping() {
        pods.update(&shared.names);
        let changes = match watch.wait(WAIT) {
            Ok(false) => continue,
            Ok(true) => watch.changes(),
            Err(error) => Err(error),
        };
        match changes {
            Ok(changes) => changes.iter().for_each(|change| on_change(change, events)),
            Err(error) => {
                tracing::error!("new interfaces will not be seen: {error}");
                return;
            }
        }
    }
}

/// The pods of the node, read again when the folder in which they are kept has changed.
#[derive(Default)]
struct PodWatch {
    changed: Option<SystemTime>,
    reads_left: u32,
}

impl PodWatch {
    fn update(&mut self, names: &NameRegistry) {
        let changed = std::fs::metadata(CNI_CACHE).and_then(|folder| folder.modified()).ok();
        if changed != self.changed {
            self.changed = changed;
            self.reads_left = READS_AFTER_CHANGE;
        }
        if self.reads_left == 0 {
            return;
        }
        self.reads_left -= 1;
        match read_cni_cache(Path::new(CNI_CACHE)) {
            Ok(pods) => names.set_pods(&pods),
            Err(error) => tracing::warn!(
                "pods are not known, and called by their containers or processes: {error}"
            ),
        }
    }
}

fn on_change(change: &Change, events: &InterfaceEvents) {
    let log = |interface: &Interface, text: &str| {
        tracing::info!("interface {}: {text}", interface.name);
    };
    match events {
        InterfaceEvents::Rings(table) => {
            if let (Some(choice), Change::Appeared(interface)) = (table.apply(change), change) {
                let tapped = if choice.tap { "tapped" } else { "not tapped" };
                log(interface, &format!("{tapped} ({})", choice.reason));
            }
        }
        // A shard that has ended receives nothing.
        InterfaceEvents::Programs(sender) => drop(sender.send(change.clone())),
    }
    if let Change::Gone(interface) = change {
        log(interface, "gone");
    }
}
