//! Labels of the families of service edges.

use std::borrow::Cow;
use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use wire::{Endpoint, TapKind};

/// Value of all labels of the series that counts what is beyond a family's bound.
pub(crate) const OVERFLOW: &str = "__overflow__";
/// Value of a workload label where neither container nor process is known.
pub(crate) const UNKNOWN: &str = "unknown";

/// A service edge as seen by one kind of tap: client, server and protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    pub(crate) tap_kind: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) client: Arc<str>,
    pub(crate) server: Arc<str>,
    /// Client and server; only with [`Config::addresses`](crate::Config::addresses).
    pub(crate) addresses: Option<(Endpoint, Endpoint)>,
}

impl Edge {
    pub(crate) fn new(
        tap_kind: TapKind,
        protocol: &'static str,
        client: Arc<str>,
        server: Arc<str>,
    ) -> Self {
        Self { tap_kind: tap_kind.as_str(), protocol, client, server, addresses: None }
    }

    pub(crate) fn overflow() -> Self {
        let name: Arc<str> = OVERFLOW.into();
        Self {
            tap_kind: OVERFLOW,
            protocol: OVERFLOW,
            client: name.clone(),
            server: name,
            addresses: None,
        }
    }
}

/// Name and value of a label besides those of the edge.
pub(crate) type Label = (&'static str, Cow<'static, str>);

/// Labels of one series of an edge family.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Series {
    pub(crate) edge: Arc<Edge>,
    /// Those besides the edge's.
    pub(crate) labels: [Option<Label>; Self::MAX_LABELS],
}

impl Series {
    /// Most labels of a family besides the edge's.
    pub(crate) const MAX_LABELS: usize = 2;

    /// The series of everything beyond the bound: same label names, every value `__overflow__`.
    pub(crate) fn overflow(&self) -> Self {
        let overflow =
            |label: &Option<Label>| label.as_ref().map(|(name, _)| (*name, OVERFLOW.into()));
        Self { edge: Arc::new(Edge::overflow()), labels: self.labels.each_ref().map(overflow) }
    }

    /// Names and values in the order in which they are written.
    pub(crate) fn all_labels(&self) -> Vec<(&'static str, Cow<'_, str>)> {
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
        labels.extend(
            self.labels.iter().flatten().map(|(name, value)| (*name, Cow::Borrowed(&**value))),
        );
        labels
    }
}

impl EncodeLabelSet for Series {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), Error> {
        self.all_labels().into_iter().try_for_each(|label| label.encode(encoder.encode_label()))
    }
}
