//! What the bodies of requests and responses begin with.

use super::head::{FASTJSON, HESSIAN2};
use super::hessian::Hessian;
use crate::kit::reader::first_bytes;
use fact::{Attributes, Exchange, Outcome};

/// Longest value that is kept.
const KEPT: usize = 512;
/// Parameters that are passed over to get at the attachments.
const PARAMETERS: usize = 64;

/// Names what is called; `body` is its beginning.
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
            tell(names, exchange);
            if let [.., Some(types)] = names {
                let _ = attachments(&mut hessian, types, &mut exchange.attributes);
            }
        }
        FASTJSON => {
            let mut lines = body.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
            let mut names = [None; 5];
            for name in &mut names {
                *name = lines
                    .next()
                    .and_then(|line| line.strip_prefix(b"\"")?.strip_suffix(b"\""))
                    .and_then(|text| std::str::from_utf8(text).ok());
            }
            tell(names, exchange);
        }
        _ => {}
    }
}

/// Version of Dubbo, service, its version, method, types of the parameters.
fn tell([dubbo, service, version, method, types]: [Option<&str>; 5], exchange: &mut Exchange) {
    let attributes = &mut exchange.attributes;
    for (key, value) in [
        ("rpc.service", service),
        ("rpc.method", method),
        ("network.protocol.version", dubbo),
        ("rpc.dubbo.service.version", version),
        ("rpc.dubbo.parameter_types", types),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            attributes.push_bytes(key, first_bytes(value.as_bytes(), KEPT));
        }
    }
    if let Some(method) = method {
        exchange.operation.push_str(&String::from_utf8_lossy(first_bytes(method.as_bytes(), KEPT)));
    }
}

/// Trace headers among the attachments behind the parameters.
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
        if !value.is_empty() && value.len() <= KEPT && attributes.get(name).is_none() {
            attributes.push_text(name, value);
        }
    })
}

/// Number of parameters in a descriptor (JVM specification, section 4.3.2); none if it is not one.
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

/// What came back with status OK: a value, nothing, or an exception of which the class is told.
pub(super) fn response(serialization: u8, body: &[u8], exchange: &mut Exchange) {
    let (flag, class) = match serialization {
        HESSIAN2 => {
            let mut hessian = Hessian::new(body);
            let flag = hessian.int();
            (flag, if matches!(flag, Some(0 | 3)) { hessian.class() } else { None })
        }
        FASTJSON => (body.first().map(|digit| i32::from(*digit) - i32::from(b'0')), None),
        _ => (None, None),
    };
    if matches!(flag, Some(0 | 3)) {
        exchange.outcome = Outcome::ServerError;
        let class = class.unwrap_or("exception");
        exchange.attributes.push_bytes("error.type", first_bytes(class.as_bytes(), KEPT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted() {
        assert_eq!(parameters(""), Some(0));
        assert_eq!(parameters("Ljava/lang/String;[[IJ[Ljava/lang/Object;"), Some(4));
        assert_eq!((parameters("Ljava"), parameters("x"), parameters(&"I".repeat(99))), (None, None, None));
    }
}
