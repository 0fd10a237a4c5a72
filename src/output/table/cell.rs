//! Cells of a table.

use crate::output::printable::printable;

/// One field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(super) text: Text,
    pub(super) bad: bool,
}

/// What stands in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Words(String),
    /// A point in time, in nanoseconds since the epoch; the table decides whether the day is said
    /// in each row.
    Time(u64),
}

impl Cell {
    /// A field to be noticed.
    pub(crate) fn bad_if(text: impl Into<String>, bad: bool) -> Self {
        Self { bad, ..Self::from(text.into()) }
    }

    /// A point in time, in nanoseconds since the epoch.
    pub(crate) const fn time(unix_ns: u64) -> Self {
        Self { text: Text::Time(unix_ns), bad: false }
    }

    /// Its text; empty for a time that was not put in words yet.
    pub(super) fn words(&self) -> &str {
        match &self.text {
            Text::Words(words) => words,
            Text::Time(_) => "",
        }
    }

    pub(super) fn len(&self) -> usize {
        self.words().chars().count()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&str> for Cell {
    /// What a peer may have sent is made safe for the terminal.
    fn from(text: &str) -> Self {
        Self { text: Text::Words(printable(text)), bad: false }
    }
}
