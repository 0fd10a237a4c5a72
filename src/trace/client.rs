//! Asks a running Wirespan over HTTP.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// How long the daemon may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// The HTTP interface of a `wirespan run`.
pub(super) struct Daemon {
    url: String,
    host: String,
}

impl Daemon {
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        let wrong = || Failure::usage(format!("--url {url}: http://HOST:PORT expected"));
        let host = url.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
        if host.is_empty()
            || host.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control())
        {
            return Err(wrong());
        }
        let with_port =
            if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
                host.to_owned()
            } else {
                format!("{host}:80")
            };
        Ok(Self { url: url.to_owned(), host: with_port })
    }

    /// The JSON at `path`; none if there is nothing.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Failure> {
        let answer = self.exchange(path).map_err(|error| {
            Failure::runtime(format!(
                "no answer from {}: {error}; is `wirespan run` active? (--url for another address, --store to read a file)",
                self.url
            ))
        })?;
        let strange = || Failure::runtime(format!("{} does not answer like wirespan", self.url));
        let split =
            answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(strange)?;
        let (head, body) = answer.split_at(split);
        let body = body.get(4..).unwrap_or_default();
        let head = String::from_utf8_lossy(head);
        match head.split_ascii_whitespace().nth(1) {
            Some("200") => serde_json::from_slice(body).map(Some).map_err(|_| strange()),
            Some("404") => Ok(None),
            Some(_) => Err(Failure::runtime(format!(
                "{}: {}",
                self.url,
                String::from_utf8_lossy(body).trim()
            ))),
            None => Err(strange()),
        }
    }

    /// One request of HTTP/1.0, whose answer ends with the connection.
    fn exchange(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for address in self.host.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, TIMEOUT) {
                Ok(mut stream) => {
                    stream.set_read_timeout(Some(TIMEOUT))?;
                    write!(
                        stream,
                        "GET {path} HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\n\r\n",
                        self.host
                    )?;
                    let mut answer = Vec::new();
                    stream.take(LARGEST).read_to_end(&mut answer)?;
                    return Ok(answer);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// `text` as a value of a query (RFC 3986, section 2.1).
pub(super) fn percent_encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_a_port() {
        assert_eq!(Daemon::new("http://127.0.0.1:9797/").unwrap().host, "127.0.0.1:9797");
        assert_eq!(Daemon::new("http://[::1]:9797").unwrap().host, "[::1]:9797");
        assert_eq!(Daemon::new("http://node").unwrap().host, "node:80");
        assert!(Daemon::new("https://x").is_err() && Daemon::new("http://a/b").is_err());
    }

    #[test]
    fn a_service_may_have_any_name() {
        assert_eq!(percent_encode("a b&c=ü"), "a%20b%26c%3D%C3%BC");
    }
}
