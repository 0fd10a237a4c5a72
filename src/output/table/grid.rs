//! Aligned columns.

use std::io::{self, Write};

use super::cell::{Cell, Text};
use crate::output::printable::cut;
use crate::output::style::{Style, width};
use crate::output::units::{clock, day};

/// Which edge the texts of a column share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Head of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    title: &'static str,
    align: Align,
    /// Left out while every row says the same in it.
    optional: bool,
}

impl Column {
    pub(crate) const fn left(title: &'static str) -> Self {
        Self { title, align: Align::Left, optional: false }
    }

    pub(crate) const fn right(title: &'static str) -> Self {
        Self { title, align: Align::Right, optional: false }
    }

    /// A column that is left out while every row says the same in it.
    pub(crate) const fn optional(title: &'static str) -> Self {
        Self { title, align: Align::Left, optional: true }
    }
}

/// A table that is printed in blocks of at most [`Grid::BLOCK`] rows, so that an endless input
/// needs no endless memory. The rows of a block are sorted by their key. On a terminal the table
/// fits its width, elsewhere nothing is cut.
#[derive(Debug)]
pub(crate) struct Grid {
    columns: &'static [Column],
    rows: Vec<((u64, u64), Vec<Cell>)>,
    widths: Vec<usize>,
    /// What every row so far said in each optional column; columns where rows differ are shown.
    same: Vec<Option<Cell>>,
    shown: Vec<bool>,
    printed: bool,
    /// The day that stands in the head instead of in every row.
    day: Option<String>,
    style: Style,
}

impl Grid {
    /// Rows that are aligned and sorted together.
    const BLOCK: usize = 4096;
    /// Columns are not made narrower than this to fit a terminal.
    const NARROWEST: usize = 16;

