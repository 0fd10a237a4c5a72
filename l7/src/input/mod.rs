//! What a transport delivers: pieces of its streams, whose they are, and how the connection fares.

mod chunk;
mod context;
mod health;

pub use chunk::Chunk;
pub use context::{Context, End};
pub use health::{Health, RoundTrips, TroubleCounts};
