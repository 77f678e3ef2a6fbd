"""Cron schedules: five fields, as Kubernetes reads them, and when the next time is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ANY: Final = frozenset({"*", "?"})
_MACROS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LONGEST_WAIT: Final = timedelta(days=366 * 8)
"""Longer than from one 29th of February to the next, a century's gap included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    minutes: frozenset[int]
    hours: frozenset[int]
    days_of_month: frozenset[int]
    months: frozenset[int]
    days_of_week: frozenset[int]
    either_day: bool
    """Both kinds of days are restricted: then a day of either kind will do, as in every cron."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first minute after `moment` that the schedule names, in the same time zone; None when there is none."""
        found = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = moment + _LONGEST_WAIT
        while found <= last:
            if found.month not in self.months or not self._names_day(found):
                found = found.replace(hour=0, minute=0) + timedelta(days=1)
            elif found.hour not in self.hours:
                found = found.replace(minute=0) + timedelta(hours=1)
            elif found.minute not in self.minutes:
                found += timedelta(minutes=1)
            else:
                return found
        return None

    def _names_day(self, moment: datetime) -> bool:
        by_month = moment.day in self.days_of_month
        by_week = moment.isoweekday() % 7 in self.days_of_week
        return by_month or by_week if self.either_day else by_month and by_week


def parse_schedule(text: str) -> Schedule:
    """Raises ValueError with a message for a person."""
    fields = _MACROS.get(text, text).split()
    if len(fields) != 5:
        raise ValueError(f"must have five fields, not {len(fields)}")
    minute, hour, day, month, weekday = fields
    return Schedule(
        minutes=_numbers(minute, "minute", 0, 59),
        hours=_numbers(hour, "hour", 0, 23),
        days_of_month=_numbers(day, "day of the month", 1, 31),
        months=_numbers(month, "month", 1, 12, _MONTHS, first=1),
        days_of_week=_numbers(weekday, "day of the week", 0, 6, _DAYS),
        either_day=day not in _ANY and weekday not in _ANY,
    )


def _numbers(
    text: str, what: str, low: int, high: int, words: tuple[str, ...] = (), *, first: int = 0
) -> frozenset[int]:
    names = {word: number for number, word in enumerate(words, first)}
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        try:
            step = int(step_text) if slash else 1
            start, end = _span(span, low, high, names, is_open=bool(slash))
        except ValueError:
            raise ValueError(f"{part!r} is not a {what}") from None
        if not low <= start <= end <= high or step < 1:
            raise ValueError(f"{part!r} is not a {what} from {low} to {high}")
        found.update(range(start, end + 1, step))
    return frozenset(found)


def _span(span: str, low: int, high: int, names: Mapping[str, int], *, is_open: bool) -> tuple[int, int]:
    """`5/10` means from 5 on, every tenth."""
    if span in _ANY:
        return low, high
    start_text, dash, end_text = span.lower().partition("-")
    start = names[start_text] if start_text in names else int(start_text)
    if dash:
        return start, names[end_text] if end_text in names else int(end_text)
    return start, high if is_open else start
