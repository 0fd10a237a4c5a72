//! Source files as the checks read them.

use std::path::{Path, PathBuf};

/// A file of the repository.
pub(crate) struct SourceFile {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Source text without comments, and with empty strings.
pub(crate) struct Code(String);

impl SourceFile {
    /// Lines that are neither empty nor only a comment.
    pub(crate) fn code_lines(&self) -> usize {
        let lines = self.text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    }

    /// The code, without the unit tests at its end.
    pub(crate) fn code(&self) -> Code {
        let inline =
            |at: &usize| self.text[*at..].lines().nth(1).is_some_and(|line| line.contains('{'));
        let tests = self.text.match_indices("#[cfg(test)]\nmod ").map(|(at, _)| at).find(inline);
        Code(reduced(&self.text[..tests.unwrap_or(self.text.len())], false))
    }

    /// Whether it begins with a line of `//!` that has words.
    pub(crate) fn says_what_lives_there(&self) -> bool {
        self.text
            .lines()
            .next()
            .is_some_and(|line| line.starts_with("//! ") && line.len() > "//! ".len())
    }

    /// Numbers of the lines with more than `columns` characters, not counting what stands in string
    /// literals.
    pub(crate) fn lines_wider_than(&self, columns: usize) -> Vec<usize> {
        let text = reduced(&self.text, true);
        let numbered = (1..).zip(text.lines());
        numbered
            .filter(|(_, line)| line.chars().count() > columns)
            .map(|(number, _)| number)
            .collect()
    }

    /// Names of the modules in files of their own that only tests have.
    pub(crate) fn test_modules(&self) -> Vec<&str> {
        let after =
            self.text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| rest.lines().next());
        after
            .filter_map(|line| line.strip_suffix(';')?.rsplit_once("mod "))
            .map(|(_, name)| name)
            .collect()
    }
}

impl Code {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn contains_word(&self, word: &str) -> bool {
        let mut parts = self.0.split(|c: char| !c.is_alphanumeric() && c != '_');
        parts.any(|part| part == word)
    }
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with this extension, in the order of their paths.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path
                    .strip_prefix(root())
                    .expect("below the root")
                    .to_string_lossy()
                    .into_owned();
                found.push(SourceFile {
                    path: name,
                    text: std::fs::read_to_string(&path).expect("readable"),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The text with empty strings, and without comments unless they are asked for. Lines stay lines.
fn reduced(text: &str, with_comments: bool) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let string = raw_string(rest).or_else(|| (c == '"').then(|| string_length(rest)));
        let comment = rest.starts_with("//").then(|| rest.find('\n').unwrap_or(rest.len()));
        let comment = comment.or_else(|| {
            rest.starts_with("/*").then(|| rest.find("*/").map_or(rest.len(), |end| end + 2))
        });
        let length = if let Some(length) = comment {
            if with_comments {
                code.push_str(&rest[..length]);
            } else {
                code.extend(rest[..length].matches('\n'));
            }
            length
        } else if let Some(length) = string {
            code.push_str("\"\"");
            code.extend(rest[..length].matches('\n'));
            length
        } else if let Some(length) = char_literal(rest) {
            code.push('0');
            length
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    code
}

/// Length of the string literal at the start, with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of the raw string literal at the start, if there is one.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?.bytes().take_while(|b| *b == b'#').count();
    let open = 1 + hashes;
    if !text[open..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    Some(text[open + 1..].find(&close).map_or(text.len(), |end| open + 1 + end + close.len()))
}

/// Length of the character literal at the start, if there is one; a lifetime is none.
fn char_literal(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    if let Some(escape) = inner.strip_prefix('\\') {
        let first = escape.chars().next()?.len_utf8();
        return escape[first..].find('\'').map(|end| 2 + first + end + 1);
    }
    let c = inner.chars().next()?;
    inner[c.len_utf8()..].starts_with('\'').then_some(2 + c.len_utf8())
}
