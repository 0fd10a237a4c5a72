//! The interfaces of this network namespace.

use std::collections::BTreeSet;
use std::hint::black_box;

use crate::{Amount, print_least};

pub(crate) fn measure(amount: Amount) {
    let ours: BTreeSet<String> =
        capture::interfaces::list().expect("netlink").into_iter().map(|i| i.name).collect();
    let theirs: BTreeSet<String> =
        pnet_datalink::interfaces().into_iter().map(|i| i.name).collect();
    assert_eq!(ours, theirs, "both list the same");
    let times = u64::from(amount.rounds / 10);
    println!("interfaces: {}", ours.len());
    print_least("list interfaces: capture", amount, times, || {
        for _ in 0..times {
            black_box(capture::interfaces::list().expect("netlink"));
        }
    });
    print_least("list interfaces: pnet_datalink", amount, times, || {
        for _ in 0..times {
            black_box(pnet_datalink::interfaces());
        }
    });
}
