//! Ids that pair messages: what waits, and on which channel.

const PUBLISHED: u64 = 1 << 60;
const DELIVERED: u64 = 2 << 60;
const CALLED: u64 = 3 << 60;
const ONE_WAY: u64 = 4 << 60;
const TAG: u64 = (1 << 36) - 1;

fn place(channel: u16, epoch: u8) -> u64 {
    u64::from(epoch) << 52 | u64::from(channel) << 36
}

/// A publish, the `number`th of a channel that confirms. Epochs distinguish channels that had the
/// same number one after the other.
pub(super) fn published(channel: u16, epoch: u8, number: u64) -> u64 {
    PUBLISHED | place(channel, epoch) | number & TAG
}

/// A delivery that is acknowledged by its tag.
pub(super) fn delivered(channel: u16, epoch: u8, tag: u64) -> u64 {
    DELIVERED | place(channel, epoch) | tag & TAG
}

/// A method that is answered by another of its class.
pub(super) fn called(channel: u16, class: u16, method: u16) -> u64 {
    CALLED | place(channel, 0) | u64::from(class) << 16 | u64::from(method)
}

/// A message without response.
pub(super) fn one_way(channel: u16) -> u64 {
    ONE_WAY | place(channel, 0)
}

/// Whether `id` is of the same kind and channel as `of`, and not later.
pub(super) fn up_to(id: u64, of: u64) -> bool {
    id & !TAG == of & !TAG && id & TAG <= of & TAG
}

/// Whether `id` is of this method on any channel.
pub(super) fn is_call_of(id: u64, class: u16, method: u16) -> bool {
    id & !(0xffff << 36) == called(0, class, method)
}
