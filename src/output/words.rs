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

/// Operation and subject in one line; a subject that begins with the operation (a command as it was
/// sent) says both.
pub(super) fn request(operation: &str, subject: &str) -> String {
    match subject.split_at_checked(operation.len()) {
        Some((first, rest))
            if first.eq_ignore_ascii_case(operation)
                && (rest.is_empty() || rest.starts_with(' ')) =>
        {
            subject.to_owned()
        }
        _ => format!("{operation} {subject}"),
    }
}

/// What the answer was. Of a call that failed it is what tells the failure: calls are carried by
/// requests that go well, and exceptions by answers that are `OK`.
pub(super) fn status(
    failed: bool,
    get: impl FnMut(&'static str) -> Option<String>,
) -> Option<String> {
    STATUSES.iter().copied().filter_map(get).find(|status| !(failed && status == "OK"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_not_said_twice() {
        assert_eq!(request("GET", "GET ?"), "GET ?");
        assert_eq!(request("PING", "PING"), "PING");
        assert_eq!(request("GET", "/GET"), "GET /GET");
        assert_eq!(request("GET", "GETTER ?"), "GET GETTER ?");
        assert_eq!(request("COM_QUERY", "SELECT ?"), "COM_QUERY SELECT ?");
    }

    #[test]
    fn a_failure_is_not_told_as_success() {
        let of = |failed, all: &[(&str, &str)]| {
            status(failed, |key| {
                all.iter().find(|(k, _)| *k == key).map(|(_, value)| (*value).to_owned())
            })
        };
        let http = ("http.response.status_code", "200");
        let call = [http, ("rpc.response.status_code", "NOT_FOUND")];
        assert_eq!(of(true, &call).as_deref(), Some("NOT_FOUND"));
        let thrown = [("rpc.response.status_code", "OK"), ("error.type", "demo.Failure")];
        assert_eq!(of(true, &thrown).as_deref(), Some("demo.Failure"));
        assert_eq!(of(false, &thrown[..1]).as_deref(), Some("OK"));
        assert_eq!(of(true, &[http]).as_deref(), Some("200"));
    }
}
