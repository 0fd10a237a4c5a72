//! Frame headers (RFC 9113 sections 4.1 and 6), the preface and the names of error codes.

/// The client's connection preface (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Length of a frame header in bytes (RFC 9113 section 4.1).
pub(super) const HEADER: usize = 9;
/// Initial SETTINGS_MAX_FRAME_SIZE (RFC 9113 section 6.5.2).
const INITIAL_MAX_FRAME_SIZE: usize = 16_384;
/// Mask of a stream identifier, without the reserved bit (RFC 9113 section 4.1).
pub(super) const STREAM_ID: u32 = 0x7fff_ffff;
/// Bytes of the priority fields: payload of PRIORITY, and in HEADERS with that flag (sections 6.2
/// and 6.3).
pub(super) const PRIORITY_LEN: usize = 5;
/// Payload of RST_STREAM: the error code (section 6.4).
pub(super) const RST_STREAM_LEN: usize = 4;
/// Payload of GOAWAY without debug data: last stream and error code (section 6.8).
pub(super) const GOAWAY_LEN: usize = 8;
/// An entry of SETTINGS: identifier and value (section 6.5.1).
pub(super) const SETTING_LEN: usize = 6;
const PING_LEN: usize = 8;
const WINDOW_UPDATE_LEN: usize = 4;

// Frame types (RFC 9113 section 6).
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

// Flags.
const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const WITH_PRIORITY: u8 = 0x20;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes of payload.
    pub(super) length: usize,
    pub(super) kind: u8,
    flags: u8,
    pub(super) stream: u32,
    /// The reserved bit before the stream identifier, which senders leave unset.
    reserved: bool,
}

impl Frame {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, kind, flags, d, e, f, g, ..] = bytes else { return None };
        let stream = u32::from_be_bytes([d, e, f, g]);
        Some(Self {
            length: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            flags,
            stream: stream & STREAM_ID,
            reserved: stream >> 31 == 1,
        })
    }

    pub(super) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    pub(super) fn ends_headers(&self) -> bool {
        self.flags & END_HEADERS != 0
    }

    /// Whether the first byte of the payload is the length of the padding at its end.
    pub(super) fn is_padded(&self) -> bool {
        self.flags & PADDED != 0
    }

    pub(super) fn has_priority(&self) -> bool {
        self.kind == HEADERS && self.flags & WITH_PRIORITY != 0
    }

    pub(super) fn is_ack(&self) -> bool {
        self.flags & ACK != 0
    }

    /// Whether RFC 9113 section 6 allows such a header. Frames of unknown types are allowed.
    pub(super) fn is_valid(&self) -> bool {
        let on_stream = self.stream != 0;
        match self.kind {
            DATA | HEADERS | CONTINUATION => on_stream,
            PRIORITY => on_stream && self.length == PRIORITY_LEN,
            RST_STREAM => on_stream && self.length == RST_STREAM_LEN,
            SETTINGS => {
                !on_stream
                    && self.length.is_multiple_of(SETTING_LEN)
                    && (!self.is_ack() || self.length == 0)
            }
            // The promised stream's identifier comes first.
            PUSH_PROMISE => on_stream && self.length >= 4,
            PING => !on_stream && self.length == PING_LEN,
            GOAWAY => !on_stream && self.length >= GOAWAY_LEN,
            WINDOW_UPDATE => self.length == WINDOW_UPDATE_LEN,
            _ => true,
        }
    }

    /// Whether a header has only the flags and sizes that senders use in practice. Stricter than
    /// `is_valid`: for places where a frame need not begin.
    pub(super) fn is_plausible(&self) -> bool {
        let flags = match self.kind {
            DATA => END_STREAM | PADDED,
            HEADERS => END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY,
            SETTINGS | PING => ACK,
            PUSH_PROMISE => END_HEADERS | PADDED,
            CONTINUATION => END_HEADERS,
            PRIORITY | RST_STREAM | GOAWAY | WINDOW_UPDATE => 0,
            _ => return false,
        };
        self.is_valid()
            && self.flags & !flags == 0
            && !self.reserved
            && self.length <= INITIAL_MAX_FRAME_SIZE
    }
}

/// Number of error codes (RFC 9113 section 7).
pub(super) const ERROR_CODES: u32 = 14;

/// Name of an error code (RFC 9113 section 7).
pub(super) fn error_name(code: u32) -> &'static str {
    const NAMES: [&str; ERROR_CODES as usize] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    NAMES.get(code as usize).copied().unwrap_or("_OTHER")
}
