//! Every API: its name, its newest version, the first flexible one, and the fields of its messages
//! up to the last that is recorded, as in the message definitions of Apache Kafka
//! (kafka.apache.org, "The Protocol").

use super::layout::Meaning::{
    Acks, Error, Group, Key, KeyType, LearnedTopic, LearnedTopicId, Mechanism, Partition, Software,
    SoftwareVersion, Topic, TopicId, Transaction,
};
use super::layout::{Field, array, blob, id, int, list, records, skip, stop, string, text};

/// An API: a pair of messages.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) key: i16,
    pub(super) name: &'static str,
    /// Newest version that is known.
    pub(super) newest: u8,
    /// From this version on lengths are variable and fields can be tagged (KIP-482).
    pub(super) flexible: u8,
    pub(super) request: &'static [Field],
    pub(super) response: &'static [Field],
}

impl Api {
    /// The API with this key.
    pub(super) fn of(key: i16) -> Option<&'static Self> {
        usize::try_from(key).ok().and_then(|index| APIS.get(index))
    }
}

/// Value of `flexible` if no version is flexible.
const NEVER: u8 = u8::MAX;

const ONLY_GROUP: &[Field] = &[text(Group)];
const ONLY_ERROR: &[Field] = &[int(2, Error)];
const THROTTLE_AND_ERROR: &[Field] = &[skip(4), int(2, Error)];

const fn api(
    key: i16,
    name: &'static str,
    newest: u8,
    flexible: u8,
    request: &'static [Field],
    response: &'static [Field],
) -> Api {
    Api { key, name, newest, flexible, request, response }
}

const _: () = {
    let mut index = 0;
    while index < APIS.len() {
        assert!(APIS[index].key as usize == index, "an API stands where its number says");
        index += 1;
    }
};

