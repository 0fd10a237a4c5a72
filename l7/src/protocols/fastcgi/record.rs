//! Record headers (FastCGI Specification sections 3.3 and 8).

/// Length of a record's header.
pub(super) const HEADER: usize = 8;

/// The protocol's version, the first byte of each record.
pub(super) const VERSION: u8 = 1;
/// Body of END_REQUEST, and of BEGIN_REQUEST (sections 5.1 and 5.5).
pub(super) const END_REQUEST_BODY: usize = 8;
/// Position of the protocol status in the body of END_REQUEST.
pub(super) const PROTOCOL_STATUS: usize = 4;

/// Protocol statuses (section 5.5).
pub(super) mod status {
    pub(in super::super) const REQUEST_COMPLETE: u8 = 0;
    pub(in super::super) const CANT_MPX_CONN: u8 = 1;
    pub(in super::super) const OVERLOADED: u8 = 2;
    pub(in super::super) const UNKNOWN_ROLE: u8 = 3;
}

// Record types.
pub(super) const BEGIN_REQUEST: u8 = 1;
pub(super) const ABORT_REQUEST: u8 = 2;
pub(super) const END_REQUEST: u8 = 3;
pub(super) const PARAMS: u8 = 4;
pub(super) const STDIN: u8 = 5;
pub(super) const STDOUT: u8 = 6;
pub(super) const STDERR: u8 = 7;
pub(super) const DATA: u8 = 8;
pub(super) const GET_VALUES: u8 = 9;
pub(super) const GET_VALUES_RESULT: u8 = 10;
pub(super) const UNKNOWN_TYPE: u8 = 11;

/// The header of a record. Numbers are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: u8,
    pub(super) id: u16,
    /// Bytes of content.
    pub(super) content: usize,
    pub(super) padding: u8,
}

impl Record {
    /// Reads a header. `None` if it is none or not whole.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[VERSION, kind, i0, i1, c0, c1, padding, _] = bytes.first_chunk::<HEADER>()? else {
            return None;
        };
        let id = u16::from_be_bytes([i0, i1]);
        let content = usize::from(u16::from_be_bytes([c0, c1]));
        // Management records, and only they, have request id 0.
        let fits = match kind {
            GET_VALUES | GET_VALUES_RESULT | UNKNOWN_TYPE => id == 0,
            BEGIN_REQUEST | END_REQUEST => id != 0 && content == END_REQUEST_BODY,
            ABORT_REQUEST => id != 0 && content == 0,
            PARAMS..=DATA => id != 0,
            _ => false,
        };
        fits.then_some(Self { kind, id, content, padding })
    }

    /// Bytes behind the header.
    pub(super) fn body(&self) -> u64 {
        self.content as u64 + u64::from(self.padding)
    }

    /// Whether the web server sends it.
    pub(super) fn is_to_server(&self) -> bool {
        matches!(self.kind, BEGIN_REQUEST | ABORT_REQUEST | PARAMS | STDIN | DATA | GET_VALUES)
    }
}
