//! Several operations in one (MultiHeader: type, whether it is the last, error).

use super::ops::{
    CHECK, CREATE, CREATE_CONTAINER, CREATE_TTL, CREATE2, DELETE, GET_CHILDREN, GET_DATA, SET_DATA,
};
use crate::kit::reader::Reader;

/// Operations that are counted.
const MOST: i64 = 10_000;

/// How many operations there are; none if their end is not there.
pub(super) fn operations(body: &[u8]) -> Option<i64> {
    let mut r = Reader::new(body);
    for number in 0..MOST {
        let (code, done) = (r.i32()?, r.u8()?);
        r.i32()?;
        if done != 0 {
            return Some(number);
        }
        r.bytes32()?;
        match code {
            CREATE | CREATE2 | CREATE_CONTAINER | CREATE_TTL => {
                r.bytes32()?;
                for _ in 0..r.u32()?.min(1000) {
                    r.u32()?;
                    r.bytes32()?;
                    r.bytes32()?;
                }
                r.u32()?;
                if code == CREATE_TTL {
                    r.u64()?;
                }
            }
            SET_DATA => {
                r.bytes32()?;
                r.u32()?;
            }
            DELETE | CHECK => drop(r.u32()?),
            GET_DATA | GET_CHILDREN => drop(r.u8()?),
            _ => return None,
        }
    }
    None
}

/// The error that made all operations fail, if they did: the first that is not only a consequence.
pub(super) fn error(results: &[u8]) -> Option<i32> {
    let mut r = Reader::new(results);
    let mut found = None;
    while let Some(((kind, done), _)) = r.i32().zip(r.u8()).zip(r.i32()) {
        if kind != -1 || done != 0 {
            break;
        }
        match r.i32() {
            Some(0 | -2) | None => found = found.or(Some(-2)),
            Some(code) => return Some(code),
        }
    }
    found
}
