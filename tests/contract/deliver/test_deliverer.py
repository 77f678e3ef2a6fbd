"""From a change in the registry to its receiver: nothing lost, nothing told of what did not happen, one at a time."""

import os
import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert, select, text, update

from tests.support.api_calls import START, Api, Refusal, an_api
from tests.support.children import eventually, start_child, wait_for
from tests.support.databases import counted_statements
from tests.support.receivers import Receiver, Reply, running_receiver
from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.deliver.deliverer import Deliverer, DeliveryOptions, Surroundings, Wake
from tracking_server.deliver.message import signature
from tracking_server.deliver.outbound import Outbound
from tracking_server.deliver.posting import Poster
from tracking_server.deliver.queue import TablePresence
from tracking_server.deliver.resolving import AddressRule
from tracking_server.deliver.secrets import SecretKeeper
from tracking_server.services.registry_events import ModelCreated, record
from tracking_server.settings import Secret

KEY = Fernet.generate_key().decode()
CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
DELIVERIES = schema.trackplane_webhook_deliveries
POSTER = Poster(schemes=["http"], addresses=AddressRule(allows_private=True))
NOW = START + 3_600_000
"""After all that a test records: the clock of what records starts at START, and goes on by a second at each look."""

_ids = count(1)


def at(now: int) -> Surroundings:
    return Surroundings(now=lambda: now, jitter=lambda: 0.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def api(database: Database) -> Api:
    """What it records rings nobody."""
    return an_api(database, webhooks=an_outbound(), new_id=lambda: f"{next(_ids):032x}")


def an_outbound(wake: Wake | None = None) -> Outbound:
    return Outbound(poster=POSTER, secrets=SecretKeeper(Secret(KEY)), wake=wake or Wake())


def a_deliverer(
    database: Database,
    *,
    wake: Wake | None = None,
    poster: Poster = POSTER,
    key: str = KEY,
    surroundings: Surroundings | None = None,
    **options: Any,
) -> Deliverer:
    return Deliverer(
        database=database,
        presence=TablePresence(),
        poster=poster,
        secrets=SecretKeeper(Secret(key)),
        wake=wake or Wake(),
        options=DeliveryOptions(**options),
        surroundings=surroundings or at(NOW),
    )


@contextmanager
def running(*deliverers: Deliverer) -> Generator[None]:
    with ExitStack() as stack:
        for deliverer in deliverers:
            deliverer.start()
            stack.callback(deliverer.stop)
        yield


def listen(api: Api, receiver: Receiver, *events: Mapping[str, str], **fields: object) -> str:
    created = api.post("webhooks", name="mine", url=receiver.url, events=events or [CREATED], **fields)
    return str(created["webhook"]["webhook_id"])


def create_models(api: Api, *names: str) -> None:
    for name in names:
        api.post("registered-models/create", name=name)


def rows(database: Database) -> Sequence[Mapping[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(DELIVERIES).order_by(DELIVERIES.c.sequence)).mappings()]


def names_of(receiver: Receiver) -> list[object]:
    return [request.said["data"]["name"] for request in receiver.received]  # type: ignore[index]  # JSON


def test_a_change_waits_until_somebody_delivers_it(api: Api, database: Database, receiver: Receiver) -> None:
    webhook_id = listen(api, receiver)
    create_models(api, "m")
    (row,) = rows(database)
    assert (row["webhook_id"], row["attempts"], row["failed_at"]) == (webhook_id, 0, None)
    with running(a_deliverer(database)):
        (request,) = receiver.wait_for(1)
        eventually(lambda: not rows(database))
    assert request.delivery_id == row["delivery_id"]
    assert request.body.decode() == row["body"]
    assert request.said["entity"] == "registered_model"


def test_what_is_taken_back_is_not_told(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver)

    def change_and_fail(connection: Any) -> None:
        record(connection, api.context, ModelCreated(name="m"))
        raise ValueError("taken back")

    with pytest.raises(ValueError, match="taken back"):
        database.retrying(change_and_fail)
    with pytest.raises(Refusal):
        create_models(api, "m", "m")
    assert len(rows(database)) == 1


def test_a_bell_rings_after_the_commit_and_not_without_one(database: Database, receiver: Receiver) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(rows(database)) if database.dialect != "sqlite" else 1)

    api = an_api(database, webhooks=Outbound(poster=POSTER, wake=look))
    listen(api, receiver)
    create_models(api, "m")
    assert seen == [1]
    with pytest.raises(Refusal):
        create_models(api, "m")
    api.post("experiments/create", name="of the same connection")
    assert seen == [1]


