//! The value of an expression at a point.

use crate::complex::Complex;
use crate::parser::{Constant, Expr};

/// The value of `expr`, given the values of its variables by name; `NAN` where it has none.
pub fn value(expr: &Expr, point: &dyn Fn(&str) -> Complex) -> Complex {
    let of = |inner: &Expr| value(inner, point);
    match expr {
        Expr::Number(number, _) => Complex::real(*number),
        Expr::Variable(name) => point(name),
        Expr::Constant(Constant::Pi) => Complex::real(std::f64::consts::PI),
        Expr::Constant(Constant::E) => Complex::real(std::f64::consts::E),
        Expr::Constant(Constant::I) => Complex::I,
        Expr::Constant(Constant::Infinity) => Complex::real(f64::INFINITY),
        Expr::Sum(left, right) => of(left).plus(of(right)),
        Expr::Difference(left, right) => of(left).minus(of(right)),
        Expr::Product(left, right) => of(left).times(of(right)),
        Expr::Quotient(left, right) => of(left).over(of(right)),
        Expr::Power(base, exponent) => of(base).power(of(exponent)),
        Expr::Negative(inner) => {
            let inner = of(inner);
            Complex { re: -inner.re, im: if inner.im == 0.0 { 0.0 } else { -inner.im } }
        }
        Expr::Root(inner, degree) => {
            let degree = of(degree);
            if degree.im == 0.0 && degree.re >= 1.0 { of(inner).root(degree.re) } else { Complex::NAN }
        }
        Expr::Logarithm(base, inner) => of(inner).ln().over(of(base).ln()),
        Expr::Absolute(inner) => Complex::real(of(inner).size()),
        Expr::Factorial(inner) => of(inner).real_only(factorial),
        Expr::Binomial(above, below) => binomial(of(above), of(below)),
        Expr::Percent(inner) => of(inner).scaled(0.01),
        Expr::Call(name, inner) => call(name, of(inner)),
    }
}

fn factorial(number: f64) -> f64 {
    if !(0.0..=170.0).contains(&number) || number.fract() != 0.0 {
        return f64::NAN;
    }
    (1..=number as u32).map(f64::from).product()
}

fn binomial(above: Complex, below: Complex) -> Complex {
    let whole = |number: Complex| number.im == 0.0 && number.re.fract() == 0.0 && (0.0..=500.0).contains(&number.re);
    if !whole(above) || !whole(below) {
        return Complex::NAN;
    }
    let below = below.re.min(above.re - below.re);
    if below < 0.0 {
        return Complex::real(0.0);
    }
    let product =
        (0..below as u32).map(f64::from).fold(1.0, |product, step| product * (above.re - step) / (step + 1.0));
    Complex::real(product.round())
}

fn call(name: &str, inner: Complex) -> Complex {
    match name {
        "exp" => inner.exp(),
        "ln" | "log" => inner.ln(),
        "sin" => inner.sin(),
        "cos" => inner.cos(),
        "tan" => inner.sin().over(inner.cos()),
        "cot" => inner.cos().over(inner.sin()),
        "sec" => Complex::real(1.0).over(inner.cos()),
        "csc" => Complex::real(1.0).over(inner.sin()),
        "arcsin" => inner.real_only(libm::asin),
        "arccos" => inner.real_only(libm::acos),
        "arctan" => inner.real_only(libm::atan),
        "sinh" => inner.real_only(libm::sinh),
        "cosh" => inner.real_only(libm::cosh),
        "tanh" => inner.real_only(libm::tanh),
        _ => Complex::NAN,
    }
}

/// What an expression is made of, from left to right.
fn parts(expr: &Expr) -> [Option<&Expr>; 2] {
    match expr {
        Expr::Number(..) | Expr::Variable(_) | Expr::Constant(_) => [None, None],
        Expr::Sum(one, other)
        | Expr::Difference(one, other)
        | Expr::Product(one, other)
        | Expr::Quotient(one, other)
        | Expr::Power(one, other)
        | Expr::Root(one, other)
        | Expr::Logarithm(one, other)
        | Expr::Binomial(one, other) => [Some(one), Some(other)],
        Expr::Negative(inner)
        | Expr::Call(_, inner)
        | Expr::Absolute(inner)
        | Expr::Factorial(inner)
        | Expr::Percent(inner) => [Some(inner), None],
    }
}

/// The names of the variables, in order, each once.
pub fn variables(expr: &Expr, found: &mut std::collections::BTreeSet<String>) {
    if let Expr::Variable(name) = expr {
        found.insert(name.clone());
    }
    parts(expr).into_iter().flatten().for_each(|part| variables(part, found));
}

/// Whether a number is written with a decimal point somewhere.
pub fn has_decimals(expr: &Expr) -> bool {
    matches!(expr, Expr::Number(_, true)) || parts(expr).into_iter().flatten().any(has_decimals)
}
