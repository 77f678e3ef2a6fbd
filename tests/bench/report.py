"""What was measured, as a table for people and as JSON; pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.bench.contenders import GTHREAD, MLFLOW, OURS, TITLES

_LIMIT: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """One row: the figure of each server in each round. Rounds are side by side: a ratio is one within a round."""

    title: str
    unit: str
    more_is_better: bool
    bar: float | None = None
    bar_of_gthread: float | None = None
    most: float | None = None
    values: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    cpu_ms: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """What the server's processes used for one request. A database server's work is not in it."""

    def add(self, server: str, value: float, cpu_ms: float | None = None) -> None:
        self.values.setdefault(server, []).append(value)
        if cpu_ms is not None:
            self.cpu_ms.setdefault(server, []).append(cpu_ms)

    def ratios(self, to: str) -> list[float]:
        """How many times better ours is, smallest first."""
        pairs = zip(self.values.get(OURS, []), self.values.get(to, []), strict=False)
        return sorted((ours / theirs if self.more_is_better else theirs / ours) for ours, theirs in pairs if ours)

    @property
    def cpu_ratio(self) -> float | None:
        """How many times less of the processor's time ours takes than the server that it is compared with first."""
        ours, theirs = self.cpu_ms.get(OURS), next((ms for name, ms in self.cpu_ms.items() if name != OURS), None)
        if not ours or not theirs or not statistics.median(ours):
            return None
        return statistics.median(theirs) / statistics.median(ours)

    def misses(self, first: str) -> list[str]:
        """The bars that are missed, in words."""
        missed: list[str] = []
        if first not in {MLFLOW, GTHREAD}:
            return missed
        for bar, to in ((self.bar, first), (self.bar_of_gthread, GTHREAD)):
            ratios = self.ratios(to)
            if bar is not None and ratios and statistics.median(ratios) < bar:
                missed.append(f"{statistics.median(ratios):.1f}x of {to} instead of {bar:g}x")
        ours = self.values.get(OURS)
        if self.most is not None and ours and statistics.median(ours) > self.most:
            missed.append(f"{statistics.median(ours):.2f} {self.unit} instead of at most {self.most:g}")
        return missed


def markdown(rows: Sequence[Figures], servers: Sequence[str]) -> str:
    """`servers`: ours first, then the one that the bars are about."""
    first = servers[1]
    titles = [TITLES.get(server, server) for server in (*servers[1:], OURS)]
    head = ["workload", *titles, f"times {titles[0]}", "bar", "CPU"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [_line(row, servers, first) for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _line(row: Figures, servers: Sequence[str], first: str) -> list[str]:
    values = [_value(row, server) for server in (*servers[1:], OURS)]
    cpu = row.cpu_ratio
    return [
        f"{row.title}, {row.unit}",
        *values,
        _ratio(row.ratios(first)),
        _bar(row, first),
        "" if cpu is None else f"{_rounded(cpu)}x",
    ]


def _value(row: Figures, server: str) -> str:
    values = row.values.get(server)
    if not values:
        return ""
    ratios = row.ratios(server) if server == GTHREAD else []
    return _rounded(statistics.median(values)) + (f" (1/{_rounded(statistics.median(ratios))})" if ratios else "")


def _ratio(ratios: Sequence[float]) -> str:
    if not ratios:
        return ""
    median = f"**{_rounded(statistics.median(ratios))}**"
    if len(ratios) == 1:
        return median
    return f"{_rounded(ratios[0])} - {median} - {_rounded(ratios[-1])}"


def _bar(row: Figures, first: str) -> str:
    bars = [f"{row.bar:g}x"] if row.bar is not None else []
    if row.bar_of_gthread is not None:
        bars.append(f"{row.bar_of_gthread:g}x of gthread")
    if row.most is not None:
        bars.append(f"at most {row.most:g}")
    if not bars:
        return "-"
    return ", ".join(bars) + (": **missed**" if row.misses(first) else "")


def _rounded(value: float) -> str:
    """Three digits that mean something."""
    if value >= _LIMIT:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def as_json(rows: Sequence[Figures], first: str) -> list[Mapping[str, object]]:
    return [
        {
            "workload": row.title,
            "unit": row.unit,
            "values": row.values,
            "cpu_ms": row.cpu_ms,
            "ratios": row.ratios(first),
            "bar": row.bar,
            "bar_of_gthread": row.bar_of_gthread,
            "most": row.most,
            "misses": row.misses(first),
        }
        for row in rows
    ]


def with_table(page: str, database: str, table: str) -> str:
    """The page with `table` between the two marks that it has for this database. Raises ValueError without these."""
    before, begin, rest = page.partition(f"<!-- bench {database} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not end:
        raise ValueError(f"the page has no place for a table of {database}")
    return f"{before}{begin}{table}\n{end}{after}"
