//! The body of a function, with its count.
//!
//! The count lives in a local of its own while the function runs. It is taken from the shared counter on entry and where it is needed
//! after a call, and put back before a call and on return. Code is paid for stretch by stretch: a stretch begins where a function or a
//! turn of a loop does, and wherever branches come together, and reaches to the next such place. Whoever branches out of it has
//! paid for the rest as well, so that one addition does for a loop with many ways out. A function that has used up what it may leaves
//! through a block around its whole body, so that the way out is no part of any loop:
//!
//! ```text
//! block                     ; used up: `br_if` ends here
//!   block (result ...)      ; the body as it was; a branch out of the function ends here
//!     ...
//!   end
//!   put the count back
//!   return
//! end
//! put the count back
//! trap
//! ```

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, CodeSection, Function, Ieee32, Instruction, ValType};
use wasmparser::{FunctionBody, Operator};

use crate::crossing::CALL;
use crate::module::{Entry, Meter};
use crate::{Failure, unsupported};

/// Re-encodes a body of a function with so many parameters and these results.
pub(crate) fn rewrite(
    meter: &mut Meter,
    code: &mut CodeSection,
    body: &FunctionBody<'_>,
    parameters: u32,
    results: BlockType,
    entry: Entry,
) -> Result<(), Failure> {
    let mut locals = Vec::new();
    let mut count = parameters;
    for group in body.get_locals_reader()? {
        let (number, kind) = group?;
        count = count.saturating_add(number);
        locals.push((number, meter.val_type(kind)?));
    }
    locals.extend([(1, ValType::I64), (1, ValType::I32)]);
    let mut stretches = stretches(body)?;
    if entry.lent
        && let Some(first) = stretches.first_mut()
    {
        *first += CALL;
    }
    let mut writer = Writer {
        function: Function::new(locals),
        counter: meter.counter(),
        used: count,
        length: count.saturating_add(1),
        stretches: stretches.into_iter(),
        depth: 0,
        constant: None,
        held: true,
    };
    writer.begin(results, entry);
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        let operator = reader.read()?;
        writer.operator(meter, operator)?;
    }
    code.function(&writer.function);
    Ok(())
}

/// What the stretches of a body cost, in their order; an entry of the function is part of the first.
fn stretches(body: &FunctionBody<'_>) -> Result<Vec<i64>, Failure> {
    let (mut done, mut current, mut constant) = (Vec::new(), 1, None);
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        let operator = reader.read()?;
        if !counted(&operator) {
            return Err(unsupported("a module with exceptions, garbage collection or switching of stacks"));
        }
        current += cost(&operator);
        if let (Some(units), Some(length)) = (per_unit(&operator), constant) {
            current += i64::from(length >> units);
        }
        constant = value(&operator);
        if begins_stretch(&operator) {
            done.push(std::mem::take(&mut current));
        }
    }
    done.push(current);
    Ok(done)
}

/// Whether another stretch begins after an instruction.
fn begins_stretch(operator: &Operator<'_>) -> bool {
    matches!(operator, Operator::Loop { .. } | Operator::If { .. } | Operator::Else | Operator::End)
}

/// What an instruction puts on the stack, where that is known.
fn value(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::I32Const { value } => Some(value.cast_unsigned()),
        _ => None,
    }
}

/// For how much of what an instruction works on one unit pays, as a power of two: bytes of a memory, elements of a table.
fn per_unit(operator: &Operator<'_>) -> Option<u32> {
    use Operator as Op;
    match operator {
        Op::MemoryCopy { .. } | Op::MemoryFill { .. } | Op::MemoryInit { .. } => Some(4),
        Op::TableCopy { .. } | Op::TableFill { .. } | Op::TableInit { .. } | Op::TableGrow { .. } => Some(0),
        _ => None,
    }
}

/// The parameter of a `realloc` function that says how many bytes are wanted. Validation has seen to its type.
const NEW_SIZE: u32 = 3;

struct Writer {
    function: Function,
    /// The global that is shared.
    counter: u32,
    /// The local with the count.
    used: u32,
    /// The local for the length of what an instruction works on.
    length: u32,
    /// What the stretches cost that have not begun.
    stretches: std::vec::IntoIter<i64>,
    /// Blocks that are open inside the body.
    depth: u32,
    /// What the last instruction put on the stack, where that is known.
    constant: Option<u32>,
    /// Whether the count is in the local, and not in the global, where a call left it. Wherever branches come together, it is.
    held: bool,
}

impl Writer {
    fn put(&mut self, instruction: &Instruction<'_>) {
        self.function.instruction(instruction);
    }

    fn begin(&mut self, results: BlockType, entry: Entry) {
        self.put(&Instruction::Block(BlockType::Empty));
        self.put(&Instruction::Block(results));
        self.put(&Instruction::GlobalGet(self.counter));
        if entry.by_length {
            self.put(&Instruction::LocalGet(NEW_SIZE));
            self.put(&Instruction::I64ExtendI32U);
            self.put(&Instruction::I64Add);
        }
        self.pay();
        self.check();
    }

    /// Has the count in the local.
    fn hold(&mut self) {
        if !std::mem::replace(&mut self.held, true) {
            self.put(&Instruction::GlobalGet(self.counter));
            self.put(&Instruction::LocalSet(self.used));
        }
    }

