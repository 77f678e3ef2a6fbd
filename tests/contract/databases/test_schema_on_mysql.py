"""`schema.py` compiled for MySQL, beside the DDL of MLflow's head there. No server is needed; none runs it either."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Table
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateIndex, CreateTable

from tracking_server.database import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECT = mysql.dialect()
FACTS = Path(__file__).parents[2] / "data" / "schema" / "head_mysql.sql"

MARIADB_SPELLING = {"bigint(20)": "bigint", "int(11)": "integer", "tinyint(1)": "bool"}
OUR_SPELLING = {"float(53)": "double"}


@dataclass(kw_only=True)
class Described:
    columns: list[str] = field(default_factory=list[str])
    primary_key: str = ""
    indexes: set[str] = field(default_factory=set[str])
    foreign_keys: list[str] = field(default_factory=list[str])
    checks: list[str] = field(default_factory=list[str])


def test_mysql_equals_the_head_of_mlflow(subtests: pytest.Subtests) -> None:
    facts = {
        match[1]: described_by_mariadb(match[2])
        for match in re.finditer(r"CREATE TABLE `(\w+)` \(\n(.*?)\n\) ENGINE", FACTS.read_text(), re.DOTALL)
    }
    tables: Mapping[str, Table] = {**schema.metadata.tables, "alembic_version": schema.alembic_version}
    assert tables.keys() == facts.keys()
    for name, table in tables.items():
        with subtests.test(name):
            ours = described_by_us(table)
            ours.indexes |= made_for_foreign_keys(facts[name])
            assert ours == facts[name]


def described_by_mariadb(body: str) -> Described:
    described = Described()
    for line in (line.strip().removesuffix(",").replace("`", "") for line in body.splitlines()):
        if match := re.match(r"PRIMARY KEY \((.*)\)$", line):
            described.primary_key = match[1]
        elif match := re.match(r"(UNIQUE KEY|KEY) (\w+) \((.*)\)$", line):
            described.indexes.add(f"{match[1]} {match[2]} ({match[3].lower()})")
        elif match := re.match(r"CONSTRAINT (\w+) FOREIGN KEY \((.*?)\) REFERENCES (\w+) \((.*?)\)(.*)$", line):
            name = "" if "_ibfk_" in match[1] else match[1]
            described.foreign_keys.append(foreign_key(name, *match.groups()[1:]))
        elif match := re.match(r"CONSTRAINT (\w+) CHECK (.*)$", line):
            name = "" if match[1].startswith("CONSTRAINT_") else match[1]
            described.checks.append(check(name, match[2]))
        else:
            described.columns.append(mariadb_column(line))
    return in_order(described)


def mariadb_column(line: str) -> str:
    name, _, rest = line.partition(" ")
    rest = re.sub(
        r"longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin(.*) CHECK \(json_valid\(\w+\)\)", r"json\1", rest
    )
    rest = rest.replace(" DEFAULT NULL", "")
    for theirs, common in MARIADB_SPELLING.items():
        rest = rest.replace(theirs, common)
    return column(name, rest)


def column(name: str, rest: str) -> str:
    """Type, nullability and default in one order; a default of 0 is written as a text or as a number."""
    default = re.search(r"DEFAULT (?:'([^']*)'|(\w+))", rest)
    plain = re.sub(r" DEFAULT ('[^']*'|\w+)", "", rest).replace(" AUTO_INCREMENT", "").lower()
    value = next((group for group in default.groups() if group is not None), None) if default else None
    counts = " auto_increment" if "AUTO_INCREMENT" in rest else ""
    return f"{name} {plain}{counts} default {({'false': '0'}).get(str(value), value)}"


def described_by_us(table: Table) -> Described:
    described = Described()
    text = str(CreateTable(table).compile(dialect=DIALECT)).replace("`", "")
    for line in (line.strip().removesuffix(",") for line in text.strip().splitlines()[1:-1]):
        if match := re.match(r"CONSTRAINT \w+ PRIMARY KEY \((.*)\)$", line):
            described.primary_key = match[1].replace(" ", "")
        elif match := re.match(r"CONSTRAINT (\w+) UNIQUE \((.*)\)$", line):
            described.indexes.add(f"UNIQUE KEY {match[1]} ({match[2].replace(' ', '')})")
        elif match := re.match(r"(?:CONSTRAINT (\w+) )?FOREIGN KEY\((.*?)\) REFERENCES (\w+) \((.*?)\)(.*)$", line):
            described.foreign_keys.append(foreign_key(match[1] or "", *match.groups()[1:]))
        elif match := re.match(r"(?:CONSTRAINT (\w+) )?CHECK (.*)$", line):
            described.checks.append(check(match[1] or "", match[2]))
        else:
            name, _, rest = line.partition(" ")
            for ours, common in OUR_SPELLING.items():
                rest = rest.replace(ours.upper(), common)
            described.columns.append(column(name, rest))
    for index in table.indexes:
        sql = str(CreateIndex(index).compile(dialect=DIALECT)).replace("`", "")
        match = re.match(r"CREATE (UNIQUE )?INDEX (\w+) ON \w+ \((.*)\)$", sql)
        assert match is not None, sql
        described.indexes.add(f"{match[1] or ''}KEY {match[2]} ({match[3].replace(', ', ',').lower()})")
    if table.name == "jobs":  # an ALTER that follows the CREATE
        described.columns = [
            part.replace("job_name varchar(500) not null", "job_name varchar(500)") for part in described.columns
        ]
    return in_order(described)


def foreign_key(name: str, columns: str, table: str, referred: str, actions: str) -> str:
    found = sorted(re.findall(r"ON (?:DELETE|UPDATE) (?:CASCADE|SET NULL)", actions.upper()))
    return f"{name} ({columns}) -> {table} ({referred}) {' '.join(found)}"


def check(name: str, condition: str) -> str:
    return f"{name} {condition.replace(', ', ',').replace(' IN ', ' in ')}"


def in_order(described: Described) -> Described:
    described.foreign_keys.sort()
    described.checks.sort()
    return described


def made_for_foreign_keys(facts: Described) -> set[str]:
    """MySQL adds an index for a foreign key that has none, under the name of the constraint or of the column."""
    made = set[str]()
    for key in facts.foreign_keys:
        match = re.match(r"(\w*) \((\w+)\)", key)
        if match is not None:
            made |= {f"KEY {match[1] or match[2]} ({match[2]})"} & facts.indexes
    return made
