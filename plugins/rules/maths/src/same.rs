//! Whether two results are the same.
//!
//! There is no algebra system here. Expressions without variables are compared by their value, to six decimals where one of them
//! has decimals and to twelve digits otherwise; expressions with variables by their values at fixed points, positive and
//! negative. Two expressions that are not the same agree at all of these points only by design.

use std::collections::BTreeSet;

use crate::complex::Complex;
use crate::evaluate::{has_decimals, value, variables};
use crate::parser::{Expr, Meaning, Relation};

/// Values for the variables; each takes one of a row in turn.
const POINTS: [[f64; 7]; 6] = [
    [0.731_058_578_6, 1.437_213_56, 2.236_067_97, 0.577_215_66, 1.902_160_58, 2.665_144_14, 0.915_965_59],
    [1.839_286_75, 0.662_743_41, 1.202_056_9, 2.502_907_87, 0.834_626_84, 1.705_211_14, 2.295_587_14],
    [2.731_055_6, 2.094_551_48, 0.764_223_65, 1.324_717_95, 2.584_981_75, 0.624_329_98, 1.456_074_94],
    [-0.870_588_38, -1.606_695_15, -2.147_899_1, -0.643_410_54, -1.131_988_24, -2.807_770_24, -1.705_2],
    [-1.187_452_35, 0.951_780_3, 1.541_690_3, -2.039_278_7, 0.428_249_5, -0.747_597_92, 1.874_859],
    [0.353_236_37, -2.415_144_5, -0.567_143_29, 1.282_427_12, -1.786_458_7, 2.133_051_4, -0.428_8],
];

/// Whether `answer` is the same result as `gold`. The order matters where one of them says more than the other: `x = 5` answers
/// 5, and 5 answers `x = 5`.
pub fn same(gold: &Meaning, answer: &Meaning) -> bool {
    use crate::parser::Expr::Variable;
    use Meaning::{Chain, Expr, Interval, List, Matrix, Set, Text, Tuple, Union};
    match (gold, answer) {
        (Expr(gold), Expr(answer)) => same_expr(gold, answer),
        (Chain(sides, relations), Chain(other_sides, other_relations)) => {
            same_chain((sides, relations), (other_sides, other_relations))
        }
        (Text(gold), Text(answer)) => gold == answer,
        // `\text{(C)}` and `C`.
        (Text(text), Expr(Variable(name))) | (Expr(Variable(name)), Text(text)) => *text == name.to_lowercase(),
        (List(gold) | Set(gold), List(answer) | Set(answer)) => same_unordered(gold, answer),
        (Tuple(gold), Tuple(answer) | List(answer) | Set(answer)) | (List(gold), Tuple(answer)) => {
            gold.len() == answer.len() && gold.iter().zip(answer).all(|(gold, answer)| same(gold, answer))
        }
        (Union(gold), Union(answer)) => same_unordered(gold, answer),
        (Matrix(gold), Matrix(answer)) => {
            let row = |(gold, answer): (&Vec<_>, &Vec<_>)| {
                gold.len() == answer.len() && gold.iter().zip(answer).all(|(gold, answer)| same_expr(gold, answer))
            };
            gold.len() == answer.len() && gold.iter().zip(answer).all(row)
        }
        (Interval { low, high, closed }, Interval { low: other_low, high: other_high, closed: other_closed }) => {
            closed == other_closed && same(low, other_low) && same(high, other_high)
        }
        (Chain(sides, relations), Interval { .. } | Tuple(_) | Union(_)) => {
            interval(sides, relations).is_some_and(|interval| same(&interval, answer)) || {
                let assigned = assigned(sides, relations);
                assigned.is_some_and(|(_, gold)| same(&Expr(gold.clone()), answer))
            }
        }
        (gold, Chain(sides, relations)) => match sides.last() {
            Some(last) if relations.iter().all(|relation| *relation == Relation::Equal) => {
                same(gold, &Expr(last.clone()))
            }
            _ => false,
        },
        (Chain(sides, relations), answer) => {
            assigned(sides, relations).is_some_and(|(_, gold)| same(&Expr(gold.clone()), answer))
        }
        (Set(items) | List(items), single) | (single, Set(items) | List(items)) => {
            matches!(items.as_slice(), [only] if same(only, single))
        }
        _ => false,
    }
}

