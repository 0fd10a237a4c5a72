//! The families: those of service edges (flows, TCP, requests), then those about Wirespan itself.
//!
//! Each struct is a table of rows with the name, the type, the labels and the help of a family; see
//! [`table!`](info::table).

mod build;
mod edge_family;
mod flows;
mod info;
mod internal;
mod invariants;
mod label_family;
mod requests;
mod tcp;

pub use info::FamilyInfo;
pub use internal::JoinResult;

pub(crate) use build::Build;
pub(crate) use flows::Flows;
pub(crate) use info::PREFIX;
pub(crate) use internal::Internal;
pub(crate) use invariants::InvariantFailures;
pub(crate) use requests::Requests;
pub(crate) use tcp::Tcp;

/// Every family, in the order in which the text has them.
pub fn families() -> impl Iterator<Item = &'static FamilyInfo> {
    let internal = [Build::FAMILIES, Internal::FAMILIES, InvariantFailures::FAMILIES];
    Flows::FAMILIES
        .iter()
        .chain(Tcp::families())
        .chain(Requests::FAMILIES)
        .chain(internal.into_iter().flatten())
}
