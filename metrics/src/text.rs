//! Text formats of the exposition.

/// Text formats of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, for scrapers that ask for it.
    OpenMetrics,
    /// Prometheus text format 0.0.4, for everybody else (curl, `promtool check metrics`).
    Prometheus,
}

impl Format {
    /// Value of the `Content-Type` header.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The format to answer an `Accept` header with.
    pub fn for_accept(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }
}

/// OpenMetrics text in the older format: there, the metadata of a counter carry the sample's name
/// with `_total`, `info` is a gauge, and units, exemplars and the end mark do not exist.
pub(crate) fn to_prometheus(open_metrics: &str) -> String {
    let mut out = String::with_capacity(open_metrics.len());
    let mut help: Option<(&str, &str)> = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                other => ("", other),
            };
            if let Some((_, text)) = help.take().filter(|(of, _)| *of == name) {
                out.push_str(&format!("# HELP {name}{suffix} {text}\n"));
            }
            out.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if line.starts_with('#') {
            // UNIT and EOF.
        } else {
            out.push_str(line.split_once(" # ").map_or(line, |(sample, _)| sample));
            out.push('\n');
        }
    }
    // The library writes HELP before TYPE; a help text that is still held had no TYPE line.
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_infos_are_renamed_and_the_rest_is_kept() {
        let text = "# HELP a_b Things.\n# TYPE a_b counter\n# UNIT a_b bytes\na_b_total{x=\"1\"} 3 # {trace_id=\"4\"} 1\n\
                    # HELP c C.\n# TYPE c info\nc_info{v=\"0\"} 1\n# HELP d D.\n# TYPE d histogram\nd_bucket{le=\"+Inf\"} 1\n# EOF\n";
        let want = "# HELP a_b_total Things.\n# TYPE a_b_total counter\na_b_total{x=\"1\"} 3\n# HELP c_info C.\n# TYPE c_info gauge\n\
                    c_info{v=\"0\"} 1\n# HELP d D.\n# TYPE d histogram\nd_bucket{le=\"+Inf\"} 1\n";
        assert_eq!(to_prometheus(text), want);
    }
}
