//! Which attributes tell people most, in the order of preference.

/// What was asked for.
const SUBJECTS: &[&str] = &[
    "url.path",
    "dns.question.name",
    "db.query.text",
    "db.collection.name",
    "messaging.destination.name",
    "rpc.service",
    "tls.client.server_name",
    "server.address",
    "db.namespace",
];

/// What the answer was.
const STATUSES: &[&str] = &[
    "http.response.status_code",
    "dns.response.code",
    "rpc.grpc.status_code",
    "db.response.status_code",
    "rpc.response.status_code",
    "error.type",
];

/// The attribute that says what was asked for.
pub(super) fn subject<T>(get: impl FnMut(&'static str) -> Option<T>) -> Option<T> {
    SUBJECTS.iter().copied().find_map(get)
}

/// The attribute that says what the answer was.
pub(super) fn status<T>(get: impl FnMut(&'static str) -> Option<T>) -> Option<T> {
    STATUSES.iter().copied().find_map(get)
}
