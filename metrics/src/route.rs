//! The route of a request: what its path is once the parts that name one thing of many are gone.

/// Protocols whose requests have a path that their operation does not name.
const WITH_PATHS: [&str; 3] = ["http", "http2", "fastcgi"];
/// Longest route in bytes.
const LONGEST: usize = 128;
/// Most segments of a route; the rest is [`REST`].
const MOST_SEGMENTS: usize = 8;
/// A longer segment is data, no name.
const LONGEST_SEGMENT: usize = 64;
/// Longest file extension.
const LONGEST_EXTENSION: usize = 5;
/// What stands for a segment, or the stem of a file name, that names one thing of many.
const ID: &str = "{id}";
/// What stands for all segments beyond the limits.
const REST: &str = "…";

/// The operation by which a request is counted where routes are switched on: `GET /user/{id}` for
/// HTTP, HTTP/2 and FastCGI requests whose method and path are known, else `operation` as it is.
/// It is written into `buffer`, whose content is replaced.
pub(crate) fn routed<'a>(
    protocol: &str,
    operation: &'a str,
    path: Option<&str>,
    buffer: &'a mut String,
) -> &'a str {
    let path = path
        .filter(|path| WITH_PATHS.contains(&protocol) && !path.is_empty() && !operation.is_empty());
    let Some(path) = path else { return operation };
    buffer.clear();
    buffer.push_str(operation);
    buffer.push(' ');
    push_route(buffer, path);
    buffer
}

/// Appends the route of `path`: at most [`LONGEST`] bytes, of which a query is never part. The
/// route of a route is itself.
fn push_route(out: &mut String, path: &str) {
    let begin = out.len();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let (rooted, path) = path.strip_prefix('/').map_or((false, path), |rest| (true, rest));
    for (index, segment) in path.split('/').enumerate() {
        let slash = if rooted || index > 0 { "/" } else { "" };
        // Parameters of a segment (RFC 3986 section 3.3) carry sessions.
        let segment = segment.split(';').next().unwrap_or_default();
        let (stem, extensions) = template(segment);
        let length = out.len() - begin + slash.len() + stem.len() + extensions.len();
        if index == MOST_SEGMENTS || segment == REST || length > LONGEST - "/".len() - REST.len() {
            out.push('/');
            out.push_str(REST);
            return;
        }
        [slash, stem, extensions].iter().for_each(|part| out.push_str(part));
    }
}

/// What stands for a segment, in two parts. Of the file name of an id the extensions stay, at most
/// two: `17.tar.gz`.
fn template(segment: &str) -> (&str, &str) {
    // The domain of a mail address is no extension, and what is escaped or not ASCII is no file
    // name of a program.
    if segment.bytes().any(|byte| matches!(byte, b'@' | b'%') || !byte.is_ascii_graphic()) {
        return (ID, "");
    }
    let one = extension(segment);
    let two = one.and_then(|at| extension(segment.get(..at)?));
    for at in [two, one].into_iter().flatten() {
        if let Some((stem, extensions)) = segment.split_at_checked(at)
            && is_id(stem)
        {
            return (ID, extensions);
        }
    }
    if is_id(segment) { (ID, "") } else { (segment, "") }
}

/// Where the last extension begins.
fn extension(name: &str) -> Option<usize> {
    let (stem, extension) = name.rsplit_once('.')?;
    let is_one = extension.len() <= LONGEST_EXTENSION
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then_some(stem.len())
}

/// Whether a segment names one thing of many. In doubt it does: a name lost is a smaller loss than
/// a series for every user.
fn is_id(segment: &str) -> bool {
    let names = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:+,*!$".contains(&byte);
    if segment.len() > LONGEST_SEGMENT || !segment.bytes().all(names) {
        return true;
    }
    let whole = Shape::of(segment);
    if whole.digits == 0 {
        return false;
    }
    if whole.letters == 0 || whole.digit_run >= 5 {
        return true;
    }
    if is_version(segment) {
        return false;
    }
    let length = whole.letters + whole.digits;
    (length >= 5 && whole.digits > whole.letters)
        || (length >= 16 && (whole.is_hex || whole.changes >= 4))
        || segment.split(|c: char| !c.is_ascii_alphanumeric()).any(is_random)
}

