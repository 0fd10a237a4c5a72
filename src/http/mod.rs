//! The HTTP server of `wirespan run`: metrics, health, and what the store and the shards know, as
//! JSON.

mod answer;
mod api;
mod flows;
mod pages;
mod queries;
mod routes;
mod server;
mod traces;

pub(crate) use api::Api;
pub(crate) use server::serve;
