//! A core module that shares the counter.
//!
//! It imports the counter as its last imported global, so the globals of its own move up by one.

use std::collections::HashMap;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, EntityType, GlobalType, ImportSection, Module, SectionId, TypeSection, ValType,
};
use wasmparser::{
    CompositeInnerType, ExternalKind, FunctionBody, ImportSectionReader, Parser, Payload, TypeRef, TypeSectionReader,
};

use crate::body;
use crate::crossing::Uses;
use crate::{Failure, MeterError, unsupported};

/// The module under which the counter is imported, and its name there.
pub(crate) const FROM: &str = "bench:meter";
pub(crate) const NAME: &str = "counter";

/// A function type: number of parameters, and results.
struct Signature {
    parameters: u32,
    results: Vec<ValType>,
}

/// What is paid on entry of a function, beside its code.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry {
    /// One unit for each byte that the last of its four parameters asks for.
    pub(crate) by_length: bool,
    /// The price of a call between components.
    pub(crate) lent: bool,
}

/// Re-encodes one core module.
#[derive(Default)]
pub(crate) struct Meter {
    /// By type index; `None` for types that are not of functions.
    types: Vec<Option<Signature>>,
    /// Type of each function of the module's own.
    functions: Vec<u32>,
    /// What is paid on entry of some of them, beside their code.
    entries: HashMap<u32, Entry>,
    /// How many of them have been re-encoded.
    done: usize,
    imported_globals: u32,
    imports_done: bool,
}

/// The module with its count; `None` where it has no code.
pub(crate) fn metered(module: &[u8], uses: &Uses) -> Result<Option<Module>, Failure> {
    let mut meter = Meter::of(module, uses)?;
    if meter.functions.is_empty() {
        return Ok(None);
    }
    let mut out = Module::new();
    meter.parse_core_module(&mut out, Parser::new(0), module)?;
    Ok(Some(out))
}

impl Meter {
    /// Looks at what a module imports and declares.
    fn of(module: &[u8], uses: &Uses) -> Result<Meter, Failure> {
        let mut meter = Meter::default();
        let mut imported_functions = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => meter.see_types(section)?,
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import?.ty {
                            TypeRef::Global(_) => meter.imported_globals += 1,
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => imported_functions += 1,
                            TypeRef::Memory(memory) if memory.memory64 => return Err(unsupported("a 64-bit memory")),
                            TypeRef::Table(table) if table.table64 => return Err(unsupported("a 64-bit table")),
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for function in section {
                        meter.functions.push(function?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let (given, lent) = (uses.reallocs.contains(export.name), uses.lent.contains(export.name));
                        if export.kind != ExternalKind::Func || !(given || lent) {
                            continue;
                        }
                        // Where the function is another module's, nothing in this one can be charged.
                        let Some(own) = export.index.checked_sub(imported_functions) else {
                            return Err(unsupported("a module that passes on a function of another one"));
                        };
                        let entry = meter.entries.entry(own).or_default();
                        entry.by_length |= given;
                        entry.lent |= lent;
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        if memory?.memory64 {
                            return Err(unsupported("a 64-bit memory"));
                        }
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        if table?.ty.table64 {
                            return Err(unsupported("a 64-bit table"));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(meter)
    }

    fn see_types(&mut self, section: TypeSectionReader<'_>) -> Result<(), Failure> {
        for group in section {
            for kind in group?.into_types() {
                let signature = match kind.composite_type.inner {
                    CompositeInnerType::Func(function) => Some(Signature {
                        parameters: u32::try_from(function.params().len()).unwrap_or(u32::MAX),
                        results: function
                            .results()
                            .iter()
                            .map(|kind| self.val_type(*kind))
                            .collect::<Result<_, _>>()?,
                    }),
                    _ => None,
                };
                self.types.push(signature);
            }
        }
        Ok(())
    }

    /// The types of the module's own functions that have several results, each of which needs a type for the block around its body.
    fn block_types(&self) -> impl Iterator<Item = (u32, &[ValType])> {
        let several = |signature: &&Signature| signature.results.len() > 1;
        self.types.iter().enumerate().filter_map(move |(index, signature)| {
            let signature = signature.as_ref().filter(several)?;
            Some((index as u32, signature.results.as_slice()))
        })
    }

    /// The type of a block with the results of this function type.
    fn block_type_of(&self, index: u32, results: &[ValType]) -> BlockType {
        match results {
            [] => BlockType::Empty,
            [one] => BlockType::Result(*one),
            _ => {
                let place = self.block_types().position(|(own, _)| own == index).unwrap_or_default();
                BlockType::FunctionType((self.types.len() + place) as u32)
            }
        }
    }

    /// The counter among the module's globals.
    pub(crate) fn counter(&self) -> u32 {
        self.imported_globals
    }

    fn import_counter(&mut self, imports: &mut ImportSection) {
        let counter = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
        imports.import(FROM, NAME, EntityType::Global(counter));
        self.imports_done = true;
    }
}

impl Reencode for Meter {
    type Error = MeterError;

    fn global_index(&mut self, global: u32) -> Result<u32, Failure> {
        Ok(if global < self.imported_globals { global } else { global + 1 })
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: TypeSectionReader<'_>) -> Result<(), Failure> {
        reencode::utils::parse_type_section(self, types, section)?;
        for (_, results) in self.block_types() {
            types.ty().function([], results.iter().copied());
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Failure> {
        reencode::utils::parse_import_section(self, imports, section)?;
        self.import_counter(imports);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Failure> {
        // A module without imports gets some where they belong: after its types.
        if !self.imports_done && !matches!(before, Some(SectionId::Type | SectionId::Import)) {
            let mut imports = ImportSection::new();
            self.import_counter(&mut imports);
            module.section(&imports);
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Failure> {
        let index = self.functions.get(self.done).copied();
        let entry = self.entries.get(&(self.done as u32)).copied().unwrap_or_default();
        self.done += 1;
        let signature = index.and_then(|index| self.types.get(index as usize)?.as_ref().map(|kind| (index, kind)));
        let Some((index, signature)) = signature else {
            return Err(Failure::UserError(MeterError::Invalid("a function without a type".to_owned())));
        };
        let results = self.block_type_of(index, &signature.results);
        let parameters = signature.parameters;
        body::rewrite(self, code, &body, parameters, results, entry)
    }
}
