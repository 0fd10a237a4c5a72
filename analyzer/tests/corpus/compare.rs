use std::collections::BTreeMap;

use fact::{DirectionRecord, FlowRecord, TcpCounter};
use serde_json::Value;
use wire::Transport;

/// Comparisons made and agreed, by category, with what disagreed.
#[derive(Default)]
pub(crate) struct Score {
    counts: BTreeMap<&'static str, (u32, u32)>,
    differences: Vec<String>,
}

type Ends = [(String, u64); 2];

fn ends_of(stream: &Value) -> Ends {
    let end = |key: &str| {
        (stream[key]["ip"].as_str().unwrap().to_owned(), stream[key]["port"].as_u64().unwrap())
    };
    let mut ends = [end("client"), end("server")];
    ends.sort();
    ends
}

fn ends_of_flow(flow: &FlowRecord) -> Ends {
    let mut ends = [flow.client, flow.server].map(|e| (e.address.to_string(), u64::from(e.port)));
    ends.sort();
    ends
}

impl Score {
    fn add(&mut self, category: &'static str, agrees: bool, difference: impl FnOnce() -> String) {
        let (good, all) = self.counts.entry(category).or_default();
        *all += 1;
        *good += u32::from(agrees);
        if !agrees {
            self.differences.push(format!("{category}: {}", difference()));
        }
    }

    /// Share that agrees; 1 where nothing was compared.
    pub(crate) fn ratio(&self, category: &str) -> f64 {
        self.counts.get(category).map_or(1.0, |&(good, all)| f64::from(good) / f64::from(all))
    }

    pub(crate) fn print(&self) {
        for difference in &self.differences {
            eprintln!("  {difference}");
        }
        for (category, (good, all)) in &self.counts {
            eprintln!("{category:16} {good:6}/{all:<6} {:.4}", self.ratio(category));
        }
    }

    pub(crate) fn compare(
        &mut self,
        name: &str,
        oracle: &Value,
        records: &[FlowRecord],
        flags: bool,
    ) {
        let mut flows: Vec<&FlowRecord> =
            records.iter().filter(|r| r.transport == Transport::Tcp).collect();
        flows.sort_by_key(|flow| (flow.start, flow.id));
        let mut by_ends: BTreeMap<Ends, (Vec<&Value>, Vec<&FlowRecord>)> = BTreeMap::new();
        for stream in oracle["tcp_streams"].as_array().unwrap() {
            by_ends.entry(ends_of(stream)).or_default().0.push(stream);
        }
        for flow in flows {
            by_ends.entry(ends_of_flow(flow)).or_default().1.push(flow);
        }
        for (ends, (streams, flows)) in by_ends {
            if streams.is_empty() {
                self.add("extra", false, || {
                    format!("{name} {ends:?}: {} flows, no stream", flows.len())
                });
                continue;
            }
            let same = streams.len() == flows.len();
            self.add("streams", same, || {
                format!("{name} {ends:?}: {} flows, {} streams", flows.len(), streams.len())
            });
            if same {
                streams
                    .iter()
                    .zip(flows)
                    .for_each(|(stream, flow)| self.stream(name, stream, flow, flags));
            }
        }
    }

    fn stream(&mut self, name: &str, stream: &Value, flow: &FlowRecord, flags: bool) {
        let at = format!("{name} stream {}", stream["stream"]);
        let client = (flow.client.address.to_string(), u64::from(flow.client.port));
        let theirs =
            (stream["client"]["ip"].as_str().unwrap(), stream["client"]["port"].as_u64().unwrap());
        let right_way = (client.0.as_str(), client.1) == theirs;
        self.add("counts", right_way, || {
            format!("{at}: client is {client:?} by {:?}", flow.client_by)
        });
        let (up, down) = (&flow.directions.to_server, &flow.directions.to_client);
        let pairs =
            if right_way { [("c2s", up), ("s2c", down)] } else { [("c2s", down), ("s2c", up)] };
        for (key, record) in pairs {
            self.direction(&format!("{at} {key}"), &stream[key], record, flags);
        }
        if right_way {
            let have = flow.handshake.unwrap_or_default();
            let steps = [
                ("first_syn_to_synack_us", have.syn_to_syn_ack_ns),
                ("synack_to_ack_us", have.syn_ack_to_ack_ns),
            ];
            for (key, have) in steps {
                if let Some(want) = stream["handshake"][key].as_f64() {
                    let agrees = have.is_some_and(|ns| (ns as f64 / 1000.0 - want).abs() <= 1.0);
                    self.add("handshake", agrees, || {
                        format!("{at} {key}: {have:?}, oracle {want} us")
                    });
                }
            }
        }
    }

    fn direction(&mut self, at: &str, want: &Value, have: &DirectionRecord, flags: bool) {
        let number = |key: &str| want[key].as_u64().unwrap_or(0);
        let counts = [
            ("packets", have.packets),
            ("data_packets", have.data_packets),
            ("payload_bytes", have.payload_bytes),
            ("syn", have.syn),
            ("synack", have.syn_ack),
            ("fin", have.fin),
            ("rst", have.rst),
        ];
        for (key, have) in counts {
            self.add("counts", have == number(key), || {
                format!("{at} {key}: {have}, oracle {}", number(key))
            });
        }
        for (key, have) in
            [("ip_bytes", have.ip_bytes), ("frame_bytes", have.wire_bytes), ("psh", have.psh)]
        {
            self.add("bytes", have == number(key), || {
                format!("{at} {key}: {have}, oracle {}", number(key))
            });
        }
        if !flags {
            return;
        }
        for (key, have) in analysis(have) {
            let want = want["analysis"][key].as_u64().unwrap_or(0);
            if want > 0 || have > 0 {
                self.add("analysis", have == want, || format!("{at} {key}: {have}, oracle {want}"));
            }
        }
        if let Some(n) = want["ack_rtt"]["n"].as_u64() {
            let mean = want["ack_rtt"]["mean_us"].as_f64().unwrap_or(0.0);
            let mine = have.ack_rtt;
            let agrees = mine.count == n && (mine.mean_ns as f64 / 1000.0 - mean).abs() <= 1.0;
            self.add("ack_rtt", agrees, || format!("{at} ack_rtt: {mine:?}, oracle {n} {mean} us"));
        }
    }
}

/// What Wireshark's analysis tells, by the names that the corpus has.
fn analysis(d: &DirectionRecord) -> impl Iterator<Item = (&'static str, u64)> {
    d.tcp.iter().filter_map(|(counter, count)| {
        let name = match counter {
            TcpCounter::SynRetransmission => "retransmission_of_syn",
            other => other.wireshark()?,
        };
        Some((name, u64::from(count)))
    })
}
