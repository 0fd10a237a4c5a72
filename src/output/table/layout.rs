//! Which columns of a table fit a terminal, and how wide they are there.

use super::column::{Column, Cut};

/// Characters between two columns.
pub(super) const GAP: usize = 2;
/// Texts are not cut to less than this where not even the columns that never give way fit
/// otherwise.
const NARROWEST: usize = 8;
/// Of `10.0.0.1:40000` still the beginning and the port are there.
const NARROWEST_ADDRESS: usize = 14;

/// What is known of a column when a table is laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) column: Column,
    /// Width of its longest text.
    pub(super) width: usize,
    pub(super) hidden: bool,
    /// Something in it is to be noticed.
    pub(super) bad: bool,
}

impl Content {
    fn stays(&self) -> bool {
        self.column.gives_way.is_none() || self.bad
    }

    fn least(&self) -> usize {
        self.width.min(self.column.narrow)
    }

    fn very_least(&self) -> usize {
        self.width.min(match self.column.cut {
            Cut::No => usize::MAX,
            Cut::End => NARROWEST.max(self.column.title.len()),
            Cut::Address => NARROWEST_ADDRESS,
        })
    }
}

/// The width of each column in `room` characters, none for those that are left out. Without a
/// limit nothing is cut.
///
/// Columns that never give way stay, and those with something to be noticed; then others as far as
/// there is room for them, the most important first. What is left is for long texts.
pub(super) fn lay_out(contents: &[Content], room: Option<usize>) -> Vec<Option<usize>> {
    let shown = |content: &Content| !content.hidden;
    let Some(room) = room else {
        return contents.iter().map(|c| shown(c).then_some(c.width)).collect();
    };
    let mut least: Vec<Option<usize>> =
        contents.iter().map(|c| (shown(c) && c.stays()).then(|| c.least())).collect();
    if total(&least) > room {
        for (width, content) in least.iter_mut().zip(contents) {
            *width = width.map(|_| content.very_least());
        }
        return widen(contents, &least, room);
    }
    let mut others: Vec<usize> =
        (0..contents.len()).filter(|&i| shown(&contents[i]) && least[i].is_none()).collect();
    others.sort_by_key(|&i| contents[i].column.gives_way);
    for i in others {
        least[i] = Some(contents[i].least());
        if total(&least) > room {
            least[i] = None;
        }
    }
    widen(contents, &least, room)
}

/// Makes columns as wide as their texts are; where there is no room for that, the widest give way.
fn widen(contents: &[Content], least: &[Option<usize>], room: usize) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> =
        least.iter().zip(contents).map(|(least, c)| least.map(|_| c.width)).collect();
    while total(&widths) > room {
        let spare = (0..widths.len()).filter(|&i| widths[i] > least[i]);
        let Some(widest) = spare.max_by_key(|&i| widths[i]) else { break };
        widths[widest] = widths[widest].map(|width| width - 1);
    }
    widths
}

/// Width of a line.
fn total(widths: &[Option<usize>]) -> usize {
    let shown = widths.iter().flatten();
    shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(column: Column, width: usize) -> Content {
        Content { column, width, hidden: false, bad: false }
    }

    fn text_columns() -> [Content; 3] {
        let columns = [Column::right("N"), Column::left("NAME"), Column::left("REST")];
        [content(columns[0], 1), content(columns[1], 40), content(columns[2], 200)]
    }

    #[test]
    fn a_table_fits_a_terminal_and_is_whole_elsewhere() {
        for (room, expected) in [
            (None, [1, 40, 200]),
            (Some(300), [1, 40, 200]),
            (Some(100), [1, 40, 55]),
            (Some(50), [1, 23, 22]),
            (Some(37), [1, 16, 16]),
            (Some(30), [1, 13, 12]),
            (Some(10), [1, 8, 8]),
        ] {
            let widths: Vec<_> =
                lay_out(&text_columns(), room).into_iter().map(Option::unwrap).collect();
            assert_eq!(widths, expected, "{room:?}");
        }
    }

    #[test]
    fn columns_give_way_in_their_order_unless_something_is_to_be_noticed() {
        let mut contents = [
            content(Column::time("TIME").gives_way(1), 15),
            content(Column::address("CLIENT"), 21),
            content(Column::right("SENT").gives_way(3), 8),
            content(Column::right("RETR").gives_way(2), 4),
            content(Column::left("TROUBLE"), 40),
        ];
        let shown = |contents: &[Content], room| {
            let widths = lay_out(contents, Some(room));
            assert!(total(&widths) <= room, "{room}: {widths:?}");
            widths.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
        };
        assert_eq!(shown(&contents, 120), [15, 21, 8, 4, 40]);
        assert_eq!(shown(&contents, 72), [15, 21, 8, 4, 16]);
        assert_eq!(shown(&contents, 71), [15, 21, 0, 4, 25]);
        assert_eq!(shown(&contents, 60), [15, 21, 0, 0, 20]);
        // There is no room for TIME, but for one that is less important.
        assert_eq!(shown(&contents, 49), [0, 21, 0, 4, 20]);
        contents[2].bad = true;
        assert_eq!(shown(&contents, 49), [0, 21, 8, 0, 16]);
        assert_eq!(shown(&contents, 40), [0, 14, 8, 0, 14]);
        contents[4].hidden = true;
        assert_eq!(shown(&contents, 40), [0, 21, 8, 4, 0]);
    }
}
