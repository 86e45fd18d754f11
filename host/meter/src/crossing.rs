//! What passes between components inside of a component.
//!
//! An engine makes the code that carries values from one component to another, so nothing in it is counted. Its work
//! grows with the bytes of texts and lists and with the number of values in the types of a function. Both are paid for
//! on the other side:
//!
//! - A text or a list arrives in memory that the component's `realloc` function gave out. Each call of this function
//!   costs one unit for each byte that it is asked for. A list has no elements without bytes.
//! - A function that a component lends to others costs [`CALL`] units for each call, and the types of such a function
//!   hold at most [`MOST_VALUES`] values.
//!
//! A component without other components inside has no such code: the host alone calls it, and bounds what it copies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wasmparser::component_types::{ComponentDefinedType, ComponentDefinedTypeId, ComponentValType};
use wasmparser::types::TypesRef;
use wasmparser::{
    BinaryReaderError, CanonicalFunction, CanonicalOption, ComponentAlias, ExternalKind, FuncValidatorAllocations,
    Instance, Parser, Payload, TypeRef, ValidPayload, Validator,
};

use crate::{Failure, MeterError, unsupported};

/// Units that a call of a lent function costs, beside those of its own code.
pub(crate) const CALL: i64 = 1_000;

/// Values in the parameters and the result of one function: each number, text, list, field and case is one.
const MOST_VALUES: u64 = 1_000;

/// How the functions of a core module are used by the component around it, by the names of its exports.
#[derive(Debug, Default, Clone)]
pub(crate) struct Uses {
    /// They give out memory for what arrives.
    pub(crate) reallocs: BTreeSet<String>,
    /// Others call them.
    pub(crate) lent: BTreeSet<String>,
}

/// How the functions of each of a component's own core modules are used, in the order of the modules.
pub(crate) fn uses(component: &[u8]) -> Result<Vec<Uses>, Failure> {
    let mut survey = Survey::default();
    let (mut parser, mut rest) = (Parser::new(0), component);
    loop {
        let wasmparser::Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Err(Failure::UserError(MeterError::Invalid("the component ends in the middle".to_owned())));
        };
        rest = rest.get(consumed..).unwrap_or_default();
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                survey.modules.push(Uses::default());
                let length = (unchecked_range.end - unchecked_range.start) as usize;
                survey.passed_on.push(functions_passed_on(rest.get(..length).unwrap_or_default())?);
                rest = after(rest, &unchecked_range);
            }
            Payload::ComponentSection { unchecked_range, .. } => rest = after(rest, &unchecked_range),
            Payload::End(_) => return Ok(survey.modules),
            other => survey.see(&other)?,
        }
    }
}

fn after<'b>(bytes: &'b [u8], range: &std::ops::Range<u64>) -> &'b [u8] {
    bytes.get((range.end - range.start) as usize..).unwrap_or_default()
}

/// A core instance.
enum Made {
    /// Of a module of the component's own, with the instances that its imports come from, by name.
    Module(u32, HashMap<String, u32>),
    /// Of functions that have been made before, by name.
    Exports(BTreeMap<String, u32>),
}

#[derive(Default)]
struct Survey {
    modules: Vec<Uses>,
    /// Of each module: the exports that are functions which it imports itself, and what it imports
    /// them as.
    passed_on: Vec<HashMap<String, (String, String)>>,
    instances: Vec<Made>,
    /// Of each core function: the instance that exports it, and its name there; `None` for those that are made of
    /// functions of components.
    functions: Vec<Option<(u32, String)>>,
}

