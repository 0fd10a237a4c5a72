//! Error codes (MongoDB `error_codes.yml`): names and outcomes.

use fact::Outcome;

/// Names of codes that come without one (in `writeErrors`, and from servers before 3.6).
pub(super) fn name(code: i64) -> Option<&'static str> {
    Some(match code {
        1 => "InternalError",
        2 => "BadValue",
        9 => "FailedToParse",
        11 => "UserNotFound",
        13 => "Unauthorized",
        14 => "TypeMismatch",
        18 => "AuthenticationFailed",
        26 => "NamespaceNotFound",
        27 => "IndexNotFound",
        43 => "CursorNotFound",
        48 => "NamespaceExists",
        50 => "MaxTimeMSExpired",
        52 => "DollarPrefixedFieldName",
        57 => "DottedFieldName",
        59 => "CommandNotFound",
        64 => "WriteConcernFailed",
        66 => "ImmutableField",
        72 => "InvalidOptions",
        73 => "InvalidNamespace",
        76 => "NoReplicationEnabled",
        85 => "IndexOptionsConflict",
        86 => "IndexKeySpecsConflict",
        91 => "ShutdownInProgress",
        96 => "OperationFailed",
        100 => "UnsatisfiableWriteConcern",
        112 => "WriteConflict",
        121 => "DocumentValidationFailure",
        166 => "CommandNotSupportedOnView",
        189 => "PrimarySteppedDown",
        211 => "KeyNotFound",
        251 => "NoSuchTransaction",
        262 => "ExceededTimeLimit",
        10_107 => "NotWritablePrimary",
        10_334 => "BSONObjectTooLarge",
        11_000 => "DuplicateKey",
        11_600 => "InterruptedAtShutdown",
        11_601 => "Interrupted",
        11_602 => "InterruptedDueToReplStateChange",
        13_435 => "NotPrimaryNoSecondaryOk",
        13_436 => "NotPrimaryOrSecondary",
        _ => return None,
    })
}

/// Outcome of a code. Errors of the server's state, its network and its limits are the server's.
pub(super) fn outcome(code: i64) -> Outcome {
    match code {
        1
        | 6..=8
        | 24
        | 46
        | 50
        | 63
        | 64
        | 75
        | 89..=91
        | 95
        | 100
        | 112
        | 125
        | 133
        | 134
        | 146
        | 149
        | 150
        | 175
        | 189
        | 202
        | 234
        | 262
        | 317
        | 384
        | 402
        | 9001
        | 10_058
        | 10_107
        | 11_600..=11_602
        | 13_388
        | 13_435
        | 13_436 => Outcome::ServerError,
        _ => Outcome::ClientError,
    }
}
