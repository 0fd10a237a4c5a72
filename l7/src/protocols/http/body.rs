/// How the body of a message is delimited (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    /// No field says anything.
    #[default]
    Unsaid,
    Length(u64),
    Chunked,
    /// A transfer coding that ends with the connection.
    Coded,
}

impl Framing {
    /// Takes the fields that matter one by one; Transfer-Encoding overrides Content-Length.
    pub(super) fn field(&mut self, field: BodyField, value: &[u8]) {
        match field {
            BodyField::TransferEncoding => {
                let last = value.rsplit(|&b| b == b',').next().unwrap_or_default();
                let last = super::lines::trim(last);
                *self = if last.eq_ignore_ascii_case(b"chunked") {
                    Self::Chunked
                } else if last.eq_ignore_ascii_case(b"identity") {
                    *self
                } else {
                    Self::Coded
                };
            }
            BodyField::ContentLength => {
                let first = value.split(|&b| b == b',').next().unwrap_or_default();
                if let (Some(length), Self::Unsaid) = (decimal(super::lines::trim(first)), *self) {
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

/// Size on a chunk's first line; extensions behind `;` are ignored (RFC 9112 section 7.1).
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|&b| b == b';').next().map(super::lines::trim)?;
    if size.is_empty() || size.len() > 15 {
        return None;
    }
    size.iter().try_fold(0u64, |n, &b| Some(n << 4 | u64::from((b as char).to_digit(16)?)))
}
