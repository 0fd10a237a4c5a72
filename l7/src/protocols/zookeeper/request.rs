//! Attributes of requests.

use super::multi;
use super::ops::{Shape, op};
use crate::kit::reader::{Reader, first_bytes};
use fact::Exchange;

/// Bytes of a path that are recorded.
const PATH: usize = 1024;

pub(super) fn push_path(path: &[u8], into: &mut Exchange) {
    into.attributes.push_bytes("zookeeper.path", first_bytes(path, PATH));
}

/// Adds a request to its exchange; `body` is what follows the operation. Credentials are not read.
pub(super) fn push_request(code: i32, body: &[u8], into: &mut Exchange) -> Option<()> {
    let (name, shape) = op(code)?;
    into.operation.push_str(name);
    into.attributes.push_text("db.system.name", "zookeeper");
    into.attributes.push_text("db.operation.name", name);
    let mut r = Reader::new(body);
    match shape {
        Shape::Nothing | Shape::Hidden => {}
        Shape::Auth => {
            r.i32()?;
            into.attributes.push_bytes("zookeeper.auth_scheme", first_bytes(r.bytes32()?, PATH));
        }
        Shape::Several => {
            if let Some(number) = multi::operations(body) {
                into.attributes.push_int("db.operation.batch.size", number);
            }
        }
        Shape::Path | Shape::PathAndData | Shape::PathAndWatch => {
            let len = r.u32()? as usize;
            push_path(r.take(len.min(r.len()))?, into);
            if shape == Shape::PathAndData {
                into.attributes.push_int("zookeeper.data_size", i64::from(r.i32()?));
            }
            if shape == Shape::PathAndWatch && r.u8()? != 0 {
                into.attributes.push_bool("zookeeper.watch", true);
            }
        }
    }
    Some(())
}
