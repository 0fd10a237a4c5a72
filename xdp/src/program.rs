//! Look-up of a program in a loaded object.

use aya::Ebpf;
use aya::programs::{Program, ProgramError};

/// A program of a loaded object by its name, as its type.
pub(crate) fn program<'e, P>(ebpf: &'e mut Ebpf, name: &str) -> Result<&'e mut P, ProgramError>
where
    &'e mut P: TryFrom<&'e mut Program, Error = ProgramError>,
{
    ebpf.program_mut(name).ok_or(ProgramError::NotLoaded)?.try_into()
}
