"""Five fields of crontab ─► a trigger that means what crontab(5) means by them.

APScheduler reads the fields of minute, hour, day and month as cron does, but counts days of the week from
Monday = 0, and asks for day and day of the week together where cron takes either.
"""

from __future__ import annotations

import re
from typing import Any, Final

from monitor.errors import ConfigError

_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART: Final = re.compile(r"(?:(\*)|([a-z]+|\d+)(?:-([a-z]+|\d+))?)(?:/(\d+))?")
_NAMED: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def cron_trigger(cron: str, zone: str) -> Any:
    """The trigger of APScheduler for five fields: minute, hour, day, month, day of the week.

    Parameters
    ----------
    cron
        As in a crontab: days of the week are 0 or 7 for Sunday, 1 for Monday, or names; where both the day
        and the day of the week are restricted, either will do. Or `@hourly`, `@daily`, `@weekly`,
        `@monthly`, `@yearly`.
    zone
        The zone that the fields are in.

    Raises
    ------
    ConfigError
        If the text is no such expression.
    """
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    fields = _NAMED.get(cron.strip().lower(), cron).split()
    try:
        if len(fields) != 5:
            raise ValueError(f"{len(fields)} fields instead of 5")
        minute, hour, day, month, day_of_week = fields
        names = ("minute", "hour", "day", "month", "day_of_week")
        values = dict(zip(names, [minute, hour, day, month, _weekdays(day_of_week)], strict=True))
        if day.startswith("*") or day_of_week.startswith("*"):
            return CronTrigger(**values, timezone=zone)
        return OrTrigger(
            [
                CronTrigger(**{**values, "day_of_week": "*"}, timezone=zone),
                CronTrigger(**{**values, "day": "*"}, timezone=zone),
            ]
        )
    except ValueError as error:
        raise ConfigError(
            f"{cron!r} is not a cron expression ({error}): give five fields such as '*/15 * * * *', or "
            "@hourly or @daily"
        ) from error


def check_cron(cron: str) -> None:
    """Pass if `cron` can be read.

    Raises
    ------
    ConfigError
        If not.

    Examples
    --------
    >>> check_cron("*/15 * * * *")
    """
    cron_trigger(cron, "UTC")


def _weekdays(field: str) -> str:
    """Names that APScheduler cannot take for other days.

    >>> _weekdays("1-5"), _weekdays("0,7"), _weekdays("*/2"), _weekdays("FRI-7")
    ('mon,tue,wed,thu,fri', 'sun', 'sun,tue,thu,sat', 'sun,fri,sat')
    """
    days: set[int] = set()
    for part in field.lower().split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a day of the week: 0 to 7 or a name such as mon")
        star, first, last, step = match.groups()
        start = 0 if star else _weekday(first)
        end = 6 if star else _weekday(last) if last else 7 if step else start
        if end < start:
            # Sunday is at both ends of the week: sat-sun, fri-0.
            end += 7
        days.update(day % 7 for day in range(start, end + 1, _step(step)))
    return "*" if len(days) == 7 else ",".join(_DAYS[day] for day in sorted(days))


def _step(step: str | None) -> int:
    if step is not None and int(step) == 0:
        raise ValueError("a step of 0")
    return int(step or 1)


def _weekday(text: str) -> int:
    if text.isdigit():
        if int(text) > 7:
            raise ValueError(f"{text} is not a day of the week: 0 to 7, both ends are Sunday")
        return int(text)
    if text[:3] not in _DAYS:
        raise ValueError(f"{text!r} is not a day of the week: 0 to 7 or a name such as mon")
    return _DAYS.index(text[:3])
