//! `/api/flows`: connections as the shards list them.

use std::sync::PoisonError;

use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use metrics::Names;
use serde::Deserialize;

use super::Api;
use super::answer::Refusal;
use crate::output::json::Flow;
use crate::taps::TapCache;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryParams {
    limit: Option<usize>,
}

/// Connections as `flow` records, those seen last first: open ones as of the last second, and some
/// that were closed.
pub(super) async fn list(
    State(api): State<Api>,
    Query(params): Query<QueryParams>,
) -> Result<Response, Refusal> {
    let mut records = Vec::new();
    for shard in &api.shared.shards {
        let board = shard.board.lock().unwrap_or_else(PoisonError::into_inner);
        records.extend(board.flows().map(|flow| flow.record().clone()));
    }
    records.sort_by_key(|record| (std::cmp::Reverse(record.end), record.id));
    records.truncate(params.limit.unwrap_or(100).min(api.max_listed));
    let mut taps = TapCache::new(api.shared.taps.clone());
    let mut json = vec![b'['];
    for (i, record) in records.iter().enumerate() {
        if i > 0 {
            json.push(b',');
        }
        let flow = Flow::new(record, taps.name(record.tap))
            .with_workloads(record, |endpoint| Names::workload(&*api.shared.names, endpoint));
        serde_json::to_writer(&mut json, &flow)
            .map_err(|error| Refusal::Failed(error.to_string()))?;
    }
    json.push(b']');
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}
