//! A TCP as it is run: RFC 9293 with RFC 5681, 6298, 2018, 2883, 6582, 7323, 8985 (its tail-loss
//! probe) and 3168, each as far as a tap sees it.

mod application;
mod endpoint;
mod manner;
mod receiver;
mod rto;
mod sender;

pub(crate) use application::{Application, Step};
pub(crate) use endpoint::Endpoint;
pub(crate) use manner::{Manner, Opening, ProbeStyle};
