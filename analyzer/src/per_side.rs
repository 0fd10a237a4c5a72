//! A value for each side of a flow.

use wire::Side;

/// One value for each end of a flow, by the end that sent it. Unlike `PerDirection` it does not
/// change its meaning when it turns out late which end is the client.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PerSide<T> {
    low: T,
    high: T,
}

impl<T> PerSide<T> {
    pub(crate) const fn get(&self, side: Side) -> &T {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }

    pub(crate) const fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Low => &mut self.low,
            Side::High => &mut self.high,
        }
    }

    /// The value of `side`, then that of the other.
    pub(crate) const fn pair_mut(&mut self, side: Side) -> (&mut T, &mut T) {
        match side {
            Side::Low => (&mut self.low, &mut self.high),
            Side::High => (&mut self.high, &mut self.low),
        }
    }

    pub(crate) fn map<U>(&self, f: impl Fn(&T) -> U) -> PerSide<U> {
        PerSide { low: f(&self.low), high: f(&self.high) }
    }

    pub(crate) const fn both(&self) -> [&T; 2] {
        [&self.low, &self.high]
    }
}
