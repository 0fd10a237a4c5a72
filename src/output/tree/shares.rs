//! The slowest step of a trace.

use store::Trace;

use super::path::points;

/// The step of the network that took longest in a trace, if one stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slowest {
    step_ns: Option<u64>,
}

impl Slowest {
    /// Steps below this are the cost of software, not of a network.
    const NOTICED_NS: u64 = 50_000;

    pub(super) fn of(trace: &Trace) -> Self {
        let mut steps = Vec::new();
        trace.visit(|call| {
            let points = points(call);
            steps.extend(
                points.iter().flat_map(|point| [point.request_step, point.response_step]).flatten(),
            );
        });
        let longest = steps.iter().copied().max().filter(|&longest| longest >= Self::NOTICED_NS);
        Self { step_ns: longest.filter(|_| steps.len() > 1) }
    }

    /// Whether a step is the one.
    pub(super) fn is(&self, step: Option<u64>) -> bool {
        step.is_some() && step == self.step_ns
    }
}
