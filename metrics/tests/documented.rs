//! The families that users read about are the families that exist.

use std::collections::{BTreeMap, BTreeSet};

use metrics::{Config, FamilyInfo, Format, Metrics, families};

/// Type and labels of each family in the tables of docs/metrics.md.
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let page = include_str!("../../docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `wirespan_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, meaning] = cells[..] else { panic!("not four cells: {row}") };
        assert!(!meaning.is_empty(), "{row}");
        // `gauge, always 1` is a gauge.
        let kind = kind.split(',').next().unwrap_or_default();
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (name.trim_matches('`').to_owned(), (kind.to_owned(), labels))
    })
    .collect()
}

#[test]
fn the_documented_families_are_the_registered_ones() {
    let registered: BTreeMap<String, (String, Vec<String>)> = families()
        .map(|family| {
            let labels = family.labels().iter().map(|label| (*label).to_owned()).collect();
            (family.name(), (family.type_name().to_owned(), labels))
        })
        .collect();
    assert!(registered.len() > 25, "found only {registered:?}");
    assert_eq!(registered.len(), families().count(), "two families have the same name");
    let documented = documented();
    for (name, family) in &registered {
        assert_eq!(
            Some(family),
            documented.get(name),
            "{name}: registered, and in docs/metrics.md"
        );
    }
    for name in documented.keys() {
        assert!(registered.contains_key(name), "{name} is documented but not registered");
    }
}

/// Families without series are not in the text, but what is there is in the table.
#[test]
fn the_families_of_the_text_are_those_of_the_table() {
    let names: BTreeSet<String> = families().map(FamilyInfo::name).collect();
    let text = Metrics::new(Config::default()).encode(Format::Prometheus);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for line in types {
        let (name, kind) = line.split_once(' ').expect("name and type");
        assert!(names.contains(name), "{name} is exposed but not in a table");
        let family = families().find(|family| family.name() == name).expect("its name is there");
        assert_eq!(kind, family.type_name(), "{name}");
    }
}
