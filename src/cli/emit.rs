//! `--output` and `--emit`: the form and the kinds of records.

use clap::{Args, ValueEnum};

/// Form of what goes to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Aligned columns for people
    #[default]
    Table,
    /// One JSON object a line
    Jsonl,
}

/// Kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// Connections with their counters, when they end
    Flows,
    /// Requests with their responses, one per tap
    Spans,
    /// Trees of calls with their hops
    Traces,
    /// Totals, and what was lost or skipped
    Summary,
}

/// Which kinds of records are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EmitSet {
    pub(crate) flows: bool,
    pub(crate) spans: bool,
    pub(crate) traces: bool,
    pub(crate) summary: bool,
}

impl FromIterator<Emit> for EmitSet {
    fn from_iter<I: IntoIterator<Item = Emit>>(kinds: I) -> Self {
        let mut set = Self::default();
        for kind in kinds {
            match kind {
                Emit::Flows => set.flows = true,
                Emit::Spans => set.spans = true,
                Emit::Traces => set.traces = true,
                Emit::Summary => set.summary = true,
            }
        }
        set
    }
}

/// A tcpdump filter expression, as an option or in words behind `--`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FilterArgs {
    /// Look only at packets that match this tcpdump filter expression; it may also stand behind
    /// `--` as the last words
    #[arg(short = 'f', long = "filter", value_name = "EXPR", conflicts_with = "words")]
    filter: Option<String>,
    /// Filter expression in one or several words, behind all options
    #[arg(last = true, value_name = "EXPR")]
    words: Vec<String>,
}

impl FilterArgs {
    /// The expression, if one was given.
    pub(crate) fn expression(&self) -> Option<String> {
        self.filter.clone().or_else(|| (!self.words.is_empty()).then(|| self.words.join(" ")))
    }
}
