use std::sync::Arc;
use std::time::Duration;

use capture::interfaces::{Change, Interface, Watch};

use super::source::News;
use crate::live::Shared;

/// How long the watcher waits before it looks whether it shall end.
const WAIT: Duration = Duration::from_millis(200);

/// Follows the interfaces of this network namespace as they come and go, until the run ends.
pub(super) fn watch(mut watch: Watch, news: &News, shared: &Arc<Shared>) {
    while !shared.stopping() {
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
