use std::io::{self, Write};

use crate::output::printable::{cut, printable};
use crate::output::style::{Style, width};

/// Which edge the texts of a column share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Head of a column. The last column of a table takes what room is left and is cut there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) align: Align,
}

impl Column {
    pub(crate) const fn left(title: &'static str) -> Self {
        Self { title, align: Align::Left }
    }

    pub(crate) const fn right(title: &'static str) -> Self {
        Self { title, align: Align::Right }
    }
}

/// One field of a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    bad: bool,
}

impl Cell {
    /// A field to be noticed.
    pub(crate) fn bad_if(text: impl Into<String>, bad: bool) -> Self {
        Self { bad, ..Self::from(text.into()) }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&str> for Cell {
    /// What a peer may have sent is made safe for the terminal.
    fn from(text: &str) -> Self {
        Self { text: printable(text), bad: false }
    }
}

/// A table that is printed in blocks of at most [`Grid::BLOCK`] rows, so that an endless input needs no endless memory.
/// The rows of a block are sorted by their key.
#[derive(Debug)]
pub(crate) struct Grid {
    columns: &'static [Column],
    rows: Vec<((u64, u64), Vec<Cell>)>,
    widths: Vec<usize>,
    printed: bool,
    style: Style,
}

impl Grid {
    /// Rows that are aligned and sorted together.
    const BLOCK: usize = 4096;

    pub(crate) fn new(columns: &'static [Column], style: Style) -> Self {
        let widths = columns.iter().map(|column| column.title.chars().count()).collect();
        Self { columns, rows: Vec::new(), widths, printed: false, style }
    }

    /// Adds a row; prints the block when it is full.
    pub(crate) fn push(&mut self, key: (u64, u64), row: Vec<Cell>, out: &mut impl Write) -> io::Result<()> {
        self.rows.push((key, row));
        if self.rows.len() >= Self::BLOCK { self.print(out) } else { Ok(()) }
    }

    /// Prints the rows that wait.
    pub(crate) fn print(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.rows.sort_by_key(|(key, _)| *key);
        let rows = std::mem::take(&mut self.rows);
        for (_, row) in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        if !self.printed && !rows.is_empty() {
            self.printed = true;
            let head: Vec<Cell> = self.columns.iter().map(|column| column.title.into()).collect();
            let line = self.line(&head, width());
            writeln!(out, "{}", self.style.bold(line))?;
        }
        for (_, row) in &rows {
            writeln!(out, "{}", self.line(row, width()))?;
        }
        Ok(())
    }

    fn line(&self, row: &[Cell], room: usize) -> String {
        let mut line = String::new();
        let mut used = 0;
        let last = self.columns.len().saturating_sub(1);
        for (i, ((column, cell), &width)) in self.columns.iter().zip(row).zip(&self.widths).enumerate() {
            if i > 0 {
                line.push_str("  ");
                used += 2;
            }
            let text = if i == last {
                cut(&cell.text, room.saturating_sub(used).max(16))
            } else {
                cell.text.clone()
            };
            let padding = " ".repeat(width.saturating_sub(text.chars().count()));
            let shown = if cell.bad { self.style.red(&text) } else { text };
            match column.align {
                Align::Right => line.extend([padding.as_str(), shown.as_str()]),
                Align::Left if i == last => line.push_str(&shown),
                Align::Left => line.extend([shown.as_str(), padding.as_str()]),
            }
            used += width;
        }
        line.truncate(line.trim_end().len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::right("N"), Column::left("NAME"), Column::left("REST")];

    #[test]
    fn rows_are_sorted_aligned_and_cleaned() {
        let mut grid = Grid::new(COLUMNS, Style::default());
        let mut out = Vec::new();
        grid.push((2, 0), vec!["10".into(), "b".into(), "x\x1b[2Jy".into()], &mut out).unwrap();
        grid.push((1, 0), vec!["9".into(), "longer".into(), String::new().into()], &mut out).unwrap();
        grid.print(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), " N  NAME    REST\n 9  longer\n10  b       x·[2Jy\n");
    }
}
