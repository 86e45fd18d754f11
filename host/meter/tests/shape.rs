//! What a component may have, measured before it is compiled.

use std::path::{Path, PathBuf};

use bench_meter::{Measure, Outline, Shape, ShapeError};
use wasm_encoder::{
    BlockType, CodeSection, Component, ComponentExportKind, ComponentExportSection, Function, FunctionSection,
    Instruction, Module, ModuleSection, NestedComponentSection, TypeSection, ValType,
};

/// A component around a module with these functions, each of the type `() -> ()`.
fn component(functions: &[Function]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut kinds, mut code) = (FunctionSection::new(), CodeSection::new());
    for function in functions {
        kinds.function(0);
        code.function(function);
    }
    let mut module = Module::new();
    module.section(&types).section(&kinds).section(&code);
    around(&module)
}

fn around(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    component.finish()
}

/// Which bound a component exceeds, and in which function.
fn exceeded(component: &[u8]) -> (Measure, Option<u64>) {
    match Shape::of(component) {
        Err(ShapeError::TooComplex(found)) => {
            assert!(found.found > found.limit && found.limit == found.measure.limit());
            (found.measure, found.function)
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn function(locals: u32, instructions: impl IntoIterator<Item = Instruction<'static>>) -> Function {
    let mut function = Function::new([(locals, ValType::I64)]);
    for instruction in instructions {
        function.instruction(&instruction);
    }
    function.instruction(&Instruction::End);
    function
}

/// Loops in one another, each of which sets a local.
fn loops(number: u32, locals: u32) -> Function {
    let begin = (0..number).flat_map(move |at| {
        [
            Instruction::Loop(BlockType::Empty),
            Instruction::LocalGet((at * 7) % locals),
            Instruction::LocalSet(at % locals),
            Instruction::LocalGet(at % locals),
            Instruction::I32WrapI64,
            Instruction::BrIf(0),
        ]
    });
    function(locals, begin.chain((0..number).map(|_| Instruction::End)))
}

fn blocks(number: u32, locals: u32) -> Function {
    let each = (0..number).flat_map(move |at| {
        [
            Instruction::Block(BlockType::Empty),
            Instruction::LocalGet(at % locals),
            Instruction::I32WrapI64,
            Instruction::BrIf(0),
            Instruction::I64Const(1),
            Instruction::LocalSet((at * 13) % locals),
            Instruction::End,
        ]
    });
    function(locals, each)
}

#[test]
fn nested_loops_over_many_locals_are_refused() {
    let small = function(0, []);
    assert_eq!(exceeded(&component(&[small, loops(900, 5_000)])), (Measure::Locals, Some(1)));
    assert_eq!(exceeded(&component(&[loops(900, 1_900)])), (Measure::LoopDepth, Some(0)));
}

#[test]
fn many_locals_are_refused_however_they_are_declared() {
    assert_eq!(exceeded(&component(&[blocks(20_000, 20_000)])).0, Measure::Locals);
    let mut groups = Function::new((0..3_000).map(|_| (1, ValType::I32)));
    groups.instruction(&Instruction::End);
    assert_eq!(exceeded(&component(&[groups])).0, Measure::Locals);
    assert_eq!(exceeded(&component(&[function(u32::MAX, [])])).0, Measure::Locals);
    assert_eq!(exceeded(&component(&[blocks(1_000, 1_900)])).0, Measure::LocalsTimesBlocks);
}

#[test]
fn one_long_function_is_refused_by_its_size() {
    let calls = function(0, std::iter::repeat_n(Instruction::Call(0), 3_500_000));
    assert_eq!(exceeded(&component(&[calls])), (Measure::BodyBytes, Some(0)));
}

#[test]
fn many_medium_functions_are_refused_by_their_sum() {
    let medium = function(0, std::iter::repeat_n(Instruction::Call(0), 750_000));
    let many: Vec<Function> = std::iter::repeat_n(medium, 30).collect();
    assert_eq!(exceeded(&component(&many)), (Measure::CodeBytes, None));
}

#[test]
fn blocks_branches_and_functions_are_bounded() {
    assert_eq!(exceeded(&component(&[blocks(20_000, 1)])).0, Measure::Blocks);
    let open = (0..4_000).map(|_| Instruction::Block(BlockType::Empty));
    let nested = function(0, open.chain((0..4_000).map(|_| Instruction::End)));
    assert_eq!(exceeded(&component(&[nested])).0, Measure::BlockDepth);
    let table = Instruction::BrTable(vec![0; 70_000].into(), 0);
    assert_eq!(exceeded(&component(&[function(0, [Instruction::I32Const(0), table])])).0, Measure::BranchTargets);
    let tiny: Vec<Function> = std::iter::repeat_n(function(0, []), 70_000).collect();
    assert_eq!(exceeded(&component(&tiny)).0, Measure::Functions);
}

#[test]
fn types_are_bounded() {
    let mut many = TypeSection::new();
    for _ in 0..6_000 {
        many.ty().function([], []);
    }
    assert_eq!(exceeded(&around(Module::new().section(&many))).0, Measure::CoreTypes);
    let mut wide = TypeSection::new();
    wide.ty().function([], vec![ValType::I32; 1_000]);
    assert_eq!(exceeded(&around(Module::new().section(&wide))).0, Measure::Signature);
    let mut group = TypeSection::new();
    group.ty().rec(std::iter::repeat_n(
        wasm_encoder::SubType {
            is_final: true,
            supertype_idx: None,
            composite_type: wasm_encoder::CompositeType {
                inner: wasm_encoder::CompositeInnerType::Func(wasm_encoder::FuncType::new([], [])),
                shared: false,
                describes: None,
                descriptor: None,
            },
        },
        6_000,
    ));
    assert_eq!(exceeded(&around(Module::new().section(&group))).0, Measure::CoreTypes);
}

#[test]
fn components_and_modules_are_bounded() {
    let (mut modules, mut components) = (Component::new(), Component::new());
    for _ in 0..100 {
        modules.section(&ModuleSection(&Module::new()));
        components.section(&NestedComponentSection(&Component::new()));
    }
    assert_eq!(exceeded(&modules.finish()).0, Measure::Modules);
    assert_eq!(exceeded(&components.finish()).0, Measure::Components);
    let mut nested = Component::new();
    for _ in 0..20 {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&nested));
        nested = outer;
    }
    assert_eq!(exceeded(&nested.finish()).0, Measure::Nesting);
    let mut exports = ComponentExportSection::new();
    for number in 0..30_000 {
        exports.export(format!("f{number}").as_str(), ComponentExportKind::Module, 0, None);
    }
    let mut component = Component::new();
    component.section(&ModuleSection(&Module::new())).section(&exports);
    let component = component.finish();
    assert_eq!(exceeded(&component).0, Measure::Exports);
    assert!(matches!(Outline::of(&component), Err(ShapeError::TooComplex(_))));
}

#[test]
fn what_cannot_be_read_is_invalid() {
    let whole = component(&[loops(3, 3)]);
    assert!(Shape::of(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(!matches!(Shape::of(&whole[..end]), Err(ShapeError::TooComplex(_))), "cut at {end}");
        Outline::of(&whole[..end]).ok();
    }
}

/// The components below a folder.
fn components(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            components(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
}

#[test]
fn the_projects_own_components_use_less_than_half_of_each_bound() {
    let mut paths = Vec::new();
    components(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registry/targets"), &mut paths);
    assert!(paths.len() > 40, "{}", paths.len());
    for path in paths {
        let bytes = std::fs::read(&path).expect("a component");
        let shape = Shape::of(&bytes).expect("it is accepted");
        for measure in Measure::ALL {
            let found = shape.get(measure);
            assert!(2 * found <= measure.limit(), "{}: {found} {measure}", path.display());
        }
        let outline = Outline::of(&bytes).expect("it is readable");
        assert!(outline.exports.iter().any(|name| name.starts_with("bench:plugin/")), "{}", path.display());
    }
}
