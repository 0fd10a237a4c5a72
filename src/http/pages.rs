//! The index, metrics and health.

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use metrics::Format;

use super::Api;
use super::answer::Refusal;

/// The list of what can be asked.
pub(super) async fn index() -> Html<&'static str> {
    Html(include_str!("index.html"))
}

/// All metrics, in the format that the client asks for.
pub(super) async fn metrics(State(api): State<Api>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::for_accept(accept);
    ([(CONTENT_TYPE, format.content_type())], api.shared.metrics.encode(format)).into_response()
}

/// 200 while every shard makes progress.
pub(super) async fn health(State(api): State<Api>) -> Response {
    let stalled = api.shared.stalled(api.stall);
    if stalled.is_empty() {
        return "ok\n".into_response();
    }
    let names: Vec<String> = stalled.iter().map(ToString::to_string).collect();
    let text = format!("no progress for {} s: shard {}\n", api.stall.as_secs(), names.join(", "));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

pub(super) async fn nothing(uri: Uri) -> Refusal {
    Refusal::NotFound(format!("nothing at {}; / lists what there is", uri.path()))
}
