//! TCP: reassembly into chunks, Wireshark's analysis, our own measures, states and close reasons.

mod chunk;

pub(crate) use chunk::Chunk;
