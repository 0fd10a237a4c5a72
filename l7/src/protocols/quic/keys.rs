//! Keys of Initial packets (RFC 9001 section 5.2), and the removal of their protection (sections
//! 5.3 and 5.4).

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockEncrypt;
use aes_gcm::{Aes128Gcm, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use wire::Direction;

use super::packet::{Packet, VERSION_2, is_known};

const SALT_1: [u8; 20] =
    *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
const SALT_2: [u8; 20] =
    *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
const SALT_DRAFT_29: [u8; 20] =
    *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
/// Length of the authentication tag of AES-GCM.
const TAG: usize = 16;
/// Longest packet number.
const NUMBER: usize = 4;

/// Keys of the Initial packets of one direction. They are no secret: whoever sees the client's
/// first packet can derive them.
pub(super) struct Keys {
    packet: Aes128Gcm,
    header: Aes128,
    iv: [u8; 12],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Keys of a connection whose client first chose `id` for the server (RFC 9001 section 5.2).
    pub(super) fn new(version: u32, id: &[u8], direction: Direction) -> Option<Self> {
        let (salt, [key, iv, header]) = match version {
            VERSION_2 => (SALT_2, ["quicv2 key", "quicv2 iv", "quicv2 hp"]),
            0xff00_001d..=0xff00_0020 => (SALT_DRAFT_29, ["quic key", "quic iv", "quic hp"]),
            _ if is_known(version) => (SALT_1, ["quic key", "quic iv", "quic hp"]),
            _ => return None,
        };
        let side = match direction {
            Direction::ToServer => "client in",
            Direction::ToClient => "server in",
        };
        let secret: [u8; 32] = expand(&Hkdf::new(Some(&salt), id), side)?;
        let secret = Hkdf::from_prk(&secret).ok()?;
        Some(Self {
            packet: Aes128Gcm::new(&expand::<16>(&secret, key)?.into()),
            header: Aes128::new(&expand::<16>(&secret, header)?.into()),
            iv: expand(&secret, iv)?,
        })
    }

    /// Decrypts the frames of a packet of `bytes` into `into`. None if the packet is not of these
    /// keys.
    pub(super) fn open<'a>(
        &self,
        bytes: &[u8],
        packet: &Packet<'_>,
        into: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        let body = bytes.get(packet.body..packet.end)?;
        let sample: [u8; 16] = *body.get(NUMBER..)?.first_chunk()?;
        let mut mask = sample.into();
        self.header.encrypt_block(&mut mask);
        into.clear();
        into.extend_from_slice(bytes.get(..packet.end)?);
        let first = into.first_mut()?;
        *first ^= mask[0] & 0x0f;
        let length = usize::from(*first & 3) + 1;
        let mut nonce = self.iv;
        for n in 0..length {
            let byte = into.get_mut(packet.body + n)?;
            *byte ^= mask[n + 1];
            nonce[12 - length + n] ^= *byte;
        }
        let (header, sealed) = into.split_at_mut_checked(packet.body + length)?;
        let (frames, tag) = sealed.split_at_mut_checked(sealed.len().checked_sub(TAG)?)?;
        let (nonce, tag) = (Nonce::from_slice(&nonce), Tag::from_slice(tag));
        self.packet.decrypt_in_place_detached(nonce, header, frames, tag).ok()?;
        Some(frames)
    }
}

/// HKDF-Expand-Label (RFC 8446 section 7.1) without context.
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let (length, label_length) = ((N as u16).to_be_bytes(), [label.len() as u8 + 6]);
    secret
        .expand_multi_info(&[&length, &label_length, b"tls13 ", label.as_bytes(), &[0]], &mut out)
        .ok()?;
    Some(out)
}
