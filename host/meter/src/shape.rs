//! The size and the nesting of a component, compared with bounds before anything compiles it.
//!
//! A compiler takes time and memory that grow faster than the code it is given: with the size of a function, with
//! the number of its locals times the number of its blocks, and with how deeply these are nested. One pass over the
//! component measures all of it. It stops at the first bound that is exceeded, so it takes little time itself.
//!
//! The bounds are about four times what the largest honest components have. The measured maxima stand beside them.

use std::fmt;

use wasmparser::{CompositeInnerType, ElementItems, FunctionBody, Operator, Parser, Payload, TypeSectionReader};

/// What is measured of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// Bytes of the body of one function.
    BodyBytes,
    /// Locals of one function, without its parameters.
    Locals,
    /// Blocks of one function.
    Blocks,
    /// Blocks of one function that are open at the same time.
    BlockDepth,
    /// Loops of one function that are open at the same time.
    LoopDepth,
    /// Locals of one function times its blocks.
    LocalsTimesBlocks,
    /// Targets of all the branch tables of one function.
    BranchTargets,
    /// Bytes of all the bodies of functions.
    CodeBytes,
    /// Functions with a body.
    Functions,
    /// Types of core modules.
    CoreTypes,
    /// Parameters and results of one type of function.
    Signature,
    /// Bytes of the sections with types of components.
    TypeBytes,
    /// Imports of core modules and of components.
    Imports,
    /// Exports of core modules and of components.
    Exports,
    /// Globals, tables and memories.
    Globals,
    /// Data segments.
    DataSegments,
    /// Bytes of all the data segments.
    DataBytes,
    /// Elements of all the element segments.
    Elements,
    /// Core modules.
    Modules,
    /// Components inside of the component.
    Components,
    /// Instances of modules and of components.
    Instances,
    /// Aliases.
    Aliases,
    /// Functions that cross the border of a component, and built-in ones.
    CanonicalFunctions,
    /// Components inside of each other.
    Nesting,
}

impl Measure {
    /// All of them, in the order of declaration.
    pub const ALL: [Measure; 24] = [
        Measure::BodyBytes,
        Measure::Locals,
        Measure::Blocks,
        Measure::BlockDepth,
        Measure::LoopDepth,
        Measure::LocalsTimesBlocks,
        Measure::BranchTargets,
        Measure::CodeBytes,
        Measure::Functions,
        Measure::CoreTypes,
        Measure::Signature,
        Measure::TypeBytes,
        Measure::Imports,
        Measure::Exports,
        Measure::Globals,
        Measure::DataSegments,
        Measure::DataBytes,
        Measure::Elements,
        Measure::Modules,
        Measure::Components,
        Measure::Instances,
        Measure::Aliases,
        Measure::CanonicalFunctions,
        Measure::Nesting,
    ];

    /// The largest value that is accepted.
    pub const fn limit(self) -> u64 {
        // Behind each limit stands the largest value of the project's own components, of CPython 3.14 in a scorer by
        // componentize-py 0.25.1, and of SpiderMonkey in a scorer by componentize-js 0.23.0.
        match self {
            Measure::BodyBytes => 1_700_000,         // 426,843: the interpreter's loop of CPython
            Measure::Locals => 2_000,                // 445: the table of scripts of a regular expression in Rust
            Measure::Blocks => 32_000,               // 7,780: CPython
            Measure::BlockDepth => 3_200,            // 781: CPython, a switch has a block for each case
            Measure::LoopDepth => 64,                // 8
            Measure::LocalsTimesBlocks => 1_600_000, // 385,742: SpiderMonkey
            Measure::BranchTargets => 64_000,        // 15,805: CPython
            Measure::CodeBytes => 40_000_000,        // 9,204,377: SpiderMonkey
            Measure::Functions => 60_000,            // 13,371: CPython
            Measure::CoreTypes => 5_000,             // 1,107: CPython, of several modules
            Measure::Signature => 128,
            Measure::TypeBytes => 100_000, // 22,866: `code-exec`, CPython with a second component inside
            Measure::Imports => 10_000,    // 2,363: CPython
            Measure::Exports => 20_000,    // 4,253: CPython
            Measure::Globals => 4_000,     // 878: CPython
            Measure::DataSegments => 40_000, // 10,000: SpiderMonkey, which a snapshot writes into memory
            Measure::DataBytes => 62_000_000, // 15,180,741: `code-exec`
            Measure::Elements => 100_000,  // 7,691: SpiderMonkey; an instance may have no more
            Measure::Modules => 64,        // 16: `code-exec`
            Measure::Components => 32,     // 6: `code-exec`
            Measure::Instances => 300,     // 75: `code-exec`
            Measure::Aliases => 6_000,     // 1,410: `code-exec`
            Measure::CanonicalFunctions => 600, // 133: `code-exec`
            Measure::Nesting => 8,         // 2: `code-exec`
        }
    }

