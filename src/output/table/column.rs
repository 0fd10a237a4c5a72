//! Heads of columns, and what becomes of each where a table is wider than the terminal.

/// Which edge the texts of a column share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// When a column is left out although there is room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Never,
    /// While every row says the same in it.
    WhileSame,
    /// While no row says anything in it.
    WhileEmpty,
}

/// How a text that is too long is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Not at all: a part of a number or a time is another number.
    No,
    /// At its end.
    End,
    /// In the middle of the address, so that its port stays.
    Address,
}

/// Head of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(super) title: &'static str,
    pub(super) align: Align,
    pub(super) hidden: Hidden,
    pub(super) cut: Cut,
    /// Where there is no room for all columns, those with the larger number give way first; none
    /// gives way never.
    pub(super) gives_way: Option<u8>,
    /// Its texts are not cut to less than this to make room for other columns.
    pub(super) narrow: usize,
}

impl Column {
    const fn new(title: &'static str, align: Align, cut: Cut) -> Self {
        let narrow = match cut {
            Cut::No => usize::MAX,
            Cut::End => 16,
            // The longest of IPv4 with its port.
            Cut::Address => 21,
        };
        Self { title, align, hidden: Hidden::Never, cut, gives_way: None, narrow }
    }

    /// Texts, which are cut where there is no room for them.
    pub(crate) const fn left(title: &'static str) -> Self {
        Self::new(title, Align::Left, Cut::End)
    }

    /// Numbers.
    pub(crate) const fn right(title: &'static str) -> Self {
        Self::new(title, Align::Right, Cut::No)
    }

    /// Points in time.
    pub(crate) const fn time(title: &'static str) -> Self {
        Self::new(title, Align::Left, Cut::No)
    }

    /// Addresses with ports.
    pub(crate) const fn address(title: &'static str) -> Self {
        Self::new(title, Align::Left, Cut::Address)
    }

    /// Leaves the column out while every row says the same in it.
    pub(crate) const fn unless_same(self) -> Self {
        Self { hidden: Hidden::WhileSame, ..self }
    }

    /// Leaves the column out while no row says anything in it.
    pub(crate) const fn unless_empty(self) -> Self {
        Self { hidden: Hidden::WhileEmpty, ..self }
    }

    /// Keeps room for texts of this length before other columns get any.
    pub(crate) const fn keeps(self, narrow: usize) -> Self {
        Self { narrow, ..self }
    }

    /// Leaves the column out where there is no room for all: of several, those with the larger
    /// number first. A column with something to be noticed in it stays.
    pub(crate) const fn gives_way(self, order: u8) -> Self {
        Self { gives_way: Some(order), ..self }
    }
}
