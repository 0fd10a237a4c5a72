//! The example configuration is written from the table of keys, so that it can neither lag behind
//! nor lie about a default.

use std::fmt::Write;

use super::keys::{KEYS, SECTIONS};
use super::settings::Settings;

/// The text of `dist/wirespan.toml`: every key with its explanation, its allowed values and its
/// default, commented out.
pub(crate) fn example() -> String {
    let mut defaults = Settings::default();
    let mut text = String::from(
        "# Configuration of Wirespan. Every key stands here with its default; remove the leading `#` to change one.\n\
         # A flag of the command line is stronger than the environment (WIRESPAN_SECTION_KEY), which is stronger than this file.\n\
         # Check a changed file with: wirespan check-config FILE\n",
    );
    for (section, about) in SECTIONS {
        let _ = write!(text, "\n[{section}]\n# {about}\n");
        for key in KEYS.iter().filter(|key| key.section == *section) {
            let value = (key.field)(&mut defaults).get();
            let shown = value
                .map_or_else(|| "\"\"".to_owned(), |value| key.kind.to_toml(&value).to_string());
            let _ = write!(
                text,
                "\n# {} ({}; {})\n#{} = {shown}\n",
                key.doc,
                key.kind,
                key.environment(),
                key.name
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::kind::{Kind, Value};
    use super::*;

    /// `WIRESPAN_BLESS=1 cargo test example` writes the file anew.
    #[test]
    fn the_example_file_is_the_table_of_keys() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/wirespan.toml");
        if std::env::var_os("WIRESPAN_BLESS").is_some() {
            std::fs::write(path, example()).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == example(),
            "dist/wirespan.toml is out of date: run with WIRESPAN_BLESS=1"
        );
    }

    #[test]
    fn every_default_is_allowed_by_its_own_kind_and_every_key_stands_in_a_section() {
        let mut defaults = Settings::default();
        for key in KEYS {
            assert!(SECTIONS.iter().any(|(section, _)| *section == key.section), "{}", key.path());
            if let Some(value) = (key.field)(&mut defaults).get() {
                let toml = key.kind.to_toml(&value);
                assert_eq!(
                    key.kind.read_toml(&toml).as_ref(),
                    Some(&value),
                    "{} = {toml}",
                    key.path()
                );
                assert!((key.field)(&mut defaults).put(&value), "{}", key.path());
            }
        }
    }

    #[test]
    fn every_word_of_a_choice_is_a_value_of_its_field() {
        let mut settings = Settings::default();
        for key in KEYS {
            let Kind::Choice(words) = key.kind else { continue };
            for word in words {
                let value = Value::Text((*word).to_owned());
                assert!((key.field)(&mut settings).put(&value), "{} = {word}", key.path());
                assert_eq!((key.field)(&mut settings).get(), Some(value), "{}", key.path());
            }
        }
    }

    #[test]
    fn names_are_unique_also_in_the_environment() {
        let mut names: Vec<_> = KEYS.iter().map(super::super::keys::Key::environment).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
    }
}
