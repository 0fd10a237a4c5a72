//! Which module of a crate imports which, and whether that makes a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::SourceFile;

/// A module's place in its crate: the names from the root down.
type Path = Vec<String>;

struct Module {
    code: String,
    /// Names that this module makes visible from elsewhere in the crate.
    exports: BTreeMap<String, Path>,
}

/// Circles between the modules of one folder or of the crate's root, each as `FOLDER: a -> b -> a`.
///
/// A module and those below it count as one towards their neighbours; a module and its own children may use each other.
/// Modules that only tests have may use everything.
pub(crate) fn circles(folder: &str, files: &[SourceFile]) -> Vec<String> {
    let mut modules: BTreeMap<Path, Module> = BTreeMap::new();
    let mut in_tests: Vec<Path> = Vec::new();
    for file in files {
        let path = module_path(folder, &file.path);
        in_tests.extend(file.test_modules().into_iter().map(|name| [&path[..], &[name.to_owned()]].concat()));
    }
    for file in files {
        if in_tests.iter().any(|path| module_path(folder, &file.path).starts_with(path)) {
            continue;
        }
        let module = Module { code: file.code().as_str().to_owned(), exports: BTreeMap::new() };
        modules.insert(module_path(folder, &file.path), module);
    }
    let imports: BTreeMap<Path, Vec<Import>> =
        modules.iter().map(|(path, module)| (path.clone(), imports(&module.code))).collect();
    for (path, list) in &imports {
        for import in list.iter().filter(|import| import.exported) {
            let (Some(name), Some(target)) = (import.name.clone(), absolute(path, import, &modules)) else {
                continue;
            };
            if let Some(module) = modules.get_mut(path) {
                module.exports.insert(name, target);
            }
        }
    }

    let mut edges: BTreeMap<Path, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, list) in &imports {
        for import in list {
            let Some(target) = absolute(from, import, &modules) else { continue };
            let to = resolve(&target, &modules, 0);
            let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if let (Some(a), Some(b)) = (from.get(common), to.get(common)) {
                let level = edges.entry(from[..common].to_vec()).or_default();
                level.entry(a.clone()).or_default().insert(b.clone());
            }
        }
    }
    let mut found = Vec::new();
    for (level, graph) in &edges {
        let place =
            std::iter::once(folder).chain(level.iter().map(String::as_str)).collect::<Vec<_>>().join("/");
        found.extend(circle(graph).map(|circle| format!("{place}: {}", circle.join(" -> "))));
    }
    found
}

fn module_path(folder: &str, file: &str) -> Path {
    let inner = file.strip_prefix(folder).unwrap_or(file).trim_start_matches('/').trim_end_matches(".rs");
    let mut path: Path = inner.split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        path.pop();
    }
    path
}

struct Import {
    segments: Vec<String>,
    /// The name under which it is known here; none for a glob.
    name: Option<String>,
    exported: bool,
}

/// Everything that the code names by a path: in `use`, and in place by `crate::` or `super::`.
fn imports(code: &str) -> Vec<Import> {
    let mut list = Vec::new();
    let mut rest = code;
    while let Some(at) = next_use(rest) {
        let exported = rest[..at].trim_end().ends_with("pub") || rest[..at].trim_end().ends_with(')');
        let statement = &rest[at + "use ".len()..];
        let end = statement.find(';').unwrap_or(statement.len());
        expand(&statement[..end], &[], exported, &mut list);
        rest = &statement[end..];
    }
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "_:{$".contains(c)) {
                continue;
            }
            let path: String =
                code[at..].chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect();
            let segments = path.split("::").filter(|s| !s.is_empty()).map(str::to_owned).collect();
            list.push(Import { segments, name: None, exported: false });
        }
    }
    list
}

fn next_use(code: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = code[from..].find("use ").map(|at| from + at) {
        let before = code[..at].chars().next_back();
        if before.is_none_or(|c| c.is_whitespace() || c == '}' || c == ';') {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// One tree of a `use` statement into its paths.
fn expand(tree: &str, prefix: &[String], exported: bool, list: &mut Vec<Import>) {
    let tree = tree.trim();
    let (head, group) = match tree.find('{') {
        Some(open) => (&tree[..open], tree[open + 1..].strip_suffix('}')),
        None => (tree, None),
    };
    let (path, alias) =
        head.split_once(" as ").map_or((head, None), |(path, alias)| (path, Some(alias.trim())));
    let mut segments = prefix.to_vec();
    segments.extend(path.split("::").map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned));
    if let Some(group) = group {
        for part in split_group(group) {
            expand(part, &segments, exported, list);
        }
        return;
    }
    let name = match segments.last().map(String::as_str) {
        Some("*") => {
            segments.pop();
            None
        }
        Some("self") => {
            segments.pop();
            segments.last().cloned()
        }
        _ => segments.last().cloned(),
    };
    let name = alias.map(str::to_owned).or(name);
    if !segments.is_empty() {
        list.push(Import { segments, name, exported });
    }
}

/// The parts of a group, split at the commas of its own level.
fn split_group(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The path from the crate's root, if the import stays in the crate.
fn absolute(from: &Path, import: &Import, modules: &BTreeMap<Path, Module>) -> Option<Path> {
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
        Some(first) => {
            let child: Path = from.iter().cloned().chain([first.to_owned()]).collect();
            modules.get(&child)?;
        }
        None => return None,
    }
    base.extend(segments.cloned());
    Some(base)
}

/// The module in which the thing at `path` is, through re-exports.
fn resolve(path: &Path, modules: &BTreeMap<Path, Module>, depth: usize) -> Path {
    let mut at: Path = Vec::new();
    for (index, segment) in path.iter().enumerate() {
        let child: Path = at.iter().cloned().chain([segment.clone()]).collect();
        if modules.contains_key(&child) {
            at = child;
            continue;
        }
        let export = modules.get(&at).and_then(|module| module.exports.get(segment));
        return match export {
            Some(target) if depth < 8 => {
                let full: Path = target.iter().chain(&path[index + 1..]).cloned().collect();
                resolve(&full, modules, depth + 1)
            }
            _ => at,
        };
    }
    at
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
