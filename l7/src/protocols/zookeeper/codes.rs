//! Error codes and operation names.

use fact::{Attributes, Outcome};

/// Error codes (KeeperException.Code of ZooKeeper 3.9).
fn name(code: i32) -> Option<&'static str> {
    Some(match code {
        -1 => "SYSTEMERROR",
        -2 => "RUNTIMEINCONSISTENCY",
        -3 => "DATAINCONSISTENCY",
        -4 => "CONNECTIONLOSS",
        -5 => "MARSHALLINGERROR",
        -6 => "UNIMPLEMENTED",
        -7 => "OPERATIONTIMEOUT",
        -8 => "BADARGUMENTS",
        -12 => "UNKNOWNSESSION",
        -13 => "NEWCONFIGNOQUORUM",
        -14 => "RECONFIGINPROGRESS",
        -100 => "APIERROR",
        -101 => "NONODE",
        -102 => "NOAUTH",
        -103 => "BADVERSION",
        -108 => "NOCHILDRENFOREPHEMERALS",
        -110 => "NODEEXISTS",
        -111 => "NOTEMPTY",
        -112 => "SESSIONEXPIRED",
        -113 => "INVALIDCALLBACK",
        -114 => "INVALIDACL",
        -115 => "AUTHFAILED",
        -116 => "CLOSING",
        -118 => "SESSIONMOVED",
        -119 => "NOTREADONLY",
        -120 => "EPHEMERALONLOCALSESSION",
        -121 => "NOWATCHER",
        -122 => "REQUESTTIMEOUT",
        -123 => "RECONFIGDISABLED",
        -124 => "SESSIONCLOSEDREQUIRESASLAUTH",
        -125 => "QUOTAEXCEEDED",
        -127 => "THROTTLEDOP",
        _ => return None,
    })
}

/// Whether replies carry this code.
pub(super) fn is_known(code: i32) -> bool {
    code == 0 || name(code).is_some()
}

/// Adds an error to the attributes; returns whose fault it is.
pub(super) fn push_error(code: i32, into: &mut Attributes) -> Outcome {
    let outcome = match code {
        0 => return Outcome::Ok,
        -7..=-1 | -14 | -13 | -100 | -122 | -127 => Outcome::ServerError,
        _ => Outcome::ClientError,
    };
    match name(code) {
        Some(name) => into.push_text("db.response.status_code", name),
        None => into.push_int("db.response.status_code", i64::from(code)),
    }
    outcome
}