def test_only_those_who_listen_are_told(api: Api, database: Database, receiver: Receiver) -> None:
    here = listen(api, receiver)
    also_here = listen(api, receiver, CREATED, {"entity": "PROMPT", "action": "CREATED"})
    listen(api, receiver, {"entity": "PROMPT", "action": "CREATED"})
    listen(api, receiver, status="DISABLED")
    api.delete(f"webhooks/{listen(api, receiver)}")
    create_models(api, "m")
    assert sorted(row["webhook_id"] for row in rows(database)) == sorted([here, also_here])


def test_listeners_cost_one_statement_more_however_many(api: Api, database: Database, receiver: Receiver) -> None:
    def statements_of(name: str) -> int:
        with counted_statements(database) as statements:
            create_models(api, name)
        return len(statements)

    alone = statements_of("before")
    for _ in range(3):
        listen(api, receiver)
    assert statements_of("after") == alone + 1
    assert len(rows(database)) == 3


def test_a_webhook_is_told_in_order(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver)
    names = [f"m{number}" for number in range(12)]
    create_models(api, *names)
    with running(a_deliverer(database), a_deliverer(database)):
        receiver.wait_for(len(names))
        eventually(lambda: not rows(database))
    assert names_of(receiver) == names


def test_two_processes_send_each_delivery_once(api: Api, database: Database) -> None:
    with ExitStack() as stack:
        receivers = [stack.enter_context(running_receiver()) for _ in range(4)]
        for each in receivers:
            listen(api, each)
        names = [f"m{number}" for number in range(8)]
        create_models(api, *names)
        with running(a_deliverer(database, look_seconds=0.05), a_deliverer(database, look_seconds=0.05)):
            eventually(lambda: not rows(database))
        for each in receivers:
            assert names_of(each) == names
        ids = [request.delivery_id for each in receivers for request in each.received]
        assert len(set(ids)) == len(ids) == 32


def test_a_slow_receiver_holds_up_no_other(api: Api, database: Database, receiver: Receiver) -> None:
    with running_receiver() as slow, slow.held():
        listen(api, slow)
        listen(api, receiver)
        create_models(api, "a", "b")
        deliverer = a_deliverer(database)
        with running(deliverer):
            receiver.wait_for(2)
            slow.wait_for(1)
    assert len(slow.received) == 1


def test_a_retry_has_the_same_id_and_body_and_a_signature_of_its_own(
    api: Api, database: Database, receiver: Receiver
) -> None:
    listen(api, receiver, secret="s3cret")
    create_models(api, "first", "second")
    receiver.replies += [Reply(status=503), Reply(status=429, headers={"Retry-After": "1"})]
    times = count(NOW, 10_000)  # so that every pause is over at the next look
    with running(a_deliverer(database, surroundings=Surroundings(now=lambda: next(times)), look_seconds=0.01)):
        requests = receiver.wait_for(4)
        eventually(lambda: not rows(database))
    assert [request.said["data"]["name"] for request in requests] == ["first"] * 3 + ["second"]  # type: ignore[index]  # JSON
    assert len({request.delivery_id for request in requests[:3]}) == 1
    assert len({request.body for request in requests[:3]}) == 1
    assert len({request.headers["x-mlflow-timestamp"] for request in requests}) == 4
    for request in requests:
        stamp = request.headers["x-mlflow-timestamp"]
        assert request.headers["x-mlflow-signature"] == signature("s3cret", request.delivery_id, stamp, request.body)


def test_the_pause_is_kept_in_the_database(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver)
    create_models(api, "m")
    receiver.replies += [Reply(status=503, headers={"Retry-After": "120"})]
    with running(a_deliverer(database, surroundings=at(NOW))):
        eventually(lambda: rows(database)[0]["attempts"] == 1)
    (row,) = rows(database)
    # due in the future of a clock that stands still
    assert (row["due_at"] - NOW, row["failure"], row["lease_id"]) == (120_000, "answered 503", None)
    with running(a_deliverer(database, surroundings=at(NOW + 120_000))):
        receiver.wait_for(2)
        eventually(lambda: not rows(database))


