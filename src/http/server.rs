//! Accepting connections, within limits.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Api, routes};
use crate::config::HttpSettings;

/// Pause after accepting failed, mostly because descriptors ran out.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until it is aborted. Connections, heads, bodies and times are all limited; what exceeds
/// the number of connections waits in the kernel's queue.
pub(crate) async fn serve(listener: std::net::TcpListener, api: Api, limits: HttpSettings) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("the HTTP server cannot work: {error}"),
    };
    let router = routes::router(api);
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.max_header_bytes);
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("accepting an HTTP connection: {error}");
                sleep(PAUSE).await;
                continue;
            }
        };
        let connection =
            http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        tokio::spawn(async move {
            // However it ends, only this client has to know.
            let _ = timeout(limits.connection_timeout, connection).await;
            drop(place);
        });
    }
}
