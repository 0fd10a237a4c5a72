//! Kernel records: put in order of time, hung to their sockets, each send with the request in the
//! course of which it was made.

mod aged;
mod courses;
mod facade;
mod reorder;
mod sockets;
mod steps;
mod threads;
mod turn;

pub(crate) use courses::{CourseId, Request};
pub(crate) use facade::Kernel;
pub(crate) use sockets::Io;
