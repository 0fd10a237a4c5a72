//! The handshake: greeting of the server, log-in of the client.

use super::values::{sized, text, u16_at, u32_at};

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

/// Length of the part of a log-in that stands before the user's name, which is all of a request for
/// TLS.
const FIXED: usize = 32;

/// The server's first packet (`Protocol::HandshakeV10`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting<'a> {
    pub(super) version: &'a [u8],
    pub(super) plugin: &'a [u8],
    capabilities: u32,
}

impl<'a> Greeting<'a> {
    /// Reads the payload of a packet. The random bytes in it are passed over.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let (&protocol, rest) = payload.split_first()?;
        let (version, rest) = text(rest)?;
        let plain = version.len() <= 255 && version.iter().all(|b| (b' '..0x7f).contains(b));
        if !matches!(protocol, 9 | 10) || version.is_empty() || !plain || !version[0].is_ascii_digit() {
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

    /// Whether the random bytes and what stands between them are as they have to be, as far as
    /// `payload` goes.
    pub(super) fn is_likely(payload: &[u8]) -> bool {
        let Some((_, rest)) = payload.get(1..).and_then(text) else { return false };
        payload.first() == Some(&9) || rest.get(12).is_none_or(|filler| *filler == 0)
    }
}

/// What a client logs in with; never a password in any form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LogIn<'a> {
    pub(super) user: &'a [u8],
    pub(super) database: &'a [u8],
    pub(super) plugin: &'a [u8],
    capabilities: u32,
}

impl<'a> LogIn<'a> {
    /// Reads the client's first packet (`Protocol::HandshakeResponse41` or `320`); `whole` is the
    /// length of its payload.
    pub(super) fn read(payload: &'a [u8], whole: usize) -> Option<Self> {
        let capabilities = u32_at(payload, 0)?;
        if capabilities & PROTOCOL_41 == 0 {
            let user = text(payload.get(5..)?)?.0;
            return Some(Self { user, capabilities: capabilities & 0xffff, ..Self::default() });
        }
        let mut login = Self { capabilities, ..Self::default() };
        if whole <= FIXED {
            return Some(login);
        }
        let (user, rest) = text(payload.get(FIXED..)?)?;
        login.user = user;
        let secret = if capabilities & LENENC_AUTH_DATA != 0 {
            sized(rest)
        } else if capabilities & SECURE_CONNECTION != 0 {
            rest.split_first().and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)))
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
    pub(super) fn change(body: &'a [u8]) -> Option<Self> {
        let (user, rest) = text(body)?;
        let (length, rest) = rest.split_first()?;
        let (_, rest) = rest.split_at_checked(usize::from(*length))?;
        Some(Self { user, database: text(rest)?.0, ..Self::default() })
    }

    /// TLS begins behind it.
    pub(super) fn asks_for_tls(&self, whole: usize) -> bool {
        self.capabilities & SSL != 0 && whole <= FIXED
    }

    /// Definitions end without a packet that says so.
    pub(super) fn deprecates_eof(&self) -> bool {
        self.capabilities & DEPRECATE_EOF != 0
    }

    /// Packets are compressed from the end of the log-in on.
    pub(super) fn compresses(&self) -> bool {
        self.capabilities & (COMPRESS | ZSTD_COMPRESSION) != 0
    }

    /// Queries may have attributes in front.
    pub(super) fn has_query_attributes(&self) -> bool {
        self.capabilities & QUERY_ATTRIBUTES != 0
    }
}

/// What a server can do, as far as a client's wish is worth nothing without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offered {
    capabilities: Option<u32>,
}

impl Offered {
    pub(super) fn by(greeting: &Greeting<'_>) -> Self {
        Self { capabilities: Some(greeting.capabilities) }
    }

    /// What of a client's wishes comes true.
    pub(super) fn agreed<'a>(&self, wishes: LogIn<'a>) -> LogIn<'a> {
        LogIn { capabilities: wishes.capabilities & self.capabilities.unwrap_or(u32::MAX), ..wishes }
    }
}
