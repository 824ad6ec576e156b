"""From counters to figures: the last twenty seconds, and what is usual. Pure but for what it remembers."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable

from console.readings import Traffic
from console.sources.rates import Counted, Meter, rate, three_digits
from console.sources.traefik_metrics import Counts, Kind, Scrape, quantile

WINDOW_S = 20.0
"""Figures are of an interval at least so long, as soon as there is one: a tenant that is asked every two seconds has ten."""
SLOW_S = 1.0
MINUTE_S = 60.0
USUAL_MINUTES = 15
_FEWEST_MINUTES = 3
_UNUSUAL_RATE, _UNUSUAL_P95 = 3.0, 3.0
_LEAST_RATE, _LEAST_P95_S = 2.0, 0.5
"""A minute of so many times the usual, and at least so much, is left out of what is usual …"""
_UNUSUAL_MINUTES = 60
"""… unless it has lasted so long that it is usual by now: a flood must not become the measure of itself in between."""

Subject = tuple[Kind, str]
Vector = tuple[float, ...]
_COUNTERS = 5


def _added(a: Vector, b: Vector) -> Vector:
    return tuple(map(float.__add__, a, b)) if len(a) == len(b) else b


class Usual:
    """What one router, service or entry point usually has to do."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[float, Vector]] = deque(maxlen=USUAL_MINUTES)
        self._seconds = 0.0
        self._sum: Vector = ()
        self._unusual = 0
        self._sums: tuple[float, Vector] = (0.0, ())

    def add(self, seconds: float, delta: Vector, bounds: tuple[float, ...]) -> None:
        """One look's counts."""
        self._seconds += seconds
        self._sum = _added(self._sum, delta)
        if self._seconds >= MINUTE_S:
            if self._fits(bounds):
                self._minutes.append((self._seconds, self._sum))
                self._total()
            self._seconds, self._sum = 0.0, ()

    def _fits(self, bounds: tuple[float, ...]) -> bool:
        """Whether the minute that ends may count."""
        per_s, p95 = self.per_s, self.p95_s(bounds)
        now, now_p95 = self._sum[0] / self._seconds, quantile(0.95, bounds, self._sum[_COUNTERS:])
        odd = per_s is not None and now >= max(_LEAST_RATE, _UNUSUAL_RATE * per_s)
        odd = odd or (p95 is not None and now_p95 is not None and now_p95 >= max(_LEAST_P95_S, _UNUSUAL_P95 * p95))
        self._unusual = self._unusual + 1 if odd else 0
        return not odd or self._unusual > _UNUSUAL_MINUTES

    def _total(self) -> None:
        seconds = 0.0
        total: Vector = ()
        for lasted, counted in self._minutes:
            seconds += lasted
            total = _added(total, counted)
        self._sums = (seconds, total)

    @property
    def per_s(self) -> float | None:
        """Requests a second; None: not known yet."""
        seconds, total = self._sums
        return total[0] / seconds if len(self._minutes) >= _FEWEST_MINUTES else None

    def p95_s(self, bounds: tuple[float, ...]) -> float | None:
        """95th percentile, seconds; None: not known yet, or nothing was asked."""
        return quantile(0.95, bounds, self._sums[1][_COUNTERS:]) if len(self._minutes) >= _FEWEST_MINUTES else None


