//! Holds the rules that no compiler holds: which crate may depend on which, where `unsafe` may
//! stand, that the modules of a crate do not import each other, how long a file and how wide a line
//! may be, and that each file says what lives there.

#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/modules.rs"]
mod modules;
#[path = "architecture/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use modules::Modules;
use source::{SourceFile, files, root};

/// Crate, folder, and the crates of this workspace that it may depend on.
const CRATES: &[(&str, &str, &[&str])] = &[
    ("wire", "wire", &[]),
    ("capture", "capture", &["wire"]),
    ("xdp", "xdp", &["wire"]),
    ("fact", "fact", &["wire"]),
    ("l7", "l7", &["wire", "fact"]),
    ("analyzer", "analyzer", &["wire", "fact", "l7"]),
    ("metrics", "metrics", &["wire", "fact"]),
    ("store", "store", &["wire", "fact"]),
    ("wirespan", ".", &["wire", "fact", "capture", "xdp", "l7", "analyzer", "metrics", "store"]),
];

/// Further crates that tests and benchmarks of a crate may use: those that read captures from
/// files.
const IN_TESTS: &[(&str, &[&str])] =
    &[("analyzer", &["capture"]), ("metrics", &["capture"]), ("store", &["capture"])];

/// Crates in which the compiler forbids `unsafe`.
const SAFE_CRATES: &[&str] = &["wire", "fact", "l7", "analyzer", "metrics", "store", "wirespan"];

/// Code lines that a source file may have, at most.
const LONGEST_FILE: usize = 500;
/// Files that are one table: as long as what they list.
const TABLES: &[&str] = &["l7/src/protocols/kafka/api.rs"];
/// Code lines that half of the files may have, at most.
const MEDIAN_FILE: usize = 130;
/// Code lines that nine files in ten may have, at most.
const NINE_IN_TEN: usize = 350;

/// Columns that a line of code or of a comment may have, at most. A line of code may be wider by
/// what stands in its string literals: a message in one piece can be searched for.
const COLUMNS: usize = 100;

