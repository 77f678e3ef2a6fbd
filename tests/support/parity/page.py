"""`python -m tests.support.parity.page` writes the table of docs/reference/quirks.md anew."""

from typing import Final

from tests.support.environments import ROOT
from tests.support.parity.quirks import QUIRKS

PAGE: Final = ROOT / "docs" / "reference" / "quirks.md"
BEGIN: Final = "<!-- table: python -m tests.support.parity.page -->\n"
END: Final = "<!-- end of table -->"


def table() -> str:
    lines = ["| Here | Why, and what MLflow's server does |", "|---|---|"]
    lines += [f"| {_sentence(quirk.name)} | {quirk.why} |" for quirk in sorted(QUIRKS, key=lambda quirk: quirk.name)]
    return "\n".join(lines) + "\n"


def _sentence(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}."


def main() -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + table() + END + after)


if __name__ == "__main__":
    main()