@pytest.mark.parametrize(
    ("reply", "tries", "why"),
    [
        pytest.param(Reply(status=400), 1, "answered 400", id="refused"),
        pytest.param(Reply(status=302), 1, "answered 302, and redirects are not followed", id="redirected"),
        pytest.param(Reply(status=500), 3, "answered 500", id="fails"),
    ],
)
def test_what_is_given_up_is_kept_with_the_reason_and_the_next_one_sent(
    api: Api, database: Database, receiver: Receiver, reply: Reply, tries: int, why: str
) -> None:
    listen(api, receiver)
    create_models(api, "lost", "next")
    receiver.replies += [reply] * tries
    times = count(NOW, 100_000)
    surroundings = Surroundings(now=lambda: next(times))
    with running(a_deliverer(database, surroundings=surroundings, look_seconds=0.01, max_retries=2)):
        receiver.wait_for(tries + 1)
        eventually(lambda: len(rows(database)) == 1)
    (row,) = rows(database)
    assert (row["attempts"], row["failure"], row["failed_at"] is None) == (tries, why, False)


def test_nobody_at_home_is_tried_again(api: Api, database: Database) -> None:
    with running_receiver() as gone:
        listen(api, gone)
    create_models(api, "m")
    with running(a_deliverer(database, surroundings=at(NOW))):
        eventually(lambda: rows(database)[0]["attempts"] == 1)
    assert rows(database)[0]["due_at"] == NOW + 1000


def test_an_address_that_is_not_public_is_given_up_at_once(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver)
    create_models(api, "m")
    with running(a_deliverer(database, poster=Poster(schemes=["http"]))):
        eventually(lambda: rows(database)[0]["failed_at"] is not None)
    assert "non-public IP address" in rows(database)[0]["failure"]
    assert not receiver.received


def test_a_secret_that_cannot_be_read_is_never_left_out(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver, secret="s3cret")
    create_models(api, "m")
    with running(a_deliverer(database, key=Fernet.generate_key().decode())):
        eventually(lambda: rows(database)[0]["failed_at"] is not None)
    assert "its secret cannot be read" in rows(database)[0]["failure"]
    assert not receiver.received


def test_what_waits_goes_where_the_webhook_is_now(api: Api, database: Database, receiver: Receiver) -> None:
    with running_receiver() as old:
        webhook_id = listen(api, old, secret="old")
        create_models(api, "m")
        api.patch(f"webhooks/{webhook_id}", url=receiver.url, secret="")
        with running(a_deliverer(database)):
            (request,) = receiver.wait_for(1)
        assert not old.received
    assert "x-mlflow-signature" not in request.headers


def test_a_disabled_webhook_is_told_when_it_is_active_again(api: Api, database: Database, receiver: Receiver) -> None:
    webhook_id = listen(api, receiver)
    create_models(api, "before")
    api.patch(f"webhooks/{webhook_id}", status="DISABLED")
    create_models(api, "meanwhile")
    wake = Wake()
    with running(a_deliverer(database, wake=wake)):
        an_api(database, webhooks=an_outbound(wake)).patch(f"webhooks/{webhook_id}", status="ACTIVE")
        receiver.wait_for(1)
        eventually(lambda: not rows(database))
    assert names_of(receiver) == ["before"]


def test_a_deleted_webhook_is_told_nothing_more(api: Api, database: Database, receiver: Receiver) -> None:
    webhook_id = listen(api, receiver)
    create_models(api, "m")
    api.delete(f"webhooks/{webhook_id}")
    assert rows(database) == []


def test_what_is_old_goes(api: Api, database: Database, receiver: Receiver) -> None:
    """Three days for what waits, seven for what was given up; and all that MLflow's own server leaves of a webhook."""
    day = 24 * 3600 * 1000
    webhook_id = listen(api, receiver, status="DISABLED")
    row = {"webhook_id": webhook_id, "body": "{}", "due_at": 0, "attempts": 0, "leased_until": 0}
    with database.write() as connection:
        for name, created_at, failed_at in [
            ("waits", NOW - 2 * day, None),
            ("waits too long", NOW - 4 * day, None),
            ("failed", NOW - 9 * day, NOW - 6 * day),
            ("failed long ago", NOW - 9 * day, NOW - 8 * day),
        ]:
            connection.execute(
                insert(DELIVERIES).values(**row, delivery_id=name, created_at=created_at, failed_at=failed_at)
            )
        connection.execute(
            insert(DELIVERIES).values({**row, "webhook_id": "gone", "delivery_id": "orphan", "created_at": NOW})
        )
    with running(a_deliverer(database, surroundings=at(NOW))):
        eventually(lambda: len(rows(database)) == 3)
    assert [(row["delivery_id"], row["failed_at"]) for row in rows(database)] == [
        ("waits", None),
        ("waits too long", NOW),
        ("failed", NOW - 6 * day),
    ]


