//! `/api/traces` and `/api/services`.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use store::Reader;

use super::Api;
use super::answer::Refusal;
use super::queries::JsonText;

/// What may stand behind `?`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryParams {
    service: Option<String>,
    min_duration_ms: Option<u64>,
    /// `error=` with no value counts as true.
    error: Option<String>,
    limit: Option<usize>,
}

impl QueryParams {
    fn query(self, max: usize) -> Result<store::Query, Refusal> {
        let error = match self.error.as_deref() {
            None => None,
            Some("" | "true" | "1") => Some(true),
            Some("false" | "0") => Some(false),
            Some(other) => {
                return Err(Refusal::BadRequest(format!("error={other}: true or false expected")));
            }
        };
        Ok(store::Query {
            service: self.service.filter(|service| !service.is_empty()),
            min_duration: Duration::from_millis(self.min_duration_ms.unwrap_or(0)),
            error,
            limit: self.limit.unwrap_or(100).min(max),
        })
    }
}

/// Recent traces, the newest first.
pub(super) async fn list(
    State(api): State<Api>,
    Query(params): Query<QueryParams>,
) -> Result<JsonText, Refusal> {
    let query = params.query(api.max_listed)?;
    api.queries.json(move |reader| Ok(reader.traces(&query)?)).await
}

/// One trace, by its id or the first digits of it.
pub(super) async fn one(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<JsonText, Refusal> {
    if id.is_empty() || id.len() > 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Refusal::BadRequest("a trace id has up to 32 hexadecimal digits".to_owned()));
    }
    let query = move |reader: &Reader| {
        reader.trace_by_prefix(&id)?.ok_or_else(|| Refusal::NotFound(format!("no trace {id}")))
    };
    api.queries.json(query).await
}

/// Who calls whom, over the traces that fit the parameters.
pub(super) async fn services(
    State(api): State<Api>,
    Query(params): Query<QueryParams>,
) -> Result<JsonText, Refusal> {
    let limit = params.limit.unwrap_or(api.max_listed);
    let query = QueryParams { limit: Some(limit), ..params }.query(api.max_listed)?;
    api.queries.json(move |reader| Ok(reader.services(&query)?)).await
}
