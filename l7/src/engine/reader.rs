//! Which parser reads a session, and from whose point of view.

use wire::Direction;

use crate::contract::Parser;
use fact::Protocol;

/// What becomes of the bytes of a session.
#[derive(Debug, Default)]
pub(super) enum ReaderState {
    /// They are shown to inference.
    #[default]
    Undecided,
    /// A parser reads them.
    Parsing(Box<dyn Parser>),
    /// Nothing is read any more.
    Opaque,
}

/// The parser of a session, and what is known of the protocol without it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) state: ReaderState,
    /// What is spoken, as far as it is known. It stays when the parser goes.
    pub(super) protocol: Option<Protocol>,
    /// Index in the registry of the last parser's protocol.
    pub(super) index: usize,
    /// That protocol was recognised only because it is usual here.
    pub(super) weakly: bool,
    /// Either side may ask in that protocol, as among peers.
    pub(super) either_asks: bool,
    /// The asking side sends what the flow calls `ToClient`.
    pub(super) swapped: bool,
    /// The parser met bytes that cannot be read: its protocol is certain, also if no message of it
    /// was read.
    pub(super) confirmed: bool,
}

impl Reader {
    pub(super) fn is_undecided(&self) -> bool {
        matches!(self.state, ReaderState::Undecided)
    }

    pub(super) fn is_opaque(&self) -> bool {
        matches!(self.state, ReaderState::Opaque)
    }

    /// The parser, if there is one.
    pub(super) fn parser(&mut self) -> Option<&mut dyn Parser> {
        match &mut self.state {
            ReaderState::Parsing(parser) => Some(&mut **parser),
            ReaderState::Undecided | ReaderState::Opaque => None,
        }
    }

    /// The flow's direction as the protocol sees it, or the other way round.
    pub(super) fn side(&self, direction: Direction) -> Direction {
        if self.swapped { direction.reverse() } else { direction }
    }

    /// Whether client and server are the other way round than the flow guessed, given the direction
    /// of the first request.
    pub(super) fn is_reversed(&self, first_asker: Option<Direction>) -> bool {
        match first_asker {
            Some(asker) if self.either_asks => asker == Direction::ToClient,
            Some(_) => self.swapped,
            None => false,
        }
    }

    /// Memory of the parser, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match &self.state {
            ReaderState::Parsing(parser) => parser.bytes(),
            ReaderState::Undecided | ReaderState::Opaque => 0,
        }
    }
}
