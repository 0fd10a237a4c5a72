//! Made-up traffic, the same for the same seed: connections of real stacks over bad paths, with
//! what is true of them, and segments that nobody would send.

mod capture;
pub(crate) mod hostile;
mod network;
mod path;
mod random;
pub(crate) mod requests;
pub(crate) mod scenario;
mod schedule;
mod segment;
mod stack;
mod truth;

pub(crate) use capture::{Frame, Origin, Tape, write};
pub(crate) use network::Plan;
pub(crate) use random::Random;
pub(crate) use segment::{End, Endpoints, Options, Segment, flag};
pub(crate) use truth::{Reason, Truth};
