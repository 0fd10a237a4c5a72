use std::collections::BTreeMap;

/// What happens next, by time; things of the same time in the order in which they were planned.
#[derive(Debug)]
pub(crate) struct Schedule<E> {
    events: BTreeMap<(u64, u64), E>,
    planned: u64,
}

impl<E> Schedule<E> {
    pub(crate) fn new() -> Self {
        Self { events: BTreeMap::new(), planned: 0 }
    }

    pub(crate) fn plan(&mut self, time: u64, event: E) {
        self.planned += 1;
        self.events.insert((time, self.planned), event);
    }

    pub(crate) fn next(&mut self) -> Option<(u64, E)> {
        self.events.pop_first().map(|((time, _), event)| (time, event))
    }
}
