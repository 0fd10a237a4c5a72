//! wirespan
fn main() {}
