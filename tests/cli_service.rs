//! The unit file starts what the README's commands install, and is as closed as it can be.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/wirespan.service");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// Runs the README's `sudo install` commands as they stand, but into `root` and with the binary
/// under test.
fn install_by_the_readme(root: &Path) {
    let text = std::fs::read_to_string(README).unwrap();
    let commands: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("sudo install ")).collect();
    assert_eq!(commands.len(), 3, "the binary, its configuration, the unit: {commands:?}");
    for command in commands {
        let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let target = words.pop().expect("a target");
        assert!(target.starts_with('/'), "{command}");
        for word in &mut words {
            if word == "target/release/wirespan" {
                *word = env!("CARGO_BIN_EXE_wirespan").into();
            }
        }
        let target = format!("{}{target}", root.display());
        let folder = Path::new(&target).parent().filter(|_| !target.ends_with('/'));
        std::fs::create_dir_all(folder.unwrap_or(Path::new(&target))).unwrap();
        let status = Command::new("install")
            .args(&words)
            .arg(&target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "{command}");
    }
}

fn has_systemd() -> bool {
    let there = Command::new("systemd-analyze").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: needs systemd-analyze");
    }
    there
}

#[test]
fn the_readme_installs_a_service_that_systemd_can_start() {
    if !has_systemd() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // The units that ours comes after.
    std::fs::create_dir_all(root.join("usr/lib")).unwrap();
    let copied = Command::new("cp")
        .args(["-r", "/usr/lib/systemd"])
        .arg(root.join("usr/lib"))
        .status()
        .unwrap();
    assert!(copied.success());
    std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
    install_by_the_readme(root);

    let verify = || {
        let mut command = Command::new("systemd-analyze");
        let output =
            command.arg("verify").arg(format!("--root={}", root.display())).arg("wirespan.service");
        let output = output.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success() && !errors.contains("wirespan.service"), errors)
    };
    let (accepted, errors) = verify();
    assert!(accepted, "{errors}");

    let unit = std::fs::read_to_string(root.join("etc/systemd/system/wirespan.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
    let config =
        start.split_whitespace().skip_while(|word| *word != "--config").nth(1).expect("a file");
    assert!(root.join(config.trim_start_matches('/')).is_file(), "{config} is not installed");

    // The check sees a binary that is missing.
    std::fs::remove_file(root.join("usr/local/bin/wirespan")).unwrap();
    let (accepted, errors) = verify();
    assert!(!accepted && errors.contains("not executable"), "{errors}");
}

#[test]
fn the_unit_is_closed() {
    if !has_systemd() {
        return;
    }
    let security = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--threshold=30"])
        .arg(UNIT)
        .output()
        .unwrap();
    assert!(security.status.success(), "{}", String::from_utf8_lossy(&security.stdout));
}
