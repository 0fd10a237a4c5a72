//! Which module of a crate imports which, and whether that goes both ways.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::{Import, imports};
use crate::source::SourceFile;

/// A module's place in its crate: the names from the root down.
type Path = Vec<String>;

/// The modules of a crate, without those that only tests have.
pub(crate) struct Modules {
    folder: String,
    modules: BTreeMap<Path, Module>,
}

struct Module {
    imports: Vec<Import>,
    /// The code without its `use` statements.
    body: String,
    /// Names that `use` brings into it.
    names: BTreeMap<String, Name>,
}

struct Name {
    /// From the crate's root; none if another crate has it.
    from: Option<Path>,
    exported: bool,
}

/// Which `use` statements lead to the definition of a name.
#[derive(Clone, Copy, PartialEq)]
enum Through {
    /// Those that all modules see.
    Exports,
    /// Those that the modules below see: all.
    All,
}

impl Modules {
    /// The modules in all `files` below `folder`.
    pub(crate) fn new(folder: &str, files: &[SourceFile]) -> Self {
        let mut in_tests: Vec<Path> = Vec::new();
        for file in files {
            let path = module_path(folder, &file.path);
            in_tests.extend(
                file.test_modules()
                    .into_iter()
                    .map(|name| [&path[..], &[name.to_owned()]].concat()),
            );
        }
        let code: BTreeMap<Path, String> = files
            .iter()
            .map(|file| (module_path(folder, &file.path), file.code().as_str().to_owned()))
            .filter(|(path, _)| !in_tests.iter().any(|test| path.starts_with(test)))
            .collect();
        let read = |(path, text): (&Path, &String)| {
            let is_child = |name: &str| code.contains_key(&child(path, name));
            let (imports, body) = imports(text, is_child);
            let names = imports.iter().filter_map(|import| {
                let from = absolute(path, import, is_child);
                Some((import.name.clone()?, Name { from, exported: import.exported }))
            });
            let names = names.collect();
            (path.clone(), Module { imports, body, names })
        };
        Self { folder: folder.into(), modules: code.iter().map(read).collect() }
    }

    /// Circles between the modules of one folder or of the crate's root, each as `FOLDER: a -> b ->
    /// a`. A module and those below it count as one towards their neighbours.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut edges: BTreeMap<Path, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (from, _, to) in self.edges(Through::Exports) {
            let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if let (Some(a), Some(b)) = (from.get(common), to.get(common)) {
                let level = edges.entry(from[..common].to_vec()).or_default();
                level.entry(a.clone()).or_default().insert(b.clone());
            }
        }
        let found = edges.iter().filter_map(|(level, graph)| {
            Some(format!("{}: {}", self.place(level), circle(graph)?.join(" -> ")))
        });
        found.collect()
    }

    /// Modules that import from a module below them which imports what they themselves define, each
    /// as `FOLDER <-> child`. To re-export a name and not to mention it otherwise is not to import
    /// it.
    pub(crate) fn two_way_parents(&self) -> Vec<String> {
        let (mut down, mut up) = (BTreeSet::new(), BTreeSet::new());
        for (from, import, to) in self.edges(Through::All) {
            if to.len() > from.len() && to.starts_with(from) {
                let name = import.name.as_deref().unwrap_or_default();
                if !import.exported || self.modules[from].mentions(name) {
                    down.insert((from.clone(), to[from.len()].clone()));
                }
            } else if from.len() > to.len() && from.starts_with(&to) {
                let below = from[to.len()].clone();
                up.insert((to, below));
            }
        }
        let both = down.intersection(&up);
        both.map(|(upper, child)| format!("{} <-> {child}", self.place(upper))).collect()
    }

    /// Every import that stays in the crate: the module, what it imports, and the module that
    /// defines it.
    fn edges(&self, through: Through) -> impl Iterator<Item = (&Path, &Import, Path)> {
        let all = self
            .modules
            .iter()
            .flat_map(|(from, module)| module.imports.iter().map(move |i| (from, i)));
        all.filter_map(move |(from, import)| {
            let path =
                absolute(from, import, |name| self.modules.contains_key(&child(from, name)))?;
            Some((from, import, self.resolve(&path, through, 0)?))
        })
    }

    /// The module that defines the thing at `path`; none if another crate does.
    fn resolve(&self, path: &Path, through: Through, depth: usize) -> Option<Path> {
        let mut at: Path = Vec::new();
        for (index, segment) in path.iter().enumerate() {
            let below = child(&at, segment);
            if self.modules.contains_key(&below) {
                at = below;
                continue;
            }
            let name = self.modules.get(&at).and_then(|module| module.names.get(segment));
            return match name {
                Some(name) if depth < 8 && (name.exported || through == Through::All) => {
                    let full: Path =
                        name.from.iter().flatten().chain(&path[index + 1..]).cloned().collect();
                    name.from.as_ref()?;
                    self.resolve(&full, through, depth + 1)
                }
                _ => Some(at),
            };
        }
        Some(at)
    }

    fn place(&self, path: &Path) -> String {
        std::iter::once(&self.folder).chain(path).map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

impl Module {
    /// Whether the code has this name outside of `use`.
    fn mentions(&self, name: &str) -> bool {
        self.body.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
    }
}

fn child(path: &Path, name: &str) -> Path {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

fn module_path(folder: &str, file: &str) -> Path {
    let inner =
        file.strip_prefix(folder).unwrap_or(file).trim_start_matches('/').trim_end_matches(".rs");
    let mut path: Path = inner.split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        path.pop();
    }
    path
}

/// The path from the crate's root, if the import stays in the crate.
fn absolute(from: &Path, import: &Import, is_child: impl Fn(&str) -> bool) -> Option<Path> {
    let mut base = from.clone();
    let mut segments = import.segments.iter().peekable();
    match segments.peek().map(|s| s.as_str()) {
        Some("crate") => {
            base.clear();
            segments.next();
        }
        Some("self") => {
            segments.next();
        }
        Some("super") => {
            while segments.next_if(|s| *s == "super").is_some() {
                base.pop()?;
            }
        }
        Some(first) if is_child(first) => {}
        _ => return None,
    }
    base.extend(segments.cloned());
    Some(base)
}

/// One circle of the graph, if there is any, from its first module round to it.
fn circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    graph.keys().find_map(|start| {
        let mut ways = vec![vec![start.clone()]];
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop() {
            for next in way.last().and_then(|last| graph.get(last)).into_iter().flatten() {
                let longer: Vec<String> = way.iter().cloned().chain([next.clone()]).collect();
                if next == start {
                    return Some(longer);
                }
                if seen.insert(next.clone()) {
                    ways.push(longer);
                }
            }
        }
        None
    })
}
