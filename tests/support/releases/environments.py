"""The environment of a release of MLflow: its client, which writes to a database itself, for this very Python.

What a release asked for in its time is not there for a Python of today, and what is there today breaks an old release:
each age of MLflow says what it gets instead.
"""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.environments import UV, cache_folder, only_one, run_quietly

Release = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Age:
    """From a release on. `instead`: of what the release asks for. `besides`: what it forgot to ask for."""

    since: Release
    package: str = "mlflow-skinny"
    instead: tuple[str, ...]
    besides: tuple[str, ...] = ()


_DRIVERS: Final = ("psycopg2-binary", "pymysql")
_OLD: Final = ("numpy==1.23.5", "pandas==1.5.3", "protobuf==3.20.3", "setuptools==65.7.0", "scipy==1.10.1")
_STORE: Final = ("alembic", "sqlparse", "pandas", "numpy", "setuptools")
"""What the small package leaves to those who keep a store."""
AGES: Final = (
    Age(since=(1,), package="mlflow", instead=(*_OLD, "sqlalchemy==1.3.24", "alembic==1.7.7"), besides=("setuptools",)),
    Age(since=(1, 24), package="mlflow", instead=(*_OLD, "sqlalchemy==1.4.54", "alembic==1.7.7")),
    Age(since=(2,), instead=(*_OLD, "sqlalchemy==1.4.54"), besides=(*_STORE, "sqlalchemy", "scipy")),
    Age(since=(2, 2), instead=("sqlalchemy<2.1", "numpy<2", "setuptools<80"), besides=(*_STORE, "sqlalchemy")),
    Age(
        since=(2, 14),
        instead=("sqlalchemy<2.1", "numpy<2", "setuptools<80", "opentelemetry-api<1.31", "opentelemetry-sdk<1.31"),
        besides=(*_STORE, "sqlalchemy"),
    ),
    Age(
        since=(3,),
        instead=("sqlalchemy<2.1",),
        besides=(*_STORE, "sqlalchemy", "flask", "cryptography", "fastapi", "cachetools", "graphene"),
    ),
)


def numbers(release: str) -> Release:
    return tuple(int(part) for part in release.split("."))


def age_of(release: str) -> Age:
    return next(age for age in reversed(AGES) if age.since <= numbers(release))


def wanted(release: str) -> tuple[str, ...]:
    """`1.13` is the last of its repairs."""
    age = age_of(release)
    exact = f"{release}.*" if len(numbers(release)) < 3 else release
    return (f"{age.package}=={exact}", *_DRIVERS, *age.besides)


def release_python(release: str) -> Path:
    """Made when it is not there yet. A RuntimeError says why it cannot be."""
    asked, instead = wanted(release), age_of(release).instead
    recipe = hashlib.sha256("\n".join((*asked, *instead, sys.version)).encode()).hexdigest()[:16]
    folder = cache_folder() / f"release-{release}-{recipe}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with only_one(folder.with_name(f"{folder.name}.lock")):
            if not ready.exists():
                run_quietly(UV, "venv", "--clear", "--python", sys.executable, folder)
                (overrides := folder / "overrides.txt").write_text("\n".join(instead))
                run_quietly(UV, "pip", "install", "--python", python, "--overrides", overrides, *asked)
                ready.touch()
    return python
