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
    /// The origin answers, but came and went too often within a minute.
    Flapping,
    /// An order says `normal`, but the last this edge knows of the origin is that it failed, or nothing.
    NotSeenHealthy,
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
    /// Since when the same one answers, whatever the reason, restarts included. `None`: as long as this
    /// edge knows.
    pub since: Option<Timestamp>,
}

/// The modes that orders ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// By the order for the whole site.
    pub site: Mode,
    /// By the order for the service.
    pub service: Mode,
    /// Whether an order for `normal` insists on it.
    pub insists: bool,
}

/// What the breaker knows of the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where it stands.
    pub phase: Phase,
    /// Whether the last that is known is that the origin answered.
    pub well: bool,
    /// How it failed last.
    pub failure: &'static str,
}

impl Effective {
    /// The stronger of both orders wins: degraded, then normal, then what the breaker says.
    /// Without an origin nothing can be normal; with one that was not seen well, only what insists.
    #[must_use]
    pub fn of(ordered: Ordered, known: Option<Known>) -> Self {
        let by = if ordered.site >= ordered.service {
            Reason::SiteOrder
        } else {
            Reason::ServiceOrder
        };
        match (ordered.site.max(ordered.service), known) {
            (Mode::Degraded, _) => Self::Degraded(by),
            (_, None) => Self::Degraded(Reason::NoOrigin),
            (Mode::Normal, Some(known)) if known.well || ordered.insists => Self::Normal(by),
            (Mode::Normal, Some(_)) => Self::Degraded(Reason::NotSeenHealthy),
            (Mode::Automatic, Some(known)) => match known.phase {
                Phase::Closed => Self::Normal(Reason::Calm),
                Phase::Suspecting => Self::Normal(Reason::Suspecting),
                Phase::Open => Self::Degraded(Reason::OriginGone(known.failure)),
                Phase::Held => Self::Degraded(Reason::Flapping),
                Phase::Closing(share) => Self::Probing(share),
            },
        }
    }

    /// Whether this is news after `old`: another answers, or for another reason than suspicion.
    #[must_use]
    pub fn is_news(self, old: Self) -> bool {
        let reason = |mode: Self| match mode.reason() {
            Reason::Suspecting => Reason::Calm,
            reason => reason,
        };
        self.as_str() != old.as_str() || reason(self) != reason(old)
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
            Self::Flapping => "flapping",
            Self::NotSeenHealthy => "not-seen-healthy",
            Self::SiteOrder => "site-order",
            Self::ServiceOrder => "service-order",
            Self::NoOrigin => "no-origin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(site: Mode, service: Mode, insists: bool, phase: Phase) -> String {
        let ordered = Ordered {
            site,
            service,
            insists,
        };
        let known = Known {
            phase,
            well: phase != Phase::Open,
            failure: "connect",
        };
        let effective = Effective::of(ordered, Some(known));
        format!("{} {}", effective.as_str(), effective.reason().as_str())
    }

    #[test]
    fn the_stronger_order_wins_and_only_then_the_breaker_speaks() {
        use Mode::{Automatic, Degraded, Normal};
        for (site, service, phase, expected) in [
            (Automatic, Automatic, Phase::Closed, "normal calm"),
            (Automatic, Automatic, Phase::Suspecting, "normal suspecting"),
            (Automatic, Automatic, Phase::Open, "degraded connect"),
            (Automatic, Automatic, Phase::Held, "degraded flapping"),
            (
                Automatic,
                Automatic,
                Phase::Closing(25),
                "probing recovering",
            ),
            (Normal, Automatic, Phase::Closing(25), "normal site-order"),
            (Automatic, Normal, Phase::Held, "normal service-order"),
            (Normal, Degraded, Phase::Closed, "degraded service-order"),
            (Degraded, Normal, Phase::Closed, "degraded site-order"),
            (Degraded, Degraded, Phase::Closed, "degraded site-order"),
        ] {
            assert_eq!(words(site, service, false, phase), expected);
        }
    }

    #[test]
    fn normal_needs_an_origin_that_was_seen_well_or_an_order_that_insists() {
        use Mode::{Automatic, Degraded, Normal};
        for (site, service) in [(Normal, Automatic), (Automatic, Normal)] {
            let gone = words(site, service, false, Phase::Open);
            assert_eq!(gone, "degraded not-seen-healthy");
        }
        let insists = words(Automatic, Normal, true, Phase::Open);
        assert_eq!(insists, "normal service-order");
        let degraded = words(Degraded, Normal, true, Phase::Open);
        assert_eq!(degraded, "degraded site-order");
    }

    #[test]
    fn without_an_origin_nothing_is_normal() {
        for mode in [Mode::Automatic, Mode::Normal] {
            let ordered = Ordered {
                site: mode,
                service: Mode::Automatic,
                insists: true,
            };
            let effective = Effective::of(ordered, None);
            assert_eq!(effective, Effective::Degraded(Reason::NoOrigin));
        }
    }

    #[test]
    fn suspicion_and_another_share_are_no_news() {
        let (calm, suspecting) = (
            Effective::Normal(Reason::Calm),
            Effective::Normal(Reason::Suspecting),
        );
        assert!(!suspecting.is_news(calm) && !calm.is_news(suspecting));
        assert!(!Effective::Probing(25).is_news(Effective::Probing(10)));
        assert!(Effective::Probing(10).is_news(calm));
        assert!(Effective::Normal(Reason::SiteOrder).is_news(calm));
    }
}
