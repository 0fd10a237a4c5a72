use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use capture::interfaces::{Change, Interface, Watch, read_cni_cache};

use super::source::News;
use crate::interfaces::CNI_CACHE;
use crate::live::Shared;
use crate::names::Known;

/// How long the watcher waits before it looks whether it shall end.
const WAIT: Duration = Duration::from_millis(200);

/// Follows the interfaces of this network namespace as they come and go, until the run ends.
pub(super) fn watch(mut watch: Watch, news: &News, shared: &Arc<Shared>) {
    let mut pods = Pods::default();
    while !shared.stopping() {
        pods.look(&shared.names);
        let changes = match watch.wait(WAIT) {
            Ok(false) => continue,
            Ok(true) => watch.changes(),
            Err(error) => Err(error),
        };
        match changes {
            Ok(changes) => changes.iter().for_each(|change| tell(change, news)),
            Err(error) => {
                tracing::error!("new interfaces will not be seen: {error}");
                return;
            }
        }
    }
}

/// The pods of the node, read again when the folder in which they are kept has changed.
#[derive(Default)]
struct Pods {
    changed: Option<SystemTime>,
    /// Looks to take yet: a file may be half written when the folder says that it is there.
    looks: u32,
}

impl Pods {
    fn look(&mut self, names: &Known) {
        let changed = std::fs::metadata(CNI_CACHE).and_then(|folder| folder.modified()).ok();
        if changed != self.changed {
            self.changed = changed;
            self.looks = 5;
        }
        if self.looks == 0 {
            return;
        }
        self.looks -= 1;
        match read_cni_cache(Path::new(CNI_CACHE)) {
            Ok(pods) => names.set_pods(&pods),
            Err(error) => tracing::warn!("pods are called by their processes: {error}"),
        }
    }
}

fn tell(change: &Change, news: &News) {
    let say = |interface: &Interface, text: &str| tracing::info!("interface {}: {text}", interface.name);
    match news {
        News::Rings(table) => {
            if let (Some(choice), Change::Appeared(interface)) = (table.apply(change), change) {
                say(
                    interface,
                    &format!("{} ({})", if choice.tap { "tapped" } else { "not tapped" }, choice.reason),
                );
            }
        }
        // Nobody takes news any more when the shard has ended.
        News::Programs(sender) => drop(sender.send(change.clone())),
    }
    if let Change::Gone(interface) = change {
        say(interface, "gone");
    }
}