    /// What is counted, in words.
    const fn name(self) -> &'static str {
        match self {
            Measure::BodyBytes => "bytes in the body of a function",
            Measure::Locals => "locals of a function",
            Measure::Blocks => "blocks of a function",
            Measure::BlockDepth => "nested blocks of a function",
            Measure::LoopDepth => "nested loops of a function",
            Measure::LocalsTimesBlocks => "locals times blocks of a function",
            Measure::BranchTargets => "targets of the branch tables of a function",
            Measure::CodeBytes => "bytes of code",
            Measure::Functions => "functions",
            Measure::CoreTypes => "types of core modules",
            Measure::Signature => "parameters and results in a type",
            Measure::TypeBytes => "bytes of types",
            Measure::Imports => "imports",
            Measure::Exports => "exports",
            Measure::Globals => "globals, tables and memories",
            Measure::DataSegments => "data segments",
            Measure::DataBytes => "bytes of data",
            Measure::Elements => "elements of tables",
            Measure::Modules => "core modules",
            Measure::Components => "inner components",
            Measure::Instances => "instances",
            Measure::Aliases => "aliases",
            Measure::CanonicalFunctions => "canonical functions",
            Measure::Nesting => "nested components",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A component has more of something than is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooComplex {
    /// What there is too much of.
    pub measure: Measure,
    /// The function where that is so, numbered over the bodies of all core modules from 0 on; `None` for what is
    /// measured of the whole component.
    pub function: Option<u64>,
    /// How much there is at least: the measuring stops at the bound.
    pub found: u64,
    /// How much is accepted.
    pub limit: u64,
}

impl fmt::Display for TooComplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooComplex { measure, function, found, limit } = self;
        match function {
            Some(function) => write!(f, "function {function} has {found} {measure}; at most {limit} are accepted"),
            None => write!(f, "it has {found} {measure}; at most {limit} are accepted"),
        }
    }
}

/// Why a shape could not be measured to the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// It is no component, or a broken one.
    #[error("{0}")]
    Invalid(String),
    /// A bound is exceeded.
    #[error("{0}")]
    TooComplex(TooComplex),
}

impl ShapeError {
    /// Stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "not-a-component",
            Self::TooComplex(_) => "too-complex",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Invalid(_) => None,
            Self::TooComplex(_) => {
                Some("split large functions, and leave out code and data that the plugin does not use")
            }
        }
    }
}

impl From<wasmparser::BinaryReaderError> for ShapeError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        ShapeError::Invalid(error.to_string())
    }
}

/// What was measured: of a function the largest value of any, else the sum over the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    found: [u64; Measure::ALL.len()],
    /// Bodies of functions so far.
    bodies: u64,
}

