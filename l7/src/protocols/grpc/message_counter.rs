//! Counts the length-prefixed messages in a call's content, and finds gRPC-Web's trailers there.

use super::base64::Base64;
use super::form::Form;

/// Most bytes that are kept of the trailers in the content of gRPC-Web.
const LONGEST_TRAILERS: usize = 2048;

/// Flags in the first byte of a message's prefix.
mod flag {
    /// The message is compressed.
    pub(super) const COMPRESSED: u8 = 0x01;
    /// gRPC-Web: the message holds the trailers.
    pub(super) const TRAILERS: u8 = 0x80;
}

/// Length of a message's prefix: flags, and the message's length (u32, big-endian).
const PREFIX_LEN: usize = 5;

/// Counts the messages ("Length-Prefixed-Message") in the content of a request or response. The
/// content comes in pieces of any size and is not kept.
#[derive(Debug)]
pub(crate) struct MessageCounter {
    base64: Option<Base64>,
    prefix: [u8; PREFIX_LEN],
    /// Bytes of `prefix` that are filled.
    filled: usize,
    /// Bytes of the message still to come.
    left: u64,
    count: u64,
    in_trailers: bool,
    trailers: Vec<u8>,
    /// The content is not made of messages.
    malformed: bool,
}

impl MessageCounter {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            base64: (form == Form::WebText).then(Base64::default),
            prefix: [0; PREFIX_LEN],
            filled: 0,
            left: 0,
            count: 0,
            in_trailers: false,
            trailers: Vec::new(),
            malformed: false,
        }
    }

    /// Reads content: `left` bytes are to come, and `bytes` of them are there.
    ///
    /// Returns how many were processed. If these are more than `bytes`, the rest of them may be
    /// skipped.
    pub(crate) fn read(&mut self, bytes: &[u8], left: u64) -> u64 {
        let mut at = 0;
        loop {
            let pass = self.skippable().min(left - at);
            self.skip(pass);
            at += pass;
            let here = left.min(bytes.len() as u64);
            if at >= here {
                return at;
            }
            at += self.inspect(&bytes[at as usize..here as usize]) as u64;
        }
    }

    /// Inspects content up to the next bytes that may be skipped. Returns how many it inspected.
    fn inspect(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len()
            && !self.malformed
            && (self.base64.is_some() || self.skippable() == 0)
        {
            let byte = bytes[at];
            at += 1;
            let Some(base64) = &mut self.base64 else {
                self.on_byte(byte);
                continue;
            };
            match base64.push(byte) {
                Some(Some(_)) if self.left > 0 && !self.in_trailers => self.left -= 1,
                Some(Some(byte)) => self.on_byte(byte),
                Some(None) => {}
                None => self.malformed = true,
            }
        }
        at
    }

    /// Bytes from here on that need not be inspected.
    fn skippable(&self) -> u64 {
        match (self.malformed, &self.base64, self.in_trailers) {
            (true, ..) => u64::MAX,
            (_, Some(_), _) | (.., true) => 0,
            _ => self.left,
        }
    }

    /// Passes over so many bytes of the message.
    fn skip(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Processes a byte of a prefix or of the trailers.
    fn on_byte(&mut self, byte: u8) {
        if self.in_trailers {
            if self.trailers.len() < LONGEST_TRAILERS {
                self.trailers.push(byte);
            }
            self.left -= 1;
            self.in_trailers = self.left > 0;
            return;
        }
        self.prefix[self.filled] = byte;
        self.filled += 1;
        let [flags, a, b, c, d] = self.prefix;
        if self.filled < self.prefix.len() {
            return;
        }
        self.filled = 0;
        self.left = u64::from(u32::from_be_bytes([a, b, c, d]));
        match flags & !flag::COMPRESSED {
            0 => self.count += 1,
            flag::TRAILERS => self.in_trailers = self.left > 0,
            _ => self.malformed = true,
        }
    }

    /// Messages that began. None if the content is something else.
    pub(crate) fn count(&self) -> Option<u64> {
        (!self.malformed).then_some(self.count)
    }

    /// Status code and message of the trailers in the content.
    pub(super) fn status(&self) -> Option<(u32, &[u8])> {
        let field = |wanted: &str| {
            self.trailers.split(|&b| b == b'\n').find_map(|line| {
                let colon = line.iter().position(|&b| b == b':')?;
                let (name, value) = line.split_at(colon);
                name.trim_ascii()
                    .eq_ignore_ascii_case(wanted.as_bytes())
                    .then(|| value[1..].trim_ascii())
            })
        };
        let code = std::str::from_utf8(field("grpc-status")?).ok()?.parse().ok()?;
        Some((code, field("grpc-message").unwrap_or_default()))
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.trailers.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: Form, content: &[u8], piece: usize) -> MessageCounter {
        let mut messages = MessageCounter::new(form);
        let mut at = 0;
        while at < content.len() {
            let here = &content[at..content.len().min(at + piece)];
            let read = messages.read(here, (content.len() - at) as u64);
            assert!(read >= here.len() as u64);
            at += read as usize;
        }
        assert_eq!(at, content.len());
        messages
    }

    const WEB: &[u8] =
        b"\0\0\0\0\x03abc\x01\0\0\0\0\0\0\0\0\x01x\x80\0\0\0\x21grpc-status: 5\r\ngrpc-message:no\r\n";
    const WEB_TEXT: &[u8] =
        b"AAAAAANhYmMBAAAAAAAAAAABeA==gAAAACFncnBjLXN0YXR1czogNQ0KZ3JwYy1tZXNzYWdlOm5vDQo=";

    #[test]
    fn messages_are_counted_in_pieces_of_any_size() {
        for piece in [1, 2, 3, 5, 7, 100] {
            for (form, content) in [(Form::Web, WEB), (Form::WebText, WEB_TEXT)] {
                let messages = read(form, content, piece);
                assert_eq!(messages.count(), Some(3), "{form:?}");
                assert_eq!(messages.status(), Some((5, &b"no"[..])), "{form:?}");
            }
        }
    }

    #[test]
    fn what_is_no_message_is_not_counted() {
        assert_eq!(read(Form::Native, b"{\"json\": true}", 3).count(), None);
        assert_eq!(read(Form::WebText, b"????", 1).count(), None);
        assert_eq!(read(Form::Native, b"", 1).count(), Some(0));
    }
}
