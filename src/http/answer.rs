//! Answers of the API, and reasons to refuse one.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The store has no time.
    Busy,
    /// The run is ending.
    Ending,
    /// There is no such thing.
    NotFound(String),
    /// The question is wrong.
    Question(String),
    /// The store cannot be read.
    Failed(String),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::AmbiguousPrefix(_) => Self::Question(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "the store is busy; try again".to_owned()),
            Self::Ending => (StatusCode::SERVICE_UNAVAILABLE, "wirespan is ending".to_owned()),
            Self::NotFound(text) => (StatusCode::NOT_FOUND, text),
            Self::Question(text) => (StatusCode::BAD_REQUEST, text),
            Self::Failed(text) => (StatusCode::INTERNAL_SERVER_ERROR, text),
        };
        (status, format!("{text}\n")).into_response()
    }
}
