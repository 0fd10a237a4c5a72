use super::field::Field;
use super::kind::Kind::{self, Address, Bool, Choice, Int, Millis, Seconds, Text, Texts};
use super::settings::Settings;

/// One key of the configuration: what it is called, what it may be, what it means, and which setting it fills.
/// Its default is what that setting holds in `Settings::default()`.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) doc: &'static str,
    pub(super) field: fn(&mut Settings) -> &mut dyn Field,
}

impl Key {
    /// `section.name`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// Whether `path` is this key's.
    pub(super) fn is(&self, path: &str) -> bool {
        path.split_once('.') == Some((self.section, self.name))
    }

    /// Name of the environment variable.
    pub(super) fn environment(&self) -> String {
        format!("WIRESPAN_{}_{}", self.section.to_uppercase(), self.name.to_uppercase())
    }
}

/// Sections in the order of the example file, with what they are about.
pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("capture", "Where frames come from (`wirespan run`)."),
    ("http", "The HTTP server of `wirespan run`: metrics, health, traces."),
    ("pipeline", "Threads and the queues between them."),
];

macro_rules! keys {
    ($([$section:ident] { $($name:ident: $kind:expr, $($field:ident).+, $doc:literal;)* })*) => {
        &[$($(Key {
            section: stringify!($section),
            name: stringify!($name),
            kind: $kind,
            doc: $doc,
            field: |settings| &mut settings.$($field).+,
        },)*)*]
    };
}

/// Every key there is.
pub(super) const KEYS: &[Key] = keys! {
    [capture] {
        interfaces: Texts, capture.interfaces, "Interfaces to tap: names, globs such as veth*, or any";
        exclude: Texts, capture.exclude, "Interfaces never to tap: names or globs; stronger than `interfaces`";
        backend: Choice(&["af_packet", "xdp"]), capture.backend, "How frames are captured: packet rings, or XDP and TCX programs";
        filter: Text, capture.filter, "tcpdump filter expression; the kernel passes over what does not match";
        shards: Int { min: 0, max: 256 }, capture.shards, "Threads that capture and analyse; 0 is one for each CPU, at most 4";
    }
    [http] {
        listen: Address, http.listen, "Address and port of the HTTP server";
        max_connections: Int { min: 1, max: 10_000 }, http.max_connections, "Connections served at once; further ones wait";
        max_header_bytes: Int { min: 8192, max: 1 << 20 }, http.max_header_bytes, "Largest head of a request, in bytes";
        max_body_bytes: Int { min: 0, max: 1 << 20 }, http.max_body_bytes, "Largest body of a request, in bytes";
        header_timeout_ms: Millis { min: 100, max: 600_000 }, http.header_timeout, "How long a client may take to send the head of a request";
        request_timeout_ms: Millis { min: 100, max: 600_000 }, http.request_timeout, "How long the answer to a request may take";
        connection_timeout_s: Seconds { min: 1, max: 86_400 }, http.connection_timeout, "How long a connection may last";
        max_listed: Int { min: 1, max: 100_000 }, http.max_listed, "Most flows or traces in one answer";
    }
    [pipeline] {
        queue_batches: Int { min: 1, max: 65_536 }, pipeline.queue_batches, "Batches that wait between a shard and the store; when full, further ones are dropped and counted";
        batch_facts: Int { min: 1, max: 65_536 }, pipeline.batch_facts, "Facts in one batch";
        flows_listed: Int { min: 0, max: 1_000_000 }, pipeline.flows_listed, "Flows of each shard that /api/flows knows, active and recently closed";
        write_queue_bytes: Int { min: 1 << 16, max: 1 << 30 }, pipeline.write_queue_bytes, "Frames that wait to be written to the file of --write, in bytes; when full, further ones are dropped and counted";
        stall_s: Seconds { min: 1, max: 3600 }, pipeline.stall, "After this time without progress of a shard, /healthz fails and the watchdog is not fed";
        privileges: Choice(&["drop", "keep"]), pipeline.privileges, "Whether capabilities that are not needed after set-up are given up";
    }
};