    /// Has the count in the global.
    fn put_back(&mut self) {
        if std::mem::replace(&mut self.held, false) {
            self.put(&Instruction::LocalGet(self.used));
            self.put(&Instruction::GlobalSet(self.counter));
        }
    }

    /// Adds the cost of the stretch that begins to the count on the stack, and leaves it there and in the local.
    fn pay(&mut self) {
        let cost = self.stretches.next().unwrap_or_default();
        self.put(&Instruction::I64Const(cost));
        self.put(&Instruction::I64Add);
        self.put(&Instruction::LocalTee(self.used));
    }

    /// Leaves where the count on the stack says that everything is used up.
    fn check(&mut self) {
        self.put(&Instruction::I64Const(0));
        self.put(&Instruction::I64GeS);
        self.put(&Instruction::BrIf(self.depth + 1));
    }

    /// Begins a stretch that is no turn of a loop.
    fn begin_stretch(&mut self) {
        if self.stretches.as_slice().first() == Some(&0) {
            self.stretches.next();
            return;
        }
        self.put(&Instruction::LocalGet(self.used));
        self.pay();
        self.put(&Instruction::Drop);
    }

    /// Adds what an instruction costs for the length on top of the stack, which stays there, where it was not known before.
    fn add_length(&mut self, units: u32) {
        if self.constant.is_some() {
            return;
        }
        self.hold();
        self.put(&Instruction::LocalTee(self.length));
        self.put(&Instruction::LocalGet(self.used));
        self.put(&Instruction::LocalGet(self.length));
        self.put(&Instruction::I64ExtendI32U);
        self.put(&Instruction::I64Const(i64::from(units)));
        self.put(&Instruction::I64ShrU);
        self.put(&Instruction::I64Add);
        self.put(&Instruction::LocalSet(self.used));
    }

    fn operator(&mut self, meter: &mut Meter, operator: Operator<'_>) -> Result<(), Failure> {
        use Operator as Op;
        if let Some(units) = per_unit(&operator) {
            self.add_length(units);
        }
        self.constant = value(&operator);
        let begins = begins_stretch(&operator);
        let mut turn = false;
        match &operator {
            Op::End if self.depth == 0 => {
                self.end();
                return Ok(());
            }
            Op::End => {
                self.hold();
                self.depth -= 1;
            }
            Op::Loop { .. } => {
                self.hold();
                self.depth += 1;
                turn = true;
            }
            Op::If { .. } => {
                self.hold();
                self.depth += 1;
            }
            Op::Block { .. } => self.depth += 1,
            Op::Else | Op::Br { .. } | Op::BrIf { .. } | Op::BrTable { .. } => self.hold(),
            Op::BrOnNull { .. } | Op::BrOnNonNull { .. } => self.hold(),
            Op::Return | Op::ReturnCall { .. } | Op::ReturnCallIndirect { .. } | Op::ReturnCallRef { .. } => {
                self.put_back();
            }
            Op::Call { .. } | Op::CallIndirect { .. } | Op::CallRef { .. } => self.put_back(),
            _ => {}
        }
        let instruction = meter.instruction(operator)?;
        self.put(&instruction);
        if turn {
            self.put(&Instruction::LocalGet(self.used));
            self.pay();
            self.check();
        } else if begins {
            self.held = true;
            self.begin_stretch();
        }
        Ok(())
    }

    /// The way out, as above.
    fn end(&mut self) {
        if !self.held {
            // A call left the count where it belongs.
            self.put(&Instruction::Return);
        }
        self.put(&Instruction::End);
        self.held = true;
        self.put_back();
        self.put(&Instruction::Return);
        self.put(&Instruction::End);
        self.held = true;
        self.put_back();
        // No compiler has a program do this: they all check first, since it traps. So the trap says what happened. Should a program
        // end like this of itself, it is said to have used up what it may, and has no verdict either way.
        self.put(&Instruction::F32Const(Ieee32::new(f32::NAN.to_bits())));
        self.put(&Instruction::I32TruncF32S);
        self.put(&Instruction::Drop);
        self.put(&Instruction::Unreachable);
        self.put(&Instruction::End);
    }
}

/// Units of an instruction, whatever it works on.
fn cost(operator: &Operator<'_>) -> i64 {
    match operator {
        Operator::Nop
        | Operator::Drop
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Unreachable
        | Operator::Return
        | Operator::Else
        | Operator::End => 0,
        _ => 1,
    }
}

macro_rules! proposals {
    ($(@$proposal:ident $name:ident $({ $($argument:ident: $kind:ty),* })? => $visit:ident ($($rest:tt)*))*) => {
        /// The proposal that an instruction came with.
        fn proposal(operator: &Operator<'_>) -> &'static str {
            match operator {
                $(Operator::$name { .. } => stringify!($proposal),)*
                _ => "",
            }
        }
    };
}

wasmparser::for_each_operator!(proposals);

/// Whether an instruction leaves a function, or enters one, in none but the ways that are counted.
fn counted(operator: &Operator<'_>) -> bool {
    let proposal = proposal(operator);
    let plain = ["mvp", "sign_extension", "saturating_float_to_int", "bulk_memory", "reference_types", "simd"];
    let more = ["relaxed_simd", "tail_call", "wide_arithmetic", "function_references"];
    plain.contains(&proposal) || more.contains(&proposal)
}