fn same_unordered(gold: &[Meaning], answer: &[Meaning]) -> bool {
    let (gold, mut answer) = (distinct(gold), distinct(answer));
    gold.len() == answer.len()
        && gold.iter().all(|gold| match answer.iter().position(|answer| same(gold, answer)) {
            Some(found) => {
                answer.swap_remove(found);
                true
            }
            None => false,
        })
}

fn distinct(items: &[Meaning]) -> Vec<&Meaning> {
    let mut distinct: Vec<&Meaning> = Vec::new();
    for item in items {
        if !distinct.iter().any(|known| same(known, item)) {
            distinct.push(item);
        }
    }
    distinct
}

/// `x = a = b` says that x is b.
fn assigned<'e>(sides: &'e [Expr], relations: &[Relation]) -> Option<(&'e str, &'e Expr)> {
    match (sides, relations) {
        ([Expr::Variable(name), .., last], relations)
            if relations.iter().all(|relation| *relation == Relation::Equal) =>
        {
            Some((name, last))
        }
        _ => None,
    }
}

type Sides<'e> = (&'e [Expr], &'e [Relation]);

fn same_chain(gold: (&Vec<Expr>, &Vec<Relation>), answer: (&Vec<Expr>, &Vec<Relation>)) -> bool {
    if let (Some((name, gold)), Some((other, answer))) = (assigned(gold.0, gold.1), assigned(answer.0, answer.1)) {
        return name == other && same_expr(gold, answer);
    }
    let reversed_sides: Vec<Expr> = answer.0.iter().rev().cloned().collect();
    let reversed_relations: Vec<Relation> = answer.1.iter().rev().map(|relation| flipped(*relation)).collect();
    same_links((gold.0, gold.1), (answer.0, answer.1))
        || same_links((gold.0, gold.1), (&reversed_sides, &reversed_relations))
}

fn same_links(gold: Sides<'_>, answer: Sides<'_>) -> bool {
    gold.1.len() == answer.1.len()
        && (0..gold.1.len()).all(|link| {
            let difference =
                |sides: &[Expr]| Expr::Difference(Box::new(sides[link].clone()), Box::new(sides[link + 1].clone()));
            let Some(factor) = factor(&difference(gold.0), &difference(answer.0)) else { return false };
            let relation = if factor < 0.0 { flipped(answer.1[link]) } else { answer.1[link] };
            gold.1[link] == relation
        })
}

const fn flipped(relation: Relation) -> Relation {
    match relation {
        Relation::Less => Relation::More,
        Relation::LessOrEqual => Relation::MoreOrEqual,
        Relation::More => Relation::Less,
        Relation::MoreOrEqual => Relation::LessOrEqual,
        both @ (Relation::Equal | Relation::NotEqual) => both,
    }
}

/// The number that `answer` is a multiple of `gold` by, wherever one looks.
fn factor(gold: &Expr, answer: &Expr) -> Option<f64> {
    let mut factor = None;
    for (gold, answer) in values(gold, answer) {
        if gold.size() < 1e-9 || answer.size() < 1e-9 {
            if gold.size().max(answer.size()) > 1e-9 {
                return None;
            }
            continue;
        }
        let ratio = answer.over(gold);
        if ratio.im.abs() > 1e-9 * ratio.size() {
            return None;
        }
        match factor {
            None => factor = Some(ratio.re),
            Some(known) if close(Complex::real(known), Complex::real(ratio.re), 1e-9) => {}
            Some(_) => return None,
        }
    }
    factor
}

