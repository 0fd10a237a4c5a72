//! Aligned columns that fit a terminal.

mod grid;
mod records;

pub(crate) use grid::{Cell, Column, Grid};
pub(crate) use records::{FLOW_COLUMNS, SPAN_COLUMNS, flow_row, span_row};
