//! Configuration: one table of keys, from which the file, the environment and the example file are
//! read, checked and written.

mod example;
mod field;
mod keys;
mod kind;
mod load;
mod mistake;
mod settings;

pub(crate) use example::example;
pub(crate) use load::{Sources, check_file, load};
pub(crate) use settings::{Backend, HttpSettings, Privileges, Settings};
