"""Backends that are folders, as users write them."""

from pathlib import Path

import pytest

from tracking_server.database.urls import parse_database_url
from tracking_server.errors import ConfigInvalid


@pytest.mark.parametrize(
    ("text", "folder", "database"),
    [
        ("./mlruns", "mlruns", "mlruns.db"),
        ("mlruns", "mlruns", "mlruns.db"),
        ("/data/mlruns/", "/data/mlruns", "/data/mlruns.db"),
        ("data/store.v2", "data/store.v2", "data/store.v2.db"),
        ("file:///data/my%20runs", "/data/my runs", "/data/my runs.db"),
        ("FILE://localhost/data/mlruns", "/data/mlruns", "/data/mlruns.db"),
        ("file:mlruns", "mlruns", "mlruns.db"),
    ],
)
def test_the_database_of_a_folder_lies_beside_it(text: str, folder: str, database: str) -> None:
    url = parse_database_url(text)
    assert (url.folder, url.path, url.dialect) == (Path(folder), Path(database), "sqlite")
    assert url.url.database == database


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("./mlflow.db", "sqlite:///mlflow.db"),
        ("/", "does not name a folder"),
        ("..", "no scheme"),
        ("../..", "does not name a folder"),
        ("file://host/share", "names a host"),
        ("file:///data?x=1", "plain path"),
        ("localhost:5432/db", "no scheme"),
    ],
)
def test_what_names_no_folder_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said):
        parse_database_url(text)
