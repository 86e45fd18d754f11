//! The names of what a component exports and imports, read without looking at anything inside of it.

use wasmparser::{Parser, Payload};

use crate::shape::{Measure, ShapeError, TooComplex};

/// The names of the exports and imports of a component, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// What it exports.
    pub exports: Vec<String>,
    /// What it imports.
    pub imports: Vec<String>,
}

impl Outline {
    /// Reads the outline of a component. Modules and components inside are passed over, so it takes microseconds.
    ///
    /// # Errors
    /// [`ShapeError::Invalid`] where the bytes cannot be read, [`ShapeError::TooComplex`] where there are more
    /// names than any component may have.
    pub fn of(component: &[u8]) -> Result<Outline, ShapeError> {
        let mut outline = Outline::default();
        let mut parser = Parser::new(0);
        let mut rest = component;
        loop {
            let (size, payload) = match parser.parse(rest, true)? {
                wasmparser::Chunk::Parsed { consumed, payload } => (consumed, payload),
                // All bytes are here, so the parser never asks for more.
                wasmparser::Chunk::NeedMoreData(_) => return Err(cut_short()),
            };
            rest = rest.get(size..).ok_or_else(cut_short)?;
            match payload {
                Payload::ComponentExportSection(section) => {
                    bounded(Measure::Exports, section.count())?;
                    for export in section {
                        outline.exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::ComponentImportSection(section) => {
                    bounded(Measure::Imports, section.count())?;
                    for import in section {
                        outline.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                    let inside = usize::try_from(unchecked_range.end - unchecked_range.start).unwrap_or(usize::MAX);
                    rest = rest.get(inside..).ok_or_else(cut_short)?;
                }
                Payload::End(_) => return Ok(outline),
                _ => {}
            }
        }
    }
}

fn bounded(measure: Measure, found: u32) -> Result<(), ShapeError> {
    let (found, limit) = (u64::from(found), measure.limit());
    if found <= limit {
        return Ok(());
    }
    Err(ShapeError::TooComplex(TooComplex { measure, function: None, found, limit }))
}

fn cut_short() -> ShapeError {
    ShapeError::Invalid("the component ends in the middle".to_owned())
}
