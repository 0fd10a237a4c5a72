//! The header of the binary protocol (memcached wiki, "Binary Protocol Revamped"): 24 bytes,
//! numbers big-endian.

/// Length of a header.
pub(super) const HEADER: usize = 24;
/// Magic byte of a request.
pub(super) const REQUEST: u8 = 0x80;
/// Magic byte of a response.
pub(super) const RESPONSE: u8 = 0x81;

/// Opcodes with rules of their own.
pub(super) mod opcode {
    pub(in super::super) const GETQ: u8 = 0x09;
    pub(in super::super) const GETKQ: u8 = 0x0d;
    pub(in super::super) const STAT: u8 = 0x10;
    pub(in super::super) const SETQ: u8 = 0x11;
    pub(in super::super) const QUITQ: u8 = 0x17;
    pub(in super::super) const PREPENDQ: u8 = 0x1a;
    pub(in super::super) const GATQ: u8 = 0x1e;
    pub(in super::super) const SASL_LIST_MECHS: u8 = 0x20;
    pub(in super::super) const SASL_STEP: u8 = 0x22;
    pub(in super::super) const GATKQ: u8 = 0x24;
}

/// Statuses of responses.
pub(super) mod status {
    pub(in super::super) const KEY_NOT_FOUND: u16 = 0x01;
    pub(in super::super) const KEY_EXISTS: u16 = 0x02;
    pub(in super::super) const VALUE_TOO_LARGE: u16 = 0x03;
    pub(in super::super) const INVALID_ARGUMENTS: u16 = 0x04;
    pub(in super::super) const ITEM_NOT_STORED: u16 = 0x05;
    pub(in super::super) const NON_NUMERIC_VALUE: u16 = 0x06;
    pub(in super::super) const AUTH_ERROR: u16 = 0x20;
    pub(in super::super) const AUTH_CONTINUE: u16 = 0x21;
    pub(in super::super) const UNKNOWN_COMMAND: u16 = 0x81;
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_request: bool,
    pub(super) opcode: u8,
    pub(super) key: u16,
    pub(super) extras: u8,
    /// Status of a response.
    pub(super) status: u16,
    /// Length of extras, key and value together.
    pub(super) body: u32,
    pub(super) opaque: u32,
}

impl Header {
    /// Reads a header. `None` if it is none or not whole.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[magic, opcode, k0, k1, extras, data_type, s0, s1, b0, b1, b2, b3, o0, o1, o2, o3] =
            bytes.first_chunk::<16>()?;
        bytes.get(..HEADER)?;
        let header = Self {
            is_request: magic == REQUEST,
            opcode,
            key: u16::from_be_bytes([k0, k1]),
            extras,
            status: u16::from_be_bytes([s0, s1]),
            body: u32::from_be_bytes([b0, b1, b2, b3]),
            opaque: u32::from_be_bytes([o0, o1, o2, o3]),
        };
        let known = matches!(magic, REQUEST | RESPONSE) && name(opcode).is_some();
        let fits =
            u32::from(header.key) + u32::from(extras) <= header.body && header.body <= 1 << 30;
        (known && fits && data_type <= 7 && header.key <= 250 && extras <= 20).then_some(header)
    }

    /// Number of bytes before the value.
    pub(super) fn before_value(&self) -> usize {
        usize::from(self.extras) + usize::from(self.key)
    }
}

/// Whether a byte begins a message.
pub(super) fn is_magic(byte: u8) -> bool {
    matches!(byte, REQUEST | RESPONSE)
}

/// Command name of an opcode.
pub(super) fn name(opcode: u8) -> Option<&'static str> {
    const NAMES: [&str; 38] = [
        "get",
        "set",
        "add",
        "replace",
        "delete",
        "incr",
        "decr",
        "quit",
        "flush",
        "getq",
        "noop",
        "version",
        "getk",
        "getkq",
        "append",
        "prepend",
        "stat",
        "setq",
        "addq",
        "replaceq",
        "deleteq",
        "incrq",
        "decrq",
        "quitq",
        "flushq",
        "appendq",
        "prependq",
        "verbosity",
        "touch",
        "gat",
        "gatq",
        "",
        "sasl_list_mechs",
        "sasl_auth",
        "sasl_step",
        "gatk",
        "gatkq",
        "",
    ];
    NAMES.get(usize::from(opcode)).copied().filter(|name| !name.is_empty())
}

/// Name of a status. None for success.
pub(super) fn status_name(status: u16) -> Option<&'static str> {
    Some(match status {
        0 => return None,
        status::KEY_NOT_FOUND => "KEY_NOT_FOUND",
        status::KEY_EXISTS => "KEY_EXISTS",
        status::VALUE_TOO_LARGE => "VALUE_TOO_LARGE",
        status::INVALID_ARGUMENTS => "INVALID_ARGUMENTS",
        status::ITEM_NOT_STORED => "ITEM_NOT_STORED",
        status::NON_NUMERIC_VALUE => "NON_NUMERIC_VALUE",
        status::AUTH_ERROR => "AUTH_ERROR",
        status::AUTH_CONTINUE => "AUTH_CONTINUE",
        status::UNKNOWN_COMMAND => "UNKNOWN_COMMAND",
        0x82 => "OUT_OF_MEMORY",
        0x83 => "NOT_SUPPORTED",
        0x84 => "INTERNAL_ERROR",
        0x85 => "BUSY",
        0x86 => "TEMPORARY_FAILURE",
        _ => "OTHER",
    })
}
