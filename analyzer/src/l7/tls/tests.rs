use crate::l7::testing::Script;
pub(crate) fn scripts() -> Vec<Script> { vec![] }
