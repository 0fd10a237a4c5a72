//! Selects the interfaces to tap by names and globs.

use globset::{Glob, GlobMatcher};
use wire::TapKind;

use super::interface::Interface;
use crate::Error;

/// Which interfaces to tap: names, globs (`veth*`), `any`, and `!pattern` for what not to tap,
/// whatever other patterns match.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

/// What a [`Selector`] chooses for an interface, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Whether to tap it.
    pub tap: bool,
    /// Why, or why not, for people: `matches veth*`.
    pub reason: String,
}

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, Error> {
        let fail = |problem: String| Error::Pattern { pattern: text.to_owned(), problem };
        if text.is_empty() {
            return Err(fail("is empty".into()));
        }
        let glob = Glob::new(text).map_err(|e| fail(e.kind().to_string()))?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// Whether it is a plain name, which was meant to be there.
    fn is_name(&self) -> bool {
        !self.text.contains(['*', '?', '[', '{'])
    }
}

impl Selector {
    /// Selector from patterns; from none, or only from exclusions, the default: everything that is
    /// up, except loopback and dummy devices.
    ///
    /// # Errors
    /// [`Error::Pattern`] for a glob that is not valid.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, Error> {
        let mut selector = Self::default();
        for pattern in patterns {
            match pattern.as_ref().strip_prefix('!') {
                Some(excluded) => selector.exclude.push(Pattern::new(excluded)?),
                None if pattern.as_ref() == "any" => selector.include.push(Pattern::new("*")?),
                None => selector.include.push(Pattern::new(pattern.as_ref())?),
            }
        }
        Ok(selector)
    }

    /// Whether to tap `interface`. One that is down is chosen when its name matches: it may come
    /// up.
    pub fn choose(&self, interface: &Interface) -> Choice {
        let choice = |tap, reason: String| Choice { tap, reason };
        let matches = |pattern: &&Pattern| pattern.matcher.is_match(&interface.name);
        if let Some(pattern) = self.exclude.iter().find(matches) {
            return choice(false, format!("excluded by !{}", pattern.text));
        }
        if !self.include.is_empty() {
            return match self.include.iter().find(matches) {
                Some(pattern) if pattern.is_name() => choice(true, "named".into()),
                Some(pattern) if pattern.text == "*" => choice(true, "any interface".into()),
                Some(pattern) => choice(true, format!("matches {}", pattern.text)),
                None => choice(false, "matches no pattern".into()),
            };
        }
        match interface.kind {
            TapKind::Loopback => choice(false, "loopback is not tapped unless named".into()),
            _ if interface.driver_kind == "dummy" => {
                choice(false, "dummy devices are not tapped unless named".into())
            }
            _ if !interface.up => choice(false, "is down".into()),
            _ => choice(true, "is up".into()),
        }
    }

    /// Names (not globs) that are asked for and belong to none of `interfaces`.
    pub fn missing<'a>(
        &self,
        interfaces: impl Iterator<Item = &'a Interface> + Clone,
    ) -> Vec<&str> {
        let is_missing =
            |p: &&Pattern| p.is_name() && !interfaces.clone().any(|i| i.name == p.text);
        self.include.iter().filter(is_missing).map(|p| p.text.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use wire::LinkType;

    use super::*;

    fn interface(name: &str, kind: TapKind, up: bool) -> Interface {
        Interface {
            index: 7,
            name: name.into(),
            kind,
            driver_kind: if name.starts_with("dummy") { "dummy".into() } else { String::new() },
            peer: None,
            peer_namespace: None,
            master: None,
            up,
            mtu: 1500,
            link_type: LinkType::Ethernet,
        }
    }

    fn choice(patterns: &[&str], interface: &Interface) -> (bool, String) {
        let choice = Selector::new(patterns).unwrap().choose(interface);
        (choice.tap, choice.reason)
    }

    #[test]
    fn without_patterns_everything_that_is_up_but_lo_and_dummies() {
        assert_eq!(choice(&[], &interface("veth1", TapKind::Veth, true)), (true, "is up".into()));
        assert_eq!(
            choice(&[], &interface("veth1", TapKind::Veth, false)),
            (false, "is down".into())
        );
        assert!(!choice(&[], &interface("dummy0", TapKind::Other, true)).0);
        let lo = interface("lo", TapKind::Loopback, true);
        assert_eq!(choice(&[], &lo), (false, "loopback is not tapped unless named".into()));
        assert_eq!(choice(&["lo"], &lo), (true, "named".into()));
        assert_eq!(choice(&["!veth*"], &lo).1, "loopback is not tapped unless named");
    }

    #[test]
    fn exclusion_wins() {
        let veth = interface("veth1a2b", TapKind::Veth, true);
        assert_eq!(choice(&["veth*"], &veth), (true, "matches veth*".into()));
        assert_eq!(choice(&["any", "!veth1*"], &veth), (false, "excluded by !veth1*".into()));
        assert_eq!(choice(&["eth*"], &veth), (false, "matches no pattern".into()));
        assert_eq!(choice(&["any"], &veth), (true, "any interface".into()));
    }

    #[test]
    fn what_is_named_and_not_there_is_listed() {
        let all = [interface("eth0", TapKind::Physical, true)];
        let selector = Selector::new(&["eth0", "eth1", "veth*", "!lo"]).unwrap();
        assert_eq!(selector.missing(all.iter()), ["eth1"]);
        let error = Selector::new(&["veth["]).unwrap_err().to_string();
        assert!(error.starts_with("interface pattern `veth[`: "), "{error}");
    }
}
