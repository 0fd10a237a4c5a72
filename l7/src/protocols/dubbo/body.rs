//! The beginning of bodies: which method a request calls, and whether a response is an exception.

use super::header::{FASTJSON, HESSIAN2};
use super::hessian::Hessian;
use crate::kit::reader::first_bytes;
use fact::{Attributes, Exchange, Outcome};

/// Longest value that is kept, in bytes.
const LONGEST: usize = 512;
/// Most parameters that are skipped to reach the attachments.
const PARAMETERS: usize = 64;

/// Adds the called method. `body` is the beginning of the request's body.
pub(super) fn request(serialization: u8, body: &[u8], exchange: &mut Exchange) {
    match serialization {
        HESSIAN2 => {
            let mut hessian = Hessian::new(body);
            let mut names = [None; 5];
            for (number, name) in names.iter_mut().enumerate() {
                // Dubbox has a number before the types.
                if number == 4 && matches!(hessian.peek(), Some(0x80..=0xd7)) {
                    hessian.int();
                }
                *name = hessian.text();
                if name.is_none() {
                    break;
                }
            }
            push_names(names, exchange);
            if let [.., Some(types)] = names {
                let _ = attachments(&mut hessian, types, &mut exchange.attributes);
            }
        }
        FASTJSON => {
            let mut lines =
                body.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
            let mut names = [None; 5];
            for name in &mut names {
                *name = lines
                    .next()
                    .and_then(|line| line.strip_prefix(b"\"")?.strip_suffix(b"\""))
                    .and_then(|text| std::str::from_utf8(text).ok());
            }
            push_names(names, exchange);
        }
        _ => {}
    }
}

/// Adds the version of Dubbo, the service, its version, the method and the types of its parameters.
fn push_names(
    [dubbo, service, version, method, types]: [Option<&str>; 5],
    exchange: &mut Exchange,
) {
    let attributes = &mut exchange.attributes;
    for (key, value) in [
        ("rpc.service", service),
        ("rpc.method", method),
        ("network.protocol.version", dubbo),
        ("rpc.dubbo.service.version", version),
        ("rpc.dubbo.parameter_types", types),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            attributes.push_bytes(key, first_bytes(value.as_bytes(), LONGEST));
        }
    }
    if let Some(method) = method {
        exchange
            .operation
            .push_str(&String::from_utf8_lossy(first_bytes(method.as_bytes(), LONGEST)));
    }
}

/// Adds the trace headers among the attachments behind the parameters.
fn attachments(hessian: &mut Hessian<'_>, types: &str, attributes: &mut Attributes) -> Option<()> {
    for _ in 0..parameters(types)? {
        hessian.skip()?;
    }
    hessian.pairs(|key, value| {
        let name = match key {
            "traceparent" => "rpc.request.metadata.traceparent",
            "b3" => "rpc.request.metadata.b3",
            "sw8" => "rpc.request.metadata.sw8",
            "remote.application" => "rpc.dubbo.client.application",
            "group" => "rpc.dubbo.service.group",
            _ => return,
        };
        if !value.is_empty() && value.len() <= LONGEST && attributes.get(name).is_none() {
            attributes.push_text(name, value);
        }
    })
}

/// Number of parameters in a descriptor (JVM specification, section 4.3.2). None if it is not one.
fn parameters(types: &str) -> Option<usize> {
    let (mut count, mut rest) = (0, types.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        rest = match first {
            b'[' => {
                rest = behind;
                continue;
            }
            b'L' => {
                let end = behind.iter().position(|byte| *byte == b';')?;
                behind.get(end + 1..)?
            }
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' => behind,
            _ => return None,
        };
        count += 1;
        if count > PARAMETERS {
            return None;
        }
    }
    Some(count)
}

/// Whether a response's flag means an exception, without or with attachments.
fn is_exception(flag: Option<i32>) -> bool {
    matches!(flag, Some(0 | 3))
}

/// Adds what came with status OK: a value, nothing, or an exception, whose class becomes the error.
pub(super) fn response(serialization: u8, body: &[u8], exchange: &mut Exchange) {
    let (flag, class) = match serialization {
        HESSIAN2 => {
            let mut hessian = Hessian::new(body);
            let flag = hessian.int();
            (flag, if is_exception(flag) { hessian.class() } else { None })
        }
        FASTJSON => (body.first().map(|digit| i32::from(*digit) - i32::from(b'0')), None),
        _ => (None, None),
    };
    if is_exception(flag) {
        exchange.outcome = Outcome::ServerError;
        let class = class.unwrap_or("exception");
        exchange.attributes.push_bytes("error.type", first_bytes(class.as_bytes(), LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted() {
        assert_eq!(parameters(""), Some(0));
        assert_eq!(parameters("Ljava/lang/String;[[IJ[Ljava/lang/Object;"), Some(4));
        assert_eq!(
            (parameters("Ljava"), parameters("x"), parameters(&"I".repeat(99))),
            (None, None, None)
        );
    }
}
