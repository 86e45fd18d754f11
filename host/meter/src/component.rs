//! A component whose core modules share a counter.
//!
//! A small core module with the counter comes first, so the core modules and instances of the component's own move up by one. Each of
//! its modules is given the counter where it is instantiated. At the end the component exports a function over it.
//!
//! Components inside that have code of their own share nothing but functions with the outer one, so each has a counter of its own,
//! and the outer one exports theirs as well. A counter cannot be shared between components: only functions pass, and a call
//! for each stretch of code would cost more than the code. So each of them may use up what the whole may, before the sum is
//! compared with it at the end of a call: as many times the fuel as there are counters. That is why there are few.

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentTypeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, InstanceSection, Module, ModuleArg, ModuleSection, NestedComponentSection,
    PrimitiveValType, RawSection, TypeSection, ValType,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, ExternalKind, Parser, Payload,
};

use crate::crossing::{self, Uses};
use crate::module::{self, FROM, NAME};
use crate::{Failure, MeterError, TO_START, export, unsupported};

/// What the counter's own module exports beside it.
const EXCHANGE: &str = "exchange";

/// Counters that a component may have: its own, and those of components inside.
const MOST_COUNTERS: u32 = 5;

/// The counter's module and instance, which come before all others.
const FIRST: u32 = 0;

/// The same component, which counts what it does.
///
/// # Errors
/// [`MeterError::Invalid`] where it is no valid component, [`MeterError::Unsupported`] where it does what is not counted.
pub fn metered(component: &[u8]) -> Result<Vec<u8>, MeterError> {
    // What is re-encoded below is known to be sound, and whatever an engine says later is the meter's fault.
    let small = crossing::validate(component).map_err(|error| MeterError::Invalid(error.to_string()))?;
    let made = compound(component).and_then(|compound| {
        if compound {
            small?;
        }
        rewritten(component, compound)
    });
    let (component, counters) = made.map_err(|failure| match failure {
        Failure::UserError(error) => error,
        other => MeterError::Invalid(other.to_string()),
    })?;
    if counters > MOST_COUNTERS {
        return Err(MeterError::Unsupported("a component with more than four components with code inside"));
    }
    Ok(component.finish())
}

/// Whether a component has components with code inside.
fn compound(component: &[u8]) -> Result<bool, Failure> {
    let mut depth = 0i64;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ComponentSection { .. } => depth += 1,
            Payload::ModuleSection { .. } if depth > 0 => return Ok(true),
            // The end of a module inside of this component itself leaves the depth alone.
            Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(false)
}

/// A component with a counter, and how many counters it exports. What passes between components is paid for where there
/// are several.
fn rewritten(component: &[u8], compound: bool) -> Result<(Component, u32), Failure> {
    let mut out = Component::new();
    out.section(&ModuleSection(&counter()));
    let mut first = InstanceSection::new();
    first.instantiate::<_, &str>(FIRST, []);
    out.section(&first);
    let uses = if compound { crossing::uses(component)? } else { Vec::new() };
    let mut rewriter = Rewriter { compound, uses: uses.into_iter(), ..Rewriter::default() };
    rewriter.parse_component(&mut out, Parser::new(0), component)?;
    let exported = rewriter.export_counters(&mut out);
    Ok((out, exported))
}

/// The module with the counter, and a function that sets it and returns what it was.
fn counter() -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I64], [ValType::I64]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut globals = GlobalSection::new();
    let kind = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    globals.global(kind, &ConstExpr::i64_const(-TO_START));
    let mut exports = ExportSection::new();
    exports.export(NAME, ExportKind::Global, 0);
    exports.export(EXCHANGE, ExportKind::Func, 0);
    let mut exchange = Function::new([]);
    exchange.instructions().global_get(0).local_get(0).global_set(0).end();
    let mut code = CodeSection::new();
    code.function(&exchange);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&globals).section(&exports).section(&code);
    module
}

/// Re-encodes a component, and counts what it defines.
#[derive(Default)]
struct Rewriter {
    /// Whether there are several components with code.
    compound: bool,
    /// How the functions of the core modules are used that are still to come.
    uses: std::vec::IntoIter<Uses>,
    /// Of each core module of the component's own: is it given the counter?
    modules: Vec<bool>,
    /// Of each component inside: how many counters does it export?
    components: Vec<u32>,
    /// The instances that export counters, and how many.
    counting: Vec<(u32, u32)>,
    core_functions: u32,
    functions: u32,
    types: u32,
    instances: u32,
}

impl Rewriter {
    /// Exports the functions over the counters from the end of the component, where all indices are known. Says how many there are.
    fn export_counters(&self, out: &mut Component) -> u32 {
        let mut core = ComponentAliasSection::new();
        core.alias(Alias::CoreInstanceExport { instance: FIRST, kind: ExportKind::Func, name: EXCHANGE });
        let mut types = ComponentTypeSection::new();
        types.function().params([("counter", PrimitiveValType::S64)]).result(Some(PrimitiveValType::S64.into()));
        let mut canonical = CanonicalFunctionSection::new();
        canonical.lift(self.core_functions, self.types, []);
        let (mut aliases, mut number) = (ComponentAliasSection::new(), 1);
        for (instance, counters) in &self.counting {
            for inner in 0..*counters {
                let (kind, name) = (ComponentExportKind::Func, export(inner));
                aliases.alias(Alias::InstanceExport { instance: *instance, kind, name: &name });
                number += 1;
            }
        }
        let mut exports = ComponentExportSection::new();
        for counter in 0..number {
            exports.export(export(counter).as_str(), ComponentExportKind::Func, self.functions + counter, None);
        }
        out.section(&core).section(&types).section(&canonical).section(&aliases).section(&exports);
        number
    }

