"""Searches of one database by our server and by MLflow's own find the same, in the same order, or refuse the same."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support import searched_database
from tests.support.client import mlflow_server
from tests.support.databases import opened
from tests.support.http import Reply, call, call_json
from tests.support.searches import BETTER, MODELS, NOUNS, RUNS, Noun, searches_of
from tests.support.server import live_server
from tracking_server.database.migrations.upgrade import create_schema

AT_ONCE = 8

ORDERS: Mapping[str, Sequence[object]] = {
    RUNS.name: [[], ["metrics.loss DESC"], ["params.lr", "end_time"]],
    MODELS.name: [[], [{"field_name": "metrics.acc"}], [{"field_name": "model_type", "ascending": False}]],
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    ours: str
    theirs: str


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Each with a copy of the database, where both look for one."""
    ours, theirs = (tmp_path_factory.mktemp(name) for name in ("ours", "theirs"))
    with opened(f"sqlite:///{ours / 'mlflow.db'}") as database:
        create_schema(database)
        with database.write() as connection:
            searched_database.seed(connection)
    shutil.copyfile(ours / "mlflow.db", theirs / "mlflow.db")
    with live_server(ours) as server, mlflow_server(theirs) as url:
        yield Servers(ours=server.url, theirs=url)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What was found and whether more follows, or why nothing was looked for."""

    status: int
    error_code: str = ""
    names: Sequence[str] = ()
    token: str = ""

    def like(self, theirs: "Answer") -> bool:
        """What MLflow's server, or its database, fails at is for us a mistake of the user."""
        if theirs.status >= 500 or theirs.error_code == "BAD_REQUEST":
            return self.error_code == "INVALID_PARAMETER_VALUE"
        return (self.status, self.error_code, self.names, bool(self.token)) == (
            theirs.status,
            theirs.error_code,
            theirs.names,
            bool(theirs.token),
        )


def ask(url: str, noun: Noun, fields: Mapping[str, object]) -> Answer:
    reply = sent(url, noun, {**noun.asked, **fields})
    document: dict[str, Any] = reply.json if "json" in reply.headers.get("content-type", "") else {}
    if reply.status >= 400:
        return Answer(status=reply.status, error_code=document.get("error_code", ""))
    return Answer(status=reply.status, names=noun.names(document), token=document.get("next_page_token", ""))


def sent(url: str, noun: Noun, fields: Mapping[str, object]) -> Reply:
    if noun.is_get:
        return call(url, "GET", f"{noun.path}?{urlencode(fields, doseq=True)}")
    return call_json(url, "POST", noun.path, fields)


def all_answers(servers: Servers, noun: Noun, asked: Sequence[Mapping[str, object]]) -> list[tuple[Answer, Answer]]:
    """MLflow's server fails now and then when it is asked many things at once: then it is asked again, alone."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ours = [pool.submit(ask, servers.ours, noun, fields) for fields in asked]
        theirs = [pool.submit(ask, servers.theirs, noun, fields) for fields in asked]
        answers = [(left.result(), right.result()) for left, right in zip(ours, theirs, strict=True)]
    return [
        (left, right if right.status < 500 else ask(servers.theirs, noun, fields))
        for (left, right), fields in zip(answers, asked, strict=True)
    ]


@pytest.mark.xdist_group("mlflow-server")
@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_both_servers_answer_the_same(servers: Servers, noun: Noun) -> None:
    asked = list(searches_of(noun))
    answers = all_answers(servers, noun, asked)
    assert [
        f"{fields}: ours {ours}, theirs {theirs}"
        for fields, (ours, theirs) in zip(asked, answers, strict=True)
        if not ours.like(theirs)
    ] == []
    assert sum(bool(theirs.names) for _, theirs in answers) > len(asked) / 5, "most of these find nothing at all"


@pytest.mark.xdist_group("mlflow-server")
@pytest.mark.parametrize("reason", BETTER)
def test_ours_is_better(servers: Servers, reason: str) -> None:
    for noun, fields in BETTER[reason]:
        [(ours, theirs)] = all_answers(servers, noun, [fields])
        assert ours.status < 500
        assert (ours.status, ours.names) != (theirs.status, theirs.names), f"no longer better: {noun.name} {fields}"


@pytest.mark.xdist_group("mlflow-server")
@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_pages_are_the_same(servers: Servers, noun: Noun) -> None:
    for order_by in ORDERS.get(noun.name, [[], ["name DESC"]]):
        assert pages(servers.ours, noun, order_by) == pages(servers.theirs, noun, order_by)


def pages(url: str, noun: Noun, order_by: object) -> list[Sequence[str]]:
    answer = ask(url, noun, {"max_results": 2, "order_by": order_by})
    found = [answer.names]
    while answer.token:
        answer = ask(url, noun, {"max_results": 2, "order_by": order_by, "page_token": answer.token})
        found.append(answer.names)
    return found
