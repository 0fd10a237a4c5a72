//! The documents keep up with the project: links lead somewhere, and every direct dependency is
//! explained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("docs")).expect("docs/ is part of the project");
    let mut documents: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    documents
        .extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)));
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("readable");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let elsewhere = file.contains("://") || file.is_empty();
            if !elsewhere && !document.parent().expect("in a folder").join(file).exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_direct_dependency_is_explained() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("readable");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let declared = manifest["workspace"]["dependencies"].as_table().expect("a table");
    let outside = declared.iter().filter(|(_, value)| value.get("path").is_none());
    let declared: BTreeSet<&str> = outside.map(|(name, _)| name.as_str()).collect();
    let text = std::fs::read_to_string(root().join("docs/dependencies.md")).expect("readable");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    let explained: BTreeSet<&str> =
        rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let missing: Vec<_> = declared.difference(&explained).collect();
    let gone: Vec<_> = explained.difference(&declared).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not explained: {missing:?}; explained, but gone: {gone:?}"
    );
}
