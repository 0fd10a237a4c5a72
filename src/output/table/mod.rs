//! Aligned columns that fit a terminal.

mod cell;
mod column;
mod grid;
mod layout;
mod records;

pub(crate) use cell::Cell;
pub(crate) use column::Column;
pub(crate) use grid::Grid;
pub(crate) use records::{FLOW_COLUMNS, SPAN_COLUMNS, flow_row, span_row};
