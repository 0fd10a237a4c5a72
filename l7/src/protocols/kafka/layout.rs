//! How the bodies of messages are written down: one list of fields a message, with the versions
//! that have each of them.

/// What a field says that is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Nothing,
    Topic,
    TopicId,
    /// A topic's name in metadata, followed by its id.
    Learn,
    LearnId,
    Partition,
    Group,
    /// Name of a group or of a transaction, which `KeyType` decides.
    Key,
    KeyType,
    Transaction,
    Acks,
    Error,
    Mechanism,
    Software,
    SoftwareVersion,
}

/// How a field is written.
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
    /// Bare values.
    List(&'static [Field]),
    /// What follows is of no interest.
    Stop,
}

/// A field and the versions from `since` to `until` that have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) form: Form,
    pub(super) what: What,
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

    const fn new(form: Form, what: What) -> Self {
        Self { form, what, since: 0, until: u8::MAX }
    }
}

/// Bytes of no interest.
pub(super) const fn pass(bytes: u8) -> Field {
    Field::new(Form::Fixed(bytes), What::Nothing)
}

pub(super) const fn int(bytes: u8, what: What) -> Field {
    Field::new(Form::Fixed(bytes), what)
}

/// A UUID.
pub(super) const fn id(what: What) -> Field {
    Field::new(Form::Fixed(16), what)
}

pub(super) const fn text(what: What) -> Field {
    Field::new(Form::Text, what)
}

/// A text of no interest.
pub(super) const fn string() -> Field {
    Field::new(Form::Text, What::Nothing)
}

pub(super) const fn blob() -> Field {
    Field::new(Form::Blob, What::Nothing)
}

pub(super) const fn records() -> Field {
    Field::new(Form::Records, What::Nothing)
}

pub(super) const fn array(fields: &'static [Field]) -> Field {
    Field::new(Form::Array(fields), What::Nothing)
}

pub(super) const fn list(fields: &'static [Field]) -> Field {
    Field::new(Form::List(fields), What::Nothing)
}

pub(super) const fn stop() -> Field {
    Field::new(Form::Stop, What::Nothing)
}
