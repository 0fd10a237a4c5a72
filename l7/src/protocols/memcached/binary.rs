//! The header of the binary protocol: 24 bytes, numbers big-endian.

pub(super) const HEADER: usize = 24;
const REQUEST: u8 = 0x80;
const RESPONSE: u8 = 0x81;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_request: bool,
    pub(super) opcode: u8,
    pub(super) key: u16,
    pub(super) extras: u8,
    /// Of responses.
    pub(super) status: u16,
    /// Extras, key and value.
    pub(super) body: u32,
    pub(super) opaque: u32,
}

impl Header {
    /// Reads a header; `None` if it is none or not whole.
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
        let fits = u32::from(header.key) + u32::from(extras) <= header.body && header.body <= 1 << 30;
        (known && fits && data_type <= 7 && header.key <= 250 && extras <= 20).then_some(header)
    }

    /// How many bytes precede the value.
    pub(super) fn before_value(&self) -> usize {
        usize::from(self.extras) + usize::from(self.key)
    }
}

/// Whether a byte begins a message.
pub(super) fn is_magic(byte: u8) -> bool {
    matches!(byte, REQUEST | RESPONSE)
}

/// Command of an opcode.
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

/// Name of a status; none where all is well.
pub(super) fn status(status: u16) -> Option<&'static str> {
    Some(match status {
        0 => return None,
        0x01 => "KEY_NOT_FOUND",
        0x02 => "KEY_EXISTS",
        0x03 => "VALUE_TOO_LARGE",
        0x04 => "INVALID_ARGUMENTS",
        0x05 => "ITEM_NOT_STORED",
        0x06 => "NON_NUMERIC_VALUE",
        0x20 => "AUTH_ERROR",
        0x21 => "AUTH_CONTINUE",
        0x81 => "UNKNOWN_COMMAND",
        0x82 => "OUT_OF_MEMORY",
        0x83 => "NOT_SUPPORTED",
        0x84 => "INTERNAL_ERROR",
        0x85 => "BUSY",
        0x86 => "TEMPORARY_FAILURE",
        _ => "OTHER",
    })
}
