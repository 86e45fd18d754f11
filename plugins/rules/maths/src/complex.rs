//! Complex numbers, as far as sample points need them. `libm` rather than the platform's functions, so that every build computes
//! the same bits.

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Complex {
    pub const I: Self = Self { re: 0.0, im: 1.0 };
    pub const NAN: Self = Self { re: f64::NAN, im: f64::NAN };

    pub const fn real(re: f64) -> Self {
        Self { re, im: 0.0 }
    }

    pub fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }

    pub fn size(self) -> f64 {
        libm::hypot(self.re, self.im)
    }

    pub fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    pub fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    pub fn times(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    pub fn scaled(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    pub fn over(self, other: Self) -> Self {
        if other.im == 0.0 {
            return Self { re: self.re / other.re, im: self.im / other.re };
        }
        let square = other.re * other.re + other.im * other.im;
        self.times(Self { re: other.re / square, im: -other.im / square })
    }

    pub fn exp(self) -> Self {
        let size = libm::exp(self.re);
        if self.im == 0.0 {
            return Self::real(size);
        }
        Self { re: size * libm::cos(self.im), im: size * libm::sin(self.im) }
    }

    pub fn ln(self) -> Self {
        let angle = if self.im == 0.0 && self.re >= 0.0 { 0.0 } else { libm::atan2(self.im, self.re) };
        Self { re: libm::log(self.size()), im: angle }
    }

    pub fn power(self, exponent: Self) -> Self {
        if exponent.im == 0.0 {
            let whole = exponent.re.fract() == 0.0 && exponent.re.abs() <= 64.0;
            if self.im == 0.0 && (self.re >= 0.0 || exponent.re.fract() == 0.0) {
                return Self::real(libm::pow(self.re, exponent.re));
            }
            if whole {
                let mut product = Self::real(1.0);
                for _ in 0..exponent.re.abs() as u32 {
                    product = product.times(self);
                }
                return if exponent.re < 0.0 { Self::real(1.0).over(product) } else { product };
            }
        }
        if self.size() == 0.0 { Self::NAN } else { self.ln().times(exponent).exp() }
    }

    pub fn root(self, degree: f64) -> Self {
        if self.im == 0.0 && self.re >= 0.0 && degree == 2.0 {
            return Self::real(self.re.sqrt());
        }
        // The real root of a negative number, where there is one.
        if self.im == 0.0 && self.re < 0.0 && degree.rem_euclid(2.0) == 1.0 {
            return Self::real(-libm::pow(-self.re, 1.0 / degree));
        }
        self.power(Self::real(1.0 / degree))
    }

    pub fn sin(self) -> Self {
        Self { re: libm::sin(self.re) * libm::cosh(self.im), im: libm::cos(self.re) * libm::sinh(self.im) }
    }

    pub fn cos(self) -> Self {
        Self { re: libm::cos(self.re) * libm::cosh(self.im), im: -libm::sin(self.re) * libm::sinh(self.im) }
    }

    /// A function of real numbers.
    pub fn real_only(self, function: impl Fn(f64) -> f64) -> Self {
        if self.im == 0.0 { Self::real(function(self.re)) } else { Self::NAN }
    }
}
