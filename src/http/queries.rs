//! Queries of kept traces, each in a thread of its own: neither the thread that joins nor the
//! control plane waits for one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::Reader;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::Refusal;

/// Queries that run at a time, others wait: as many as the reader keeps connections for, and few
/// enough to leave the node its processors.
const AT_A_TIME: usize = 4;

/// Runs queries of a reader.
#[derive(Clone)]
pub(super) struct Queries {
    reader: Reader,
    permits: Arc<Semaphore>,
    timeout: Duration,
}

/// A value as the JSON that an answer consists of.
pub(super) struct JsonText(Bytes);

impl Queries {
    pub(super) fn new(reader: Reader, timeout: Duration) -> Self {
        Self { reader, permits: Arc::new(Semaphore::new(AT_A_TIME)), timeout }
    }

    /// Runs `query` and writes what it finds as JSON. One that takes longer than the timeout still
    /// runs to its end and keeps its permit until then; its answer is dropped.
    pub(super) async fn json<T: Serialize>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<JsonText, Refusal> {
        let answer = async {
            // The semaphore is never closed.
            let permit = self.permits.clone().acquire_owned().await.map_err(|_| Refusal::Ending)?;
            let reader = self.reader.clone();
            let running = spawn_blocking(move || {
                let _permit = permit;
                let found = query(&reader)?;
                serde_json::to_vec(&found).map_err(|error| Refusal::Failed(error.to_string()))
            });
            match running.await {
                Ok(text) => text,
                Err(error) if error.is_panic() => {
                    Err(Refusal::Failed("the query failed".to_owned()))
                }
                Err(_) => Err(Refusal::Ending),
            }
        };
        let text = timeout(self.timeout, answer).await.map_err(|_| Refusal::Busy)??;
        Ok(JsonText(text.into()))
    }
}

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use store::{Store, StoreConfig};

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_query_that_takes_long_holds_neither_the_store_nor_other_queries() {
        let runtime = runtime();
        let mut store = Store::open(StoreConfig::default()).unwrap();
        let queries = Queries::new(store.reader().unwrap(), Duration::from_secs(60));
        runtime.block_on(async {
            let (began, begins) = channel();
            let (go_on, held) = channel::<()>();
            let slow = tokio::spawn({
                let queries = queries.clone();
                async move {
                    let query = move |_: &Reader| {
                        began.send(()).unwrap();
                        held.recv().unwrap();
                        Ok("slow")
                    };
                    queries.json(query).await.map(|text| text.0)
                }
            });
            tokio::task::yield_now().await;
            begins.recv().unwrap();
            // This thread goes on ticking and answering.
            assert!(store.tick(wire::Timestamp::from_nanos(1)).unwrap().is_empty());
            let other = queries.json(|reader| Ok(reader.traces(&store::Query::default())?)).await;
            assert_eq!(&*other.map_err(|_| ()).unwrap().0, b"[]");
            assert!(!slow.is_finished());
            go_on.send(()).unwrap();
            assert_eq!(&*slow.await.unwrap().map_err(|_| ()).unwrap(), b"\"slow\"");
        });
    }

    #[test]
    fn queries_beyond_the_limit_wait_and_are_refused_in_time() {
        let runtime = runtime();
        let store = Store::open(StoreConfig::default()).unwrap();
        let queries = Queries::new(store.reader().unwrap(), Duration::from_millis(50));
        let mut holders = Vec::new();
        runtime.block_on(async {
            for _ in 0..AT_A_TIME {
                let (go_on, held) = channel::<()>();
                holders.push(go_on);
                let slow = queries.json(move |_| Ok(held.recv().is_ok())).await;
                assert!(matches!(slow, Err(Refusal::Busy)));
            }
            assert!(matches!(queries.json(|_| Ok(1)).await, Err(Refusal::Busy)));
            holders.clear();
            let again = Queries { timeout: Duration::from_secs(60), ..queries };
            assert!(again.json(|_| Ok(1)).await.is_ok());
        });
    }
}
