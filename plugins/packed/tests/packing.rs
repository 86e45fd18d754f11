//! What was laid side by side comes up again, and nothing else does.

use bench_packed::{Damaged, Packed, Packer, Unpacker};
use proptest::prelude::*;

/// One value of each kind.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Whole(u32),
    Text(String),
    OptionalText(Option<String>),
    OptionalFlag(Option<bool>),
    Number(f64),
    OptionalNumber(Option<f64>),
}

fn value() -> impl Strategy<Value = Value> {
    let number = || any::<f64>().prop_filter("NaN is not equal to itself", |number| !number.is_nan());
    prop_oneof![
        any::<u32>().prop_map(Value::Whole),
        any::<String>().prop_map(Value::Text),
        any::<Option<String>>().prop_map(Value::OptionalText),
        any::<Option<bool>>().prop_map(Value::OptionalFlag),
        number().prop_map(Value::Number),
        proptest::option::of(number()).prop_map(Value::OptionalNumber),
    ]
}

fn lay(values: &[Value]) -> Packed {
    let mut into = Packer::with_capacity(16, 16);
    for value in values {
        match value {
            Value::Whole(number) => into.whole(*number),
            Value::Text(text) => into.text(text),
            Value::OptionalText(text) => into.optional_text(text.as_deref()),
            Value::OptionalFlag(flag) => into.optional_flag(*flag),
            Value::Number(number) => into.number(*number),
            Value::OptionalNumber(number) => into.optional_number(*number),
        }
    }
    into.finish()
}

/// Takes up values of the same kinds.
fn take(packed: &Packed, like: &[Value]) -> Result<Vec<Value>, Damaged> {
    let mut from = Unpacker::new(packed);
    let taken = like
        .iter()
        .map(|value| {
            Ok(match value {
                Value::Whole(_) => Value::Whole(from.whole()?),
                Value::Text(_) => Value::Text(from.text()?.to_owned()),
                Value::OptionalText(_) => Value::OptionalText(from.optional_text()?.map(str::to_owned)),
                Value::OptionalFlag(_) => Value::OptionalFlag(from.optional_flag()?),
                Value::Number(_) => Value::Number(from.number()?),
                Value::OptionalNumber(_) => Value::OptionalNumber(from.optional_number()?),
            })
        })
        .collect::<Result<_, _>>()?;
    from.finish().map(|()| taken)
}

proptest! {
    #[test]
    fn what_is_laid_down_comes_up(values in prop::collection::vec(value(), 0..40)) {
        prop_assert_eq!(take(&lay(&values), &values), Ok(values));
    }

    #[test]
    fn nothing_may_be_left(values in prop::collection::vec(value(), 0..10), more in value()) {
        let longer: Vec<Value> = values.iter().cloned().chain([more]).collect();
        prop_assert_eq!(take(&lay(&longer), &values), Err(Damaged));
        prop_assert_eq!(take(&lay(&values), &longer), Err(Damaged));
    }

    #[test]
    fn whatever_comes_is_taken_without_a_panic(
        text in any::<String>(),
        shape in prop::collection::vec(prop_oneof![0u32..8, any::<u32>()], 0..30),
        numbers in prop::collection::vec(any::<f64>(), 0..8),
        like in prop::collection::vec(value(), 0..30),
    ) {
        let (packed, most) = (Packed { text, shape, numbers }, like.len());
        prop_assert!(take(&packed, &like).is_ok_and(|taken| taken.len() == most) || take(&packed, &like).is_err());
        let mut from = Unpacker::new(&packed);
        let left = packed.shape.len();
        prop_assert!(from.count().is_ok_and(|count| count < left) || left == 0 || packed.shape[0] as usize >= left);
    }
}

#[test]
fn a_text_is_not_cut_within_a_character() {
    let packed = Packed { text: "é".into(), shape: vec![1], numbers: Vec::new() };
    assert_eq!(Unpacker::new(&packed).text(), Err(Damaged));
}
