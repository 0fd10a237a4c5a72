//! The fields of `ErrorResponse` (PostgreSQL documentation, "Error and Notice Message Fields").

/// Fields of an `ErrorResponse`. Its messages are not kept: they quote values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorFields<'a> {
    /// `ERROR`, `FATAL` or `PANIC`, untranslated by servers of version 9.6 or later.
    pub(super) severity: &'a [u8],
    /// SQLSTATE.
    pub(super) code: &'a [u8],
}

/// Field types.
mod field {
    pub(super) const SEVERITY: u8 = b'S';
    pub(super) const SEVERITY_UNTRANSLATED: u8 = b'V';
    pub(super) const CODE: u8 = b'C';
}

const SQLSTATE_LEN: usize = 5;
/// Longest severity that is kept, in bytes.
const LONGEST_SEVERITY: usize = 16;

impl<'a> ErrorFields<'a> {
    /// Reads as many fields as are there.
    pub(super) fn read(body: &'a [u8]) -> Self {
        let mut fields = Self::default();
        let mut localized = &body[..0];
        for field in body.split(|b| *b == 0) {
            match field {
                [field::SEVERITY, text @ ..] => localized = text,
                [field::SEVERITY_UNTRANSLATED, text @ ..] => fields.severity = text,
                [field::CODE, code @ ..] if code.len() == SQLSTATE_LEN => fields.code = code,
                _ => {}
            }
        }
        if fields.severity.is_empty() {
            fields.severity = localized;
        }
        fields.severity = fields.severity.get(..LONGEST_SEVERITY).unwrap_or(fields.severity);
        fields
    }

    /// Whether the server closes the connection.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(self.severity, b"FATAL" | b"PANIC")
    }
}