fn source_folder(krate: &str) -> String {
    let folder =
        CRATES.iter().find(|(name, ..)| *name == krate).map_or(krate, |(_, folder, _)| folder);
    if folder == "." { "src".into() } else { format!("{folder}/src") }
}

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<&str> =
        packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let table: BTreeSet<&str> = CRATES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, table, "the workspace's members and the table of crates differ");

    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("name");
        let (_, _, allowed) =
            CRATES.iter().find(|(krate, ..)| *krate == name).expect("compared above");
        let in_tests =
            IN_TESTS.iter().find(|(krate, _)| *krate == name).map_or(&[][..], |(_, more)| more);
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let target = dependency["name"].as_str().expect("name");
            let for_tests = dependency["kind"] == "dev";
            let fine = !names.contains(target)
                || allowed.contains(&target)
                || for_tests && (in_tests.contains(&target) || target == name);
            if !fine {
                wrong.push(format!("{name} depends on {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "not in the table of crates:\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_only_where_it_may() {
    let mut wrong = Vec::new();
    for krate in SAFE_CRATES {
        let folder = source_folder(krate);
        let entry = if *krate == "wirespan" { "main.rs" } else { "lib.rs" };
        let text = std::fs::read_to_string(root().join(&folder).join(entry))
            .expect("a crate has its first file");
        if !text.contains("#![forbid(unsafe_code)]") {
            wrong.push(format!("{folder}/{entry} has no #![forbid(unsafe_code)]"));
        }
    }
    let with_unsafe = |folder: &str| -> Vec<String> {
        let with =
            files(folder, "rs").into_iter().filter(|file| file.code().contains_word("unsafe"));
        with.map(|file| file.path).collect()
    };
    wrong.extend(
        with_unsafe("capture/src").into_iter().filter(|path| !path.starts_with("capture/src/sys/")),
    );
    let in_xdp = with_unsafe("xdp/src");
    if in_xdp.len() > 1 {
        wrong.push(format!(
            "xdp has unsafe in more than the one module that reads kernel records: {in_xdp:?}"
        ));
    }
    assert!(wrong.is_empty(), "unsafe where it may not be:\n{}", wrong.join("\n"));
}

#[test]
fn modules_do_not_import_each_other() {
    let mut found = Vec::new();
    for (krate, ..) in CRATES {
        let folder = source_folder(krate);
        let modules = Modules::new(&folder, &files(&folder, "rs"));
        found.extend(modules.circles());
        found.extend(modules.two_way_parents());
    }
    assert!(found.is_empty(), "modules that import each other:\n{}", found.join("\n"));
}

#[test]
fn files_say_what_lives_there() {
    let all = CRATES.iter().flat_map(|(krate, ..)| files(&source_folder(krate), "rs"));
    let silent: Vec<_> =
        all.filter(|file| !file.says_what_lives_there()).map(|file| file.path).collect();
    assert!(
        silent.is_empty(),
        "files that do not begin with a line of //!:\n{}",
        silent.join("\n")
    );
}

#[test]
fn lines_are_narrow() {
    let mut wide = Vec::new();
    for (_, folder, _) in CRATES {
        for below in ["src", "tests", "benches"] {
            for file in files(&format!("{folder}/{below}"), "rs") {
                wide.extend(
                    file.lines_wider_than(COLUMNS)
                        .iter()
                        .map(|line| format!("{}:{line}", file.path)),
                );
            }
        }
    }
    assert!(wide.is_empty(), "wider than {COLUMNS} columns:\n{}", wide.join("\n"));
}

#[test]
fn files_are_small() {
    let mut lengths = BTreeMap::new();
    for (krate, ..) in CRATES {
        for file in files(&source_folder(krate), "rs") {
            lengths.insert(file.path.clone(), file.code_lines());
        }
    }
    for file in
        files("xdp/bpf", "c").into_iter().chain(files("xdp/bpf", "h")).chain(files("tests", "rs"))
    {
        lengths.insert(file.path.clone(), file.code_lines());
    }
    let is_table = |path: &str| TABLES.iter().any(|table| path.ends_with(table));
    let is_long = |(path, lines): &(&String, &usize)| **lines > LONGEST_FILE && !is_table(path);
    let long: Vec<_> = lengths.iter().filter(is_long).collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} code lines: {long:?}");
    let mut sorted: Vec<usize> = lengths.values().copied().collect();
    sorted.sort_unstable();
    let at = |share: f64| sorted[(((sorted.len() - 1) as f64) * share) as usize];
    assert!(at(0.5) <= MEDIAN_FILE, "half of the files have more than {} code lines", at(0.5));
    assert!(at(0.9) <= NINE_IN_TEN, "one file in ten has more than {} code lines", at(0.9));
}

/// The checks above say nothing if they find nothing: they must find what is put before them.
#[test]
fn the_checks_see_what_they_look_for() {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let circle = [
        file("x/src/lib.rs", "mod a;\nmod b;\npub use b::Thing;"),
        file("x/src/a.rs", "use std::fmt;\nuse crate::{Thing, c::D};"),
        file("x/src/b/mod.rs", "mod inner;\npub use inner::Thing;"),
        file("x/src/b/inner.rs", "fn f() -> super::super::a::E { loop {} }"),
    ];
    assert_eq!(Modules::new("x/src", &circle).circles(), ["x/src: a -> b -> a"]);
    let tree = [
        file("x/src/lib.rs", "mod a;\nmod b;"),
        file("x/src/a.rs", "use crate::b::F;"),
        file(
            "x/src/b.rs",
            "// use crate::a::G;\nconst S: &str = \"crate::a::G\";\n#[cfg(test)]\nmod tests { use crate::a::G; }",
        ),
    ];
    assert!(Modules::new("x/src", &tree).circles().is_empty());
    let with_tests = [
        file("x/src/lib.rs", "mod a;\n#[cfg(test)]\nmod testing;\nmod b;\nuse b::F;"),
        file("x/src/a.rs", "#[cfg(test)]\nmod tests;\nuse crate::b::F;"),
        file("x/src/a/tests.rs", "use crate::testing::T;"),
        file("x/src/testing.rs", "use crate::a::A;"),
        file("x/src/b.rs", "struct F;"),
    ];
    assert!(Modules::new("x/src", &with_tests).circles().is_empty());
    let child = |text: &str| {
        let parent = "mod b;\nmod c;\npub use c::D;\nuse b::B;\nuse std::fmt::Debug;\nstruct A;";
        let files = [
            file("x/src/lib.rs", "mod a;"),
            file("x/src/a/mod.rs", parent),
            file("x/src/a/c.rs", "pub struct D;"),
            file("x/src/a/b.rs", text),
        ];
        Modules::new("x/src", &files).two_way_parents()
    };
    assert_eq!(child("use super::A;"), ["x/src/a <-> b"]);
    assert_eq!(child("fn f(a: &crate::a::A) {}"), ["x/src/a <-> b"]);
    assert_eq!(child("use super::{A as E, D};"), ["x/src/a <-> b"]);
    assert!(child("pub(in super::super) struct B;").is_empty());
    assert!(child("use super::D;\nuse super::Debug;\nuse super::c::D as E;").is_empty());
    let parent = |text: &str| {
        let files = [
            file("x/src/lib.rs", text),
            file("x/src/b/mod.rs", "mod inner;\npub use inner::B;"),
            file("x/src/b/inner.rs", "use crate::A;\npub struct B;"),
        ];
        Modules::new("x/src", &files).two_way_parents()
    };
    assert_eq!(parent("mod b;\nuse b::B;\nstruct A;"), ["x/src <-> b"]);
    assert_eq!(parent("mod b;\nfn f() -> b::B { A }"), ["x/src <-> b"]);
    assert_eq!(parent("mod b;\npub use b::B;\nstruct A(B);"), ["x/src <-> b"]);
    assert!(parent("mod b;\npub use b::B;\nstruct A;").is_empty());
    let wide = |line: &str| file("x", &format!("\n{line}\n")).lines_wider_than(20);
    assert_eq!(wide("    // a comment that is long"), [2]);
    assert_eq!(wide("fn a_function_that_is_long() {}"), [2]);
    assert_eq!(wide("fn a() {} // \"and what it does\""), [2]);
    assert!(wide("const A: &str = \"text that is long\";").is_empty());
    assert!(wide("// ä, ö, ü: ä and ü").is_empty() && wide("// just at the edge").is_empty());
    assert!(file("x", "//! One.\n").says_what_lives_there());
    assert!(
        !file("x", "//!\n").says_what_lives_there()
            && !file("x", "/// One.\n").says_what_lives_there()
    );
    assert!(file("x", "fn f() { unsafe { g() } }").code().contains_word("unsafe"));
    assert!(
        !file("x", "#![forbid(unsafe_code)]\n/// unsafe\nconst A: &str = \"unsafe\";")
            .code()
            .contains_word("unsafe")
    );
    assert_eq!(file("x", "// one\n\nlet a = 1;\n/// two\n").code_lines(), 1);
}
