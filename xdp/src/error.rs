//! Errors of loading and attaching the kernel programs.

use std::io;

use aya::programs::ProgramError;

/// Why the kernel programs could not be put to work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel has no type information, which the programs need to find its structures.
    #[error("the kernel has no BTF (/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF): {0}")]
    NoBtf(#[source] aya::BtfError),
    /// The kernel refused the maps, or the object does not fit it.
    #[error("loading the kernel programs ({what}): {source}")]
    Load {
        /// Which programs.
        what: &'static str,
        /// The loader's error.
        source: aya::EbpfError,
    },
    /// A map is not the one of this crate's object.
    #[error("map {what} of the kernel programs: {source}")]
    Map {
        /// Name of the map.
        what: &'static str,
        /// The loader's error.
        source: aya::maps::MapError,
    },
    /// A program was refused.
    #[error("{what}: {source}")]
    Program {
        /// Program and where it was to run.
        what: String,
        /// The kernel's or the loader's error.
        source: Box<ProgramError>,
    },
    /// Not one of the programs could run, so that there would be nothing to read.
    #[error("no kernel program could be attached: {}", first(.0))]
    NothingAttached(Vec<Missing>),
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The operating system's answer.
        source: io::Error,
    },
}

/// Something that this kernel, or its set-up, does not offer; the rest works without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is not there, and the reason as the system gave it.
    pub what: String,
    /// What is lost for it.
    pub consequence: String,
    /// What could be done.
    pub remedy: String,
}

fn first(missing: &[Missing]) -> String {
    missing.first().map(|m| format!("{} ({})", m.what, m.remedy)).unwrap_or_default()
}

/// An error with all its causes, which aya keeps apart.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    // A verifier log has many lines: the first names what was refused, one of the last the reason,
    // before its statistics.
    const STATISTICS: [&str; 3] = ["processed ", "stack depth ", "verification time "];
    let first = text.lines().next().unwrap_or_default();
    match text
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty() && !STATISTICS.iter().any(|start| line.starts_with(start)))
        .last()
    {
        Some(last) => format!("{first} … {last}"),
        None => first.to_owned(),
    }
}
