//! What this process uses, from proc(5).

/// Seconds of processor time that this process used so far, and its resident memory in bytes.
pub(super) fn usage() -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the name in parentheses, which may hold anything; the third is the state.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = number(14)? + number(15)?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some((ticks as f64 / TICKS_PER_SECOND, kibibytes * 1024))
}

/// `USER_HZ`, which is 100 on every architecture that Wirespan runs on.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_uses_memory() {
        let (_, resident) = super::usage().unwrap();
        assert!(resident > 100_000);
    }
}
