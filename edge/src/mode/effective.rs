//! Who answers for one service now, and why: one value, made of orders and the breaker.

use snapshot::Timestamp;
use snapshot::order::Mode;

use super::breaker::Phase;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effective {
    /// The origin.
    Normal(Reason),
    /// The origin for this percentage of reads and for every write, the snapshot for the rest.
    Probing(u8),
    /// The snapshot. Writes are refused.
    Degraded(Reason),
}

/// Why it is so. For status, metrics, logs and `Cache-Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The breaker is closed.
    Calm,
    /// The breaker suspects the origin and is asking it.
    Suspecting,
    /// The breaker lets the origin answer again, step by step.
    Recovering,
    /// The breaker is open; the origin failed like this.
    OriginGone(&'static str),
    /// An order for the whole site.
    SiteOrder,
    /// An order for this service.
    ServiceOrder,
    /// No origin is configured.
    NoOrigin,
}

/// An [`Effective`] and since when it has been so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceMode {
    /// Who answers, and why.
    pub effective: Effective,
    /// Since when the same one answers, whatever the reason. `None`: since this edge started.
    pub since: Option<Timestamp>,
}

/// The modes that orders ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// By the order for the whole site.
    pub site: Mode,
    /// By the order for the service.
    pub service: Mode,
}

impl Effective {
    /// The stronger of both orders wins: degraded, then normal, then what the breaker says.
    /// Without an origin nothing can be normal.
    #[must_use]
    pub fn of(ordered: Ordered, phase: Option<Phase>, failure: &'static str) -> Self {
        let by = if ordered.site >= ordered.service {
            Reason::SiteOrder
        } else {
            Reason::ServiceOrder
        };
        match (ordered.site.max(ordered.service), phase) {
            (Mode::Degraded, _) => Self::Degraded(by),
            (_, None) => Self::Degraded(Reason::NoOrigin),
            (Mode::Normal, _) => Self::Normal(by),
            (Mode::Automatic, Some(phase)) => match phase {
                Phase::Closed => Self::Normal(Reason::Calm),
                Phase::Suspecting => Self::Normal(Reason::Suspecting),
                Phase::Open => Self::Degraded(Reason::OriginGone(failure)),
                Phase::Closing(share) => Self::Probing(share),
            },
        }
    }

    /// True when the snapshot answers.
    #[must_use]
    pub const fn is_degraded(self) -> bool {
        matches!(self, Self::Degraded(_))
    }

    /// Its name in status and metrics: `normal`, `probing`, `degraded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal(_) => "normal",
            Self::Probing(_) => "probing",
            Self::Degraded(_) => "degraded",
        }
    }

    /// Why.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Normal(reason) | Self::Degraded(reason) => reason,
            Self::Probing(_) => Reason::Recovering,
        }
    }
}

impl Reason {
    /// Its name in status and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Suspecting => "suspecting",
            Self::Recovering => "recovering",
            Self::OriginGone(failure) => failure,
            Self::SiteOrder => "site-order",
            Self::ServiceOrder => "service-order",
            Self::NoOrigin => "no-origin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_order_wins_and_only_then_the_breaker_speaks() {
        use Mode::{Automatic, Degraded, Normal};
        for (site, service, phase, expected) in [
            (Automatic, Automatic, Phase::Closed, "normal calm"),
            (Automatic, Automatic, Phase::Suspecting, "normal suspecting"),
            (Automatic, Automatic, Phase::Open, "degraded connect"),
            (
                Automatic,
                Automatic,
                Phase::Closing(25),
                "probing recovering",
            ),
            (Normal, Automatic, Phase::Open, "normal site-order"),
            (Automatic, Normal, Phase::Open, "normal service-order"),
            (Normal, Degraded, Phase::Closed, "degraded service-order"),
            (Degraded, Normal, Phase::Closed, "degraded site-order"),
            (Degraded, Degraded, Phase::Closed, "degraded site-order"),
        ] {
            let effective = Effective::of(Ordered { site, service }, Some(phase), "connect");
            let words = format!("{} {}", effective.as_str(), effective.reason().as_str());
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn without_an_origin_nothing_is_normal() {
        for mode in [Mode::Automatic, Mode::Normal] {
            let ordered = Ordered {
                site: mode,
                service: Mode::Automatic,
            };
            let effective = Effective::of(ordered, None, "");
            assert_eq!(effective, Effective::Degraded(Reason::NoOrigin));
        }
    }
}
