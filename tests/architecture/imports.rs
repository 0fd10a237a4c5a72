//! What a module names by a path: in `use`, and in place.

/// One path.
pub(crate) struct Import {
    pub(crate) segments: Vec<String>,
    /// The name under which it is known here; none for a glob and for a path in place.
    pub(crate) name: Option<String>,
    /// Whether others see that name too.
    pub(crate) exported: bool,
}

/// Everything that the code names by a path: in `use`, and in place by `crate::`, `super::`,
/// `self::` or the name of a module that `is_child` knows. Also returns the code without its `use`
/// statements.
pub(crate) fn imports(code: &str, is_child: impl Fn(&str) -> bool) -> (Vec<Import>, String) {
    let (mut list, mut body) = (Vec::new(), String::new());
    let mut rest = code;
    while let Some(at) = next_use(rest) {
        let before = rest[..at].trim_end();
        let exported = before.ends_with("pub") || before.ends_with(')');
        body.push_str(&rest[..at]);
        let statement = &rest[at + "use ".len()..];
        let end = statement.find(';').unwrap_or(statement.len());
        expand(&statement[..end], &[], exported, &mut list);
        rest = &statement[end..];
    }
    body.push_str(rest);
    // A visibility is no import.
    while let Some(at) = body.find("pub(in ") {
        let end = body[at..].find(')').map_or(body.len(), |length| at + length);
        body.replace_range(at + "pub".len()..end, "");
    }
    let is_part = |c: char| c.is_alphanumeric() || "_:".contains(c);
    for path in body.split(|c| !is_part(c)).filter(|path| path.contains("::")) {
        let segments: Vec<String> = path.split("::").map(str::to_owned).collect();
        let first = segments[0].as_str();
        if ["crate", "super", "self"].contains(&first) || is_child(first) {
            let segments = segments.into_iter().filter(|segment| !segment.is_empty()).collect();
            list.push(Import { segments, name: None, exported: false });
        }
    }
    (list, body)
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
