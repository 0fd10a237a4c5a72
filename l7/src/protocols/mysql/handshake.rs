//! The connection phase (MySQL source documentation, "Protocol::Handshake"): the server's greeting
//! and the client's login. Passwords are never kept in any form.

use super::values::{sized, text, u16_at, u32_at};

// Capability flags.
const CONNECT_WITH_DB: u32 = 1 << 3;
const COMPRESS: u32 = 1 << 5;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
const LENENC_AUTH_DATA: u32 = 1 << 21;
const DEPRECATE_EOF: u32 = 1 << 24;
const ZSTD_COMPRESSION: u32 = 1 << 26;
const QUERY_ATTRIBUTES: u32 = 1 << 27;

/// Bytes of a login before the user's name. An `SSLRequest` has only these.
const FIXED_LOGIN: usize = 32;

/// The server's first packet (`Protocol::HandshakeV10`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting<'a> {
    pub(super) version: &'a [u8],
    pub(super) plugin: &'a [u8],
    capabilities: u32,
}

impl<'a> Greeting<'a> {
    /// Reads the payload of a packet. The scramble in it is passed over.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let (&protocol, rest) = payload.split_first()?;
        let (version, rest) = text(rest)?;
        let plain = version.len() <= 255 && version.iter().all(|b| (b' '..0x7f).contains(b));
        if !matches!(protocol, 9 | 10)
            || version.is_empty()
            || !plain
            || !version[0].is_ascii_digit()
        {
            return None;
        }
        let low = u16_at(rest, 13).unwrap_or(0);
        let high = u16_at(rest, 18).unwrap_or(0);
        let capabilities = u32::from(low) | u32::from(high) << 16;
        let scramble = usize::from(rest.get(20).copied().unwrap_or(0)).saturating_sub(8).max(13);
        let plugin = rest.get(31 + scramble..).unwrap_or_default();
        let plugin = text(plugin).map_or(plugin, |(name, _)| name);
        let plugin = if capabilities & PLUGIN_AUTH != 0 { plugin } else { &[] };
        Some(Self { version, plugin, capabilities })
    }

    /// Whether the filler is as it has to be, as far as `payload` goes.
    pub(super) fn is_likely(payload: &[u8]) -> bool {
        let Some((_, rest)) = payload.get(1..).and_then(text) else { return false };
        payload.first() == Some(&9) || rest.get(12).is_none_or(|filler| *filler == 0)
    }
}

/// What a client logs in with, without its password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Login<'a> {
    pub(super) user: &'a [u8],
    pub(super) database: &'a [u8],
    pub(super) plugin: &'a [u8],
    capabilities: u32,
}

impl<'a> Login<'a> {
    /// Reads the client's first packet (`Protocol::HandshakeResponse41` or `320`). `whole` is the
    /// length of its payload.
    pub(super) fn read(payload: &'a [u8], whole: usize) -> Option<Self> {
        let capabilities = u32_at(payload, 0)?;
        if capabilities & PROTOCOL_41 == 0 {
            let user = text(payload.get(5..)?)?.0;
            return Some(Self { user, capabilities: capabilities & 0xffff, ..Self::default() });
        }
        let mut login = Self { capabilities, ..Self::default() };
        if whole <= FIXED_LOGIN {
            return Some(login);
        }
        let (user, rest) = text(payload.get(FIXED_LOGIN..)?)?;
        login.user = user;
        let secret = if capabilities & LENENC_AUTH_DATA != 0 {
            sized(rest)
        } else if capabilities & SECURE_CONNECTION != 0 {
            rest.split_first()
                .and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)))
        } else {
            text(rest)
        };
        let Some((_, mut rest)) = secret else { return Some(login) };
        if capabilities & CONNECT_WITH_DB != 0
            && let Some((database, behind)) = text(rest)
        {
            (login.database, rest) = (database, behind);
        }
        if capabilities & PLUGIN_AUTH != 0
            && let Some((plugin, _)) = text(rest)
        {
            login.plugin = plugin;
        }
        Some(login)
    }

    /// Reads what follows the code of `COM_CHANGE_USER`.
    pub(super) fn read_change_user(body: &'a [u8]) -> Option<Self> {
        let (user, rest) = text(body)?;
        let (length, rest) = rest.split_first()?;
        let (_, rest) = rest.split_at_checked(usize::from(*length))?;
        Some(Self { user, database: text(rest)?.0, ..Self::default() })
    }

    /// Whether it is an `SSLRequest`: TLS begins behind it.
    pub(super) fn is_ssl_request(&self, whole: usize) -> bool {
        self.capabilities & SSL != 0 && whole <= FIXED_LOGIN
    }

    /// Whether definitions end without an `EOF_Packet`.
    pub(super) fn deprecates_eof(&self) -> bool {
        self.capabilities & DEPRECATE_EOF != 0
    }

    /// Whether packets are compressed from the end of the login on.
    pub(super) fn compresses(&self) -> bool {
        self.capabilities & (COMPRESS | ZSTD_COMPRESSION) != 0
    }

    /// Whether queries may begin with attributes.
    pub(super) fn has_query_attributes(&self) -> bool {
        self.capabilities & QUERY_ATTRIBUTES != 0
    }
}

/// Capabilities of the server. A client's count only together with these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerCapabilities {
    capabilities: Option<u32>,
}

impl ServerCapabilities {
    pub(super) fn by(greeting: &Greeting<'_>) -> Self {
        Self { capabilities: Some(greeting.capabilities) }
    }

    /// The login with the capabilities that both sides have.
    pub(super) fn common<'a>(&self, login: Login<'a>) -> Login<'a> {
        Login { capabilities: login.capabilities & self.capabilities.unwrap_or(u32::MAX), ..login }
    }
}
