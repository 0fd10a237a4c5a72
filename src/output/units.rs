//! Numbers with units, for people.

/// A duration with three digits or so: `412 ns`, `38.1 µs`, `1.24 ms`, `3.02 s`, `2 min 05 s`.
pub(crate) fn nanos(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => three_digits(ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => three_digits(ns as f64 / 1e6, "ms"),
        1_000_000_000..60_000_000_000 => three_digits(ns as f64 / 1e9, "s"),
        _ => format!("{} min {:02} s", ns / 60_000_000_000, ns / 1_000_000_000 % 60),
    }
}

/// A number of bytes: `512 B`, `1.5 kB`, `23.4 MB`.
pub(crate) fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => three_digits(n as f64 / 1e3, "kB"),
        1_000_000..1_000_000_000 => three_digits(n as f64 / 1e6, "MB"),
        _ => three_digits(n as f64 / 1e9, "GB"),
    }
}

/// A number with its thing: `1 packet`, `12,345 packets`.
pub(crate) fn count(n: u64, one: &str) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if n == 1 { format!("{grouped} {one}") } else { format!("{grouped} {one}s") }
}

/// Date and time of day, UTC, to the microsecond: `2026-01-31 23:59:59.123456 UTC`.
pub(crate) fn date(unix_ns: u64) -> String {
    format!("{} {} UTC", day(unix_ns), clock(unix_ns))
}

/// Date, UTC: `2026-01-31`.
pub(crate) fn day(unix_ns: u64) -> String {
    let (year, month, day) = civil(unix_ns / 86_400_000_000_000);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Time of day, UTC, to the microsecond.
pub(crate) fn clock(unix_ns: u64) -> String {
    let seconds = unix_ns / 1_000_000_000;
    let micros = unix_ns / 1_000 % 1_000_000;
    format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01: years are
/// counted from March, so that the leap day comes last, in eras of 400 years (146,097 days).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn three_digits(value: f64, unit: &str) -> String {
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_short() {
        assert_eq!(nanos(0), "0 ns");
        assert_eq!(nanos(38_149), "38.1 µs");
        assert_eq!(nanos(1_240_000), "1.24 ms");
        assert_eq!(nanos(125_000_000_000), "2 min 05 s");
        assert_eq!(bytes(1_500), "1.50 kB");
        assert_eq!(date(951_782_399_000_001_000), "2000-02-28 23:59:59.000001 UTC");
        assert_eq!(date(951_782_400_000_000_000), "2000-02-29 00:00:00.000000 UTC");
        assert_eq!(date(0), "1970-01-01 00:00:00.000000 UTC");
        assert_eq!(count(1, "packet"), "1 packet");
        assert_eq!(count(1_234_567, "byte"), "1,234,567 bytes");
    }
}
