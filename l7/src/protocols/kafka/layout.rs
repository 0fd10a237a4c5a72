//! Layouts of message bodies: a list of fields for each message, with the versions that have each
//! of them.

/// What a field is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Nothing,
    Topic,
    TopicId,
    /// A topic's name in metadata, followed by its id (`LearnedTopicId`).
    LearnedTopic,
    LearnedTopicId,
    Partition,
    Group,
    /// Name of a group or of a transaction; `KeyType` tells which.
    Key,
    KeyType,
    Transaction,
    Acks,
    Error,
    Mechanism,
    Software,
    SoftwareVersion,
}

/// Encoding of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// So many bytes, big-endian.
    Fixed(u8),
    Text,
    Blob,
    /// Batches of records.
    Records,
    /// Structures, each with tagged fields at its end in flexible versions.
    Array(&'static [Field]),
    /// Values without tagged fields.
    List(&'static [Field]),
    /// The rest of the message is not used.
    Stop,
}

/// A field and the versions from `since` to `until` that have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) form: Form,
    pub(super) meaning: Meaning,
    pub(super) since: u8,
    pub(super) until: u8,
}

impl Field {
    pub(super) const fn since(self, version: u8) -> Self {
        Self { since: version, ..self }
    }

    pub(super) const fn until(self, version: u8) -> Self {
        Self { until: version, ..self }
    }

    const fn new(form: Form, meaning: Meaning) -> Self {
        Self { form, meaning, since: 0, until: u8::MAX }
    }
}

/// Bytes that are not used.
pub(super) const fn skip(bytes: u8) -> Field {
    Field::new(Form::Fixed(bytes), Meaning::Nothing)
}

pub(super) const fn int(bytes: u8, meaning: Meaning) -> Field {
    Field::new(Form::Fixed(bytes), meaning)
}

/// A UUID.
pub(super) const fn id(meaning: Meaning) -> Field {
    Field::new(Form::Fixed(16), meaning)
}

pub(super) const fn text(meaning: Meaning) -> Field {
    Field::new(Form::Text, meaning)
}

/// A text that is not used.
pub(super) const fn string() -> Field {
    Field::new(Form::Text, Meaning::Nothing)
}

pub(super) const fn blob() -> Field {
    Field::new(Form::Blob, Meaning::Nothing)
}

pub(super) const fn records() -> Field {
    Field::new(Form::Records, Meaning::Nothing)
}

pub(super) const fn array(fields: &'static [Field]) -> Field {
    Field::new(Form::Array(fields), Meaning::Nothing)
}

pub(super) const fn list(fields: &'static [Field]) -> Field {
    Field::new(Form::List(fields), Meaning::Nothing)
}

pub(super) const fn stop() -> Field {
    Field::new(Form::Stop, Meaning::Nothing)
}