/// `v1`, `v2.1`, `V10.0.3`.
fn is_version(segment: &str) -> bool {
    let numbers = segment.strip_prefix(['v', 'V']);
    segment.len() <= 12
        && numbers.is_some_and(|numbers| {
            numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
}

/// Whether a run of letters and digits is one that a program made up: hexadecimal, or with digits
/// strewn among its letters.
fn is_random(word: &str) -> bool {
    let shape = Shape::of(word);
    let prefixed =
        word.strip_prefix("0x").is_some_and(|rest| !rest.is_empty() && Shape::of(rest).is_hex);
    let random = match word.len() {
        ..8 => false,
        8..16 => shape.is_hex || shape.changes >= 4,
        16..20 => shape.is_hex || shape.changes >= 3,
        _ => true,
    };
    shape.digits > 0 && (random || prefixed)
}

/// What a segment is made of.
struct Shape {
    letters: usize,
    digits: usize,
    /// Most digits in a row.
    digit_run: usize,
    /// Times that a letter follows a digit at once, or a digit a letter.
    changes: usize,
    /// All letters and digits are hexadecimal digits.
    is_hex: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self { letters: 0, digits: 0, digit_run: 0, changes: 0, is_hex: true };
        let (mut run, mut last) = (0, b'-');
        for byte in text.bytes() {
            let digit = byte.is_ascii_digit();
            run = if digit { run + 1 } else { 0 };
            shape.digit_run = shape.digit_run.max(run);
            shape.digits += usize::from(digit);
            if byte.is_ascii_alphabetic() {
                shape.letters += 1;
                shape.is_hex &= byte.is_ascii_hexdigit();
            }
            let both = byte.is_ascii_alphanumeric() && last.is_ascii_alphanumeric();
            shape.changes += usize::from(both && digit != last.is_ascii_digit());
            last = byte;
        }
        shape
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn route(path: &str) -> String {
        let mut out = String::new();
        push_route(&mut out, path);
        out
    }

    #[test]
    fn names_stay() {
        for path in [
            "/",
            "*",
            "/user/",
            "//a",
            "/api/v1/users",
            "/v2.1/node1/k8s",
            "/apis/apps/v1beta1/deployments",
            "/apis/x/v2alpha1",
            "/index.html",
            "/jquery-3.6.min.js",
            "/.well-known/openid-configuration",
            "/oauth2/token",
            "/a/../b/.",
            "/internationalization/BatchGetEffectiveIamPolicies",
            "/deadbeef/facade",
            "/i18n/utf-8/mp3/2fa",
        ] {
            assert_eq!(route(path), path);
        }
    }

    #[test]
    fn ids_go() {
        for id in [
            "0",
            "123",
            "-5",
            "3.14",
            "2024-01-31",
            "2024-01-31T12:00:00Z",
            "20240131T120000Z",
            "192.168.1.1",
            "user12345",
            "order-1234567",
            "550e8400-e29b-41d4-a716-446655440000",
            "aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa",
            "%7B550e8400-e29b-41d4-a716-446655440000%7D",
            "{550e8400-e29b-41d4-a716-446655440000}",
            "7f9c6d5b",
            "DEADBEE1",
            "0xdeadbeef1",
            "d41d8cd98f00b204e9800998ecf8427e",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "dQw4w9WgXcQ",
            "cus_NffrFeUfNV2Hib4q",
            "web-7f9c6d5b8-x2x4z",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4",
            "john.doe@example.com",
            "john@localhost",
            "@john",
            "J%C3%BCrgen",
            "Jürgen",
            "a%20b",
            "a\u{0}b",
            "a b",
            "a=b",
            "\"",
        ] {
            assert_eq!(route(&format!("/user/{id}")), "/user/{id}", "{id:?}");
            assert_eq!(route(&format!("/user/{id}/cart")), "/user/{id}/cart", "{id:?}");
        }
        assert_eq!(route(&format!("/a/{}", "x".repeat(65))), "/a/{id}");
    }

    #[test]
    fn the_extensions_of_ids_stay() {
        assert_eq!(route("/img/123.png"), "/img/{id}.png");
        assert_eq!(route("/dump/2024-01-31.tar.gz"), "/dump/{id}.tar.gz");
        assert_eq!(route("/live/7f9c6d5b81.m3u8"), "/live/{id}.m3u8");
        assert_eq!(route("/app.3f2b9c1d.js"), "/{id}.js");
        assert_eq!(route("/123.987"), "/{id}");
    }

    #[test]
    fn queries_fragments_and_parameters_are_no_part() {
        assert_eq!(route("/a?token=b/c"), "/a");
        assert_eq!(route("/a/7?b#c"), "/a/{id}");
        assert_eq!(route("/a;jsessionid=3F/b#x"), "/a/b");
        assert_eq!(route("?a"), "");
    }

    #[test]
    fn long_paths_end_early() {
        assert_eq!(route("/a/b/c/d/e/f/g/h"), "/a/b/c/d/e/f/g/h");
        assert_eq!(route("/a/b/c/d/e/f/g/h/i/j"), "/a/b/c/d/e/f/g/h/…");
        let word = "w".repeat(60);
        assert_eq!(route(&format!("/{word}/{word}/{word}/x")), format!("/{word}/{word}/…"));
        for (last, ends) in [(1, false), (2, true)] {
            let path = format!("/{word}/{word}/{}", "w".repeat(last));
            assert_eq!(route(&path).ends_with("/…"), ends, "{} bytes", path.len());
        }
        assert_eq!(route("/a/…/b"), "/a/…");
    }

    #[test]
    fn only_requests_with_paths_have_routes() {
        let mut buffer = "left over".to_owned();
        let with_path = Some("/user/7?x");
        for protocol in ["http", "http2", "fastcgi"] {
            assert_eq!(routed(protocol, "GET", with_path, &mut buffer), "GET /user/{id}");
        }
        assert_eq!(routed("http", "GET", None, &mut buffer), "GET");
        assert_eq!(routed("http", "", with_path, &mut buffer), "");
        assert_eq!(routed("grpc", "a.B/c", with_path, &mut buffer), "a.B/c");
    }

    proptest! {
        #[test]
        fn routes_are_short_stable_and_without_numbers(
            path in prop_oneof![
                "\\PC{0,200}",
                "(/[a-z0-9.{}…;%@_-]{0,12}){0,12}",
                "/?([0-9a-f]{0,40}|[a-zA-Z0-9_-]{0,30}|(/|[0-9]{1,4}|[.a-z]){1,30})(/\\{id\\}[.a-z0-9]{0,8}){0,12}",
                "(/[a-z-]{1,40}){1,10}",
                "(/[0-9]{1,20}(\\.[a-z]{1,6}){0,3}){1,10}",
            ],
        ) {
            let once = route(&path);
            prop_assert!(once.len() <= LONGEST, "{once}");
            prop_assert!(once.split('/').count() <= MOST_SEGMENTS + 2, "{once}");
            prop_assert!(!once.contains(['?', '#', ';', '%', '@']), "{once}");
            prop_assert_eq!(&route(&once), &once);
            for segment in once.split('/') {
                let digits = segment.bytes().all(|byte| byte.is_ascii_digit());
                let number = digits && !segment.is_empty();
                prop_assert!(!number, "{}", once);
            }
        }
    }
}
