//! Aligned columns that fit a terminal.

mod cell;
mod grid;
mod records;

pub(crate) use cell::Cell;
pub(crate) use grid::{Column, Grid};
pub(crate) use records::{FLOW_COLUMNS, SPAN_COLUMNS, flow_row, span_row};