def test_what_a_killed_process_was_sending_is_sent_by_another(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver)
    create_models(api, "m")

    def deliver_for_ever() -> None:
        a_deliverer(database, lease_seconds=2.0).start()
        threading.Event().wait()

    with receiver.held():
        child = start_child(deliver_for_ever)
        receiver.wait_for(1)
        (row,) = rows(database)
        assert row["lease_id"] is not None
        os.kill(child, signal.SIGKILL)
        assert wait_for(child) == -signal.SIGKILL
    with running(a_deliverer(database, surroundings=at(NOW + 2_000))):
        first, second = receiver.wait_for(2)
        eventually(lambda: not rows(database))
    assert first.delivery_id == second.delivery_id
    assert first.body == second.body


def test_who_ends_leaves_what_is_under_way_to_others(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver)
    create_models(api, "m")
    deliverer = a_deliverer(database)
    with receiver.held():
        deliverer.start()
        receiver.wait_for(1)
        deliverer.stop()
        (row,) = rows(database)
    assert (row["attempts"], row["lease_id"], row["leased_until"]) == (0, None, 0)


def _has_grown_to(size: int, statements: Sequence[str]) -> bool:
    return len(statements) >= size


def test_at_rest_one_statement_is_sent_at_each_look(api: Api, database: Database, receiver: Receiver) -> None:
    """Every 30 seconds, so two a minute; here, each ring of the bell is a look."""
    listen(api, receiver)
    wake, looks = Wake(), 5
    deliverer = a_deliverer(database, wake=wake)
    assert DeliveryOptions().look_seconds == 30
    with running(deliverer):
        create_models(api, "m")
        wake()
        receiver.wait_for(1)
        eventually(lambda: not rows(database))
        with counted_statements(database) as statements:
            for number in range(1, looks + 1):
                wake()
                eventually(partial(_has_grown_to, number, statements))
    assert len(statements) == looks
    assert all("trackplane_webhook_deliveries" in statement for statement in statements)


def test_without_our_table_the_registry_goes_on_and_says_so_once(
    api: Api, database: Database, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    listen(api, receiver)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE trackplane_webhook_deliveries RENAME TO elsewhere"))
    try:
        behind = an_api(database, webhooks=an_outbound())
        create_models(behind, "a", "b")
        with running(a_deliverer(database)):
            pass
    finally:
        with database.write() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO trackplane_webhook_deliveries"))
    create_models(behind, "c")
    assert len(rows(database)) == 1  # it looks again until the table is there
    said = [line.message for line in caplog.records if "trackplane db upgrade" in line.message]
    assert len(said) <= 2  # one of who records, one of who delivers


def test_a_database_that_is_away_is_waited_for(api: Api, database: Database, receiver: Receiver) -> None:
    """The look fails, the thread goes on."""
    listen(api, receiver)
    create_models(api, "m")
    wake = Wake()
    calls = count()

    def now() -> int:
        if next(calls) == 0:
            raise ConnectionError("away")
        return NOW

    with running(a_deliverer(database, wake=wake, surroundings=Surroundings(now=now), look_seconds=0.05)):
        receiver.wait_for(1)
        eventually(lambda: not rows(database))


def test_a_lease_that_somebody_else_has_is_left_to_them(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver)
    create_models(api, "m")
    with receiver.held(), running(a_deliverer(database)):
        receiver.wait_for(1)
        with database.write() as connection:
            connection.execute(update(DELIVERIES).values(lease_id="another", leased_until=2**62))
    (row,) = rows(database)
    assert row["lease_id"] == "another"


def test_a_body_is_stored_in_whole(api: Api, database: Database, receiver: Receiver) -> None:
    listen(api, receiver, {"entity": "MODEL_VERSION_TAG", "action": "SET"})
    create_models(api, "m")
    api.post("model-versions/create", name="m", source="s3://bucket/m")
    value = "\N{SNOWMAN}" * 21_840  # 65,520 bytes: all that the column takes on MySQL, and the body is longer
    api.post("model-versions/set-tag", name="m", version="1", key="k", value=value)
    with running(a_deliverer(database)):
        (request,) = receiver.wait_for(1)
    assert request.said["data"] == {"name": "m", "version": "1", "key": "k", "value": value}


def test_a_key_file_is_read_by_all_who_share_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "key"
    tokens = [SecretKeeper(None, file).encrypt(f"s{number}") for number in range(3)]
    assert [SecretKeeper(None, file).decrypt(token) for token in tokens] == ["s0", "s1", "s2"]
