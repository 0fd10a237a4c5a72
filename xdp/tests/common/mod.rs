//! What the tests of kernel programs share.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::process::{Command, Output};

/// Whether the test can run; says so where it cannot.
pub(crate) fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("{test}: skipped: needs root");
    }
    root
}

/// Runs a program to its end, and panics with its stderr if that was no success.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