impl Shape {
    /// Measures a component.
    ///
    /// # Errors
    /// [`ShapeError::TooComplex`] at the first bound that is exceeded, [`ShapeError::Invalid`] where the bytes
    /// cannot be read. A component that passes may still be invalid: types are not checked.
    pub fn of(component: &[u8]) -> Result<Shape, ShapeError> {
        let mut shape = Shape { found: [0; Measure::ALL.len()], bodies: 0 };
        let mut depth = 0i64;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match &payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                _ => {}
            }
            if matches!(payload, Payload::ComponentSection { .. }) {
                shape.largest(Measure::Nesting, depth.unsigned_abs(), None)?;
            }
            shape.see(&payload)?;
        }
        Ok(shape)
    }

    /// What was measured.
    pub fn get(&self, measure: Measure) -> u64 {
        self.found[measure as usize]
    }

    fn largest(&mut self, measure: Measure, found: u64, function: Option<u64>) -> Result<(), ShapeError> {
        let limit = measure.limit();
        if found > limit {
            return Err(ShapeError::TooComplex(TooComplex { measure, function, found, limit }));
        }
        let slot = &mut self.found[measure as usize];
        *slot = found.max(*slot);
        Ok(())
    }

    fn add(&mut self, measure: Measure, more: impl Into<u64>) -> Result<(), ShapeError> {
        self.largest(measure, self.get(measure).saturating_add(more.into()), None)
    }

    fn see(&mut self, payload: &Payload<'_>) -> Result<(), ShapeError> {
        use Measure as M;
        match payload {
            Payload::TypeSection(section) => self.see_types(section.clone()),
            Payload::ImportSection(section) => self.add(M::Imports, section.count()),
            Payload::ExportSection(section) => self.add(M::Exports, section.count()),
            Payload::GlobalSection(section) => self.add(M::Globals, section.count()),
            Payload::TableSection(section) => self.add(M::Globals, section.count()),
            Payload::MemorySection(section) => self.add(M::Globals, section.count()),
            Payload::FunctionSection(section) => self.add(M::Functions, section.count()),
            Payload::CodeSectionEntry(body) => self.see_body(body),
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    self.add(
                        M::Elements,
                        match element?.items {
                            ElementItems::Functions(items) => items.count(),
                            ElementItems::Expressions(_, items) => items.count(),
                        },
                    )?;
                }
                Ok(())
            }
            Payload::DataSection(section) => {
                self.add(M::DataSegments, section.count())?;
                for data in section.clone() {
                    self.add(M::DataBytes, data?.data.len() as u64)?;
                }
                Ok(())
            }
            Payload::ModuleSection { .. } => self.add(M::Modules, 1u64),
            Payload::ComponentSection { .. } => self.add(M::Components, 1u64),
            Payload::InstanceSection(section) => self.add(M::Instances, section.count()),
            Payload::ComponentInstanceSection(section) => self.add(M::Instances, section.count()),
            Payload::ComponentAliasSection(section) => self.add(M::Aliases, section.count()),
            Payload::ComponentTypeSection(section) => self.add(M::TypeBytes, length(&section.range())),
            Payload::CoreTypeSection(section) => self.add(M::TypeBytes, length(&section.range())),
            Payload::ComponentCanonicalSection(section) => self.add(M::CanonicalFunctions, section.count()),
            Payload::ComponentImportSection(section) => self.add(M::Imports, section.count()),
            Payload::ComponentExportSection(section) => self.add(M::Exports, section.count()),
            _ => Ok(()),
        }
    }

    fn see_types(&mut self, section: TypeSectionReader<'_>) -> Result<(), ShapeError> {
        for group in section {
            for kind in group?.types() {
                self.add(Measure::CoreTypes, 1u64)?;
                if let CompositeInnerType::Func(function) = &kind.composite_type.inner {
                    let values = function.params().len() + function.results().len();
                    self.largest(Measure::Signature, values as u64, None)?;
                }
            }
        }
        Ok(())
    }

    fn see_body(&mut self, body: &FunctionBody<'_>) -> Result<(), ShapeError> {
        use Measure as M;
        let function = Some(self.bodies);
        self.bodies += 1;
        let bytes = length(&body.range());
        self.largest(M::BodyBytes, bytes, function)?;
        self.add(M::CodeBytes, bytes)?;
        let mut locals = 0u64;
        for group in body.get_locals_reader()? {
            locals = locals.saturating_add(group?.0.into());
            self.largest(M::Locals, locals, function)?;
        }
        let (mut blocks, mut loops, mut targets) = (0u64, 0u64, 0u64);
        // Of each open block: is it a loop?
        let mut open = Vec::new();
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            match reader.read()? {
                Operator::Loop { .. } => {
                    loops += 1;
                    self.largest(M::LoopDepth, loops, function)?;
                    open.push(true);
                }
                Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => open.push(false),
                Operator::End => {
                    loops -= u64::from(open.pop() == Some(true));
                    continue;
                }
                Operator::BrTable { targets: table } => {
                    targets = targets.saturating_add(table.len().into());
                    self.largest(M::BranchTargets, targets, function)?;
                    continue;
                }
                Operator::Else | Operator::BrIf { .. } => {}
                _ => continue,
            }
            blocks += 1;
            self.largest(M::Blocks, blocks, function)?;
            self.largest(M::BlockDepth, open.len() as u64, function)?;
            self.largest(M::LocalsTimesBlocks, locals.saturating_mul(blocks), function)?;
        }
        Ok(())
    }
}

fn length(range: &std::ops::Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
