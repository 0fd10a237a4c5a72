//! Loads settings from file, environment and flags.

use std::path::Path;

use super::keys::{KEYS, Key, SECTIONS};
use super::mistake::Mistake;
use super::settings::Settings;
use crate::failure::Failure;

/// Where settings come from besides the defaults, weakest first.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    /// `--config FILE`.
    pub(crate) file: Option<&'a Path>,
    /// The process's environment, as names and values.
    pub(crate) environment: Vec<(String, String)>,
    /// What flags say: key as `section.name`, value in the notation of the environment, and the
    /// flag for messages.
    pub(crate) flags: Vec<(&'static str, String, &'static str)>,
}

impl Sources<'_> {
    /// The environment of this process; names and values that are not UTF-8 cannot be ours.
    pub(crate) fn process_environment() -> Vec<(String, String)> {
        std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect()
    }
}

/// Settings from defaults, file, environment and flags, each stronger than the one before.
///
/// # Errors
/// Every mistake in all of them, one line each.
pub(crate) fn load(sources: &Sources<'_>) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    let mut mistakes = Vec::new();
    if let Some(path) = sources.file {
        apply_file(&mut settings, path, &mut mistakes)?;
    }
    apply_environment(&mut settings, &sources.environment, &mut mistakes);
    for (name, text, flag) in &sources.flags {
        let key = KEYS.iter().find(|key| key.is(name));
        debug_assert!(key.is_some(), "flags name keys of the table");
        if let Some(key) = key {
            put_text(&mut settings, key, text, (*flag).to_owned(), &mut mistakes);
        }
    }
    finish(settings, mistakes)
}

/// Checks a file by itself, without the environment.
///
/// # Errors
/// Every mistake in it, one line each.
pub(crate) fn check_file(path: &Path) -> Result<Settings, Failure> {
    load(&Sources { file: Some(path), ..Sources::default() })
}

fn finish(settings: Settings, mut mistakes: Vec<Mistake>) -> Result<Settings, Failure> {
    if mistakes.is_empty() {
        mistakes.extend(
            settings
                .contradictions()
                .into_iter()
                .map(|problem| Mistake { place: "configuration".into(), problem }),
        );
    }
    if mistakes.is_empty() {
        return Ok(settings);
    }
    let mut failure = Failure::usage("");
    failure.lines = mistakes.iter().map(Mistake::to_string).collect();
    Err(failure)
}

fn apply_file(
    settings: &mut Settings,
    path: &Path,
    mistakes: &mut Vec<Mistake>,
) -> Result<(), Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("{name}: {e}")))?;
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map_or(1, |span| {
                1 + text.get(..span.start).map_or(0, |t| t.matches('\n').count())
            });
            mistakes.push(Mistake {
                place: format!("{name}:{line}"),
                problem: error.message().trim().to_owned(),
            });
            return Ok(());
        }
    };
    for (section, content) in &table {
        if !SECTIONS.iter().any(|(known, _)| known == section) {
            let known = SECTIONS.iter().map(|(known, _)| (*known).to_owned());
            mistakes.push(Mistake::unknown(name.to_string(), "section", section, known));
            continue;
        }
        let Some(content) = content.as_table() else {
            mistakes.push(Mistake::value(
                name.to_string(),
                section,
                &shown(content),
                format!("a section, [{section}]"),
            ));
            continue;
        };
        for (key_name, value) in content {
            let Some(key) = KEYS.iter().find(|key| key.section == section && key.name == key_name)
            else {
                let known =
                    KEYS.iter().filter(|key| key.section == section).map(|key| key.name.to_owned());
                mistakes.push(Mistake::unknown(
                    format!("{name}: [{section}]"),
                    "key",
                    key_name,
                    known,
                ));
                continue;
            };
            let put =
                key.kind.read_toml(value).is_some_and(|value| (key.field)(settings).put(&value));
            if !put {
                mistakes.push(Mistake::value(
                    name.to_string(),
                    &key.path(),
                    &shown(value),
                    key.kind,
                ));
            }
        }
    }
    Ok(())
}

/// Takes `WIRESPAN_SECTION_KEY`. An unknown key of a known section is a mistake; other names that
/// merely begin alike (`WIRESPAN_SERVICE_HOST`, as container orchestrators set them) are not ours.
fn apply_environment(
    settings: &mut Settings,
    environment: &[(String, String)],
    mistakes: &mut Vec<Mistake>,
) {
    for (name, text) in environment {
        let Some(rest) = name.strip_prefix("WIRESPAN_") else { continue };
        if let Some(key) = KEYS.iter().find(|key| key.environment() == *name) {
            put_text(settings, key, text, name.clone(), mistakes);
        } else if SECTIONS
            .iter()
            .any(|(s, _)| rest.strip_prefix(&s.to_uppercase()).is_some_and(|r| r.starts_with('_')))
        {
            mistakes.push(Mistake::unknown(
                "environment".into(),
                "variable",
                name,
                KEYS.iter().map(Key::environment),
            ));
        }
    }
}

fn put_text(
    settings: &mut Settings,
    key: &Key,
    text: &str,
    place: String,
    mistakes: &mut Vec<Mistake>,
) {
    if !key.kind.read_text(text).is_some_and(|value| (key.field)(settings).put(&value)) {
        mistakes.push(Mistake::value(place, &key.path(), &format!("\"{text}\""), key.kind));
    }
}

fn shown(value: &toml::Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 {
        format!("{}…", text.chars().take(59).collect::<String>())
    } else {
        text
    }
}
