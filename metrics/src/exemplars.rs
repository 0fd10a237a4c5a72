//! Exemplars: trace ids at the buckets of the request durations.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::edge::Series;
use crate::histogram::bucket_bound;

/// Name of the samples that have exemplars.
const SAMPLE: &str = "wirespan_request_duration_seconds_bucket";

/// The newest trace of each bucket of the request durations. A trace is complete seconds after its
/// requests were counted, so its id is added when the text is written (OpenMetrics 1.0,
/// "Exemplars"), not when the sample is counted.
#[derive(Debug)]
pub(crate) struct Exemplars {
    newest: Mutex<HashMap<String, Exemplar>>,
    max: usize,
}

#[derive(Debug)]
struct Exemplar {
    trace_id: String,
    seconds: f64,
    unix_seconds: f64,
}

impl Exemplars {
    pub(crate) fn new(max: usize) -> Self {
        Self { newest: Mutex::default(), max }
    }

    pub(crate) fn set(&self, series: &Series, trace_id: &str, duration_ns: u64, end_unix_ns: u64) {
        let exemplar = Exemplar {
            trace_id: trace_id.to_owned(),
            seconds: duration_ns as f64 / 1e9,
            unix_seconds: end_unix_ns as f64 / 1e9,
        };
        let key = sample_key(series, duration_ns);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.len() < self.max || newest.contains_key(&key) {
            newest.insert(key, exemplar);
        }
    }

    /// Adds the exemplars behind the samples that they belong to.
    pub(crate) fn annotate(&self, text: &str) -> String {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len() + newest.len() * 80);
        for line in text.lines() {
            out.push_str(line);
            let found =
                line.strip_prefix(SAMPLE).and_then(|rest| newest.get(rest.rsplit_once(' ')?.0));
            if let Some(Exemplar { trace_id, seconds, unix_seconds }) = found {
                // Writing to a String cannot fail.
                let _ = write!(out, " # {{trace_id=\"{trace_id}\"}} {seconds} {unix_seconds:.3}");
            }
            out.push('\n');
        }
        out
    }
}

/// The labels of the sample's line exactly as the encoder writes them: the bucket's bound first.
fn sample_key(series: &Series, duration_ns: u64) -> String {
    let bound = bucket_bound(duration_ns).map_or_else(
        || "+Inf".to_owned(),
        |seconds| {
            if seconds.fract() == 0.0 { format!("{seconds:.1}") } else { seconds.to_string() }
        },
    );
    let mut key = format!("{{le=\"{bound}\"");
    for (name, value) in series.all_labels() {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        // Writing to a String cannot fail.
        let _ = write!(key, ",{name}=\"{value}\"");
    }
    key.push('}');
    key
}
