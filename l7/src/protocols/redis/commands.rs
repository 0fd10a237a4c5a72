//! Commands of Redis: what each changes in the connection, the kinds of pushes, and the names that
//! prove the protocol.

/// What a command changes in the messages after it, or in how it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// Its second word is part of the command's name (`CONFIG GET`).
    Container,
    Client,
    Select,
    /// Its arguments are or may be credentials: they are always masked.
    Secret,
    /// `Container` and `Secret`.
    SecretContainer,
    Subscribe(SubscriptionSet),
    Unsubscribe(SubscriptionSet),
    /// The replication stream follows.
    Replicate,
    /// REPLCONF: negotiation before replication. With `ACK` the stream has begun.
    ReplConf,
    Monitor,
    Exec,
    Reset,
}

/// The three separate sets of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubscriptionSet {
    Channels,
    Patterns,
    Shards,
}

/// Effect of the command `name`, in upper case.
pub(super) fn effect(name: &[u8]) -> Effect {
    match name {
        b"CLIENT" => Effect::Client,
        b"SELECT" => Effect::Select,
        b"AUTH" | b"MIGRATE" => Effect::Secret,
        b"HELLO" | b"CONFIG" | b"ACL" | b"SENTINEL" => Effect::SecretContainer,
        b"CLUSTER" | b"COMMAND" | b"DEBUG" | b"FUNCTION" | b"LATENCY" | b"MEMORY" | b"MODULE"
        | b"OBJECT" | b"PUBSUB" | b"SCRIPT" | b"SLOWLOG" | b"XGROUP" | b"XINFO" => {
            Effect::Container
        }
        b"SUBSCRIBE" => Effect::Subscribe(SubscriptionSet::Channels),
        b"PSUBSCRIBE" => Effect::Subscribe(SubscriptionSet::Patterns),
        b"SSUBSCRIBE" => Effect::Subscribe(SubscriptionSet::Shards),
        b"UNSUBSCRIBE" => Effect::Unsubscribe(SubscriptionSet::Channels),
        b"PUNSUBSCRIBE" => Effect::Unsubscribe(SubscriptionSet::Patterns),
        b"SUNSUBSCRIBE" => Effect::Unsubscribe(SubscriptionSet::Shards),
        b"PSYNC" | b"SYNC" => Effect::Replicate,
        b"REPLCONF" => Effect::ReplConf,
        b"MONITOR" => Effect::Monitor,
        b"EXEC" => Effect::Exec,
        b"RESET" => Effect::Reset,
        _ => Effect::None,
    }
}

impl Effect {
    /// Number of words that are inspected besides the name.
    pub(super) fn words(self) -> usize {
        match self {
            Self::Client => 2,
            Self::Container | Self::SecretContainer | Self::Select | Self::ReplConf => 1,
            _ => 0,
        }
    }

    /// Whether arguments are always masked.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretContainer)
    }

    /// Whether the second word is part of the command's name.
    pub(super) fn is_container(self) -> bool {
        matches!(self, Self::Container | Self::SecretContainer | Self::Client)
    }
}

/// What a push, or an array in its place (RESP2), means for subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PushKind {
    /// One subscription more (`true`) or less of a set: part of the reply to a command.
    Count(SubscriptionSet, bool),
    /// A message, or something else that the server sends without a request.
    Message,
}

/// What a push of this kind is. RESP2 has only those of subscriptions.
pub(super) fn push_kind(kind: &[u8]) -> Option<PushKind> {
    Some(match kind {
        b"subscribe" => PushKind::Count(SubscriptionSet::Channels, true),
        b"psubscribe" => PushKind::Count(SubscriptionSet::Patterns, true),
        b"ssubscribe" => PushKind::Count(SubscriptionSet::Shards, true),
        b"unsubscribe" => PushKind::Count(SubscriptionSet::Channels, false),
        b"punsubscribe" => PushKind::Count(SubscriptionSet::Patterns, false),
        b"sunsubscribe" => PushKind::Count(SubscriptionSet::Shards, false),
        b"message" | b"pmessage" | b"smessage" => PushKind::Message,
        _ => return None,
    })
}

/// Commands whose names prove the protocol on any port.
const KNOWN: &[&str] = &[
    "ACL",
    "APPEND",
    "ASKING",
    "AUTH",
    "BGSAVE",
    "BITCOUNT",
    "BITFIELD",
    "BITOP",
    "BITPOS",
    "BLMOVE",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZPOPMAX",
    "BZPOPMIN",
    "CLIENT",
    "CLUSTER",
    "COMMAND",
    "CONFIG",
    "COPY",
    "DBSIZE",
    "DEBUG",
    "DECR",
    "DECRBY",
    "DEL",
    "DISCARD",
    "DUMP",
    "ECHO",
    "EVAL",
    "EVALSHA",
    "EXEC",
    "EXISTS",
    "EXPIRE",
    "EXPIREAT",
    "FCALL",
    "FLUSHALL",
    "FLUSHDB",
    "FUNCTION",
    "GEOADD",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "GETSET",
    "HDEL",
    "HELLO",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HINCRBY",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HMSET",
    "HSCAN",
    "HSET",
    "HSETNX",
    "HVALS",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "INFO",
    "KEYS",
    "LASTSAVE",
    "LATENCY",
    "LINDEX",
    "LINSERT",
    "LLEN",
    "LMOVE",
    "LPOP",
    "LPOS",
    "LPUSH",
    "LPUSHX",
    "LRANGE",
    "LREM",
    "LSET",
    "LTRIM",
    "MEMORY",
    "MGET",
    "MIGRATE",
    "MODULE",
    "MONITOR",
    "MSET",
    "MSETNX",
    "MULTI",
    "OBJECT",
    "PERSIST",
    "PEXPIRE",
    "PFADD",
    "PFCOUNT",
    "PFMERGE",
    "PING",
    "PSETEX",
    "PSUBSCRIBE",
    "PSYNC",
    "PTTL",
    "PUBLISH",
    "PUBSUB",
    "PUNSUBSCRIBE",
    "QUIT",
    "RENAME",
    "REPLCONF",
    "RESET",
    "RESTORE",
    "ROLE",
    "RPOP",
    "RPOPLPUSH",
    "RPUSH",
    "RPUSHX",
    "SADD",
    "SAVE",
    "SCAN",
    "SCARD",
    "SCRIPT",
    "SDIFF",
    "SELECT",
    "SENTINEL",
    "SET",
    "SETBIT",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SINTER",
    "SISMEMBER",
    "SLOWLOG",
    "SMEMBERS",
    "SMOVE",
    "SORT",
    "SPOP",
    "SPUBLISH",
    "SRANDMEMBER",
    "SREM",
    "SSCAN",
    "SSUBSCRIBE",
    "STRLEN",
    "SUBSCRIBE",
    "SUNION",
    "SWAPDB",
    "SYNC",
    "TIME",
    "TOUCH",
    "TTL",
    "TYPE",
    "UNLINK",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WAIT",
    "WATCH",
    "XACK",
    "XADD",
    "XCLAIM",
    "XDEL",
    "XGROUP",
    "XINFO",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREAD",
    "XREADGROUP",
    "XREVRANGE",
    "XTRIM",
    "ZADD",
    "ZCARD",
    "ZCOUNT",
    "ZINCRBY",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREM",
    "ZREVRANGE",
    "ZSCAN",
    "ZSCORE",
];

/// Whether `name` is one of `KNOWN`, in either case.
pub(super) fn is_known(name: &[u8]) -> bool {
    KNOWN.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// Whether bytes can be the name of a command: letters, digits, and the characters in the names of
/// modules' commands.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
