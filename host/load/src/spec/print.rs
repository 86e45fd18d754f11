//! The canonical text of a load.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use super::{Arrivals, Closed, LoadSpec, LoadStage, Open, Rate, Rates, ReplaySpec, SweepSpec};

impl Display for LoadSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Sequential => f.write_str("sequential"),
            Self::Closed(closed) => closed.fmt(f),
            Self::Open(open) => open.fmt(f),
            Self::Replay(replay) => replay.fmt(f),
            Self::Sweep(sweep) => sweep.fmt(f),
        }
    }
}

impl From<LoadSpec> for String {
    fn from(spec: LoadSpec) -> Self {
        spec.to_string()
    }
}

impl Display for Closed {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.ramp {
            Some(ramp) => write!(f, "closed:{}..{},ramp={}", self.from, self.to, Span(ramp)),
            None => write!(f, "closed:{}", self.to),
        }
    }
}

impl Display for Open {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.rates {
            Rates::Constant(rate) => write!(f, "{}:{rate}{}", self.arrivals.name(), Burstiness(self.arrivals)),
            Rates::Ramp { from, to } => {
                write!(f, "ramp:{from}..{to}")?;
                if self.arrivals != Arrivals::Poisson {
                    write!(f, ",arrivals={}{}", self.arrivals.name(), Burstiness(self.arrivals))?;
                }
                Ok(())
            }
            Rates::Stages(stages) => {
                write!(f, "stages:{}{}", self.arrivals.name(), Burstiness(self.arrivals))?;
                stages.iter().try_for_each(|stage| write!(f, ",{stage}"))
            }
        }
    }
}

impl Display for LoadStage {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.from)?;
        if self.from != self.to {
            write!(f, "..{}", self.to)?;
        }
        write!(f, "@{}", Span(self.lasts))
    }
}

impl Display for ReplaySpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "replay:{}", self.path.display())?;
        if self.speed != 1.0 {
            write!(f, ",speed={}", self.speed)?;
        }
        self.format.map_or(Ok(()), |format| write!(f, ",format={}", format.name()))
    }
}

impl Display for SweepSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (name, burstiness) = (self.arrivals.name(), Burstiness(self.arrivals));
        write!(f, "sweep:from={},to={},arrivals={name}{burstiness}", self.from, self.to)
    }
}

impl Arrivals {
    /// Its name in the grammar.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
            Self::Gamma { .. } => "gamma",
        }
    }
}

/// The option that a gamma distribution needs, with its comma.
struct Burstiness(Arrivals);

impl Display for Burstiness {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            Arrivals::Gamma { burstiness } => write!(f, ",burstiness={burstiness}"),
            Arrivals::Constant | Arrivals::Poisson => Ok(()),
        }
    }
}

impl Display for Rate {
    /// Per second, or per minute where that is shorter and says the same.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let second = self.per_second().to_string();
        let per_minute = self.per_second() * 60.0;
        let minute = per_minute.to_string();
        if minute.len() < second.len() && per_minute / 60.0 == self.per_second() {
            return write!(f, "{minute}/min");
        }
        write!(f, "{second}/s")
    }
}

/// A time with a unit, in the largest that leaves a whole number.
struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (seconds, rest) = (self.0.as_secs(), self.0.subsec_nanos());
        match (seconds, rest) {
            (1.., 0) if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            (1.., 0) if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            (_, 0) => write!(f, "{seconds}s"),
            (0, _) if rest % 1_000_000 == 0 => write!(f, "{}ms", rest / 1_000_000),
            _ => write!(f, "{seconds}.{}s", format!("{rest:09}").trim_end_matches('0')),
        }
    }
}
