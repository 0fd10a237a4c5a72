//! Answers that are no data.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The answer took too long.
    Busy,
    /// The run is ending.
    Ending,
    /// There is no such thing.
    NotFound(String),
    /// The request is wrong.
    BadRequest(String),
    /// The store cannot be read.
    Failed(String),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::AmbiguousPrefix(_) => Self::BadRequest(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "the store is busy; try again".to_owned())
            }
            Self::Ending => (StatusCode::SERVICE_UNAVAILABLE, "wirespan is ending".to_owned()),
            Self::NotFound(text) => (StatusCode::NOT_FOUND, text),
            Self::BadRequest(text) => (StatusCode::BAD_REQUEST, text),
            Self::Failed(text) => (StatusCode::INTERNAL_SERVER_ERROR, text),
        };
        (status, format!("{text}\n")).into_response()
    }
}
