//! Lines of the text protocol: words, forms of commands and final words of responses.

/// Longest line that is waited for.
pub(super) const LONGEST: usize = 8192;

/// The line at the beginning without its end, and its length with it. The first `searched` bytes
/// hold no line end.
pub(super) fn line(bytes: &[u8], searched: usize) -> Option<(&[u8], usize)> {
    let end = memchr::memchr(b'\n', bytes.get(searched..)?)? + searched;
    let text = &bytes[..end];
    Some((text.strip_suffix(b"\r").unwrap_or(text), end + 1))
}

/// Words between single spaces.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&b| b == b' ').filter(|word| !word.is_empty())
}

/// A word that is a number.
pub(super) fn number(word: Option<&[u8]>) -> Option<u64> {
    std::str::from_utf8(word?).ok()?.parse().ok()
}

/// The arguments of a command, and what follows its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Key, flags, expiry, length. The value follows.
    Store,
    /// Key, length, meta flags. The value follows.
    MetaStore,
    /// Key, meta flags.
    Meta,
    /// Keys.
    Get,
    /// An expiry and keys.
    GetAndTouch,
    /// A key and further arguments.
    Key,
    /// No key.
    Other,
}

/// The form of the command of this name.
pub(super) fn form(name: &[u8]) -> Option<Form> {
    Some(match name {
        b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => Form::Store,
        b"ms" => Form::MetaStore,
        b"mg" | b"md" | b"ma" | b"me" => Form::Meta,
        b"get" | b"gets" => Form::Get,
        b"gat" | b"gats" => Form::GetAndTouch,
        b"delete" | b"incr" | b"decr" | b"touch" => Form::Key,
        b"mn" | b"stats" | b"version" | b"verbosity" | b"flush_all" | b"quit" | b"slabs"
        | b"lru" | b"lru_crawler" | b"watch" | b"cache_memlimit" | b"shutdown" | b"config"
        | b"refresh_certs" | b"extstore" | b"misbehave" => Form::Other,
        _ => return None,
    })
}

/// Whether the server honours `noreply` behind a command. It responds to the others in any case.
pub(super) fn honours_noreply(form: Form, name: &[u8]) -> bool {
    match form {
        Form::Store | Form::Key => true,
        Form::Other => !matches!(name, b"version" | b"stats" | b"mn"),
        Form::Meta | Form::MetaStore | Form::Get | Form::GetAndTouch => false,
    }
}

/// Length of the value that follows the line.
pub(super) fn value_length(form: Form, line: &[u8]) -> Option<u64> {
    match form {
        Form::Store => number(words(line).nth(4)),
        Form::MetaStore => number(words(line).nth(2)),
        _ => None,
    }
}

/// Whether a word is the first of a response's last line.
pub(super) fn is_final_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"STORED"
            | b"NOT_STORED"
            | b"EXISTS"
            | b"NOT_FOUND"
            | b"DELETED"
            | b"TOUCHED"
            | b"OK"
            | b"END"
            | b"RESET"
            | b"ERROR"
            | b"CLIENT_ERROR"
            | b"SERVER_ERROR"
            | b"VERSION"
            | b"HD"
            | b"EN"
            | b"NS"
            | b"EX"
            | b"NF"
            | b"MN"
            | b"ME"
            | b"BUSY"
            | b"BADCLASS"
            | b"NOSPARE"
            | b"NOTFULL"
            | b"UNSAFE"
            | b"SAME"
    ) || !word.is_empty() && word.len() <= 20 && word.iter().all(u8::is_ascii_digit)
}
