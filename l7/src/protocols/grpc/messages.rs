use super::Form;
use super::base64::Base64;

/// Bytes of the trailers in the content of gRPC-Web that are looked at.
const LONGEST_TRAILERS: usize = 2048;

/// Counts the messages in the content of a request or response (gRPC over HTTP2, "Length-Prefixed-Message"), which comes in pieces
/// of any size and is not kept.
#[derive(Debug)]
pub(crate) struct Messages {
    text: Option<Base64>,
    prefix: [u8; 5],
    have: usize,
    /// Bytes that are still to come of the message.
    left: u64,
    count: u64,
    in_trailers: bool,
    trailers: Vec<u8>,
    broken: bool,
}

impl Messages {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            text: (form == Form::WebText).then(Base64::default),
            prefix: [0; 5],
            have: 0,
            left: 0,
            count: 0,
            in_trailers: false,
            trailers: Vec::new(),
            broken: false,
        }
    }

    /// Reads content of which `left` bytes are to come, and `bytes` are there; returns how many are dealt with. Where they are more
    /// than are there, what is missing of them need not be shown.
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
            at += self.look(&bytes[at as usize..here as usize]) as u64;
        }
    }

    /// Looks at content; returns how many of the bytes. What it does not look at is to be skipped.
    fn look(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() && !self.broken && (self.text.is_some() || self.skippable() == 0) {
            let byte = bytes[at];
            at += 1;
            let Some(text) = &mut self.text else {
                self.byte(byte);
                continue;
            };
            match text.take(byte) {
                Some(Some(_)) if self.left > 0 && !self.in_trailers => self.left -= 1,
                Some(Some(byte)) => self.byte(byte),
                Some(None) => {}
                None => self.broken = true,
            }
        }
        at
    }

    /// Bytes from here on that say nothing.
    fn skippable(&self) -> u64 {
        match (self.broken, &self.text, self.in_trailers) {
            (true, ..) => u64::MAX,
            (_, Some(_), _) | (.., true) => 0,
            _ => self.left,
        }
    }

    /// So many of them pass.
    fn skip(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    fn byte(&mut self, byte: u8) {
        if self.in_trailers {
            if self.trailers.len() < LONGEST_TRAILERS {
                self.trailers.push(byte);
            }
            self.left -= 1;
            self.in_trailers = self.left > 0;
            return;
        }
        self.prefix[self.have] = byte;
        self.have += 1;
        let [flags, a, b, c, d] = self.prefix;
        if self.have < self.prefix.len() {
            return;
        }
        self.have = 0;
        self.left = u64::from(u32::from_be_bytes([a, b, c, d]));
        match flags {
            0 | 1 => self.count += 1,
            0x80 | 0x81 => self.in_trailers = self.left > 0,
            _ => self.broken = true,
        }
    }

    /// Messages that began; none if the content is something else.
    pub(crate) fn count(&self) -> Option<u64> {
        (!self.broken).then_some(self.count)
    }

    /// Status and message of the trailers in the content.
    pub(super) fn status(&self) -> Option<(u32, &[u8])> {
        let field = |wanted: &str| {
            self.trailers.split(|&b| b == b'\n').find_map(|line| {
                let colon = line.iter().position(|&b| b == b':')?;
                let (name, value) = line.split_at(colon);
                name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()).then(|| value[1..].trim_ascii())
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

    fn read(form: Form, content: &[u8], piece: usize) -> Messages {
        let mut messages = Messages::new(form);
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