class Course:
    """Scrape after scrape of one Traefik: the window's figures of everything that it counts."""

    def __init__(self, longest_s: float) -> None:
        """``longest_s``: an interval longer than this is no basis for figures of now."""
        self._meter: Meter[Subject] = Meter(longest_s=longest_s, new_counts=True)
        self._looks: deque[tuple[float, dict[Subject, Vector]]] = deque()
        self._usual: dict[Subject, Usual] = {}
        self._bounds: dict[Kind, tuple[float, ...]] = {}
        self.window_s = 0.0
        """Length of the window; 0: there is nothing to compare with."""
        self._sums: dict[Subject, Vector] = {}

    def take(self, at: float, life: Hashable, scrape: Scrape) -> None:
        """One scrape, made ``at`` (monotonic seconds) in the ``life`` of a process."""
        if scrape.bounds != self._bounds:
            # Another start, or the first request at all: what was counted in other buckets cannot be compared.
            self._bounds = scrape.bounds
            self._looks.clear()
        now: dict[Subject, Counted] = {}
        kinds: tuple[tuple[Kind, dict[str, Counts]], ...] = (
            ("router", scrape.routers),
            ("service", scrape.services),
            ("entrypoint", scrape.entry_points),
        )
        for kind, counted in kinds:
            own = (life, len(scrape.bounds[kind]))
            for name, counts in counted.items():
                now[(kind, name)] = Counted(own, counts.vector)
        step = self._meter.step(at, now)
        if step.window_s <= 0:
            self._looks.clear()
        else:
            self._looks.append((step.window_s, step.deltas))
            self._learn(step.window_s, step.deltas, now)
        while len(self._looks) > 1 and sum(each[0] for each in self._looks) - self._looks[0][0] >= WINDOW_S:
            self._looks.popleft()
        self._sum()

    def forget(self) -> None:
        """The next scrape starts anew; what is usual stays so."""
        self._meter.forget()
        self._looks.clear()

    def _learn(self, seconds: float, deltas: dict[Subject, Vector], now: dict[Subject, Counted]) -> None:
        for subject, delta in deltas.items():
            self._usual.setdefault(subject, Usual()).add(seconds, delta, self._bounds[subject[0]])
        if len(self._usual) > 2 * len(now) + 100:
            self._usual = {subject: usual for subject, usual in self._usual.items() if subject in now}

    def _sum(self) -> None:
        self.window_s = sum(each[0] for each in self._looks)
        self._sums = {}
        for _, deltas in self._looks:
            for subject, delta in deltas.items():
                before = self._sums.get(subject)
                self._sums[subject] = delta if before is None else _added(before, delta)

    def traffic(self, kind: Kind, names: dict[str, Counts], tenant: Callable[[str], str]) -> dict[str, Traffic]:
        """Figures of each; without a window only its name."""
        return {name: self._figures(kind, name, tenant(name)) for name in names}

    def _figures(self, kind: Kind, name: str, tenant: str) -> Traffic:
        delta = self._sums.get((kind, name))
        if delta is None or self.window_s <= 0:
            return Traffic(name, tenant)
        bounds, usual = self._bounds[kind], self._usual.get((kind, name))
        per_s, errors, gateway, limited, refused = (rate(delta[at], self.window_s) for at in range(_COUNTERS))
        usual_per_s = usual.per_s if usual else None
        return Traffic(
            name=name,
            tenant=tenant,
            requests=round(delta[0]),
            requests_per_s=per_s,
            errors_per_s=errors,
            gateway_per_s=gateway,
            limited_per_s=limited,
            refused_per_s=refused,
            slow=slower(bounds, delta[_COUNTERS:]),
            **quantiles(bounds, delta[_COUNTERS:]),
            usual_per_s=None if usual_per_s is None else three_digits(usual_per_s),
            usual_p95_ms=_ms(usual.p95_s(bounds) if usual else None),
        )

    def whole(self) -> dict[str, object]:
        """Figures of all entry points together, as fields of a reading."""
        found = [delta for (kind, _), delta in self._sums.items() if kind == "entrypoint"]
        if not found or self.window_s <= 0:
            return {}
        total = found[0]
        for delta in found[1:]:
            total = _added(total, delta)
        made = quantiles(self._bounds["entrypoint"], total[_COUNTERS:])
        made.pop("over_ms")
        return {
            "requests": round(total[0]),
            "requests_per_s": rate(total[0], self.window_s),
            "errors_per_s": rate(total[1], self.window_s),
            **made,
        }


def slower(bounds: tuple[float, ...], counts: Vector) -> int | None:
    """Requests beyond the first bound of a second or more; None: there is no histogram."""
    within = next((count for bound, count in zip(bounds, counts, strict=False) if SLOW_S <= bound < math.inf), None)
    return None if within is None else round(counts[-1] - within)


def quantiles(bounds: tuple[float, ...], counts: Vector) -> dict[str, float | None]:
    """``p50_ms``, ``p95_ms``, ``p99_ms``, and ``over_ms`` where the last one lies beyond the last bucket."""
    beyond = len(bounds) >= 2 and bool(counts) and counts[-1] > 0 and counts[-2] < 0.99 * counts[-1]
    return {
        "p50_ms": _ms(quantile(0.5, bounds, counts)),
        "p95_ms": _ms(quantile(0.95, bounds, counts)),
        "p99_ms": _ms(quantile(0.99, bounds, counts)),
        "over_ms": bounds[-2] * 1e3 if beyond else None,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else three_digits(seconds * 1e3)
