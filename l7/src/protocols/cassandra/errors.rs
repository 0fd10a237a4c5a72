//! Error codes: names, and whose fault they are.

use fact::{Attributes, Outcome};

/// Adds an error to the attributes by its code (section 9); returns whose fault it is. Its text may
/// quote values, and is not recorded.
pub(super) fn push_error(code: u32, into: &mut Attributes) -> Outcome {
    let (name, outcome) = match code {
        0x0000 => ("SERVER_ERROR", Outcome::ServerError),
        0x000a => ("PROTOCOL_ERROR", Outcome::ClientError),
        0x0100 => ("BAD_CREDENTIALS", Outcome::ClientError),
        0x1000 => ("UNAVAILABLE", Outcome::ServerError),
        0x1001 => ("OVERLOADED", Outcome::ServerError),
        0x1002 => ("IS_BOOTSTRAPPING", Outcome::ServerError),
        0x1003 => ("TRUNCATE_ERROR", Outcome::ServerError),
        0x1100 => ("WRITE_TIMEOUT", Outcome::ServerError),
        0x1200 => ("READ_TIMEOUT", Outcome::ServerError),
        0x1300 => ("READ_FAILURE", Outcome::ServerError),
        0x1400 => ("FUNCTION_FAILURE", Outcome::ClientError),
        0x1500 => ("WRITE_FAILURE", Outcome::ServerError),
        0x1600 => ("CDC_WRITE_FAILURE", Outcome::ServerError),
        0x1700 => ("CAS_WRITE_UNKNOWN", Outcome::ServerError),
        0x2000 => ("SYNTAX_ERROR", Outcome::ClientError),
        0x2100 => ("UNAUTHORIZED", Outcome::ClientError),
        0x2200 => ("INVALID", Outcome::ClientError),
        0x2300 => ("CONFIG_ERROR", Outcome::ClientError),
        0x2400 => ("ALREADY_EXISTS", Outcome::ClientError),
        0x2500 => ("UNPREPARED", Outcome::ClientError),
        _ => {
            into.push_text("db.response.status_code", &format!("{code:#06x}"));
            return Outcome::ServerError;
        }
    };
    into.push_text("db.response.status_code", name);
    into.push_text("error.type", name);
    outcome
}
