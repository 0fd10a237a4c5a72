//! Ports by which the server's end of a connection is known.

use crate::protocols::REGISTRY;

/// Ports of well-known services besides those of the protocols, sorted (IANA's registry of service
/// names and ports, or the service's own documentation). A protocol may have one of them in its
/// `PORTS` as well.
const OTHER_SERVICES: [u16; 35] = [
    21, 22, 23, 25, 88, 110, 111, 119, 123, 135, 139, 143, 161, 179, 389, 445, 514, 515, 548, 554,
    587, 631, 873, 1080, 1433, 1521, 2049, 2376, 3260, 3389, 5060, 5222, 5900, 5984, 9200,
];

/// Ports of protocols that do not show which end is the server. 4433 is registered for no service
/// that is read here: `openssl s_server` and test servers of QUIC have it by default.
const UNREGISTERED: [u16; 1] = [4433];

/// Bit n of word m: port 64 m + n is one of a service. 8 KiB, so that a look-up is one load.
static SERVICES: [u64; 1024] = {
    let mut words = [0; 1024];
    let mut index = 0;
    while index < REGISTRY.len() {
        mark(&mut words, REGISTRY[index].ports);
        index += 1;
    }
    mark(&mut words, &OTHER_SERVICES);
    unmark(&mut words, &UNREGISTERED);
    words
};

const fn mark(words: &mut [u64; 1024], ports: &[u16]) {
    let mut index = 0;
    while index < ports.len() {
        let port = ports[index] as usize;
        words[port / 64] |= 1 << (port % 64);
        index += 1;
    }
}

const fn unmark(words: &mut [u64; 1024], ports: &[u16]) {
    let mut index = 0;
    while index < ports.len() {
        let port = ports[index] as usize;
        words[port / 64] &= !(1 << (port % 64));
        index += 1;
    }
}

/// Whether servers usually wait on this port: one of a protocol, or of another known service. Where
/// exactly one end of a connection has such a port, that end is the server.
pub fn is_service_port(port: u16) -> bool {
    SERVICES[usize::from(port >> 6)] >> (port & 63) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_protocols_and_of_other_services_are_known() {
        for port in [22, 25, 80, 443, 5432, 9000, 50_051] {
            assert!(is_service_port(port), "{port}");
        }
        for port in [0, 1, 7, 4433, 40_000, 65_535] {
            assert!(!is_service_port(port), "{port}");
        }
    }

    #[test]
    fn other_services_are_sorted() {
        assert!(OTHER_SERVICES.is_sorted());
    }
}
