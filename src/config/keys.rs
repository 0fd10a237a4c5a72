//! The table of configuration keys.

use super::field::Field;
use super::kind::Kind::{self, Address, Bool, Choice, Int, Millis, Ports, Seconds, Text, Texts};
use super::settings::Settings;

/// One key of the configuration: what it is called, what it may be, what it means, and which
/// setting it fills. Its default is what that setting holds in `Settings::default()`.
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
    ("xdp", "The programs of `capture.backend = \"xdp\"`."),
    ("ebpf", "Records of calls on sockets: which processes and threads took part in a request."),
    ("decode", "Taking frames apart."),
    ("analyzer", "Connections. Sizes are for each shard."),
    ("requests", "Requests and responses, for each connection."),
    ("store", "Traces: how exchanges and system calls are joined, and what is kept."),
    ("metrics", "What Prometheus sees."),
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
        interfaces: Texts, capture.interfaces, "Interfaces to tap: names, globs such as veth*, any, and !pattern for those never to tap; without any: all that are up, except loopback and dummy devices";
        backend: Choice(&["af_packet", "xdp"]), capture.backend, "How frames are captured: packet rings, or XDP and TCX programs";
        filter: Text, capture.filter, "tcpdump filter expression; the kernel passes over what does not match";
        shards: Int { min: 0, max: 256 }, capture.shards, "Threads that capture and analyse; 0 is one for each CPU, at most 4";
        snap_bytes: Int { min: 64, max: 262_144 }, ring.snap_len, "Bytes of each frame to keep";
        block_bytes: Int { min: 262_144, max: 16_777_216 }, ring.block_size, "Bytes of one block of a packet ring, a power of two";
        blocks: Int { min: 2, max: 4096 }, ring.blocks, "Blocks of one shard's packet ring";
        block_timeout_ms: Millis { min: 1, max: 10_000 }, ring.block_timeout, "Longest time that a frame waits in a block that is not full";
        promiscuous: Choice(&["off", "bridges", "all"]), ring.promiscuous, "Interfaces made promiscuous; bridges show what they forward only then";
        defragment: Bool, ring.defragment, "Whether the kernel puts IPv4 fragments together before shards see them; damages datagrams that pass several tapped interfaces";
    }
    [xdp] {
        ingress: Choice(&["auto", "native", "generic", "tcx"]), frame_tap.ingress, "Where incoming frames are seen: by XDP in the driver, by XDP in the stack, or by TCX; auto is TCX on virtual devices, and on physical ones the first of the three that works. Native XDP on a veth costs its peer segmentation offload";
        ring_bytes: Int { min: 1 << 20, max: 1 << 31 }, frame_tap.ring_bytes, "Size of the ring buffer of frames, in bytes";
        wake_percent: Int { min: 0, max: 100 }, frame_tap.wake_percent, "Fill of the ring at which its reader is woken at once";
        latency_ms: Millis { min: 1, max: 1000 }, frame_tap.latency, "Longest time that a frame waits otherwise";
    }
    [ebpf] {
        enabled: Bool, records.enabled, "Whether calls on TCP sockets are recorded";
        socket_tracepoints: Bool, records.config.socket_tracepoints, "Whether sends and receives are recorded in the socket layer where the kernel can (6.3), io_uring and MPTCP included; else by system call";
        ring_bytes: Int { min: 65_536, max: 1 << 31 }, records.config.ring_bytes, "Size of the ring buffer of records, in bytes";
        wake_percent: Int { min: 0, max: 100 }, records.config.wake_percent, "Fill of the ring at which its reader is woken at once";
        latency_ms: Millis { min: 1, max: 1000 }, records.config.latency, "Longest time that a record waits otherwise";
        identities: Int { min: 1, max: 1 << 24 }, records.config.identities, "Threads, and as many sockets, that are told once and remembered; two times as many at most";
    }
    [decode] {
        max_tunnel_depth: Int { min: 0, max: 8 }, analyzer.decode.max_tunnel_depth, "Tunnels inside each other";
        vxlan_ports: Ports, analyzer.decode.vxlan_ports, "UDP ports that carry VXLAN";
        gre_key_is_network: Bool, analyzer.decode.gre_key_is_network, "Whether GRE keys and NVGRE subnets tell tenants with equal addresses apart; not where mirrored traffic has a key for each direction";
        max_fragmented: Int { min: 0, max: 1 << 20 }, analyzer.decode.max_fragmented, "Datagrams that wait for fragments";
        fragment_timeout_s: Seconds { min: 1, max: 3600 }, analyzer.decode.fragment_timeout, "How long a datagram waits for fragments";
    }
    [analyzer] {
        max_flows: Int { min: 1, max: 1 << 28 }, analyzer.flows.max_flows, "Connections remembered; when full, the one idle for longest goes";
        established_idle_s: Seconds { min: 1, max: 604_800 }, analyzer.flows.established_idle, "Idle time after which a TCP connection is closed";
        handshake_idle_s: Seconds { min: 1, max: 3600 }, analyzer.flows.handshake_idle, "The same before its handshake is complete";
        half_closed_idle_s: Seconds { min: 1, max: 604_800 }, analyzer.flows.half_closed_idle, "The same after one side sent FIN";
        closed_linger_s: Seconds { min: 1, max: 3600 }, analyzer.flows.closed_linger, "How long late packets still belong to a closed connection";
        closing_idle_s: Seconds { min: 1, max: 3600 }, analyzer.flows.closing_idle, "The same while a FIN waits for its acknowledgement, and is repeated";
        udp_idle_s: Seconds { min: 1, max: 86_400 }, analyzer.flows.udp_idle, "Idle time after which a UDP flow is closed";
        stream_bytes: Int { min: 0, max: 1 << 30 }, analyzer.reassembly.stream_bytes, "Bytes of one direction of a connection that may wait for a hole";
        total_bytes: Int { min: 0, max: 1 << 34 }, analyzer.reassembly.total_bytes, "Bytes of all connections that may wait for holes";
        hole_wait_ms: Millis { min: 1, max: 600_000 }, analyzer.reassembly.hole_wait, "How long a hole is waited for";
        acked_hole_wait_ms: Millis { min: 0, max: 600_000 }, analyzer.reassembly.acked_hole_wait,
            "The same once the receiver acknowledged what is missing";
        unacked_segments: Int { min: 1, max: 1 << 20 }, analyzer.unacked_segments, "Segments of one direction whose acknowledgement is awaited";
    }
    [requests] {
        head_bytes: Int { min: 1024, max: 1 << 24 }, analyzer.requests.head_bytes, "Bytes of one direction kept until the head of a message is whole";
        pending: Int { min: 1, max: 1 << 20 }, analyzer.requests.pending, "Requests of one connection that wait for a response; when more do (8 times as many where answers come in order), the oldest goes";
        undecided_bytes: Int { min: 1024, max: 1 << 24 }, analyzer.requests.undecided_bytes, "Bytes that no protocol recognises before a connection is left alone";
        failures: Int { min: 1, max: 65_536 }, analyzer.requests.failures, "Parse errors before a connection is left alone";
        known_servers: Int { min: 0, max: 1 << 24 }, analyzer.requests.known_servers, "Servers of which it is remembered what they speak, as a hint for their next connections; a replay looks at each connection by itself";
        stream_wait_s: Seconds { min: 1, max: 86_400 }, analyzer.requests.stream_wait, "How long a response is waited for on TCP";
        datagram_wait_s: Seconds { min: 1, max: 3600 }, analyzer.requests.datagram_wait, "The same on UDP";
        literals: Bool, analyzer.requests.literals, "Whether values in SQL statements and keys of caches are kept; without, they are masked. Credentials never are kept";
    }
    [store] {
        path: Text, store.path, "File to keep traces in; in memory without";
        node: Text, store.node, "Name of this node in hops; the host's without";
        max_bytes: Int { min: 1 << 20, max: 1 << 40 }, store.max_bytes, "Largest size of the file, in bytes; the oldest traces go first";
        max_age_s: Seconds { min: 1, max: 315_360_000 }, store.max_age, "Largest age of a trace";
        max_memory_traces: Int { min: 1, max: 10_000_000 }, store.max_memory_traces, "Traces kept in memory where there is no file";
        use_headers: Bool, store.use_headers, "Whether trace headers on the wire may join calls";
        settle_ms: Millis { min: 0, max: 60_000 }, store.settle, "How late a record or an observation may come and still find its place";
        quiet_ms: Millis { min: 10, max: 600_000 }, store.quiet, "How long nothing must have been added to a trace before it is complete";
        max_wait_s: Seconds { min: 1, max: 86_400 }, store.max_wait, "How long a call waits for the call that caused it";
        merge_window_ms: Millis { min: 1, max: 600_000 }, store.merge_window, "Largest difference of the start of one exchange at two taps";
        datagram_window_ms: Millis { min: 1, max: 600_000 }, store.datagram_window, "The same for datagrams";
        max_unordered_records: Int { min: 1, max: 1 << 28 }, store.max_unordered_records, "Records that wait to be put in order";
        max_records: Int { min: 1, max: 1 << 28 }, store.max_records, "Records of all sockets that wait for their exchange";
        max_records_per_socket: Int { min: 1, max: 1 << 20 }, store.max_records_per_socket, "Records of one socket and direction that wait";
        max_sockets: Int { min: 1, max: 1 << 28 }, store.max_sockets, "Sockets remembered";
        max_threads: Int { min: 1, max: 1 << 28 }, store.max_threads, "Threads and processes whose messages are remembered";
        max_calls: Int { min: 1, max: 1 << 28 }, store.max_calls, "Calls of traces that are not complete; twice as many requests in the hands of processes";
        max_calls_per_trace: Int { min: 1, max: 1 << 20 }, store.max_calls_per_trace, "Calls in one trace";
        max_depth: Int { min: 1, max: 48 }, store.max_depth, "Levels of calls in one trace";
        max_cgroups: Int { min: 1, max: 1 << 28 }, store.max_cgroups, "Names of control groups remembered";
    }
    [metrics] {
        max_series: Int { min: 1, max: 1_000_000 }, metrics.max_series, "Series of each family; the rest is counted under __overflow__";
        addresses: Bool, metrics.addresses, "Whether labels carry addresses and ports too";
        routes: Bool, metrics.routes, "Whether operations of HTTP, HTTP/2 and FastCGI are method and route, GET /user/{id}, and not GET alone";
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
        queue_facts: Int { min: 256, max: 16_777_216 }, pipeline.queue_facts, "Exchanges, flows and system-call records that wait for the store; when full, further ones are dropped and counted";
        batch_facts: Int { min: 1, max: 65_536 }, pipeline.batch_facts, "Facts in one batch";
        flows_listed: Int { min: 0, max: 1_000_000 }, pipeline.flows_listed, "Flows of each shard that /api/flows knows, active and recently closed";
        write_queue_bytes: Int { min: 1 << 16, max: 1 << 30 }, pipeline.write_queue_bytes, "Frames that wait to be written to the file of --write, in bytes; when full, further ones are dropped and counted";
        stall_s: Seconds { min: 1, max: 3600 }, pipeline.stall, "After this time without progress of a shard, /healthz fails and the watchdog is not fed";
        privileges: Choice(&["drop", "keep"]), pipeline.privileges, "Whether capabilities that are not needed after set-up are given up";
    }
};