/// `1 < x \le 2` as an interval, and `x > 1` as one without an end.
fn interval(sides: &[Expr], relations: &[Relation]) -> Option<Meaning> {
    use Relation::{Less, LessOrEqual, More, MoreOrEqual};
    let infinity = || Expr::Constant(crate::parser::Constant::Infinity);
    let minus_infinity = || Expr::Negative(Box::new(infinity()));
    let is_variable = |side: &Expr| matches!(side, Expr::Variable(_));
    let (low, high, closed) = match (sides, relations) {
        ([low, middle, high], [first @ (Less | LessOrEqual), second @ (Less | LessOrEqual)]) if is_variable(middle) => {
            (low.clone(), high.clone(), (*first == LessOrEqual, *second == LessOrEqual))
        }
        ([high, middle, low], [first @ (More | MoreOrEqual), second @ (More | MoreOrEqual)]) if is_variable(middle) => {
            (low.clone(), high.clone(), (*second == MoreOrEqual, *first == MoreOrEqual))
        }
        ([left, right], [relation]) if is_variable(left) != is_variable(right) => {
            let (bound, relation) = if is_variable(left) { (right, *relation) } else { (left, flipped(*relation)) };
            match relation {
                Less | LessOrEqual => (minus_infinity(), bound.clone(), (false, relation == LessOrEqual)),
                More | MoreOrEqual => (bound.clone(), infinity(), (relation == MoreOrEqual, false)),
                Relation::Equal | Relation::NotEqual => return None,
            }
        }
        _ => return None,
    };
    let (low, high) = (Meaning::Expr(low), Meaning::Expr(high));
    Some(if closed == (false, false) {
        Meaning::Tuple(vec![low, high])
    } else {
        Meaning::Interval { low: Box::new(low), high: Box::new(high), closed }
    })
}

fn same_expr(gold: &Expr, answer: &Expr) -> bool {
    // A whole number of percent is that number too.
    let bare = |expr: &Expr| match expr {
        Expr::Percent(inner) if matches!(inner.as_ref(), Expr::Number(_, false)) => Some(inner.as_ref().clone()),
        _ => None,
    };
    let readings = |expr: &Expr| std::iter::once(expr.clone()).chain(bare(expr)).collect::<Vec<_>>();
    if bare(gold).is_some() || bare(answer).is_some() {
        let answers = readings(answer);
        return readings(gold).iter().any(|gold| answers.iter().any(|answer| same_values(gold, answer)));
    }
    same_values(gold, answer)
}

fn same_values(gold: &Expr, answer: &Expr) -> bool {
    let mut names = BTreeSet::new();
    variables(gold, &mut names);
    variables(answer, &mut names);
    if names.is_empty() {
        let nowhere = |_: &str| Complex::NAN;
        let (one, other) = (value(gold, &nowhere), value(answer, &nowhere));
        if one.re.is_infinite() || other.re.is_infinite() {
            return one.re == other.re;
        }
        if has_decimals(gold) || has_decimals(answer) {
            let rounded = |number: f64| (number * 1e6).round();
            return rounded(one.re) == rounded(other.re) && rounded(one.im) == rounded(other.im);
        }
        return close(one, other, 1e-12);
    }
    let values = values(gold, answer);
    values.len() >= 2 && values.into_iter().all(|(one, other)| close(one, other, 1e-9))
}

/// The values of both at every point where both have one. A point where one of them alone has a value counts as a difference.
fn values(one: &Expr, other: &Expr) -> Vec<(Complex, Complex)> {
    let mut names = BTreeSet::new();
    variables(one, &mut names);
    variables(other, &mut names);
    let names: Vec<String> = names.into_iter().collect();
    let mut values = Vec::with_capacity(POINTS.len());
    for (row, point) in POINTS.iter().enumerate() {
        let at = |name: &str| {
            let place = names.iter().position(|known| known == name).unwrap_or_default();
            // Beyond the seventh variable the values repeat, moved a little.
            Complex::real(point[(place + row) % point.len()] + 0.013 * (place / point.len()) as f64)
        };
        let pair = (value(one, &at), value(other, &at));
        if pair.0.is_finite() || pair.1.is_finite() {
            values.push(pair);
        }
    }
    values
}

/// Whether two numbers agree, in terms of the larger one, or of 1 where both are small. A number that is none agrees with none.
fn close(one: Complex, other: Complex, tolerance: f64) -> bool {
    one.minus(other).size() <= tolerance * one.size().max(other.size()).max(tolerance.sqrt())
}
