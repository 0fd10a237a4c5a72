//! Files that are parts of one capture (`tcpdump -C` and `-G`, ring buffers of dumpcap): an
//! interface is the same tap in all of them, so that flows go on from file to file.

use std::path::Path;

use wire::{LinkType, TapId};

/// The longest time between the last frame of a part and the first of the next, in nanoseconds.
pub(super) const MAX_GAP: u64 = 60_000_000_000;
/// Frames at the end of a part may be younger than the first of the next (queues of several
/// processors) by this fraction of the part's time.
const OVERLAP_FRACTION: u64 = 1000;

/// Extensions of compressed files.
const COMPRESSED: [&str; 3] = [".gz", ".zst", ".zstd"];

/// Whether two files may be parts of one capture: they stand in one folder, and their names differ
/// in numbers only, of which one may have none.
pub(super) fn may_continue(earlier: &Path, later: &Path) -> bool {
    let names = (earlier.file_name(), later.file_name());
    let (Some(a), Some(b)) = names else { return false };
    let (a, b) = (a.to_string_lossy(), b.to_string_lossy());
    earlier.parent() == later.parent() && a != b && without_numbers(&a) == without_numbers(&b)
}

fn without_numbers(name: &str) -> String {
    let name = COMPRESSED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Length of what two names have in common at their beginning: of several files that may be
/// continued, that with the most alike name is.
pub(super) fn likeness(a: &Path, b: &Path) -> usize {
    let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Whether frames that are younger than the first of the next part by `overlap_ns` are few enough,
/// in a part that began `since_ns` before that.
pub(super) const fn is_small(overlap_ns: u64, since_ns: u64) -> bool {
    overlap_ns <= since_ns / OVERLAP_FRACTION
}

/// The taps of one capture, by what stands behind the file's name in their names and by link type.
#[derive(Debug, Default)]
pub(super) struct PartTaps(Vec<(String, LinkType, TapId)>);

impl PartTaps {
    /// The tap of an interface: that of an earlier part, or `tap`, which later ones then find.
    pub(super) fn find_or_add(
        &mut self,
        interface: &str,
        link_type: LinkType,
        tap: TapId,
    ) -> TapId {
        let known = self.0.iter().find(|(name, of, _)| name == interface && *of == link_type);
        if let Some((.., known)) = known {
            return *known;
        }
        self.0.push((interface.to_owned(), link_type, tap));
        tap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files_differ_in_numbers() {
        let may = |a: &str, b: &str| may_continue(Path::new(a), Path::new(b));
        assert!(may("d/trace.pcap", "d/trace.pcap1"));
        assert!(may("trace.pcap09", "trace.pcap10"));
        assert!(may("trace.pcap09.gz", "trace.pcap10"));
        assert!(may("t_00001_20240101100000.pcapng", "t_00002_20240101110000.pcapng"));
        assert!(may("2024-01-01_10:00:00.pcap", "2024-01-01_10:05:00.pcap"));
        assert!(!may("a/trace.pcap", "b/trace.pcap1"));
        assert!(!may("node-a.pcap", "node-b.pcap"));
        assert!(!may("trace.pcap", "trace.pcap"));
        assert!(!may("-", "-"));
    }

    #[test]
    fn interfaces_go_on_by_name_and_link_type() {
        let mut taps = PartTaps::default();
        let mut find = |name: &str, link_type, tap| taps.find_or_add(name, link_type, TapId(tap));
        assert_eq!(find("", LinkType::Ethernet, 0), TapId(0));
        assert_eq!(find("", LinkType::Ethernet, 1), TapId(0));
        assert_eq!(find("#eth1", LinkType::Ethernet, 2), TapId(2));
        assert_eq!(find("", LinkType::RawIp, 3), TapId(3));
    }
}
