//! Taps of the interfaces that frames of LINKTYPE_LINUX_SLL2 name: a capture on `any` sees one
//! frame at several of them.

use std::collections::HashMap;

use wire::TapId;

/// Where a frame's header has the index of its interface, in network byte order
/// (LINKTYPE_LINUX_SLL2).
const INTERFACE_INDEX: usize = 4;
/// Interfaces that get a tap. Each costs memory; frames of further ones belong to the file.
const MAX_INTERFACES: usize = 65_536;

/// Taps by interface index.
#[derive(Debug, Default)]
pub(super) struct CookedTaps {
    by_index: HashMap<u32, TapId>,
    /// That of the last frame: many come in a row.
    last: Option<(u32, TapId)>,
}

impl CookedTaps {
    /// The tap of a frame with these bytes. `name` names one by its index, or the one of frames
    /// that tell none.
    pub(super) fn tap(
        &mut self,
        frame: &[u8],
        mut name: impl FnMut(Option<u32>) -> TapId,
    ) -> TapId {
        let header = frame.get(INTERFACE_INDEX..).and_then(|bytes| bytes.first_chunk::<4>());
        // Index 0 is none.
        let mut index = header.map_or(0, |bytes| u32::from_be_bytes(*bytes));
        if let Some((last, tap)) = self.last
            && last == index
        {
            return tap;
        }
        if self.by_index.len() >= MAX_INTERFACES && !self.by_index.contains_key(&index) {
            index = 0;
        }
        let tap =
            *self.by_index.entry(index).or_insert_with(|| name((index != 0).then_some(index)));
        self.last = Some((index, tap));
        tap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interface_has_a_tap_and_damaged_files_have_no_end_of_them() {
        let mut taps = CookedTaps::default();
        let mut named = Vec::new();
        let mut tap = |index: u32| {
            let frame = [&[8, 0, 0, 0][..], &index.to_be_bytes(), &[0; 12]].concat();
            taps.tap(&frame, |index| {
                named.push(index);
                TapId(named.len() as u32)
            })
        };
        assert_eq!([2, 2, 7, 2, 0].map(&mut tap), [1, 1, 2, 1, 3].map(TapId));
        for index in 100..70_000 {
            tap(index);
        }
        assert_eq!(tap(80_000), TapId(3));
        assert_eq!(named.len(), MAX_INTERFACES);
        assert_eq!(named[..3], [Some(2), Some(7), None]);
    }
}
