//! Which attributes tell people most, in the order of preference.

/// What was asked for.
const SUBJECTS: &[&str] = &[
    "url.path",
    "dns.question.name",
    "db.query.text",
    "db.collection.name",
    "messaging.destination.name",
    "rpc.service",
    "zookeeper.path",
    "tls.client.server_name",
    "server.address",
    "db.namespace",
];

/// What the answer was.
const STATUSES: &[&str] = &[
    // A call that failed is answered with 200 by HTTP.
    "rpc.response.status_code",
    "http.response.status_code",
    "dns.response.code",
    "db.response.status_code",
    "error.type",
];

/// The attribute that says what was asked for.
pub(super) fn subject<T>(get: impl FnMut(&'static str) -> Option<T>) -> Option<T> {
    SUBJECTS.iter().copied().find_map(get)
}

/// Operation and subject in one line; a subject that begins with the operation (a command as it was sent) says both.
pub(super) fn request(operation: &str, subject: &str) -> String {
    match subject.split_at_checked(operation.len()) {
        Some((first, rest)) if first.eq_ignore_ascii_case(operation) && rest.starts_with(' ') => {
            subject.to_owned()
        }
        _ => format!("{operation} {subject}"),
    }
}

/// The attribute that says what the answer was.
pub(super) fn status<T>(get: impl FnMut(&'static str) -> Option<T>) -> Option<T> {
    STATUSES.iter().copied().find_map(get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_as_the_call_says_it() {
        let grpc = ["http.response.status_code", "rpc.grpc.status_code", "rpc.response.status_code"];
        assert_eq!(status(|key| grpc.contains(&key).then_some(key)), Some("rpc.response.status_code"));
    }

    #[test]
    fn a_command_is_not_said_twice() {
        assert_eq!(request("GET", "GET ?"), "GET ?");
        assert_eq!(request("GET", "/GET"), "GET /GET");
        assert_eq!(request("GET", "GETTER ?"), "GET GETTER ?");
        assert_eq!(request("COM_QUERY", "SELECT ?"), "COM_QUERY SELECT ?");
    }
}
