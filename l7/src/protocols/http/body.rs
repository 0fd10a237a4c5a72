//! How the body of a message is delimited (RFC 9112 sections 6 and 7.1).

/// How the body of a message is delimited (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    /// Neither Content-Length nor Transfer-Encoding.
    #[default]
    Unspecified,
    Length(u64),
    Chunked,
    /// A transfer coding other than chunked: the body ends with the connection.
    OtherCoding,
}

impl Framing {
    /// Applies one of the fields. Transfer-Encoding overrides Content-Length.
    pub(super) fn on_field(&mut self, field: BodyField, value: &[u8]) {
        match field {
            BodyField::TransferEncoding => {
                let last = value.rsplit(|&b| b == b',').next().unwrap_or_default();
                let last = super::lines::trim(last);
                *self = if last.eq_ignore_ascii_case(b"chunked") {
                    Self::Chunked
                } else if last.eq_ignore_ascii_case(b"identity") {
                    *self
                } else {
                    Self::OtherCoding
                };
            }
            BodyField::ContentLength => {
                let first = value.split(|&b| b == b',').next().unwrap_or_default();
                if let (Some(length), Self::Unspecified) =
                    (decimal(super::lines::trim(first)), *self)
                {
                    *self = Self::Length(length);
                }
            }
        }
    }
}

/// Fields that delimit a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyField {
    ContentLength,
    TransferEncoding,
}

fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0u64, |n, &b| {
        let digit = b.is_ascii_digit().then(|| u64::from(b - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })
}

/// Most hexadecimal digits of a chunk's size: 60 bits.
const MOST_SIZE_DIGITS: usize = 15;

/// Size on a chunk's first line. Extensions behind `;` are ignored (RFC 9112 section 7.1).
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|&b| b == b';').next().map(super::lines::trim)?;
    if size.is_empty() || size.len() > MOST_SIZE_DIGITS {
        return None;
    }
    size.iter().try_fold(0u64, |n, &b| Some(n << 4 | u64::from((b as char).to_digit(16)?)))
}
