//! The filter expression of a replay.

use std::path::{Path, PathBuf};

use capture::Filter;
use wire::{LinkType, RawFrame};

use crate::failure::Failure;

/// A filter expression, compiled for each link type that the input turns out to have.
pub(super) struct Filters {
    expression: Option<String>,
    compiled: Vec<(LinkType, Option<Filter>)>,
}

/// Words that are expressions of their own (pcap-filter(7)). Any other word alone would be taken
/// for the name of a host and looked up, which is not what a misspelt file name asks for.
const EXPRESSIONS: &[&str] = &[
    "ah",
    "arp",
    "broadcast",
    "decnet",
    "esp",
    "icmp",
    "icmp6",
    "igmp",
    "inbound",
    "ip",
    "ip6",
    "mpls",
    "multicast",
    "outbound",
    "pppoed",
    "pppoes",
    "rarp",
    "sctp",
    "stp",
    "tcp",
    "udp",
    "vlan",
];

/// What the arguments of a replay are: its files, and behind them a filter expression, in one
/// argument or in several. An argument that is there as a file is a file.
///
/// # Errors
/// A usage failure where the last arguments are neither.
pub(super) fn split_arguments(
    arguments: &[PathBuf],
) -> Result<(&[PathBuf], Option<String>), Failure> {
    let is_file = |path: &PathBuf| path == Path::new("-") || path.try_exists().unwrap_or(true);
    let count = arguments.iter().rposition(is_file).map_or(0, |last| last + 1);
    let (files, rest) = arguments.split_at(count);
    let words: Option<Vec<&str>> = rest.iter().map(|word| word.to_str()).collect();
    let text = words.unwrap_or_default().join(" ");
    let is_expression = is_expression(&text);
    if rest.is_empty() || files.is_empty() && !(is_expression && rest.len() == 1) {
        // Opening them says which of them are not there.
        return Ok((arguments, None));
    }
    if !is_expression {
        return Err(Failure::usage(format!(
            "{}: No such file, and no filter expression such as `tcp port 80` either",
            rest[0].display()
        )));
    }
    Filter::compile(&text, LinkType::Ethernet).map_err(|error| {
        let problem = match error {
            capture::Error::Filter { problem, .. } => problem,
            other => other.to_string(),
        };
        Failure::usage(format!("{text}: No such file, and no filter expression either: {problem}"))
    })?;
    if files.is_empty() {
        return Err(Failure::usage(format!(
            "`{text}` is a filter expression: name a capture file, or `-`, before it"
        )));
    }
    Ok((files, Some(text)))
}

/// Whether a text has the form of a filter expression rather than of a file's name.
fn is_expression(text: &str) -> bool {
    text.contains(|c: char| c.is_whitespace() || "[]()!&|=<>".contains(c))
        || EXPRESSIONS.contains(&text)
}

impl Filters {
    /// Compiles `expression` for Ethernet at once, so that a mistake in it is reported before
    /// anything is read.
    ///
    /// # Errors
    /// A usage failure when it is not an expression.
    pub(super) fn new(expression: Option<String>) -> Result<Self, Failure> {
        let mut compiled = Vec::new();
        if let Some(text) = &expression {
            let filter = Filter::compile(text, LinkType::Ethernet).map_err(Failure::usage)?;
            compiled.push((LinkType::Ethernet, Some(filter)));
        }
        Ok(Self { expression, compiled })
    }

    /// Whether a frame matches. Where the expression has no meaning for a link type, no frame does.
    pub(super) fn match_frame(&mut self, frame: &RawFrame<'_>) -> bool {
        let Some(expression) = &self.expression else { return true };
        let known = self.compiled.iter().position(|(link_type, _)| *link_type == frame.link_type);
        let index = known.unwrap_or_else(|| {
            let filter = Filter::compile(expression, frame.link_type);
            if let Err(error) = &filter {
                tracing::warn!("frames of link type {} are passed over: {error}", frame.link_type);
            }
            self.compiled.push((frame.link_type, filter.ok()));
            self.compiled.len() - 1
        });
        let filter = self.compiled.get(index).and_then(|(_, filter)| filter.as_ref());
        filter.is_some_and(|filter| filter.matches(frame.bytes, frame.wire_len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_behind_the_files_are_an_expression() {
        let here = env!("CARGO_MANIFEST_DIR");
        let split = |arguments: &[&str]| {
            let paths: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
            split_arguments(&paths)
                .map(|(files, filter)| (files.len(), filter.unwrap_or_default()))
                .map_err(|failure| failure.to_string())
        };
        let found = |files, filter: &str| Ok((files, filter.to_owned()));
        assert_eq!(split(&["-"]), found(1, ""));
        assert_eq!(split(&[here, "-"]), found(2, ""));
        assert_eq!(split(&[here, "tcp port 80"]), found(1, "tcp port 80"));
        assert_eq!(split(&["-", "tcp", "port", "80"]), found(1, "tcp port 80"));
        assert_eq!(split(&["-", "udp"]), found(1, "udp"));
        assert_eq!(split(&["-", "tcp[13]=2"]), found(1, "tcp[13]=2"));
        for (arguments, said) in [
            (&["-", "b.pcap"][..], "b.pcap: No such file, and no filter expression such as"),
            (&["-", "typo"], "typo: No such file, and no filter expression such as"),
            (&["-", "tcp prot 80"], "tcp prot 80: No such file, and no filter expression either: "),
            (
                &["/no/such.pcap", "-", "udp", "c.pcap"],
                "udp c.pcap: No such file, and no filter expression either: ",
            ),
            (&["tcp port 80"], "`tcp port 80` is a filter expression: name a capture file"),
        ] {
            let error = split(arguments).expect_err("a mistake");
            assert!(error.starts_with(said), "{error}");
        }
        // Opening says which files are not there.
        assert_eq!(split(&["/no/such.pcap", "-"]), found(2, ""));
        assert_eq!(split(&["/no/such.pcap"]), found(1, ""));
        assert_eq!(split(&["/no/such.pcap", "/nor/this.pcap"]), found(2, ""));
    }
}
