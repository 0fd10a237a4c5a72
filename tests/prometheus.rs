//! A real Prometheus scrapes a running `wirespan`, and `promtool` accepts what it scrapes.

mod common;

use std::io::Write;
use std::process::{Child, Command, Stdio};

use common::{Chain, LISTEN, Running, skipped_without_root, text, wait_for};

/// A program that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn promtool_accepts(metrics: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    promtool.stdin.take().expect("piped").write_all(metrics.as_bytes()).expect("promtool reads");
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "promtool check metrics: {said}");
}

fn prometheus(chain: &Chain) -> Server {
    let folder = chain.folder().join("prometheus");
    std::fs::create_dir_all(&folder).expect("a folder beside the pods");
    let config = folder.join("prometheus.yml");
    let jobs = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs: [{{ job_name: wirespan, static_configs: [{{ targets: ['{LISTEN}'] }}] }}]\n"
    );
    std::fs::write(&config, jobs).expect("a file in it");
    let server = chain
        .on_node("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .args(["--web.listen-address=127.0.0.1:9090", "--log.level=error"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    Server(server.expect("nsenter starts"))
}

/// The sum of what an instant query answers; none while it answers nothing.
fn query(chain: &Chain, expression: &str) -> Option<f64> {
    let mut curl = chain.on_node("curl");
    curl.args(["-sf", "-m", "5", "-G", "http://127.0.0.1:9090/api/v1/query", "--data-urlencode"]);
    let output = curl.arg(format!("query=sum({expression})")).output().expect("curl starts");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

#[test]
fn prometheus_scrapes_what_promtool_accepts() {
    if skipped_without_root("prometheus_scrapes_what_promtool_accepts") {
        return;
    }
    let chain = Chain::up();
    let wirespan = Running::start(&chain, "prometheus", &["-i", "any"], &[]);
    let _server = prometheus(&chain);
    chain.load(None, 80, 50, 4);

    let round_trips = wait_for(30, "Prometheus knows wirespan_tcp_rtt_seconds_count", || {
        query(&chain, "wirespan_tcp_rtt_seconds_count").filter(|count| *count > 0.0)
    });
    // Each of the 50 requests has a round trip in each of three connections.
    assert!(round_trips >= 150.0, "{round_trips}");
    // The bridge sees each of the three calls of a request once.
    let requests = wait_for(30, "Prometheus counts the requests", || {
        query(
            &chain,
            "wirespan_requests_total{tap_kind='bridge',protocol='http',operation='GET',status='ok'}",
        )
        .filter(|count| *count >= 150.0)
    });
    assert_eq!(requests, 150.0);
    assert_eq!(query(&chain, "up{job='wirespan'}"), Some(1.0));

    promtool_accepts(&wirespan.get("/metrics").expect("an answer"));
    let open_metrics = text(
        chain
            .on_node("curl")
            .args(["-sf", "-H", "Accept: application/openmetrics-text; version=1.0.0"])
            .arg(format!("http://{LISTEN}/metrics"))
            .output()
            .expect("curl starts"),
    );
    assert!(open_metrics.ends_with("# EOF\n"), "OpenMetrics ends with # EOF");
    let (status, _) = wirespan.stop("summary");
    assert!(status.success(), "{status}");
}
