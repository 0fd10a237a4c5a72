//! WireGuard, which is recognised and cannot be read.

use crate::decode::span::Span;

/// UDP port by custom.
pub(super) const PORT: u16 = 51820;

/// Whether it has the type and the exact length of a WireGuard message (WireGuard white paper,
/// section 5.4).
pub(super) fn is_message(span: Span<'_>) -> bool {
    match span.bytes {
        [1, 0, 0, 0, ..] => span.len == 148,
        [2, 0, 0, 0, ..] => span.len == 92,
        [3, 0, 0, 0, ..] => span.len == 64,
        [4, 0, 0, 0, ..] => span.len >= 32 && span.len.is_multiple_of(16),
        _ => false,
    }
}
