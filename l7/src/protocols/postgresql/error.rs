//! ErrorResponse: fields, and whose fault it is.

/// What an `ErrorResponse` says. Its texts are left alone: they quote values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorFields<'a> {
    /// `ERROR`, `FATAL` or `PANIC`, not translated where the server is of version 9.6 or later.
    pub(super) severity: &'a [u8],
    /// SQLSTATE.
    pub(super) code: &'a [u8],
}

impl<'a> ErrorFields<'a> {
    /// Reads as many fields as are there.
    pub(super) fn read(body: &'a [u8]) -> Self {
        let mut fields = Self::default();
        let mut plain = &body[..0];
        for field in body.split(|b| *b == 0) {
            match field {
                [b'S', text @ ..] => plain = text,
                [b'V', text @ ..] => fields.severity = text,
                [b'C', code @ ..] if code.len() == 5 => fields.code = code,
                _ => {}
            }
        }
        if fields.severity.is_empty() {
            fields.severity = plain;
        }
        fields.severity = fields.severity.get(..16).unwrap_or(fields.severity);
        fields
    }

    /// The server closes the connection.
    pub(super) fn ends_connection(&self) -> bool {
        matches!(self.severity, b"FATAL" | b"PANIC")
    }
}
