//! What the integration tests share: the test bed's pods, and a running `wirespan` on their node.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "a test waits for other programs by the clock")]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Shows a line in the test run's output even if the test passes.
pub(crate) fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Says that a test is skipped, and why, unless this is root.
pub(crate) fn skipped_without_root(test: &str) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    let root = uid.split_whitespace().nth(1) == Some("0");
    if !root {
        report(&format!("{test} skipped: needs root (network namespaces, packet sockets, eBPF)"));
    }
    !root
}

pub(crate) fn testbed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed")
}

/// Asks again every 50 ms, for at most `seconds`.
pub(crate) fn wait_for<T>(seconds: u64, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {seconds} s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The three services in pods, on a node of their own, for as long as this value lives.
pub(crate) struct Chain {
    script: Child,
    facts: Value,
}

impl Chain {
    pub(crate) fn up() -> Self {
        Self::with(&[])
    }

    /// With further pods; one called `cache` is a Redis that the shop asks.
    pub(crate) fn with(pods: &[&str]) -> Self {
        let mut script = Command::new(testbed().join("chain"))
            .args(pods)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test bed's script starts");
        let mut line = String::new();
        let stdout = script.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("the script prints one line");
        let facts =
            serde_json::from_str(&line).expect("the pods are up (the script's error stands above)");
        Self { script, facts }
    }

    pub(crate) fn node(&self) -> &str {
        self.facts["node"].as_str().expect("node")
    }

    pub(crate) fn bridge(&self) -> &str {
        self.facts["bridge"].as_str().expect("bridge")
    }

    pub(crate) fn address(&self, pod: &str) -> &str {
        self.facts["pods"][pod]["address"].as_str().expect("a pod's address")
    }

    pub(crate) fn gateway(&self) -> &str {
        self.facts["gateway"].as_str().expect("gateway")
    }

    /// The node's end of a pod's veth pair.
    pub(crate) fn veth(&self, pod: &str) -> &str {
        self.facts["pods"][pod]["veth"].as_str().expect("a pod's veth")
    }

    /// A folder that goes away with the pods.
    pub(crate) fn folder(&self) -> &Path {
        Path::new(self.facts["state"].as_str().expect("state"))
    }

    /// A command in the network namespace of the node; file systems stay as they are.
    pub(crate) fn on_node(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        in_netns(self.node(), program)
    }

    pub(crate) fn in_pod(&self, pod: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
        in_netns(self.facts["pods"][pod]["netns"].as_str().expect("netns"), program)
    }

    /// Sends requests, each with an id of its own in its URL, from a pod or from the node, and
    /// returns what the client saw of each.
    pub(crate) fn load(
        &self,
        from: Option<&str>,
        port: u16,
        requests: u32,
        connections: u32,
    ) -> Vec<Value> {
        self.load_at(self.address("web"), from, port, requests, connections)
    }

    /// The same at another address.
    pub(crate) fn load_at(
        &self,
        address: &str,
        from: Option<&str>,
        port: u16,
        requests: u32,
        connections: u32,
    ) -> Vec<Value> {
        let mut client = match from {
            Some(pod) => self.in_pod(pod, "python3"),
            None => self.on_node("python3"),
        };
        client.arg(testbed().join("services/load.py")).arg(address);
        client.args([u32::from(port), requests, connections].map(|n| n.to_string()));
        let output = client.output().expect("python3 starts");
        assert!(
            output.status.success(),
            "requests failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
            .collect()
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

fn in_netns(netns: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{netns}")).arg("--").arg(program);
    command
}

/// `wirespan run` on a node.
pub(crate) struct Running {
    process: Child,
    node: String,
    listen: String,
    records: PathBuf,
    messages: PathBuf,
}

/// Where `wirespan run` listens in these tests; every node has a loopback of its own.
pub(crate) const LISTEN: &str = "127.0.0.1:9797";

impl Running {
    /// Starts it with further arguments and environment, and waits until it says that it is
    /// healthy.
    pub(crate) fn start(
        chain: &Chain,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let place = (chain.node(), chain.folder(), LISTEN);
        Self::start_in(place, name, arguments, environment)
    }

    /// The same in a network namespace, with its files in a folder, listening at an address.
    pub(crate) fn start_in(
        (node, folder, listen): (&str, &Path, &str),
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let records = folder.join(format!("{name}.jsonl"));
        let messages = folder.join(format!("{name}.log"));
        let process = in_netns(node, env!("CARGO_BIN_EXE_wirespan"))
            .args(["run", "--listen", listen])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(&records).expect("a file in the folder"))
            .stderr(File::create(&messages).expect("a file in the folder"))
            .spawn()
            .expect("nsenter starts");
        let (node, listen) = (node.to_owned(), listen.to_owned());
        let mut running = Self { process, node, listen, records, messages };
        wait_for(20, "wirespan is healthy", || {
            if let Ok(Some(status)) = running.process.try_wait() {
                panic!("wirespan ended with {status}: {}", running.messages());
            }
            running.get("/healthz").map(drop)
        });
        running
    }

    /// The body of an answer with status 200.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut curl = in_netns(&self.node, "curl");
        let output = curl
            .args(["-sf", "-m", "5"])
            .arg(format!("http://{}{path}", self.listen))
            .output()
            .expect("curl starts");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What it has written to standard error.
    pub(crate) fn messages(&self) -> String {
        std::fs::read_to_string(&self.messages).unwrap_or_default()
    }

    /// Ends it in order and returns its exit status with the records of this type.
    pub(crate) fn stop(self, record: &str) -> (ExitStatus, Vec<Value>) {
        let (status, mut records) = self.stop_with_all();
        records.retain(|value| value["type"] == record);
        (status, records)
    }

    /// Ends it in order and returns its exit status with all its records.
    pub(crate) fn stop_with_all(mut self) -> (ExitStatus, Vec<Value>) {
        self.signal("TERM");
        let status = wait_for(20, "wirespan ends after SIGTERM", || {
            self.process.try_wait().expect("a child")
        });
        let text = std::fs::read_to_string(&self.records).expect("records are UTF-8");
        let records =
            text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record is JSON"));
        (status, records.collect())
    }

    fn signal(&self, signal: &str) {
        let _ = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(self.process.id().to_string())
            .status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal("KILL");
            let _ = self.process.wait();
        }
    }
}

/// Standard output of a command that must succeed.
pub(crate) fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
