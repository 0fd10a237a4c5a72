use std::path::Path;

use serde_json::Value;

use crate::spans::Operation;

/// What a client did.
pub(crate) struct Expected {
    pub(crate) operations: Vec<Operation>,
    pub(crate) ordered: bool,
    pub(crate) joined_missing: usize,
    pub(crate) joined_blind: bool,
    /// Few requests begin a segment: what is asked where a connection is joined is missed until one
    /// does.
    pub(crate) is_narrow: bool,
    also: Vec<(String, String)>,
}

impl Expected {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("operations.jsonl can be read");
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON lines"))
            .peekable();
        let first = lines.next_if(|line| line.get("operation").is_none()).unwrap_or_default();
        let pair = |pair: &Value| (string(&pair[0]), string(&pair[1]));
        Self {
            operations: lines.map(|line| Operation::read(&line)).collect(),
            // A network that loses packets changes the order in which both sides are heard.
            ordered: first["ordered"].as_bool().unwrap_or(true)
                && std::env::var_os("WIRESPAN_LOSS").is_none(),
            joined_missing: first["joined"]["missing"].as_u64().unwrap_or(0) as usize,
            joined_blind: first["joined"]["blind"].as_bool().unwrap_or(false),
            is_narrow: std::env::var_os("WIRESPAN_NARROW").is_some(),
            also: first["also"]
                .as_array()
                .map_or_else(Vec::new, |all| all.iter().map(pair).collect()),
        }
    }

    /// Whether the client's library does this by itself.
    pub(crate) fn is_beside(&self, operation: &Operation) -> bool {
        self.also
            .iter()
            .any(|(protocol, name)| *protocol == operation.protocol && *name == operation.name)
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
