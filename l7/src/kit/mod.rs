//! Tools that parsers share: walks over fields, streams of messages that say their length,
//! statements of SQL.

pub(crate) mod framed;
pub(crate) mod frames;
pub(crate) mod reader;
pub(crate) mod resync;
pub(crate) mod sql;
pub(crate) mod step;
