//! Command codes (`enum_server_command`), their names and the payload lengths that they allow.

/// Codes of commands, named as in `enum_server_command`.
pub(super) mod command {
    pub(in super::super) const QUIT: u8 = 0x01;
    pub(in super::super) const INIT_DB: u8 = 0x02;
    pub(in super::super) const QUERY: u8 = 0x03;
    pub(in super::super) const FIELD_LIST: u8 = 0x04;
    pub(in super::super) const CREATE_DB: u8 = 0x05;
    pub(in super::super) const DROP_DB: u8 = 0x06;
    pub(in super::super) const REFRESH: u8 = 0x07;
    pub(in super::super) const SHUTDOWN: u8 = 0x08;
    pub(in super::super) const STATISTICS: u8 = 0x09;
    pub(in super::super) const PROCESS_INFO: u8 = 0x0a;
    /// The server's own code for a login. It is never sent.
    pub(in super::super) const CONNECT: u8 = 0x0b;
    pub(in super::super) const PROCESS_KILL: u8 = 0x0c;
    pub(in super::super) const DEBUG: u8 = 0x0d;
    pub(in super::super) const PING: u8 = 0x0e;
    pub(in super::super) const CHANGE_USER: u8 = 0x11;
    pub(in super::super) const BINLOG_DUMP: u8 = 0x12;
    pub(in super::super) const TABLE_DUMP: u8 = 0x13;
    pub(in super::super) const STMT_PREPARE: u8 = 0x16;
    pub(in super::super) const STMT_EXECUTE: u8 = 0x17;
    pub(in super::super) const STMT_SEND_LONG_DATA: u8 = 0x18;
    pub(in super::super) const STMT_CLOSE: u8 = 0x19;
    pub(in super::super) const STMT_RESET: u8 = 0x1a;
    pub(in super::super) const SET_OPTION: u8 = 0x1b;
    pub(in super::super) const STMT_FETCH: u8 = 0x1c;
    pub(in super::super) const BINLOG_DUMP_GTID: u8 = 0x1e;
    pub(in super::super) const RESET_CONNECTION: u8 = 0x1f;
    /// MariaDB: one statement with many sets of parameters.
    pub(in super::super) const STMT_BULK_EXECUTE: u8 = 0xfa;
}

use command::*;

/// Name of a command that a client may send.
pub(super) fn name(code: u8) -> Option<&'static str> {
    Some(match code {
        QUIT => "COM_QUIT",
        INIT_DB => "COM_INIT_DB",
        QUERY => "COM_QUERY",
        FIELD_LIST => "COM_FIELD_LIST",
        CREATE_DB => "COM_CREATE_DB",
        DROP_DB => "COM_DROP_DB",
        REFRESH => "COM_REFRESH",
        SHUTDOWN => "COM_SHUTDOWN",
        STATISTICS => "COM_STATISTICS",
        PROCESS_INFO => "COM_PROCESS_INFO",
        PROCESS_KILL => "COM_PROCESS_KILL",
        DEBUG => "COM_DEBUG",
        PING => "COM_PING",
        CHANGE_USER => "COM_CHANGE_USER",
        BINLOG_DUMP => "COM_BINLOG_DUMP",
        TABLE_DUMP => "COM_TABLE_DUMP",
        0x15 => "COM_REGISTER_SLAVE",
        STMT_PREPARE => "COM_STMT_PREPARE",
        STMT_EXECUTE => "COM_STMT_EXECUTE",
        STMT_SEND_LONG_DATA => "COM_STMT_SEND_LONG_DATA",
        STMT_CLOSE => "COM_STMT_CLOSE",
        STMT_RESET => "COM_STMT_RESET",
        SET_OPTION => "COM_SET_OPTION",
        STMT_FETCH => "COM_STMT_FETCH",
        BINLOG_DUMP_GTID => "COM_BINLOG_DUMP_GTID",
        RESET_CONNECTION => "COM_RESET_CONNECTION",
        0x20 => "COM_CLONE",
        0x21 => "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM",
        STMT_BULK_EXECUTE => "COM_STMT_BULK_EXECUTE",
        0xfe => "COM_MULTI",
        _ => return None,
    })
}

/// Whether the server sends no response.
pub(super) fn is_one_way(code: u8) -> bool {
    matches!(code, QUIT | STMT_SEND_LONG_DATA | STMT_CLOSE)
}

/// Whether the command can have a payload of this length.
pub(super) fn fits(code: u8, length: usize) -> bool {
    match code {
        QUIT | STATISTICS | PROCESS_INFO | DEBUG | PING | RESET_CONNECTION => length == 1,
        STMT_CLOSE | STMT_RESET | PROCESS_KILL => length == 5,
        STMT_FETCH => length == 9,
        SET_OPTION => length == 3,
        REFRESH => length == 2,
        SHUTDOWN => length <= 2,
        STMT_EXECUTE => length >= 10,
        STMT_BULK_EXECUTE | STMT_SEND_LONG_DATA => length >= 7,
        QUERY | STMT_PREPARE | INIT_DB | CREATE_DB | DROP_DB | FIELD_LIST => length >= 2,
        _ => name(code).is_some(),
    }
}
