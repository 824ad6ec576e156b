"""What of a reading may be shown, and the words for what may not.

Every screen asks here before it shows a value: a reading that failed carries no content, and one that has grown too old
is treated as if it carried none.
"""

from __future__ import annotations

from datetime import datetime

from console.readings import Reading
from widgets.format import age, clock, short_age


def silence(reading: Reading | None, now: datetime) -> str:
    """Why there is nothing to show, and since when: ``no answer since 02:41:07, 12 s``. Empty where there is."""
    if reading is None:
        return "not read yet"
    if not reading.readable:
        word = {"denied": "denied", "not-configured": "not configured"}.get(reading.status, "no answer")
        if reading.status == "not-configured":
            return word
        if reading.good_at is None:
            return f"{word} yet" if word == "no answer" else word
        return f"{word} since {clock(reading.good_at)}, {age((now - reading.good_at).total_seconds())}"
    if reading.is_stale(now):
        return f"not read since {clock(reading.taken_at)}, {age(reading.age_s(now))}"
    return ""


def silent_for(reading: Reading | None, now: datetime) -> str:
    """``silence`` for a column of a dozen cells: ``silent 12 s``, ``denied``, ``not read``."""
    if reading is None or (not reading.readable and reading.good_at is None and reading.status == "unreachable"):
        return "not read"
    if reading.status in ("denied", "not-configured"):
        return reading.status
    last = reading.taken_at if reading.readable else reading.good_at
    return f"silent {short_age((now - last).total_seconds())}" if last else "silent"


def silence_and_why(reading: Reading | None, now: datetime) -> str:
    """``silence`` with the problem that the look met."""
    words = silence(reading, now)
    if words and reading is not None and reading.problem and reading.problem not in words:
        return f"{words}: {reading.problem}"
    return words