static APIS: [Api; 93] = [
    api(
        0,
        "Produce",
        13,
        9,
        &[
            text(Transaction).since(3),
            int(2, Acks),
            skip(4),
            array(&[
                text(Topic).until(12),
                id(TopicId).since(13),
                array(&[int(4, Partition), records()]),
            ]),
        ],
        &[array(&[
            string().until(12),
            skip(16).since(13),
            array(&[
                skip(4),
                int(2, Error),
                skip(8),
                skip(8).since(2),
                skip(8).since(5),
                array(&[skip(4), string()]).since(8),
                string().since(8),
            ]),
        ])],
    ),
    api(
        1,
        "Fetch",
        18,
        12,
        &[
            skip(4).until(14),
            skip(8),
            skip(4).since(3),
            skip(1).since(4),
            skip(4).since(7),
            skip(4).since(7),
            array(&[
                text(Topic).until(12),
                id(TopicId).since(13),
                array(&[
                    int(4, Partition),
                    skip(4).since(9),
                    skip(8),
                    skip(4).since(12),
                    skip(8).since(5),
                    skip(4),
                ]),
            ]),
        ],
        &[
            skip(4).since(1),
            int(2, Error).since(7),
            skip(4).since(7),
            array(&[
                text(Topic).until(12),
                id(TopicId).since(13),
                array(&[
                    skip(4),
                    int(2, Error),
                    skip(8),
                    skip(8).since(4),
                    skip(8).since(5),
                    array(&[skip(16)]).since(4),
                    skip(4).since(11),
                    records(),
                ]),
            ]),
        ],
    ),
    api(
        2,
        "ListOffsets",
        11,
        6,
        &[
            skip(4),
            skip(1).since(2),
            array(&[
                text(Topic),
                array(&[int(4, Partition), skip(4).since(4), skip(8), skip(4).until(0)]),
            ]),
        ],
        &[
            skip(4).since(2),
            array(&[
                string(),
                array(&[
                    skip(4),
                    int(2, Error),
                    list(&[skip(8)]).until(0),
                    skip(8).since(1),
                    skip(8).since(1),
                    skip(4).since(4),
                ]),
            ]),
        ],
    ),
    api(
        3,
        "Metadata",
        13,
        9,
        &[array(&[id(TopicId).since(10), text(Topic)])],
        &[
            skip(4).since(3),
            array(&[skip(4), string(), skip(4), string().since(1)]),
            string().since(2),
            skip(4).since(1),
            array(&[
                int(2, Error),
                text(LearnedTopic),
                id(LearnedTopicId).since(10),
                skip(1).since(1),
                array(&[
                    int(2, Error),
                    skip(8),
                    skip(4).since(7),
                    list(&[skip(4)]),
                    list(&[skip(4)]),
                    list(&[skip(4)]).since(5),
                ]),
                skip(4).since(8),
            ]),
            skip(4).since(8).until(10),
            int(2, Error).since(13),
        ],
    ),
    api(4, "LeaderAndIsr", 7, 4, &[], ONLY_ERROR),
    api(5, "StopReplica", 4, 2, &[], ONLY_ERROR),
    api(6, "UpdateMetadata", 8, 6, &[], ONLY_ERROR),
    api(7, "ControlledShutdown", 3, 3, &[], ONLY_ERROR),
    api(
        8,
        "OffsetCommit",
        10,
        8,
        &[
            text(Group),
            skip(4).since(1),
            string().since(1),
            string().since(7),
            skip(8).since(2).until(4),
            array(&[
                text(Topic).until(9),
                id(TopicId).since(10),
                array(&[
                    int(4, Partition),
                    skip(8),
                    skip(4).since(6),
                    skip(8).since(1).until(1),
                    string(),
                ]),
            ]),
        ],
        &[
            skip(4).since(3),
            array(&[string().until(9), skip(16).since(10), array(&[skip(4), int(2, Error)])]),
        ],
    ),
    api(
        9,
        "OffsetFetch",
        10,
        6,
        &[
            text(Group).until(7),
            array(&[text(Topic), list(&[int(4, Partition)])]).until(7),
            array(&[
                text(Group),
                string().since(9),
                skip(4).since(9),
                array(&[text(Topic).until(9), id(TopicId).since(10), list(&[int(4, Partition)])]),
            ])
            .since(8),
        ],
        &[
            skip(4).since(3),
            array(&[string(), array(&[skip(12), skip(4).since(5), string(), int(2, Error)])])
                .until(7),
            int(2, Error).since(2).until(7),
            array(&[
                string(),
                array(&[
                    string().until(9),
                    skip(16).since(10),
                    array(&[skip(16), string(), int(2, Error)]),
                ]),
                int(2, Error),
            ])
            .since(8),
        ],
    ),
    api(
        10,
        "FindCoordinator",
        6,
        3,
        &[text(Key).until(3), int(1, KeyType).since(1), list(&[text(Key)]).since(4)],
        &[
            skip(4).since(1),
            int(2, Error).until(3),
            string().since(1).until(3),
            skip(4).until(3),
            string().until(3),
            skip(4).until(3),
            array(&[string(), skip(4), string(), skip(4), int(2, Error), string()]).since(4),
        ],
    ),
    api(11, "JoinGroup", 9, 6, ONLY_GROUP, &[skip(4).since(2), int(2, Error)]),
    api(12, "Heartbeat", 4, 4, ONLY_GROUP, &[skip(4).since(1), int(2, Error)]),
    api(
        13,
        "LeaveGroup",
        5,
        4,
        ONLY_GROUP,
        &[skip(4).since(1), int(2, Error), array(&[string(), string(), int(2, Error)]).since(3)],
    ),
    api(14, "SyncGroup", 5, 4, ONLY_GROUP, &[skip(4).since(1), int(2, Error)]),
    api(
        15,
        "DescribeGroups",
        6,
        5,
        &[list(&[text(Group)])],
        &[
            skip(4).since(1),
            array(&[
                int(2, Error),
                string().since(6),
                string(),
                string(),
                string(),
                string(),
                array(&[string(), string().since(4), string(), string(), blob(), blob()]),
                skip(4).since(3),
            ]),
        ],
    ),
    api(16, "ListGroups", 5, 3, &[], &[skip(4).since(1), int(2, Error)]),
    api(17, "SaslHandshake", 1, NEVER, &[text(Mechanism)], ONLY_ERROR),
    api(
        18,
        "ApiVersions",
        4,
        3,
        &[text(Software).since(3), text(SoftwareVersion).since(3)],
        ONLY_ERROR,
    ),
    api(
        19,
        "CreateTopics",
        7,
        5,
        &[array(&[
            text(Topic),
            skip(6),
            array(&[skip(4), list(&[skip(4)])]),
            array(&[string(), string()]),
        ])],
        &[
            skip(4).since(2),
            array(&[
                string(),
                skip(16).since(7),
                int(2, Error),
                string().since(1),
                skip(4).since(5),
                skip(2).since(5),
                array(&[string(), string(), skip(3)]).since(5),
            ]),
        ],
    ),
    api(
        20,
        "DeleteTopics",
        6,
        4,
        &[array(&[text(Topic), id(TopicId)]).since(6), list(&[text(Topic)]).until(5)],
        &[
            skip(4).since(1),
            array(&[string(), skip(16).since(6), int(2, Error), string().since(5)]),
        ],
    ),
    api(
        21,
        "DeleteRecords",
        2,
        2,
        &[array(&[text(Topic), array(&[int(4, Partition), skip(8)])])],
        &[skip(4), array(&[string(), array(&[skip(12), int(2, Error)])])],
    ),
    api(22, "InitProducerId", 6, 2, &[text(Transaction)], THROTTLE_AND_ERROR),
    api(
        23,
        "OffsetForLeaderEpoch",
        4,
        4,
        &[
            skip(4).since(3),
            array(&[text(Topic), array(&[int(4, Partition), skip(4).since(2), skip(4)])]),
        ],
        &[
            skip(4).since(2),
            array(&[string(), array(&[int(2, Error), skip(4), skip(4).since(1), skip(8)])]),
        ],
    ),
    api(
        24,
        "AddPartitionsToTxn",
        5,
        3,
        &[
            array(&[
                text(Transaction),
                skip(11),
                array(&[text(Topic), list(&[int(4, Partition)])]),
            ])
            .since(4),
            text(Transaction).until(3),
            skip(10).until(3),
            array(&[text(Topic), list(&[int(4, Partition)])]).until(3),
        ],
        &[
            skip(4),
            int(2, Error).since(4),
            array(&[string(), array(&[string(), array(&[skip(4), int(2, Error)])])]).since(4),
            array(&[string(), array(&[skip(4), int(2, Error)])]).until(3),
        ],
    ),
    api(
        25,
        "AddOffsetsToTxn",
        4,
        3,
        &[text(Transaction), skip(10), text(Group)],
        THROTTLE_AND_ERROR,
    ),
    api(26, "EndTxn", 5, 3, &[text(Transaction)], THROTTLE_AND_ERROR),
    api(
        27,
        "WriteTxnMarkers",
        2,
        1,
        &[array(&[
            skip(11),
            array(&[text(Topic), list(&[int(4, Partition)])]),
            skip(4),
            skip(1).since(2),
        ])],
        &[array(&[skip(8), array(&[string(), array(&[skip(4), int(2, Error)])])])],
    ),
    api(
        28,
        "TxnOffsetCommit",
        5,
        3,
        &[
            text(Transaction),
            text(Group),
            skip(10),
            skip(4).since(3),
            string().since(3),
            string().since(3),
            array(&[text(Topic), array(&[int(4, Partition), skip(8), skip(4).since(2), string()])]),
        ],
        &[skip(4), array(&[string(), array(&[skip(4), int(2, Error)])])],
    ),
    api(29, "DescribeAcls", 3, 2, &[], THROTTLE_AND_ERROR),
    api(30, "CreateAcls", 3, 2, &[], &[skip(4), array(&[int(2, Error), string()])]),
    api(
        31,
        "DeleteAcls",
        3,
        2,
        &[],
        &[
            skip(4),
            array(&[
                int(2, Error),
                string(),
                array(&[
                    int(2, Error),
                    string(),
                    skip(1),
                    string(),
                    skip(1).since(1),
                    string(),
                    string(),
                    skip(2),
                ]),
            ]),
        ],
    ),
    api(
        32,
        "DescribeConfigs",
        4,
        4,
        &[],
        &[
            skip(4),
            array(&[
                int(2, Error),
                string(),
                skip(1),
                string(),
                array(&[
                    string(),
                    string(),
                    skip(1),
                    skip(1).since(1),
                    skip(1).until(0),
                    skip(1),
                    array(&[string(), string(), skip(1)]).since(1),
                    skip(1).since(3),
                    string().since(3),
                ]),
            ]),
        ],
    ),
    api(
        33,
        "AlterConfigs",
        2,
        2,
        &[],
        &[skip(4), array(&[int(2, Error), string(), skip(1), string()])],
    ),
    api(
        34,
        "AlterReplicaLogDirs",
        2,
        2,
        &[array(&[string(), array(&[text(Topic), list(&[int(4, Partition)])])])],
        &[skip(4), array(&[string(), array(&[skip(4), int(2, Error)])])],
    ),
    api(
        35,
        "DescribeLogDirs",
        5,
        2,
        &[array(&[text(Topic), list(&[int(4, Partition)])])],
        &[
            skip(4),
            int(2, Error).since(3),
            array(&[
                int(2, Error),
                string(),
                array(&[string(), array(&[skip(21)])]),
                skip(8).since(4),
                skip(8).since(4),
                skip(1).since(5),
            ]),
        ],
    ),
    api(36, "SaslAuthenticate", 2, 2, &[], ONLY_ERROR),
    api(
        37,
        "CreatePartitions",
        3,
        2,
        &[array(&[text(Topic), skip(4), array(&[list(&[skip(4)])])])],
        &[skip(4), array(&[string(), int(2, Error), string()])],
    ),
    api(38, "CreateDelegationToken", 3, 2, &[], ONLY_ERROR),
    api(39, "RenewDelegationToken", 2, 2, &[], ONLY_ERROR),
    api(40, "ExpireDelegationToken", 2, 2, &[], ONLY_ERROR),
    api(41, "DescribeDelegationToken", 3, 2, &[], ONLY_ERROR),
    api(
        42,
        "DeleteGroups",
        2,
        2,
        &[list(&[text(Group)])],
        &[skip(4), array(&[string(), int(2, Error)])],
    ),
    api(
        43,
        "ElectLeaders",
        2,
        2,
        &[skip(1).since(1), array(&[text(Topic), list(&[int(4, Partition)])])],
        &[
            skip(4),
            int(2, Error).since(1),
            array(&[string(), array(&[skip(4), int(2, Error), string()])]),
        ],
    ),
    api(
        44,
        "IncrementalAlterConfigs",
        1,
        1,
        &[],
        &[skip(4), array(&[int(2, Error), string(), skip(1), string()])],
    ),
    api(
        45,
        "AlterPartitionReassignments",
        1,
        0,
        &[
            skip(4),
            skip(1).since(1),
            array(&[text(Topic), array(&[int(4, Partition), list(&[skip(4)])])]),
        ],
        &[
            skip(4),
            skip(1).since(1),
            int(2, Error),
            string(),
            array(&[string(), array(&[skip(4), int(2, Error), string()])]),
        ],
    ),
    api(
        46,
        "ListPartitionReassignments",
        0,
        0,
        &[skip(4), array(&[text(Topic), list(&[int(4, Partition)])])],
        THROTTLE_AND_ERROR,
    ),
    api(
        47,
        "OffsetDelete",
        0,
        NEVER,
        &[text(Group), array(&[text(Topic), array(&[int(4, Partition)])])],
        &[int(2, Error), skip(4), array(&[string(), array(&[skip(4), int(2, Error)])])],
    ),
    api(48, "DescribeClientQuotas", 1, 1, &[], THROTTLE_AND_ERROR),
    api(
        49,
        "AlterClientQuotas",
        1,
        1,
        &[],
        &[skip(4), array(&[int(2, Error), string(), array(&[string(), string()])])],
    ),
    api(
        50,
        "DescribeUserScramCredentials",
        0,
        0,
        &[],
        &[
            skip(4),
            int(2, Error),
            string(),
            array(&[string(), int(2, Error), string(), array(&[skip(5)])]),
        ],
    ),
    api(51, "AlterUserScramCredentials", 0, 0, &[], &[]),
    api(52, "Vote", 2, 0, &[], ONLY_ERROR),
    api(53, "BeginQuorumEpoch", 1, 1, &[], ONLY_ERROR),
    api(54, "EndQuorumEpoch", 1, 1, &[], ONLY_ERROR),
    api(
        55,
        "DescribeQuorum",
        2,
        0,
        &[array(&[text(Topic), array(&[int(4, Partition)])])],
        &[
            int(2, Error),
            string().since(2),
            array(&[
                string(),
                array(&[
                    skip(4),
                    int(2, Error),
                    string().since(2),
                    skip(16),
                    array(&[
                        skip(4),
                        skip(16).since(2),
                        skip(8),
                        skip(8).since(1),
                        skip(8).since(1),
                    ]),
                    array(&[
                        skip(4),
                        skip(16).since(2),
                        skip(8),
                        skip(8).since(1),
                        skip(8).since(1),
                    ]),
                ]),
            ]),
        ],
    ),
    api(56, "AlterPartition", 3, 0, &[], THROTTLE_AND_ERROR),
    api(
        57,
        "UpdateFeatures",
        2,
        0,
        &[],
        &[skip(4), int(2, Error), string(), array(&[string(), int(2, Error), string()]).until(1)],
    ),
    api(58, "Envelope", 0, 0, &[], &[blob(), int(2, Error)]),
    api(59, "FetchSnapshot", 1, 0, &[], THROTTLE_AND_ERROR),
    api(60, "DescribeCluster", 2, 0, &[], THROTTLE_AND_ERROR),
    api(
        61,
        "DescribeProducers",
        0,
        0,
        &[array(&[text(Topic), list(&[int(4, Partition)])])],
        &[
            skip(4),
            array(&[string(), array(&[skip(4), int(2, Error), string(), array(&[skip(36)])])]),
        ],
    ),
    api(62, "BrokerRegistration", 4, 0, &[], THROTTLE_AND_ERROR),
    api(63, "BrokerHeartbeat", 1, 0, &[], THROTTLE_AND_ERROR),
    api(64, "UnregisterBroker", 0, 0, &[], THROTTLE_AND_ERROR),
    api(
        65,
        "DescribeTransactions",
        0,
        0,
        &[],
        &[
            skip(4),
            array(&[
                int(2, Error),
                string(),
                string(),
                skip(22),
                array(&[string(), list(&[skip(4)])]),
            ]),
        ],
    ),
    api(66, "ListTransactions", 2, 0, &[], THROTTLE_AND_ERROR),
    api(67, "AllocateProducerIds", 0, 0, &[], THROTTLE_AND_ERROR),
    api(68, "ConsumerGroupHeartbeat", 1, 0, ONLY_GROUP, THROTTLE_AND_ERROR),
    api(
        69,
        "ConsumerGroupDescribe",
        1,
        0,
        &[list(&[text(Group)])],
        &[skip(4), array(&[int(2, Error), stop()])],
    ),
    api(70, "ControllerRegistration", 0, 0, &[], THROTTLE_AND_ERROR),
    api(71, "GetTelemetrySubscriptions", 0, 0, &[], THROTTLE_AND_ERROR),
    api(72, "PushTelemetry", 0, 0, &[], THROTTLE_AND_ERROR),
    api(73, "AssignReplicasToDirs", 0, 0, &[], THROTTLE_AND_ERROR),
    api(74, "ListConfigResources", 1, 0, &[], THROTTLE_AND_ERROR),
    api(
        75,
        "DescribeTopicPartitions",
        0,
        0,
        &[array(&[text(Topic)])],
        &[
            skip(4),
            array(&[
                int(2, Error),
                string(),
                skip(17),
                array(&[
                    int(2, Error),
                    skip(12),
                    list(&[skip(4)]),
                    list(&[skip(4)]),
                    list(&[skip(4)]),
                    list(&[skip(4)]),
                    list(&[skip(4)]),
                ]),
                skip(4),
            ]),
        ],
    ),
    api(76, "ShareGroupHeartbeat", 1, 0, ONLY_GROUP, THROTTLE_AND_ERROR),
    api(
        77,
        "ShareGroupDescribe",
        1,
        0,
        &[list(&[text(Group)])],
        &[skip(4), array(&[int(2, Error), stop()])],
    ),
    api(78, "ShareFetch", 2, 0, ONLY_GROUP, THROTTLE_AND_ERROR),
    api(79, "ShareAcknowledge", 2, 0, ONLY_GROUP, THROTTLE_AND_ERROR),
    api(80, "AddRaftVoter", 1, 0, &[], THROTTLE_AND_ERROR),
    api(81, "RemoveRaftVoter", 0, 0, &[], THROTTLE_AND_ERROR),
    api(82, "UpdateRaftVoter", 0, 0, &[], THROTTLE_AND_ERROR),
    api(83, "InitializeShareGroupState", 0, 0, ONLY_GROUP, &[]),
    api(84, "ReadShareGroupState", 0, 0, ONLY_GROUP, &[]),
    api(85, "WriteShareGroupState", 1, 0, ONLY_GROUP, &[]),
    api(86, "DeleteShareGroupState", 0, 0, ONLY_GROUP, &[]),
    api(87, "ReadShareGroupStateSummary", 1, 0, ONLY_GROUP, &[]),
    api(88, "StreamsGroupHeartbeat", 0, 0, ONLY_GROUP, THROTTLE_AND_ERROR),
    api(
        89,
        "StreamsGroupDescribe",
        0,
        0,
        &[list(&[text(Group)])],
        &[skip(4), array(&[int(2, Error), stop()])],
    ),
    api(90, "DescribeShareGroupOffsets", 1, 0, &[array(&[text(Group), stop()])], &[]),
    api(91, "AlterShareGroupOffsets", 0, 0, ONLY_GROUP, THROTTLE_AND_ERROR),
    api(92, "DeleteShareGroupOffsets", 0, 0, ONLY_GROUP, THROTTLE_AND_ERROR),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_looked_up() {
        assert_eq!(Api::of(3).map(|api| api.name), Some("Metadata"));
        assert!(Api::of(-1).is_none() && Api::of(93).is_none());
    }
}
