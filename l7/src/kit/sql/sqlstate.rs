//! Outcomes of SQLSTATE codes.

use fact::Outcome;

/// Outcome of an SQLSTATE, by its class (ISO/IEC 9075-2 section 24.1, and the classes of PostgreSQL
/// and MySQL). Unspecific ones (`HY000`) are the server's errors.
pub(crate) fn outcome(state: &[u8]) -> Outcome {
    match state.get(..2) {
        Some(b"00" | b"01") => Outcome::Ok,
        Some(
            b"08" | b"09" | b"38" | b"39" | b"40" | b"53" | b"55" | b"57" | b"58" | b"70" | b"72"
            | b"F0" | b"HV" | b"HY" | b"IM" | b"XA" | b"XX",
        )
        | None => Outcome::ServerError,
        Some(_) => Outcome::ClientError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_tell_whose_fault_it_is() {
        for (state, expected) in [
            (&b"42P01"[..], Outcome::ClientError),
            (b"23505", Outcome::ClientError),
            (b"28P01", Outcome::ClientError),
            (b"40P01", Outcome::ServerError),
            (b"53300", Outcome::ServerError),
            (b"HY000", Outcome::ServerError),
            (b"00000", Outcome::Ok),
            (b"", Outcome::ServerError),
        ] {
            assert_eq!(outcome(state), expected, "{state:?}");
        }
    }
}
