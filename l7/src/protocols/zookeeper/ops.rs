//! Operations by their codes (ZooDefs.OpCode of ZooKeeper 3.9).

pub(super) const CREATE: i32 = 1;
pub(super) const DELETE: i32 = 2;
pub(super) const EXISTS: i32 = 3;
pub(super) const GET_DATA: i32 = 4;
pub(super) const SET_DATA: i32 = 5;
pub(super) const GET_CHILDREN: i32 = 8;
pub(super) const PING: i32 = 11;
pub(super) const CHECK: i32 = 13;
pub(super) const MULTI: i32 = 14;
pub(super) const CREATE2: i32 = 15;
pub(super) const CREATE_CONTAINER: i32 = 19;
pub(super) const CREATE_TTL: i32 = 21;
pub(super) const MULTI_READ: i32 = 22;
pub(super) const AUTH: i32 = 100;
pub(super) const SASL: i32 = 102;
pub(super) const CLOSE: i32 = -11;

/// The fields that a request begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Nothing,
    /// Fields that are not read.
    Hidden,
    Path,
    /// Path, then data behind its length.
    PathAndData,
    /// Path, then whether changes are watched.
    PathAndWatch,
    Auth,
    Several,
}

/// Name and shape of an operation.
pub(super) fn op(code: i32) -> Option<(&'static str, Shape)> {
    use Shape::{Auth, Hidden, Nothing, Path, PathAndData, PathAndWatch, Several};
    Some(match code {
        CREATE => ("create", PathAndData),
        DELETE => ("delete", Path),
        EXISTS => ("exists", PathAndWatch),
        GET_DATA => ("getData", PathAndWatch),
        SET_DATA => ("setData", PathAndData),
        6 => ("getACL", Path),
        7 => ("setACL", Path),
        GET_CHILDREN => ("getChildren", PathAndWatch),
        9 => ("sync", Path),
        PING => ("ping", Nothing),
        12 => ("getChildren2", PathAndWatch),
        CHECK => ("check", Path),
        MULTI => ("multi", Several),
        CREATE2 => ("create2", PathAndData),
        16 => ("reconfig", Hidden),
        17 => ("checkWatches", Path),
        18 => ("removeWatches", Path),
        CREATE_CONTAINER => ("createContainer", PathAndData),
        20 => ("deleteContainer", Path),
        CREATE_TTL => ("createTTL", PathAndData),
        MULTI_READ => ("multiRead", Several),
        AUTH => ("auth", Auth),
        101 => ("setWatches", Hidden),
        SASL => ("sasl", Hidden),
        103 => ("getEphemerals", Path),
        104 => ("getAllChildrenNumber", Path),
        105 => ("setWatches2", Hidden),
        106 => ("addWatch", Path),
        107 => ("whoAmI", Nothing),
        CLOSE => ("closeSession", Nothing),
        _ => return None,
    })
}

/// Kinds of events (Watcher.Event.EventType).
pub(super) fn event(code: i32) -> Option<&'static str> {
    Some(match code {
        -1 => "None",
        1 => "NodeCreated",
        2 => "NodeDeleted",
        3 => "NodeDataChanged",
        4 => "NodeChildrenChanged",
        5 => "DataWatchRemoved",
        6 => "ChildWatchRemoved",
        7 => "PersistentWatchRemoved",
        _ => return None,
    })
}

/// Commands of four letters, which are sent without a length.
pub(super) fn four_letter_word(bytes: &[u8]) -> Option<&'static str> {
    const WORDS: [&str; 18] = [
        "conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro", "lead", "mntr",
        "ruok", "srst", "srvr", "stat", "wchc", "wchp", "wchs",
    ];
    let (word, behind) = bytes.split_first_chunk::<4>()?;
    let only = behind.iter().all(|b| matches!(b, b'\r' | b'\n'));
    WORDS.into_iter().find(|w| only && w.as_bytes() == word)
}
