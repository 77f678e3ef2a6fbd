"""Webhooks as callers see them: what is stored, what is refused and how, what a trial says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert, select, text

from tests.support.api_calls import START, Api, Refusal, an_api
from tests.support.receivers import Receiver, Reply, leads_to, running_receiver
from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.deliver.message import signature
from tracking_server.deliver.outbound import Outbound
from tracking_server.deliver.posting import Poster
from tracking_server.deliver.resolving import AddressRule
from tracking_server.deliver.secrets import SecretKeeper
from tracking_server.entities.webhooks import ACTIONS
from tracking_server.settings import Secret

KEY = Fernet.generate_key().decode()
URL = "https://hooks.example.com/x"
CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
TAG_SET = {"entity": "MODEL_VERSION_TAG", "action": "SET"}
PUBLIC = AddressRule(resolve=leads_to("8.8.8.8"))
ANYWHERE = AddressRule(allows_private=True)


def with_webhooks(
    database: Database, rule: AddressRule = PUBLIC, key: str | None = KEY, file: Path | None = None
) -> Api:
    return an_api(
        database,
        webhooks=Outbound(
            poster=Poster(schemes=["https", "http"] if rule is ANYWHERE else ["https"], addresses=rule),
            secrets=SecretKeeper(Secret(key) if key else None, file),
        ),
    )


@pytest.fixture
def api(database: Database) -> Api:
    return with_webhooks(database)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def create(api: Api, **fields: object) -> Any:
    return api.post("webhooks", **{"name": "mine", "url": URL, "events": [CREATED], **fields})["webhook"]


def test_a_webhook_comes_back_as_it_was_created(api: Api) -> None:
    created = create(api, description="tells chat", secret="s3cret", status="DISABLED", events=[TAG_SET, CREATED])
    assert created == {
        "webhook_id": "00000000-0000-0000-0000-000000000001",
        "name": "mine",
        "description": "tells chat",
        "url": URL,
        "events": [TAG_SET, CREATED],
        "status": "DISABLED",
        "creation_timestamp": START,
        "last_updated_timestamp": START,
    }
    assert api.get(f"webhooks/{created['webhook_id']}") == {"webhook": created}
    assert api.get("webhooks") == {"webhooks": [created]}


def test_it_is_active_when_nothing_is_said(api: Api) -> None:
    created = create(api)
    assert created["status"] == "ACTIVE"
    assert "description" not in created


def test_enums_may_be_numbers(api: Api) -> None:
    created = create(api, events=[{"entity": 3, "action": 4}], status=2)
    assert (created["events"], created["status"]) == ([TAG_SET], "DISABLED")


def test_a_secret_is_stored_as_mlflow_stores_it_and_never_told(api: Api, database: Database) -> None:
    created = create(api, secret="s3cret")
    with database.read() as connection:
        (row,) = connection.execute(select(schema.webhooks)).mappings()
        events = connection.execute(select(schema.webhook_events)).all()
    assert Fernet(KEY).decrypt(row["secret"]) == b"s3cret"
    assert (row["status"], row["workspace"]) == ("ACTIVE", "default")
    assert events == [(created["webhook_id"], "registered_model", "created")]
    assert "secret" not in str(api.get("webhooks"))


def test_without_a_key_a_secret_is_refused_and_nothing_stored(database: Database) -> None:
    api = with_webhooks(database, key=None)
    with pytest.raises(Refusal, match="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY") as refusal:
        create(api, secret="s3cret")
    assert (refusal.value.http_status, refusal.value.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert "s3cret" not in refusal.value.message
    assert api.get("webhooks") == {}


def test_a_key_is_kept_beside_an_embedded_database(database: Database, tmp_path: Path, receiver: Receiver) -> None:
    file = tmp_path / "beside" / "mlflow.db.webhook-key"
    file.parent.mkdir()
    created = create(with_webhooks(database, ANYWHERE, None, file), url=receiver.url, secret="s3cret")
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    after_a_restart = with_webhooks(database, ANYWHERE, None, file)
    assert after_a_restart.post(f"webhooks/{created['webhook_id']}/test")["result"]["success"] is True
    assert "x-mlflow-signature" in receiver.received[0].headers


def test_a_secret_that_does_not_fit_is_refused(api: Api) -> None:
    with pytest.raises(Refusal, match="too long"):
        create(api, secret="s" * 1000)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"name": ""}, "Missing value for required parameter 'name'", id="no name"),
        pytest.param({"name": "-a"}, "Webhook name '-a' is invalid. It must start and end", id="name"),
        pytest.param({"name": "a" * 64}, "be less than 63 characters long", id="long name"),
        pytest.param({"name": "a\n"}, "is invalid", id="name with a line break"),
        pytest.param({"name": "ä"}, "is invalid", id="name of other letters"),
        pytest.param({"url": ""}, "Missing value for required parameter 'url'", id="no URL"),
        pytest.param({"url": " "}, "Webhook URL cannot be empty or just whitespace: ' '", id="blank URL"),
        pytest.param(
            {"url": "http://a.example"},
            "Invalid webhook URL scheme: 'http'. Allowed schemes are: https.",
            id="scheme",
        ),
        pytest.param({"url": "https://"}, "Webhook URL must include a hostname: 'https://'", id="no host"),
        pytest.param({"events": None}, "Missing value for required parameter 'events'", id="no events"),
        pytest.param({"events": []}, "Webhook events must be a non-empty list", id="empty events"),
        pytest.param({"events": [{"action": "SET"}]}, "required parameter 'events[0].entity'", id="empty event"),
        pytest.param({"events": [{"entity": "X", "action": "SET"}]}, "'events[0].entity'", id="unknown entity"),
        pytest.param(
            {"events": [{"entity": "MODEL_VERSION", "action": "UPDATED"}]},
            "Invalid action 'updated' for entity 'model_version'. Valid actions are: ['created']",
            id="a pair that is none",
        ),
        pytest.param({"events": "REGISTERED_MODEL"}, "'events'", id="events of another type"),
        pytest.param({"status": 7}, "parameter 'status'", id="status"),
    ],
)
def test_what_is_wrong_is_named(api: Api, fields: dict[str, object], message: str) -> None:
    with pytest.raises(Refusal) as refusal:
        create(api, **fields)
    assert (refusal.value.http_status, refusal.value.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert message in refusal.value.message
    assert api.get("webhooks") == {}


def test_the_same_event_twice_is_refused(api: Api) -> None:
    with pytest.raises(Refusal) as refusal:
        create(api, events=[CREATED, CREATED])
    assert (refusal.value.http_status, refusal.value.error_code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "64:ff9b::a00:1"])
def test_a_name_that_leads_inside_is_refused(database: Database, address: str) -> None:
    existing = create(with_webhooks(database))["webhook_id"]
    api = with_webhooks(database, AddressRule(resolve=leads_to("8.8.8.8", address)))
    for method, path in (("POST", "webhooks"), ("PATCH", f"webhooks/{existing}")):
        with pytest.raises(Refusal) as refusal:
            api.call(method, path, body={"name": "mine", "url": URL, "events": [CREATED]})
        assert refusal.value.error_code == "INVALID_PARAMETER_VALUE"
        assert refusal.value.message == (
            f"Webhook URL must not resolve to a non-public IP address. 'hooks.example.com' resolves to {address}."
        )


def test_every_pair_of_the_contract_can_be_listened_to(api: Api) -> None:
    events = [{"entity": str(entity), "action": str(action)} for entity in ACTIONS for action in ACTIONS[entity]]
    webhook_id = create(api, events=events)["webhook_id"]
    found = api.get(f"webhooks/{webhook_id}")["webhook"]["events"]
    assert sorted(map(str, found)) == sorted(map(str, events))
    assert len(found) == 15


def test_a_list_has_the_newest_first_in_pages(api: Api) -> None:
    ids = [create(api, name=f"n{number}")["webhook_id"] for number in range(5)]
    pages: list[list[str]] = []
    token = ""
    while True:
        page = api.get("webhooks", max_results="2", page_token=token)
        pages.append([webhook["webhook_id"] for webhook in page["webhooks"]])
        token = page.get("next_page_token", "")
        if not token:
            break
    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


@pytest.mark.parametrize("size", ["-1", "1001"])
def test_a_page_has_up_to_a_thousand(api: Api, size: str) -> None:
    with pytest.raises(Refusal, match="max_results must be between 1 and 1000"):
        api.get("webhooks", max_results=size)


def test_a_token_that_was_never_given_is_refused(api: Api) -> None:
    with pytest.raises(Refusal, match="Invalid page token"):
        api.get("webhooks", page_token="eyJvZmZzZXQiOiAxfQ==")


def test_an_update_changes_what_is_given(api: Api, database: Database) -> None:
    created = create(api, description="old", secret="old", events=[CREATED])
    place = f"webhooks/{created['webhook_id']}"
    assert api.patch(place)["webhook"] == {**created, "last_updated_timestamp": START + 1000}
    changed = api.patch(
        place,
        name="new",
        url="https://new.example/y",
        description="",
        events=[TAG_SET],
        status="DISABLED",
        secret="new",
    )["webhook"]
    del created["description"]
    assert changed == {
        **created,
        "name": "new",
        "url": "https://new.example/y",
        "events": [TAG_SET],
        "status": "DISABLED",
        "last_updated_timestamp": START + 2000,
    }
    assert api.get(place)["webhook"] == changed
    with database.read() as connection:
        assert Fernet(KEY).decrypt(connection.scalars(select(schema.webhooks.c.secret)).one() or "") == b"new"


def test_an_empty_secret_takes_it_away(api: Api, database: Database) -> None:
    api.patch(f"webhooks/{create(api, secret='s')['webhook_id']}", secret="")
    with database.read() as connection:
        assert connection.scalars(select(schema.webhooks.c.secret)).all() == [None]


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")], ids=str)
def test_what_is_not_there_or_was_deleted_is_not_found(api: Api, method: str, suffix: str) -> None:
    deleted = create(api)["webhook_id"]
    assert api.delete(f"webhooks/{deleted}") == {}
    for webhook_id in (deleted, "no-such"):
        with pytest.raises(Refusal) as refusal:
            api.call(method, f"webhooks/{webhook_id}{suffix}")
        assert (refusal.value.http_status, refusal.value.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert refusal.value.message == f"Webhook with ID {webhook_id} not found."


def test_deleting_keeps_the_row_as_mlflow_does(api: Api, database: Database) -> None:
    api.delete(f"webhooks/{create(api)['webhook_id']}")
    assert api.get("webhooks") == {}
    with database.read() as connection:
        assert connection.scalars(select(schema.webhooks.c.deleted_timestamp)).all() == [START + 1000]


def test_a_webhook_of_another_workspace_is_not_seen(api: Api, database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(schema.webhooks).values(webhook_id="w", name="n", url=URL, workspace="other"))
    assert api.get("webhooks") == {}


def test_a_trial_sends_an_example_and_tells_the_answer(database: Database, receiver: Receiver) -> None:
    api = with_webhooks(database, ANYWHERE)
    webhook_id = create(api, url=receiver.url, secret="s3cret")["webhook_id"]
    result = api.post(f"webhooks/{webhook_id}/test")["result"]
    assert result == {"success": True, "response_status": 200, "response_body": "thanks"}
    (request,) = receiver.received
    said = dict(request.said)
    assert isinstance(said.pop("timestamp"), str)
    assert said == {
        "entity": "registered_model",
        "action": "created",
        "data": {
            "name": "example_model",
            "tags": {"example_key": "example_value"},
            "description": "An example registered model",
        },
    }
    stamp = request.headers["x-mlflow-timestamp"]
    assert request.headers["x-mlflow-signature"] == signature("s3cret", request.delivery_id, stamp, request.body)


def test_a_trial_may_be_of_another_event(database: Database, receiver: Receiver) -> None:
    api = with_webhooks(database, ANYWHERE)
    api.post(f"webhooks/{create(api, url=receiver.url)['webhook_id']}/test", event=TAG_SET)
    (request,) = receiver.received
    assert (request.said["entity"], request.said["action"]) == ("model_version_tag", "set")
    assert "x-mlflow-signature" not in request.headers


def test_there_is_an_example_of_every_event(database: Database, receiver: Receiver) -> None:
    api = with_webhooks(database, ANYWHERE)
    webhook_id = create(api, url=receiver.url)["webhook_id"]
    for entity, actions in ACTIONS.items():
        for action in actions:
            assert api.post(f"webhooks/{webhook_id}/test", event={"entity": entity, "action": action})["result"][
                "success"
            ]
    assert all(request.said["data"] for request in receiver.received)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        pytest.param(Reply(status=404, body=b"no"), {"response_status": 404, "response_body": "no"}, id="refused"),
        pytest.param(Reply(status=503, body=b""), {"response_status": 503, "response_body": ""}, id="unavailable"),
        pytest.param(
            Reply(status=307, headers={"Location": "/"}, body=b"\xff"),
            {
                "response_status": 307,
                "response_body": "\N{REPLACEMENT CHARACTER}",
                "error_message": "Redirects are not followed.",
            },
            id="redirect",
        ),
    ],
)
def test_a_trial_that_fails_is_told_and_not_repeated(
    database: Database, receiver: Receiver, reply: Reply, said: dict[str, object]
) -> None:
    api = with_webhooks(database, ANYWHERE)
    receiver.replies.append(reply)
    result = api.post(f"webhooks/{create(api, url=receiver.url)['webhook_id']}/test")["result"]
    assert result == {"success": False, **said}
    assert len(receiver.received) == 1


def test_a_trial_that_reaches_nobody_says_why(database: Database) -> None:
    with running_receiver() as gone:
        url = gone.url
    api = with_webhooks(database, ANYWHERE)
    result = api.post(f"webhooks/{create(api, url=url)['webhook_id']}/test")["result"]
    assert result["success"] is False
    assert result["error_message"].startswith("Failed to test webhook: ")


def test_a_secret_of_another_key_is_never_guessed_or_left_out(database: Database, receiver: Receiver) -> None:
    webhook_id = create(with_webhooks(database, ANYWHERE), url=receiver.url, secret="s3cret")["webhook_id"]
    for key in (Fernet.generate_key().decode(), None):
        result = with_webhooks(database, ANYWHERE, key).post(f"webhooks/{webhook_id}/test")["result"]
        assert result["success"] is False
        assert "its secret cannot be read" in result["error_message"]
    assert not receiver.received


def test_without_our_table_a_webhook_cannot_be_created_but_seen_and_deleted(database: Database) -> None:
    webhook_id = create(with_webhooks(database))["webhook_id"]
    with database.write() as connection:
        connection.execute(text("ALTER TABLE trackplane_webhook_deliveries RENAME TO elsewhere"))
    try:
        api = with_webhooks(database)
        with pytest.raises(Refusal, match="trackplane db upgrade") as refusal:
            create(api, name="other")
        assert (refusal.value.http_status, refusal.value.error_code) == (501, "NOT_IMPLEMENTED")
        assert [webhook["webhook_id"] for webhook in api.get("webhooks")["webhooks"]] == [webhook_id]
        api.delete(f"webhooks/{webhook_id}")
    finally:
        with database.write() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO trackplane_webhook_deliveries"))
