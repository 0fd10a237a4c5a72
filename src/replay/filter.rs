//! The filter expression of a replay.

use capture::Filter;
use wire::{LinkType, RawFrame};

use crate::failure::Failure;

/// A filter expression, compiled for each link type that the input turns out to have.
pub(super) struct Filters {
    expression: Option<String>,
    compiled: Vec<(LinkType, Option<Filter>)>,
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
                tracing::warn!(
                    "frames of link type {} are passed over: {error}",
                    frame.link_type.number()
                );
            }
            self.compiled.push((frame.link_type, filter.ok()));
            self.compiled.len() - 1
        });
        let filter = self.compiled.get(index).and_then(|(_, filter)| filter.as_ref());
        filter.is_some_and(|filter| filter.matches(frame.bytes, frame.wire_len))
    }
}
