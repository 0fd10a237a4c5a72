//! ClientHello and ServerHello (RFC 8446 section 4.1), and the extensions in them.

use super::codes::TLS12;
use super::reader::Reader;

/// Extensions of hellos (IANA "TLS ExtensionType Values").
pub(super) mod extension {
    pub(crate) const SERVER_NAME: u16 = 0;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(crate) const ALPN: u16 = 16;
    pub(crate) const SESSION_TICKET: u16 = 35;
    pub(crate) const PRE_SHARED_KEY: u16 = 41;
    pub(crate) const EARLY_DATA: u16 = 42;
    pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
    pub(crate) const KEY_SHARE: u16 = 51;
    pub(crate) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
}

/// The random value that makes a ServerHello a HelloRetryRequest (RFC 8446 section 4.1.3).
const RETRY_RANDOM: [u8; RANDOM] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Length of a hello's random value.
const RANDOM: usize = 32;

/// A ClientHello (RFC 8446 section 4.1.2), as far as it was captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientHello<'a> {
    pub(super) version: u16,
    pub(super) session_id: &'a [u8],
    pub(super) ciphers: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Reads the message behind its header of four bytes.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        reader.take(RANDOM);
        let session_id = reader.short().unwrap_or_default();
        let ciphers = reader.long().unwrap_or_default();
        reader.short();
        let extensions = reader.long().unwrap_or_default();
        Some(Self { version, session_id, ciphers, extensions })
    }

    pub(super) fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        extensions(self.extensions)
    }

    pub(super) fn extension(&self, wanted: u16) -> Option<&'a [u8]> {
        self.extensions().find_map(|(kind, data)| (kind == wanted).then_some(data))
    }

    /// Versions offered, in the client's order of preference.
    pub(super) fn versions(&self) -> impl Iterator<Item = u16> {
        let listed =
            self.extension(extension::SUPPORTED_VERSIONS).and_then(|data| Reader(data).short());
        let alone = listed.is_none().then_some(self.version.min(TLS12));
        Reader(listed.unwrap_or_default()).words().chain(alone)
    }

    /// The name of the requested server (RFC 6066 section 3).
    pub(super) fn server_name(&self) -> Option<&'a [u8]> {
        let mut names = Reader(Reader(self.extension(extension::SERVER_NAME)?).long()?);
        while let Some(kind) = names.u8() {
            let name = names.long()?;
            if kind == 0 {
                return Some(name);
            }
        }
        None
    }

    /// Application protocols offered (RFC 7301).
    pub(super) fn protocols(&self) -> impl Iterator<Item = &'a [u8]> {
        protocols(self.extension(extension::ALPN).unwrap_or_default())
    }
}

/// A ServerHello or HelloRetryRequest (RFC 8446 section 4.1.3), as far as it was captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerHello<'a> {
    /// The version chosen.
    pub(super) version: u16,
    pub(super) cipher: Option<u16>,
    /// It is a HelloRetryRequest.
    pub(super) retry: bool,
    extensions: &'a [u8],
}

impl<'a> ServerHello<'a> {
    /// Reads the message behind its header of four bytes.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        let retry = reader.take(RANDOM) == RETRY_RANDOM;
        reader.short();
        let cipher = reader.u16();
        reader.u8();
        let extensions = reader.long().unwrap_or_default();
        let mut hello = Self { version, cipher, retry, extensions };
        if let Some(chosen) =
            hello.extension(extension::SUPPORTED_VERSIONS).and_then(|data| Reader(data).u16())
        {
            hello.version = chosen;
        }
        Some(hello)
    }

    pub(super) fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        extensions(self.extensions)
    }

    pub(super) fn extension(&self, wanted: u16) -> Option<&'a [u8]> {
        self.extensions().find_map(|(kind, data)| (kind == wanted).then_some(data))
    }

    /// The application protocol chosen. TLS 1.3 encrypts it.
    pub(super) fn protocol(&self) -> Option<&'a [u8]> {
        protocols(self.extension(extension::ALPN)?).next()
    }

    /// The group of the key share. In TLS 1.2 it is in ServerKeyExchange.
    pub(super) fn group(&self) -> Option<u16> {
        Reader(self.extension(extension::KEY_SHARE)?).u16()
    }
}

fn extensions(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut reader = Reader(bytes);
    std::iter::from_fn(move || Some((reader.u16()?, reader.long()?)))
}

fn protocols(extension: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Reader(Reader(extension).long().unwrap_or_default());
    std::iter::from_fn(move || list.short())
}
