"""Numbers as people read them: always with a unit, few digits, and no wider than promised.

Fewer digits are a feature twice over: the eye compares them quicker, and a figure that did not move enough to matter
costs no bytes on the link. ``None`` is "not known" everywhere and reads ``?``; it never reads zero.
"""

from __future__ import annotations

from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size

UNKNOWN = "?"
"""What a value reads that could not be measured."""

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_THOUSANDS = ("", " k", " M", " G", " T", " P")
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def _digits(value: float) -> str:
    """One decimal below ten, none above: ``1.2``, ``14``, ``0``."""
    if value == 0 or value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}"


def _scaled(value: float, base: float, units: tuple[str, ...]) -> tuple[str, str]:
    """Digits and unit of ``value``, at most three digits before the unit while units last."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    for unit in units[:-1]:
        if value < 999.5:
            return sign + _digits(value), unit
        value /= base
    return sign + _digits(value), units[-1]


def size(amount: float | None) -> str:
    """Bytes as PostgreSQL spells them (1 kB = 1024 B): ``0 B``, ``512 kB``, ``1.2 MB``. At most six cells to 999 EB."""
    if amount is None:
        return UNKNOWN
    if -999.5 < amount < 999.5:
        return f"{amount:.0f} B"
    digits, unit = _scaled(amount, 1024, _SIZES)
    return f"{digits} {unit}"


def size_rate(amount: float | None) -> str:
    """Bytes per second: ``1.2 MB/s``. At most eight cells."""
    return UNKNOWN if amount is None else f"{size(amount)}/s"


def number(amount: float | None) -> str:
    """A plain number, thousands shortened: ``7``, ``0.4``, ``1.2 k``, ``34 M``. Whole numbers below 1000 stay whole."""
    if amount is None:
        return UNKNOWN
    if float(amount).is_integer() and abs(amount) < 1000:
        return f"{amount:.0f}"
    if 0 < abs(amount) < 0.05:
        return "<0.1" if amount > 0 else ">-0.1"
    digits, unit = _scaled(amount, 1000, _THOUSANDS)
    return digits + unit


def rate(amount: float | None, what: str = "") -> str:
    """So many a second: ``412/s``, ``1.2 k/s``, with ``what`` in between where given: ``12 calls/s``."""
    if amount is None:
        return UNKNOWN
    return f"{number(amount)} {what}/s" if what else f"{number(amount)}/s"


def count(amount: int | None, one: str = "", many: str = "") -> str:
    """A count, exact below 100,000: ``1,234``; with its noun where given: ``1 session``, ``2 sessions``."""
    exact = f"{amount:,}" if amount is not None and abs(amount) < 100_000 else ""
    digits = exact or number(amount)
    if not one:
        return digits
    return f"{digits} {one if amount == 1 else many or one + 's'}"


def milliseconds(amount: float | None) -> str:
    """A latency given in milliseconds: ``0.05 ms``, ``0.3 ms``, ``12 ms``, ``6.8 s``, ``2 min``. At most seven cells."""
    if amount is None:
        return UNKNOWN
    if 0 < amount < 0.095:
        return f"{amount:.2f} ms" if amount >= 0.005 else "<10 µs"
    if amount < 999.5:
        return f"{_digits(amount)} ms"
    return seconds(amount / 1000)


def seconds(amount: float | None) -> str:
    """A span given in seconds, with a decimal below ten: ``0 s``, ``0.4 s``, ``12 s``, ``2m10s``."""
    if amount is None:
        return UNKNOWN
    if amount < 0:
        return f"-{seconds(-amount)}"
    if amount < 0.05:
        return "0 s"
    if amount < 60 and float(amount).is_integer():
        return f"{amount:.0f} s"
    return f"{_digits(amount)} s" if amount < 59.5 else short_age(max(60.0, amount))


def _stepped(amount: float) -> int:
    """Whole seconds, stepping by 1 s to a minute, 10 s to ten minutes, 1 min beyond: what has not stepped is not repainted."""
    whole = int(max(0.0, amount))
    return whole if whole < 60 else whole - whole % 10 if whole < 600 else whole - whole % 60


def steps_in(amount: float) -> float:
    """Seconds until an age of ``amount`` seconds reads something else, as ``short_age`` writes it."""
    whole = max(0.0, amount)
    step = 1 if whole < 60 else 10 if whole < 600 else 60 if whole < 86_400 else 3600 if whole < 8_640_000 else 86_400
    return step - whole % step - min(0.0, amount)


def age(amount: float | None) -> str:
    """An age in prose: ``12 s``, ``4 min 20 s``, ``37 min``, ``3 h 12 min``, ``4 d 7 h``."""
    if amount is None:
        return UNKNOWN
    whole = _stepped(amount)
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole < 3600:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 100 else f"{days} d"


def short_age(amount: float | None) -> str:
    """An age in a column, at most six cells: ``12 s``, ``4m20s``, ``37 min``, ``3h12m``, ``4d07h``, ``412 d``."""
    if amount is None:
        return UNKNOWN
    whole = _stepped(amount)
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{minutes}m{rest:02}s"
    if whole < 3600:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02}h" if days < 100 else f"{days} d"


def since(moment: datetime | None, now: datetime) -> str:
    """Age in a column of something that began at ``moment``; empty where nothing began."""
    return "" if moment is None else short_age((now - moment).total_seconds())


def clock(moment: datetime | None) -> str:
    """Time of day, UTC: ``02:41:07``."""
    return UNKNOWN if moment is None else moment.astimezone(UTC).strftime("%H:%M:%S")


def moment(value: datetime | None, now: datetime) -> str:
    """A moment, UTC: time of day within the last 20 hours, else with its date: ``11-20 02:41``; ``never`` for None."""
    if value is None:
        return "never"
    return (
        clock(value) if abs((now - value).total_seconds()) < 72_000 else value.astimezone(UTC).strftime("%m-%d %H:%M")
    )


def percent(ratio: float | None) -> str:
    """A ratio 0..1: ``71 %``, ``99.9 %``; never rounded to ``0 %`` or ``100 %`` where it is not. At most six cells to 999 %."""
    if ratio is None:
        return UNKNOWN
    if 0 < ratio < 0.0051:  # 0.005 itself would round to 0
        return "<1 %"
    if 0.99 <= ratio < 1:
        return f"{min(99.9, int(ratio * 1000) / 10):.1f} %"
    return f"{ratio * 100:.0f} %"


def lsn(position: int | None) -> str:
    """A position in WAL as PostgreSQL writes it: ``3/A1000148``."""
    return UNKNOWN if position is None else f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def lag(amount: float | None, span_s: float | None = None) -> str:
    """How far behind, in bytes and, where known, seconds: ``1.2 MB 2 s``."""
    return size(amount) if span_s is None else f"{size(amount)} {seconds(span_s)}"


def clip(text: str, cells: int) -> str:
    """``text`` in at most ``cells`` terminal cells, with ``…`` where something was cut."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + "…"


def left(text: str, cells: int) -> str:
    """``text`` in exactly ``cells`` cells, from the left."""
    return set_cell_size(clip(text, cells), cells)


def right(text: str, cells: int) -> str:
    """``text`` in exactly ``cells`` cells, to the right."""
    cut = clip(text, cells)
    return " " * (cells - cell_len(cut)) + cut


def bar(share: float | None, cells: int) -> str:
    """A horizontal bar of ``cells`` cells for a share 0..1, in eighths; anything above zero shows."""
    if share is None:
        return left(UNKNOWN, cells)
    eighths = round(min(1.0, max(0.0, share)) * cells * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return left("█" * full + (_EIGHTHS[rest] if rest else ""), cells)
