"""How numbers, times and strangers' texts are written in a report."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Final

from monitor.drift.wording import MISSING as MISSING
from monitor.drift.wording import percent as percent
from monitor.errors import TimestampError
from monitor.redaction import redact_url, shorten

# strftime would write the reader's language in the middle of English sentences.
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}://\S+|(?<![a-z0-9])data:\S+", re.IGNORECASE)
_LONGEST_PROSE: Final = 2_000
_SMALLEST_P: Final = 1e-99
_HOURS_UNTIL: Final = dt.timedelta(days=2)


def count(n: int) -> str:
    """A count with thousands separated.

    >>> count(12000)
    '12,000'
    """
    return f"{n:,}"


def plural(n: int, noun: str) -> str:
    """A count and its noun.

    >>> plural(1, "window"), plural(3000, "row")
    ('1 window', '3,000 rows')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def number(value: float, digits: int = 3) -> str:
    """A score with a fixed number of decimals, so that columns align; a dash for NaN.

    >>> number(0.27149), number(float("nan"))
    ('0.271', '–')
    """
    return MISSING if math.isnan(value) else f"{value:.{digits}f}"


def points(before: float, after: float) -> str:
    """The change of a share, in percentage points, with its sign.

    >>> points(0.1, 0.25), points(0.25, 0.1), points(0.1, 0.1)
    ('+15.0', '−15.0', '0.0')
    """
    return signed((after - before) * 100)


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign and a fixed number of decimals.

    >>> signed(8.24), signed(-0.5), signed(-0.04), signed(-0.347, 2)
    ('+8.2', '−0.5', '0.0', '−0.35')
    """
    if math.isnan(value):
        return MISSING
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def p_value(p: float) -> str:
    """A p-value with two significant digits.

    >>> p_value(0.0312), p_value(0.5), p_value(0.000012), p_value(0.0), p_value(1.0)
    ('0.031', '0.50', '1.2 × 10⁻⁵', '< 10⁻⁹⁹', '1')
    """
    if math.isnan(p):
        return MISSING
    if p < _SMALLEST_P:
        return "< 10" + "-99".translate(SUPERSCRIPTS)
    if p < 0.001:
        digits, exponent = f"{p:.1e}".split("e")
        return f"{digits} × 10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    if p >= 0.995:
        return "1"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}"


def p_equals(p: float) -> str:
    """A p-value as an equation.

    >>> p_equals(0.02), p_equals(0.0)
    ('p = 0.020', 'p < 10⁻⁹⁹')
    """
    written = p_value(p)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def one_in(alpha: float) -> str:
    """How often alpha lets an unchanged window be called drifted.

    >>> one_in(1 / 365), one_in(0.05)
    ('1 in 365', '1 in 20')
    """
    return f"1 in {count(round(1 / alpha))}"


def duration(every: str) -> str:
    """A window's length in words.

    >>> duration("1d"), duration("6h"), duration("2 weeks")
    ('1 day', '6 hours', '2 weeks')
    """
    from monitor.windows import Every

    try:
        parsed = Every.parse(every)
    except TimestampError:  # a report that was written by hand
        return plain(every)
    nouns = {"m": "minute", "h": "hour", "D": "day", "W": "week", "M": "month"}
    return plural(parsed.count, nouns[parsed.unit])


def plain(text: object) -> str:
    """Text from the data, on one line, cut, and without control or direction characters.

    >>> plain("cat\\u202egpj.exe\\x1b[31m")
    'cat gpj.exe [31m'
    """
    return shorten(str(text))


def redacted(text: str) -> str:
    """Text whose addresses have lost user names, passwords and queries.

    >>> redacted("77 % sits in page = https://me:pw@example.com/a?token=b")
    '77 % sits in page = https://example.com/a?…'
    """
    return _ADDRESS.sub(lambda address: redact_url(address[0]), text)


def prose(text: str) -> str:
    """Sentences, on one line and without control or direction characters; longer ones than `plain`.

    >>> prose("a note\\non two lines")
    'a note on two lines'
    """
    return shorten(text, _LONGEST_PROSE)


def day(instant: dt.datetime, *, year: bool = True) -> str:
    """A day.

    >>> day(dt.datetime(2026, 3, 5)), day(dt.datetime(2026, 3, 5), year=False)
    ('5 Mar 2026', '5 Mar')
    """
    written = f"{instant.day} {_MONTHS[instant.month - 1][:3]}"
    return f"{written} {instant.year}" if year else written


def moment(instant: dt.datetime) -> str:
    """An instant: its day, and its time unless that is midnight.

    >>> moment(dt.datetime(2026, 3, 5)), moment(dt.datetime(2026, 3, 5, 18))
    ('5 Mar 2026', '5 Mar 2026, 18:00')
    """
    return day(instant) if _is_midnight(instant) else f"{day(instant)}, {instant:%H:%M}"


def figure(value: float) -> str:
    """A number of any size, with three significant digits.

    >>> figure(-1.234), figure(640.0), figure(0.0012), figure(12345.6)
    ('−1.23', '640', '0.0012', '12,346')
    """
    if math.isnan(value):
        return MISSING
    written = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return written.replace("-", "−")


def period(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """A half-open window as people say it; "all rows" when it has no times.

    >>> at = dt.datetime
    >>> period(at(2026, 3, 5), at(2026, 3, 6))
    '5 Mar 2026'
    >>> period(at(2026, 3, 5), at(2026, 3, 8)), period(at(2026, 2, 1), at(2026, 3, 1))
    ('5–7 Mar 2026', 'February 2026')
    >>> period(at(2026, 3, 5, 18), at(2026, 3, 6)), period(at(2026, 3, 1, 8, 7), at(2026, 3, 9, 21))
    ('5 Mar 2026, 18:00–24:00', '1–9 Mar 2026')
    """
    if start is None or end is None:
        return "all rows"
    if _is_midnight(start) and _is_midnight(end):
        return _days(start, end - dt.timedelta(days=1))
    last = end - dt.timedelta(microseconds=1)
    if end - start >= _HOURS_UNTIL:
        return _days(start, last)
    closing = "24:00" if _is_midnight(end) else f"{end:%H:%M}"
    if start.date() == last.date():
        return f"{day(start)}, {start:%H:%M}–{closing}"
    return f"{day(start)} {start:%H:%M} – {day(last)} {closing}"


def month(instant: dt.datetime, *, year: bool = True) -> str:
    """A month.

    >>> month(dt.datetime(2026, 3, 5)), month(dt.datetime(2026, 3, 5), year=False)
    ('Mar 2026', 'Mar')
    """
    name = _MONTHS[instant.month - 1][:3]
    return f"{name} {instant.year}" if year else name


def tick(start: dt.datetime, end: dt.datetime) -> str:
    """A window's start, short enough for an axis.

    >>> tick(dt.datetime(2026, 3, 5), dt.datetime(2026, 3, 6))
    '5 Mar'
    >>> tick(dt.datetime(2026, 3, 5, 6), dt.datetime(2026, 3, 5, 12))
    '5 Mar 06:00'
    """
    written = day(start, year=False)
    return written if end - start >= dt.timedelta(days=1) else f"{written} {start:%H:%M}"


def iso_period(time_range: tuple[str, str]) -> str:
    """First and last instant, given in ISO 8601, as days; anything else unchanged.

    >>> iso_period(("2026-03-01T08:00:00+00:00", "2026-03-09T23:00:00+00:00"))
    '1–9 Mar 2026'
    """
    try:
        first, last = (dt.datetime.fromisoformat(text) for text in time_range)
    except ValueError:
        return plain(" – ".join(time_range))
    return _days(first, last)


def iso_moment(instant: str) -> str:
    """An instant, given in ISO 8601, with its time; anything else unchanged.

    >>> iso_moment("2026-03-05T08:07:30+00:00")
    '5 Mar 2026, 08:07'
    """
    try:
        at = dt.datetime.fromisoformat(instant)
    except ValueError:
        return plain(instant)
    return f"{day(at)}, {at:%H:%M}"


def _is_midnight(instant: dt.datetime) -> bool:
    return instant.time() == dt.time()


def _days(first: dt.datetime, last: dt.datetime) -> str:
    """The days from `first` to `last`, both included."""
    if first.date() == last.date():
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        if first.day == 1 and (last + dt.timedelta(days=1)).day == 1:
            return f"{_MONTHS[first.month - 1]} {first.year}"
        return f"{first.day}–{day(last)}"
    return f"{day(first, year=first.year != last.year)} – {day(last)}"
