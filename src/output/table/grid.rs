//! Aligned columns.

use std::io::{self, Write};

use super::cell::{Cell, Text};
use super::column::{Align, Column, Cut, Hidden};
use super::layout::{Content, GAP, lay_out};
use crate::output::printable::{cut, cut_address};
use crate::output::style::{Style, width};
use crate::output::units::{clock, day};

/// A table that is printed in blocks of at most [`Grid::BLOCK`] rows, so that an endless input
/// needs no endless memory. The rows of a block are sorted by their key. On a terminal the table
/// fits its width and says which columns it leaves out for that; elsewhere nothing is cut.
#[derive(Debug)]
pub(crate) struct Grid {
    columns: &'static [Column],
    rows: Vec<((u64, u64), Vec<Cell>)>,
    contents: Vec<Content>,
    /// What every row so far said in each column that is hidden while rows say the same.
    same: Vec<Option<Cell>>,
    /// Titles of the columns under the last head.
    printed: Vec<&'static str>,
    /// Rows were printed since this was asked last.
    new_rows: bool,
    /// The day that stands in the head instead of in every row.
    day: Option<String>,
    style: Style,
}

impl Grid {
    /// Rows that are aligned and sorted together.
    const BLOCK: usize = 4096;

    pub(crate) fn new(columns: &'static [Column], style: Style) -> Self {
        let content = |column: &Column| Content {
            column: *column,
            width: column.title.chars().count(),
            hidden: column.hidden != Hidden::Never,
            bad: false,
        };
        Self {
            columns,
            rows: Vec::new(),
            contents: columns.iter().map(content).collect(),
            same: vec![None; columns.len()],
            printed: Vec::new(),
            new_rows: false,
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

    /// Whether rows were printed since the last call.
    pub(crate) const fn take_new_rows(&mut self) -> bool {
        std::mem::replace(&mut self.new_rows, false)
    }

    /// Prints the head once more above the next rows: something else was printed below the last.
    pub(crate) fn repeat_head(&mut self) {
        self.printed.clear();
    }

    /// Prints the rows that wait.
    pub(crate) fn print(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.print_within(width(), out)
    }

    fn print_within(&mut self, room: Option<usize>, out: &mut impl Write) -> io::Result<()> {
        self.rows.sort_by_key(|(key, _)| *key);
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        self.new_rows = true;
        let before: Vec<bool> = self.contents.iter().map(|content| content.hidden).collect();
        rows.iter().for_each(|(_, row)| self.look_at(row));
        let appeared = self.contents.iter().zip(before).any(|(now, hidden)| hidden && !now.hidden);
        if self.printed.is_empty() || appeared {
            self.day = one_day(&rows);
        }
        let rows: Vec<Vec<Cell>> = rows.into_iter().map(|(_, row)| self.dated(row)).collect();
        let head = self.head();
        for row in rows.iter().chain([&head]) {
            for (content, cell) in self.contents.iter_mut().zip(row) {
                content.width = content.width.max(cell.len());
            }
        }
        let widths = lay_out(&self.contents, room);
        let titles = self.titles(|i| widths[i].is_some());
        if self.printed != titles {
            let left_out = self.titles(|i| widths[i].is_none() && !self.contents[i].hidden);
            if !left_out.is_empty() {
                let text = format!("no room for {}", left_out.join(", "));
                writeln!(out, "{}", self.style.dim(text))?;
            }
            self.printed = titles;
            writeln!(out, "{}", self.style.bold(self.line(&head, &widths)))?;
        }
        for row in &rows {
            writeln!(out, "{}", self.line(row, &widths))?;
        }
        Ok(())
    }

    fn titles(&self, wanted: impl Fn(usize) -> bool) -> Vec<&'static str> {
        let places = (0..self.columns.len()).filter(|&i| wanted(i));
        places.map(|i| self.columns[i].title).collect()
    }

    /// Shows columns from the first block on in which they say something, under a new head.
    fn look_at(&mut self, row: &[Cell]) {
        for ((same, content), cell) in self.same.iter_mut().zip(&mut self.contents).zip(row) {
            content.bad |= cell.bad;
            if content.hidden {
                content.hidden = match content.column.hidden {
                    Hidden::Never => false,
                    Hidden::WhileSame => same.get_or_insert_with(|| cell.clone()) == cell,
                    Hidden::WhileEmpty => cell.len() == 0,
                };
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

    fn line(&self, row: &[Cell], widths: &[Option<usize>]) -> String {
        let mut line = String::new();
        let shown = self.columns.iter().zip(row).zip(widths);
        let shown = shown.filter_map(|((column, cell), width)| Some((column, cell, (*width)?)));
        for (i, (column, cell, width)) in shown.enumerate() {
            if i > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            let text = match column.cut {
                Cut::Address => cut_address(cell.words(), width),
                Cut::No | Cut::End => cut(cell.words(), width),
            };
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
    const TIMED: &[Column] = &[
        Column::time("TIME").gives_way(1),
        Column::left("TAP").unless_same(),
        Column::left("REST").unless_empty(),
    ];
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
    fn a_column_that_says_something_is_shown_also_where_all_rows_say_the_same() {
        let mut grid = Grid::new(TIMED, Style::default());
        let row = |rest: &str| vec![Cell::time(0), "a".into(), rest.into()];
        grid.push((0, 0), row(""), &mut Vec::new()).unwrap();
        assert_eq!(printed(&mut grid), "1970-01-01 UTC\n00:00:00.000000\n");
        grid.push((0, 0), row("lost"), &mut Vec::new()).unwrap();
        assert_eq!(printed(&mut grid), "1970-01-01 UTC   REST\n00:00:00.000000  lost\n");
        grid.push((0, 0), row(""), &mut Vec::new()).unwrap();
        assert_eq!(printed(&mut grid), "00:00:00.000000\n");
    }

    #[test]
    fn a_narrow_table_says_what_it_leaves_out() {
        let mut grid = Grid::new(TIMED, Style::default());
        let row = vec![Cell::time(0), "a".into(), "r".repeat(30).into()];
        grid.push((0, 0), row, &mut Vec::new()).unwrap();
        let mut out = Vec::new();
        grid.print_within(Some(20), &mut out).unwrap();
        let expected = format!("no room for TIME\nREST\n{}…\n", "r".repeat(19));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
