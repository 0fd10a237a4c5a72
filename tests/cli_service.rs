//! The unit file is right, and as closed as it can be.

#![allow(clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::process::Command;

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/wirespan.service");

#[test]
fn systemd_accepts_the_unit_and_finds_it_closed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("skipped: needs systemd-analyze");
        return;
    }
    // The binary is not installed here; a copy of the unit names the one under test.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("wirespan.service");
    let text = std::fs::read_to_string(UNIT).unwrap();
    std::fs::write(&copy, text.replace("/usr/bin/wirespan", env!("CARGO_BIN_EXE_wirespan"))).unwrap();
    let verify = Command::new("systemd-analyze").arg("verify").arg(&copy).output().unwrap();
    let said = String::from_utf8_lossy(&verify.stderr);
    assert!(verify.status.success() && !said.contains("wirespan.service"), "{said}");

    let security = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--threshold=30"])
        .arg(&copy)
        .output()
        .unwrap();
    assert!(security.status.success(), "{}", String::from_utf8_lossy(&security.stdout));
}
