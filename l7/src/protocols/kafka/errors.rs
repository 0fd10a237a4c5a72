//! Error codes (kafka.apache.org, "Error Codes"): names and outcomes.

use fact::Outcome;

/// Name of an error code, and whether it is about the state of the cluster (`true`) rather than
/// about the request.
static ERRORS: [(&str, bool); 134] = [
    ("UNKNOWN_SERVER_ERROR", true), // -1; the others by their number less 1
    ("OFFSET_OUT_OF_RANGE", false),
    ("CORRUPT_MESSAGE", false),
    ("UNKNOWN_TOPIC_OR_PARTITION", false),
    ("INVALID_FETCH_SIZE", false),
    ("LEADER_NOT_AVAILABLE", true),
    ("NOT_LEADER_OR_FOLLOWER", true),
    ("REQUEST_TIMED_OUT", true),
    ("BROKER_NOT_AVAILABLE", true),
    ("REPLICA_NOT_AVAILABLE", true),
    ("MESSAGE_TOO_LARGE", false),
    ("STALE_CONTROLLER_EPOCH", true),
    ("OFFSET_METADATA_TOO_LARGE", false),
    ("NETWORK_EXCEPTION", true),
    ("COORDINATOR_LOAD_IN_PROGRESS", true),
    ("COORDINATOR_NOT_AVAILABLE", true),
    ("NOT_COORDINATOR", true),
    ("INVALID_TOPIC_EXCEPTION", false),
    ("RECORD_LIST_TOO_LARGE", false),
    ("NOT_ENOUGH_REPLICAS", true),
    ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", true),
    ("INVALID_REQUIRED_ACKS", false),
    ("ILLEGAL_GENERATION", false),
    ("INCONSISTENT_GROUP_PROTOCOL", false),
    ("INVALID_GROUP_ID", false),
    ("UNKNOWN_MEMBER_ID", false),
    ("INVALID_SESSION_TIMEOUT", false),
    ("REBALANCE_IN_PROGRESS", false),
    ("INVALID_COMMIT_OFFSET_SIZE", false),
    ("TOPIC_AUTHORIZATION_FAILED", false),
    ("GROUP_AUTHORIZATION_FAILED", false),
    ("CLUSTER_AUTHORIZATION_FAILED", false),
    ("INVALID_TIMESTAMP", false),
    ("UNSUPPORTED_SASL_MECHANISM", false),
    ("ILLEGAL_SASL_STATE", false),
    ("UNSUPPORTED_VERSION", false),
    ("TOPIC_ALREADY_EXISTS", false),
    ("INVALID_PARTITIONS", false),
    ("INVALID_REPLICATION_FACTOR", false),
    ("INVALID_REPLICA_ASSIGNMENT", false),
    ("INVALID_CONFIG", false),
    ("NOT_CONTROLLER", true),
    ("INVALID_REQUEST", false),
    ("UNSUPPORTED_FOR_MESSAGE_FORMAT", false),
    ("POLICY_VIOLATION", false),
    ("OUT_OF_ORDER_SEQUENCE_NUMBER", false),
    ("DUPLICATE_SEQUENCE_NUMBER", false),
    ("INVALID_PRODUCER_EPOCH", false),
    ("INVALID_TXN_STATE", false),
    ("INVALID_PRODUCER_ID_MAPPING", false),
    ("INVALID_TRANSACTION_TIMEOUT", false),
    ("CONCURRENT_TRANSACTIONS", true),
    ("TRANSACTION_COORDINATOR_FENCED", true),
    ("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false),
    ("SECURITY_DISABLED", true),
    ("OPERATION_NOT_ATTEMPTED", false),
    ("KAFKA_STORAGE_ERROR", true),
    ("LOG_DIR_NOT_FOUND", false),
    ("SASL_AUTHENTICATION_FAILED", false),
    ("UNKNOWN_PRODUCER_ID", false),
    ("REASSIGNMENT_IN_PROGRESS", true),
    ("DELEGATION_TOKEN_AUTH_DISABLED", false),
    ("DELEGATION_TOKEN_NOT_FOUND", false),
    ("DELEGATION_TOKEN_OWNER_MISMATCH", false),
    ("DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false),
    ("DELEGATION_TOKEN_AUTHORIZATION_FAILED", false),
    ("DELEGATION_TOKEN_EXPIRED", false),
    ("INVALID_PRINCIPAL_TYPE", false),
    ("NON_EMPTY_GROUP", false),
    ("GROUP_ID_NOT_FOUND", false),
    ("FETCH_SESSION_ID_NOT_FOUND", false),
    ("INVALID_FETCH_SESSION_EPOCH", false),
    ("LISTENER_NOT_FOUND", true),
    ("TOPIC_DELETION_DISABLED", false),
    ("FENCED_LEADER_EPOCH", false),
    ("UNKNOWN_LEADER_EPOCH", true),
    ("UNSUPPORTED_COMPRESSION_TYPE", false),
    ("STALE_BROKER_EPOCH", true),
    ("OFFSET_NOT_AVAILABLE", true),
    ("MEMBER_ID_REQUIRED", false),
    ("PREFERRED_LEADER_NOT_AVAILABLE", true),
    ("GROUP_MAX_SIZE_REACHED", true),
    ("FENCED_INSTANCE_ID", false),
    ("ELIGIBLE_LEADERS_NOT_AVAILABLE", true),
    ("ELECTION_NOT_NEEDED", false),
    ("NO_REASSIGNMENT_IN_PROGRESS", false),
    ("GROUP_SUBSCRIBED_TO_TOPIC", false),
    ("INVALID_RECORD", false),
    ("UNSTABLE_OFFSET_COMMIT", true),
    ("THROTTLING_QUOTA_EXCEEDED", true),
    ("PRODUCER_FENCED", false),
    ("RESOURCE_NOT_FOUND", false),
    ("DUPLICATE_RESOURCE", false),
    ("UNACCEPTABLE_CREDENTIAL", false),
    ("INCONSISTENT_VOTER_SET", false),
    ("INVALID_UPDATE_VERSION", false),
    ("FEATURE_UPDATE_FAILED", true),
    ("PRINCIPAL_DESERIALIZATION_FAILURE", false),
    ("SNAPSHOT_NOT_FOUND", true),
    ("POSITION_OUT_OF_RANGE", false),
    ("UNKNOWN_TOPIC_ID", false),
    ("DUPLICATE_BROKER_REGISTRATION", false),
    ("BROKER_ID_NOT_REGISTERED", false),
    ("INCONSISTENT_TOPIC_ID", false),
    ("INCONSISTENT_CLUSTER_ID", true),
    ("TRANSACTIONAL_ID_NOT_FOUND", false),
    ("FETCH_SESSION_TOPIC_ID_ERROR", true),
    ("INELIGIBLE_REPLICA", true),
    ("NEW_LEADER_ELECTED", true),
    ("OFFSET_MOVED_TO_TIERED_STORAGE", true),
    ("FENCED_MEMBER_EPOCH", false),
    ("UNRELEASED_INSTANCE_ID", false),
    ("UNSUPPORTED_ASSIGNOR", false),
    ("STALE_MEMBER_EPOCH", false),
    ("MISMATCHED_ENDPOINT_TYPE", false),
    ("UNSUPPORTED_ENDPOINT_TYPE", false),
    ("UNKNOWN_CONTROLLER_ID", false),
    ("UNKNOWN_SUBSCRIPTION_ID", false),
    ("TELEMETRY_TOO_LARGE", false),
    ("INVALID_REGISTRATION", false),
    ("TRANSACTION_ABORTABLE", false),
    ("INVALID_RECORD_STATE", false),
    ("SHARE_SESSION_NOT_FOUND", true),
    ("INVALID_SHARE_SESSION_EPOCH", false),
    ("FENCED_STATE_EPOCH", false),
    ("INVALID_VOTER_KEY", false),
    ("DUPLICATE_VOTER", false),
    ("VOTER_NOT_FOUND", false),
    ("INVALID_REGULAR_EXPRESSION", false),
    ("REBOOTSTRAP_REQUIRED", false),
    ("STREAMS_INVALID_TOPOLOGY", false),
    ("STREAMS_INVALID_TOPOLOGY_EPOCH", false),
    ("STREAMS_TOPOLOGY_FENCED", false),
    ("SHARE_SESSION_LIMIT_REACHED", true),
];

/// Name and outcome of an error code other than 0.
pub(super) fn error(code: i16) -> (Option<&'static str>, Outcome) {
    let index = if code == -1 { Some(0) } else { usize::try_from(code).ok().filter(|n| *n > 0) };
    match index.and_then(|index| ERRORS.get(index)) {
        Some(&(name, false)) => (Some(name), Outcome::ClientError),
        Some(&(name, true)) => (Some(name), Outcome::ServerError),
        None => (None, Outcome::ServerError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names() {
        assert_eq!(error(-1), (Some("UNKNOWN_SERVER_ERROR"), Outcome::ServerError));
        assert_eq!(error(3), (Some("UNKNOWN_TOPIC_OR_PARTITION"), Outcome::ClientError));
        assert_eq!(error(16), (Some("NOT_COORDINATOR"), Outcome::ServerError));
        assert_eq!(error(58), (Some("SASL_AUTHENTICATION_FAILED"), Outcome::ClientError));
        assert_eq!(error(79), (Some("MEMBER_ID_REQUIRED"), Outcome::ClientError));
        assert_eq!(error(100), (Some("UNKNOWN_TOPIC_ID"), Outcome::ClientError));
        assert_eq!(error(119), (Some("INVALID_REGISTRATION"), Outcome::ClientError));
        assert_eq!(error(9999), (None, Outcome::ServerError));
    }
}
