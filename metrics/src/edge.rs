use std::borrow::Cow;
use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use wire::{Endpoint, TapKind};

/// Value of all labels of the series that takes what goes beyond a family's cap.
pub(crate) const OVERFLOW: &str = "__overflow__";
/// Value of a workload label where neither container nor process is known.
pub(crate) const UNKNOWN: &str = "unknown";

/// A service edge as seen by one kind of tap: who talks to whom in which protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    pub(crate) tap_kind: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) client: Arc<str>,
    pub(crate) server: Arc<str>,
    /// Addresses and the server's port, only where they are switched on.
    pub(crate) addresses: Option<(Endpoint, Endpoint)>,
}

impl Edge {
    pub(crate) fn new(tap_kind: TapKind, protocol: &'static str, client: Arc<str>, server: Arc<str>) -> Self {
        Self { tap_kind: tap_kind.as_str(), protocol, client, server, addresses: None }
    }

    pub(crate) fn overflow() -> Self {
        let name: Arc<str> = OVERFLOW.into();
        Self { tap_kind: OVERFLOW, protocol: OVERFLOW, client: name.clone(), server: name, addresses: None }
    }
}

/// A further label of a family, beside those of the edge.
pub(crate) type Label = (&'static str, Cow<'static, str>);

/// Labels of one series of a family of edges.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Series {
    pub(crate) edge: Arc<Edge>,
    pub(crate) more: [Option<Label>; 2],
}

impl Series {
    pub(crate) fn of(edge: &Arc<Edge>) -> Self {
        Self { edge: edge.clone(), more: [None, None] }
    }

    pub(crate) fn with(edge: &Arc<Edge>, first: Label) -> Self {
        Self { edge: edge.clone(), more: [Some(first), None] }
    }

    pub(crate) fn with_both(edge: &Arc<Edge>, first: Label, second: Label) -> Self {
        Self { edge: edge.clone(), more: [Some(first), Some(second)] }
    }

    /// The series that stands for all beyond the cap: same label names, every value `__overflow__`.
    pub(crate) fn overflow(&self) -> Self {
        let folded = |label: &Option<Label>| label.as_ref().map(|(key, _)| (*key, Cow::Borrowed(OVERFLOW)));
        Self { edge: Arc::new(Edge::overflow()), more: [folded(&self.more[0]), folded(&self.more[1])] }
    }
}

impl Series {
    /// Names and values in the order in which they are written.
    pub(crate) fn labels(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let edge = &*self.edge;
        let mut labels: Vec<(&'static str, Cow<'_, str>)> = vec![
            ("tap_kind", edge.tap_kind.into()),
            ("protocol", edge.protocol.into()),
            ("client", (&*edge.client).into()),
            ("server", (&*edge.server).into()),
        ];
        if let Some((client, server)) = &edge.addresses {
            labels.push(("client_address", client.address.to_string().into()));
            labels.push(("server_address", server.address.to_string().into()));
            labels.push(("server_port", server.port.to_string().into()));
        }
        labels.extend(self.more.iter().flatten().map(|(key, value)| (*key, Cow::Borrowed(&**value))));
        labels
    }
}

impl EncodeLabelSet for Series {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), Error> {
        self.labels().into_iter().try_for_each(|label| label.encode(encoder.encode_label()))
    }
}
