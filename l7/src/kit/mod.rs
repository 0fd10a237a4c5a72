//! What parsers share: readers of fields, of frames and of messages that begin with their length;
//! statements of SQL.

pub(crate) mod framed;
pub(crate) mod frames;
pub(crate) mod reader;
pub(crate) mod resync;
pub(crate) mod sql;
pub(crate) mod step;
