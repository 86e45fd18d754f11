//! What every chart shares: axes, their ticks, and a frame to draw in.

use crate::text::{esc, figure, put};

/// How values become places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Evenly.
    Linear,
    /// By their logarithm; values are above 0.
    Log,
}

/// Values of a chart along one direction.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    from: f64,
    to: f64,
    scale: Scale,
    ticks: Vec<f64>,
}

impl Axis {
    /// From 0 to a round number at or above `most`, with about `steps` ticks.
    pub(crate) fn from_zero(most: f64, steps: usize) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let step = round_step(most / steps.max(1) as f64);
        let count = (most / step - 1e-9).ceil().max(1.0);
        let ticks = (0..=count as usize).map(|n| n as f64 * step).collect();
        Self { from: 0.0, to: count * step, scale: Scale::Linear, ticks }
    }

    /// From `from` to `to` exactly, with ticks at round numbers in between.
    pub(crate) fn exact(from: f64, to: f64, steps: usize) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        let step = round_step((to - from) / steps.max(1) as f64);
        let first = (from / step - 1e-9).ceil() as i64;
        let last = (to / step + 1e-9).floor() as i64;
        let ticks = (first..=last).take(64).map(|n| n as f64 * step).collect();
        Self { from, to, scale: Scale::Linear, ticks }
    }

    /// From 0 where the values allow it, and by logarithm where the largest is so far from the middle one that a linear axis
    /// would show nothing but it.
    pub(crate) fn fitting(sorted: &[f64], steps: usize) -> Self {
        let (Some(least), Some(most)) = (sorted.first().copied(), sorted.last().copied()) else {
            return Self::from_zero(1.0, steps);
        };
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(most);
        if least > 0.0 && most > 8.0 * middle { Self::log(least, most) } else { Self::from_zero(most, steps) }
    }

    /// From a round number below `from` to one above `to`, which are above 0. Round are 1, 2 and 5 times powers of ten, and over
    /// more than three decades those powers alone.
    fn log(from: f64, to: f64) -> Self {
        let (low, high) = (from.log10().floor() as i32, to.log10().ceil() as i32);
        let (low, high) = (low.max(high - 9), high.max(low + 1));
        let factors: &[f64] = if high - low > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let round = (low..=high).flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
        let round: Vec<f64> = round.collect();
        let first = round.iter().rposition(|tick| *tick <= from).unwrap_or(0);
        let last = round.iter().position(|tick| *tick >= to).unwrap_or(round.len() - 1).max(first + 1);
        let ticks: Vec<f64> = round.get(first..=last).unwrap_or(&round).to_vec();
        let ends = (ticks.first().copied().unwrap_or(1.0), ticks.last().copied().unwrap_or(10.0));
        Self { from: ends.0, to: ends.1, scale: Scale::Log, ticks }
    }

    /// Whether places are logarithms.
    pub(crate) fn is_log(&self) -> bool {
        self.scale == Scale::Log
    }

    /// The place of `value`, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value.max(self.from).log10() - self.from.log10()) / (self.to.log10() - self.from.log10()),
        };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The end of the axis.
    pub(crate) fn to(&self) -> f64 {
        self.to
    }

    /// The words of a tick: as many decimals as the steps need.
    fn word(&self, tick: f64) -> String {
        if self.scale == Scale::Log {
            return if tick < 1.0 {
                format!("{tick}")
            } else {
                figure(tick).trim_end_matches(".00").trim_end_matches(".0").to_owned()
            };
        }
        let step = match self.ticks.as_slice() {
            [a, b, ..] => b - a,
            _ => 1.0,
        };
        if step >= 1.0 {
            return if tick.abs() >= 1000.0 { figure(tick) } else { format!("{tick:.0}") };
        }
        let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0) as usize;
        format!("{tick:.decimals$}")
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    if !step.is_finite() || step <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|round| *round >= step * 0.999_999)
        .unwrap_or(step)
}

/// A rectangle of a chart with its axes, in units of the drawing.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Left edge.
    pub(crate) left: f64,
    /// Upper edge.
    pub(crate) top: f64,
    /// Width.
    pub(crate) width: f64,
    /// Height.
    pub(crate) height: f64,
    /// Horizontal values.
    pub(crate) x: Axis,
    /// Vertical values.
    pub(crate) y: Axis,
}

impl Frame {
    /// The horizontal place of a value.
    pub(crate) fn px(&self, value: f64) -> f64 {
        self.left + self.x.share(value) * self.width
    }

    /// The vertical place of a value.
    pub(crate) fn py(&self, value: f64) -> f64 {
        self.top + (1.0 - self.y.share(value)) * self.height
    }

    /// The lower edge.
    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The right edge.
    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Horizontal lines with their values at the left.
    pub(crate) fn grid(&self, svg: &mut String) {
        for tick in &self.y.ticks {
            let y = self.py(*tick);
            put!(
                svg,
                "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
                self.left,
                self.right()
            );
            put!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                self.left - 6.0,
                y + 3.5,
                self.y.word(*tick)
            );
        }
    }

    /// The values of the horizontal axis below the frame, and what they are.
    pub(crate) fn floor(&self, svg: &mut String, title: &str) {
        let bottom = self.bottom();
        put!(
            svg,
            "<line class=\"axis\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{bottom:.1}\" y2=\"{bottom:.1}\"/>",
            self.left,
            self.right()
        );
        let mut free = f64::NEG_INFINITY;
        for tick in &self.x.ticks {
            let (x, word) = (self.px(*tick), self.x.word(*tick));
            let half = word.chars().count() as f64 * 3.4;
            put!(
                svg,
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom:.1}\" y2=\"{:.1}\"/>",
                bottom + 4.0
            );
            if x - half > free {
                put!(
                    svg,
                    "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{word}</text>",
                    bottom + 16.0
                );
                free = x + half + 6.0;
            }
        }
        put!(
            svg,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            self.right(),
            bottom + 31.0,
            esc(title)
        );
    }

    /// What the vertical axis is, above the frame.
    pub(crate) fn title(&self, svg: &mut String, title: &str) {
        put!(svg, "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", self.left, self.top - 9.0, esc(title));
    }
}

/// Begins a drawing that shows what lies between two heights. `label` says what it shows to whoever cannot see it.
pub(crate) fn open(svg: &mut String, width: f64, (top, bottom): (f64, f64), label: &str) {
    put!(
        svg,
        "<svg class=\"plot\" viewBox=\"0 {top:.0} {width:.0} {:.0}\" role=\"img\" aria-label=\"{}\">",
        bottom - top,
        esc(label)
    );
}

/// A path through points.
pub(crate) fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        put!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
    }
    path
}

/// A path that keeps each value until the next point.
pub(crate) fn steps(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        if path.is_empty() {
            put!(path, "M{x:.1} {y:.1}");
        } else {
            put!(path, "H{x:.1}V{y:.1}");
        }
    }
    path
}