impl Survey {
    fn see(&mut self, payload: &Payload<'_>) -> Result<(), Failure> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    self.instances.push(match instance? {
                        Instance::Instantiate { module_index, args } => {
                            let args = args.iter().map(|arg| (arg.name.to_owned(), arg.index)).collect();
                            Made::Module(module_index, args)
                        }
                        Instance::FromExports(exports) => Made::Exports(
                            exports
                                .iter()
                                .filter(|export| export.kind == ExternalKind::Func)
                                .map(|export| (export.name.to_owned(), export.index))
                                .collect(),
                        ),
                    });
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    if let ComponentAlias::CoreInstanceExport { kind: ExternalKind::Func, instance_index, name } =
                        alias?
                    {
                        self.functions.push(Some((instance_index, name.to_owned())));
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    match function? {
                        CanonicalFunction::Lift { core_func_index, options, .. } => {
                            if let Some((module, name)) = self.origin(core_func_index)
                                && let Some(uses) = self.modules.get_mut(module as usize)
                            {
                                uses.lent.insert(name);
                            }
                            self.see_options(&options)?;
                        }
                        CanonicalFunction::Lower { options, .. } => {
                            self.see_options(&options)?;
                            self.functions.push(None);
                        }
                        _ => self.functions.push(None),
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn see_options(&mut self, options: &[CanonicalOption]) -> Result<(), Failure> {
        for option in options {
            let CanonicalOption::Realloc(function) = option else { continue };
            let uses =
                self.origin(*function).and_then(|(module, name)| Some((self.modules.get_mut(module as usize)?, name)));
            let Some((uses, name)) = uses else {
                return Err(unsupported("a component whose memory is given out by another one"));
            };
            uses.reallocs.insert(name);
        }
        Ok(())
    }

    /// The module that a core function comes from, and the name of its export.
    fn origin(&self, function: u32) -> Option<(u32, String)> {
        let (mut instance, mut name) = self.functions.get(function as usize)?.clone()?;
        // An instance names only what was made before it, so this ends.
        loop {
            match self.instances.get(instance as usize)? {
                Made::Module(module, args) => match self.passed_on.get(*module as usize)?.get(&name) {
                    Some((from, import)) => (instance, name) = (*args.get(from)?, import.clone()),
                    None => return Some((*module, name)),
                },
                Made::Exports(exports) => {
                    (instance, name) = self.functions.get(*exports.get(&name)? as usize)?.clone()?;
                }
            }
        }
    }
}

/// The functions that a module both imports and exports: by the name of the export, the module and the
/// name of the import. Libraries that are linked when a component is made do this.
fn functions_passed_on(module: &[u8]) -> Result<HashMap<String, (String, String)>, Failure> {
    let mut imports = Vec::new();
    let mut passed_on = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                        imports.push((import.module.to_owned(), import.name.to_owned()));
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if let (ExternalKind::Func, Some(import)) = (export.kind, imports.get(export.index as usize)) {
                        passed_on.insert(export.name.to_owned(), import.clone());
                    }
                }
                // What follows is code, which is the largest part of a module.
                break;
            }
            _ => {}
        }
    }
    Ok(passed_on)
}

/// Validates a component, and says whether all the functions that its components lend and borrow are small enough.
pub(crate) fn validate(component: &[u8]) -> Result<Result<(), Failure>, BinaryReaderError> {
    let mut validator = Validator::new();
    let mut bodies = Vec::new();
    let mut small = Ok(());
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload)? {
            bodies.push((function, body));
        }
        if let Payload::ComponentCanonicalSection(section) = &payload
            && let Some(types) = validator.types(0)
        {
            let mut lifted = 0;
            for function in section.clone() {
                match function? {
                    CanonicalFunction::Lift { .. } => lifted += 1,
                    CanonicalFunction::Lower { func_index, .. } => small = small.and(check_size(types, func_index)),
                    _ => {}
                }
            }
            let functions = types.component_function_count();
            for function in functions - lifted..functions {
                small = small.and(check_size(types, function));
            }
        }
    }
    let mut allocations = FuncValidatorAllocations::default();
    for (function, body) in bodies {
        let mut validator = function.into_validator(allocations);
        validator.validate(&body)?;
        allocations = validator.into_allocations();
    }
    Ok(small)
}

fn check_size(types: TypesRef<'_>, function: u32) -> Result<(), Failure> {
    let kind = &types[types.component_function_at(function)];
    let mut sizes = HashMap::new();
    let values = kind.params.iter().map(|(_, kind)| *kind).chain(kind.result);
    let found = values.map(|kind| values_in(types, kind, &mut sizes)).fold(0, u64::saturating_add);
    if found > MOST_VALUES {
        return Err(unsupported("a function between components whose types hold more than 1000 values"));
    }
    Ok(())
}

/// The values that a type holds, each type counted as often as it is used.
fn values_in(types: TypesRef<'_>, kind: ComponentValType, sizes: &mut HashMap<ComponentDefinedTypeId, u64>) -> u64 {
    let ComponentValType::Type(id) = kind else { return 1 };
    if let Some(size) = sizes.get(&id) {
        return *size;
    }
    use ComponentDefinedType as Kind;
    let mut of = |kind: ComponentValType| values_in(types, kind, sizes);
    let inside: u64 = match &types[id] {
        Kind::Record(record) => record.fields.iter().map(|(_, kind)| of(*kind)).fold(0, u64::saturating_add),
        Kind::Variant(variant) => {
            variant.cases.values().filter_map(|case| case.ty).map(&mut of).fold(0, u64::saturating_add)
        }
        Kind::Tuple(tuple) => tuple.types.iter().map(|kind| of(*kind)).fold(0, u64::saturating_add),
        Kind::List { element, .. } => of(*element),
        Kind::FixedLengthList { element, length, .. } => of(*element).saturating_mul((*length).into()),
        Kind::Map { key, value, .. } => of(*key).saturating_add(of(*value)),
        Kind::Option { ty, .. } => of(*ty),
        Kind::Result { ok, err, .. } => ok.iter().chain(err).map(|kind| of(*kind)).fold(0, u64::saturating_add),
        _ => 0,
    };
    let size = inside.saturating_add(1);
    sizes.insert(id, size);
    size
}