    pub(crate) fn new(columns: &'static [Column], style: Style) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            widths: columns.iter().map(|column| column.title.chars().count()).collect(),
            same: vec![None; columns.len()],
            shown: columns.iter().map(|column| !column.optional).collect(),
            printed: false,
            day: None,
            style,
        }
    }

    /// Adds a row; prints the block when it is full.
    pub(crate) fn push(
        &mut self,
        key: (u64, u64),
        row: Vec<Cell>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.rows.push((key, row));
        if self.rows.len() >= Self::BLOCK { self.print(out) } else { Ok(()) }
    }

    /// Prints the rows that wait.
    pub(crate) fn print(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.rows.sort_by_key(|(key, _)| *key);
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        self.look_for_differences(&rows);
        if !self.printed {
            self.day = one_day(&rows);
        }
        let rows: Vec<Vec<Cell>> = rows.into_iter().map(|(_, row)| self.dated(row)).collect();
        let head = (!self.printed).then(|| self.head());
        for row in head.iter().chain(&rows) {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.len());
            }
        }
        let widths = self.fitting(width());
        if let Some(head) = head {
            self.printed = true;
            writeln!(out, "{}", self.style.bold(self.line(&head, &widths)))?;
        }
        for row in &rows {
            writeln!(out, "{}", self.line(row, &widths))?;
        }
        Ok(())
    }

    /// Shows optional columns from the first block on in which rows differ, under a new head.
    fn look_for_differences(&mut self, rows: &[((u64, u64), Vec<Cell>)]) {
        for (_, row) in rows {
            for ((same, shown), cell) in self.same.iter_mut().zip(&mut self.shown).zip(row) {
                if !*shown && same.get_or_insert_with(|| cell.clone()) != cell {
                    *shown = true;
                    self.printed = false;
                }
            }
        }
    }

    fn head(&self) -> Vec<Cell> {
        let title = |column: &Column| match &self.day {
            Some(day) if column.title == "TIME" => format!("{day} UTC").into(),
            _ => column.title.into(),
        };
        self.columns.iter().map(title).collect()
    }

    /// The row with its times in words: with the day, unless the head has it.
    fn dated(&self, mut row: Vec<Cell>) -> Vec<Cell> {
        for cell in &mut row {
            if let Text::Time(ns) = cell.text {
                let day = day(ns);
                let clock = clock(ns);
                let said = self.day.as_ref() == Some(&day);
                cell.text = Text::Words(if said { clock } else { format!("{day} {clock}") });
            }
        }
        row
    }

    /// Widths of the columns; on a terminal that is too narrow the last takes what is left, and
    /// then the widest give room.
    fn fitting(&self, room: Option<usize>) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let Some(room) = room else { return widths };
        let places: Vec<usize> = (0..widths.len()).filter(|&i| self.shown[i]).collect();
        let room = room.saturating_sub(2 * places.len().saturating_sub(1));
        let excess = |widths: &[usize]| {
            places.iter().filter_map(|&i| widths.get(i)).sum::<usize>().saturating_sub(room)
        };
        let narrow = |widths: &mut Vec<usize>, i: usize| {
            let spare = widths[i].saturating_sub(Self::NARROWEST).min(excess(widths));
            widths[i] -= spare;
            spare > 0
        };
        if let Some(&last) = places.last() {
            narrow(&mut widths, last);
        }
        while let Some(&widest) = places
            .iter()
            .filter(|&&i| self.columns[i].align == Align::Left)
            .max_by_key(|&&i| widths[i])
        {
            if !narrow(&mut widths, widest) {
                break;
            }
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        let shown =
            self.columns.iter().zip(row).zip(widths).zip(&self.shown).filter(|(_, shown)| **shown);
        for (i, (((column, cell), &width), _)) in shown.enumerate() {
            if i > 0 {
                line.push_str("  ");
            }
            let text = cut(cell.words(), width);
            let padding = " ".repeat(width.saturating_sub(text.chars().count()));
            let text = if cell.bad { self.style.red(&text) } else { text };
            match column.align {
                Align::Right => line.extend([padding.as_str(), text.as_str()]),
                Align::Left => line.extend([text.as_str(), padding.as_str()]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// The day that all times of these rows are of, if there is one.
fn one_day(rows: &[((u64, u64), Vec<Cell>)]) -> Option<String> {
    let mut times = rows.iter().flat_map(|(_, row)| row).filter_map(|cell| match cell.text {
        Text::Time(ns) => Some(day(ns)),
        Text::Words(_) => None,
    });
    let first = times.next()?;
    times.all(|day| day == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::right("N"), Column::left("NAME"), Column::left("REST")];
    const TIMED: &[Column] = &[Column::left("TIME"), Column::optional("TAP"), Column::left("REST")];
    const DAY: u64 = 86_400_000_000_000;

    fn printed(grid: &mut Grid) -> String {
        let mut out = Vec::new();
        grid.print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn add(grid: &mut Grid, time: u64, tap: &str) {
        grid.push((time, 0), vec![Cell::time(time), tap.into(), "x".into()], &mut Vec::new())
            .unwrap();
    }

    #[test]
    fn rows_are_sorted_aligned_and_cleaned() {
        let mut grid = Grid::new(COLUMNS, Style::default());
        let mut out = Vec::new();
        grid.push((2, 0), vec!["10".into(), "b".into(), "x\x1b[2Jy".into()], &mut out).unwrap();
        grid.push((1, 0), vec!["9".into(), "longer".into(), String::new().into()], &mut out)
            .unwrap();
        assert_eq!(printed(&mut grid), " N  NAME    REST\n 9  longer\n10  b       x·[2Jy\n");
    }

    #[test]
    fn day_and_tap_stand_in_the_rows_only_where_they_differ() {
        let mut grid = Grid::new(TIMED, Style::default());
        add(&mut grid, 1_000, "a");
        add(&mut grid, 2_000, "a");
        assert_eq!(
            printed(&mut grid),
            "1970-01-01 UTC   REST\n00:00:00.000001  x\n00:00:00.000002  x\n"
        );
        add(&mut grid, DAY, "b");
        assert_eq!(printed(&mut grid), "1970-01-02 UTC   TAP  REST\n00:00:00.000000  b    x\n");
        let mut grid = Grid::new(TIMED, Style::default());
        add(&mut grid, 0, "a");
        add(&mut grid, DAY, "a");
        assert!(
            printed(&mut grid)
                .starts_with("TIME                        REST\n1970-01-01 00:00:00.000000  x\n")
        );
    }

    #[test]
    fn a_table_fits_a_terminal_and_is_whole_elsewhere() {
        let mut grid = Grid::new(COLUMNS, Style::default());
        let row = vec!["1".into(), "n".repeat(40).into(), "r".repeat(200).into()];
        grid.push((0, 0), row, &mut Vec::new()).unwrap();
        printed(&mut grid);
        assert_eq!(grid.fitting(None), [1, 40, 200]);
        assert_eq!(grid.fitting(Some(100)), [1, 40, 55]);
        assert_eq!(grid.fitting(Some(50)), [1, 29, 16]);
        assert_eq!(grid.fitting(Some(10)), [1, 16, 16]);
    }
}
