//! What a message is, and how responses find their requests.

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Asks for a response.
    Request,
    /// Answers a request.
    Response,
    /// A request that nobody answers.
    OneWay,
}

/// How responses find their requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// The next response answers the oldest request. Ids are not looked at.
    #[default]
    InOrder,
    /// Both carry an id; of requests with the same id the oldest is answered first.
    ById,
}