    /// Counts what a section adds to the index spaces that the export is at the end of.
    fn see(&mut self, payload: &Payload<'_>) -> Result<(), Failure> {
        match payload {
            Payload::ComponentTypeSection(section) => self.types += section.count(),
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    match import?.ty {
                        ComponentTypeRef::Func(_) => self.functions += 1,
                        ComponentTypeRef::Type(_) => self.types += 1,
                        ComponentTypeRef::Instance(_) => self.instances += 1,
                        ComponentTypeRef::Component(_) => self.components.push(0),
                        ComponentTypeRef::Module(_) => return Err(unsupported("an imported core module")),
                        _ => {}
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    match alias? {
                        ComponentAlias::CoreInstanceExport { kind: ExternalKind::Func, .. } => self.core_functions += 1,
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Func, .. } => self.functions += 1,
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Instance, .. } => {
                            self.instances += 1
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. }
                        | ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, .. } => {
                            self.components.push(0);
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Type, .. }
                        | ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, .. } => self.types += 1,
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
                        | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => {
                            return Err(unsupported("a core module from elsewhere"));
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    match export?.kind {
                        ComponentExternalKind::Func => self.functions += 1,
                        ComponentExternalKind::Type => self.types += 1,
                        ComponentExternalKind::Instance => self.instances += 1,
                        ComponentExternalKind::Component => self.components.push(0),
                        ComponentExternalKind::Module => return Err(unsupported("an exported core module")),
                        _ => {}
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    match function? {
                        CanonicalFunction::Lift { .. } => self.functions += 1,
                        _ => self.core_functions += 1,
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance?
                        && let Some(counters) =
                            self.components.get(component_index as usize).filter(|number| **number > 0)
                    {
                        self.counting.push((self.instances, *counters));
                    }
                    self.instances += 1;
                }
            }
            Payload::ComponentStartSection { .. } => return Err(unsupported("a start function of a component")),
            _ => {}
        }
        Ok(())
    }
}

impl Reencode for Rewriter {
    type Error = MeterError;
}

impl ReencodeComponent for Rewriter {
    fn module_index(&mut self, module: u32) -> u32 {
        module + 1
    }

    fn instance_index(&mut self, instance: u32) -> u32 {
        instance + 1
    }

    fn parse_component_payload(
        &mut self,
        component: &mut Component,
        payload: Payload<'_>,
        whole: &[u8],
    ) -> Result<(), Failure> {
        self.see(&payload)?;
        reencode::component_utils::parse_component_payload(self, component, payload, whole)
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _parser: Parser,
        module: &[u8],
    ) -> Result<(), Failure> {
        let rewritten = module::metered(module, &self.uses.next().unwrap_or_default())?;
        self.modules.push(rewritten.is_some());
        match rewritten {
            Some(rewritten) => component.section(&ModuleSection(&rewritten)),
            None => {
                component.section(&RawSection { id: wasm_encoder::ComponentSectionId::CoreModule.into(), data: module })
            }
        };
        Ok(())
    }

    fn parse_component_subcomponent(
        &mut self,
        component: &mut Component,
        _parser: Parser,
        inner: &[u8],
        _whole: &[u8],
    ) -> Result<(), Failure> {
        if has_code(inner)? {
            let (rewritten, counters) = rewritten(inner, self.compound)?;
            self.components.push(counters);
            component.section(&NestedComponentSection(&rewritten));
        } else {
            self.components.push(0);
            let id = wasm_encoder::ComponentSectionId::Component.into();
            component.section(&RawSection { id, data: inner });
        }
        Ok(())
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: wasmparser::Instance<'_>,
    ) -> Result<(), Failure> {
        let wasmparser::Instance::Instantiate { module_index, args } = &instance else {
            return reencode::component_utils::parse_instance(self, instances, instance);
        };
        let counts = self.modules.get(*module_index as usize).copied().unwrap_or_default();
        let own = args.iter().map(|arg| (arg.name, ModuleArg::Instance(arg.index + 1)));
        let counter = counts.then_some((FROM, ModuleArg::Instance(FIRST)));
        instances.instantiate(module_index + 1, own.chain(counter).collect::<Vec<_>>());
        Ok(())
    }
}

/// Whether a component has core modules, or components inside that have. Tools lay out exported interfaces as components that only
/// give names to what the outer one made; they stay as they are.
fn has_code(component: &[u8]) -> Result<bool, Failure> {
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } => return Ok(true),
            Payload::InstanceSection(_) => return Err(unsupported("an instance of a core module from elsewhere")),
            _ => {}
        }
    }
    Ok(false)
}
