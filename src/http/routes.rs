//! Every path that the server answers.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

use super::{Api, flows, pages, traces};

/// Every path there is.
pub(super) fn router(api: Api) -> Router {
    let body = DefaultBodyLimit::max(api.max_body);
    Router::new()
        .route("/", get(pages::index))
        .route("/metrics", get(pages::metrics))
        .route("/healthz", get(pages::health))
        .route("/api/traces", get(traces::list))
        .route("/api/traces/{id}", get(traces::one))
        .route("/api/services", get(traces::services))
        .route("/api/flows", get(flows::list))
        .fallback(pages::nothing)
        .layer(body)
        .with_state(api)
}
