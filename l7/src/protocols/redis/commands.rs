/// What a command changes in what is said after it, or in how it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// Nothing.
    None,
    /// Its second word is part of the command (`CONFIG GET`).
    Container,
    Client,
    Select,
    /// Its arguments are credentials, or may be: they are masked whatever the setting.
    Secret,
    /// The same of a container.
    SecretContainer,
    Subscribe(Set),
    Unsubscribe(Set),
    /// The stream of a replica follows.
    Replicate,
    /// How a replica and its server come to terms; with `ACK`, that the stream is on.
    Terms,
    Monitor,
    Exec,
    Reset,
}

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Channels,
    Patterns,
    Shards,
}

/// What `name`, in upper case, is.
pub(super) fn special(name: &[u8]) -> Special {
    match name {
        b"CLIENT" => Special::Client,
        b"SELECT" => Special::Select,
        b"AUTH" | b"MIGRATE" => Special::Secret,
        b"HELLO" | b"CONFIG" | b"ACL" | b"SENTINEL" => Special::SecretContainer,
        b"CLUSTER" | b"COMMAND" | b"DEBUG" | b"FUNCTION" | b"LATENCY" | b"MEMORY" | b"MODULE" | b"OBJECT"
        | b"PUBSUB" | b"SCRIPT" | b"SLOWLOG" | b"XGROUP" | b"XINFO" => Special::Container,
        b"SUBSCRIBE" => Special::Subscribe(Set::Channels),
        b"PSUBSCRIBE" => Special::Subscribe(Set::Patterns),
        b"SSUBSCRIBE" => Special::Subscribe(Set::Shards),
        b"UNSUBSCRIBE" => Special::Unsubscribe(Set::Channels),
        b"PUNSUBSCRIBE" => Special::Unsubscribe(Set::Patterns),
        b"SUNSUBSCRIBE" => Special::Unsubscribe(Set::Shards),
        b"PSYNC" | b"SYNC" => Special::Replicate,
        b"REPLCONF" => Special::Terms,
        b"MONITOR" => Special::Monitor,
        b"EXEC" => Special::Exec,
        b"RESET" => Special::Reset,
        _ => Special::None,
    }
}

impl Special {
    /// How many words are looked at besides the name.
    pub(super) fn words(self) -> usize {
        match self {
            Self::Client => 2,
            Self::Container | Self::SecretContainer | Self::Select | Self::Terms => 1,
            _ => 0,
        }
    }

    /// Whether arguments are masked whatever the setting.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretContainer)
    }

    /// Whether the second word is part of the command.
    pub(super) fn is_container(self) -> bool {
        matches!(self, Self::Container | Self::SecretContainer | Self::Client)
    }
}

/// Kinds of the replies and messages of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// One more (`true`) or one less of a set: part of the reply to a command.
    Count(Set, bool),
    /// A message, or whatever else the server tells unasked.
    Message,
}

/// What a push of this kind is; of arrays, only what subscriptions send.
pub(super) fn pushed(kind: &[u8]) -> Option<Pushed> {
    Some(match kind {
        b"subscribe" => Pushed::Count(Set::Channels, true),
        b"psubscribe" => Pushed::Count(Set::Patterns, true),
        b"ssubscribe" => Pushed::Count(Set::Shards, true),
        b"unsubscribe" => Pushed::Count(Set::Channels, false),
        b"punsubscribe" => Pushed::Count(Set::Patterns, false),
        b"sunsubscribe" => Pushed::Count(Set::Shards, false),
        b"message" | b"pmessage" | b"smessage" => Pushed::Message,
        _ => return None,
    })
}

/// Commands that are known well enough to prove the protocol where nothing else speaks for it.
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

/// Whether a name is that of a well-known command, in either case.
pub(super) fn is_known(name: &[u8]) -> bool {
    KNOWN.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// Whether bytes can be the name of a command: letters and digits, and what the names of modules have.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
