//! Mistakes in a configuration.

use std::fmt;

/// One thing wrong with a configuration: where, what stands there, what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(super) place: String,
    pub(super) problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl Mistake {
    pub(super) fn unknown(
        place: String,
        what: &str,
        name: &str,
        known: impl Iterator<Item = String>,
    ) -> Self {
        let problem = match nearest(name, known) {
            Some(other) => format!("unknown {what} `{name}`; did you mean `{other}`?"),
            None => format!("unknown {what} `{name}`"),
        };
        Self { place, problem }
    }

    pub(super) fn value(
        place: String,
        key: &str,
        value: &str,
        expected: impl fmt::Display,
    ) -> Self {
        Self { place, problem: format!("`{key}` is {value}, expected {expected}") }
    }
}

/// The most similar name, if one is similar enough to be what was meant.
fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    known
        .map(|other| (strsim::jaro_winkler(name, &other), other))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}
