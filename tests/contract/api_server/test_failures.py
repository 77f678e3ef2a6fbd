"""What an API server that is not well answers, and what the operator makes of it: a real one cannot be made to."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from tests.support.api_server import SilentObserver
from tracking_operator.cluster.connection import Connection, Request, connect
from tracking_operator.cluster.kubernetes_api import KubernetesCluster
from tracking_operator.cluster.metadata_watch import MetadataWatch
from tracking_operator.errors import ClusterRefused, NotReadyYet, SettingsInvalid
from tracking_operator.resource.kinds import CONFIG_MAP, POD, SECRET, Ref

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REF = Ref(kind=CONFIG_MAP, namespace="team", name="config")
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config", "namespace": "team"}}


def a_kubeconfig(folder: Path, url: str, token: str = "secret-token") -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "it",
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "clusters": [{"name": "it", "cluster": {"server": url}}],
                "users": [{"name": "it", "user": {"token": token}}],
            }
        )
    )
    return path


@contextlib.asynccontextmanager
async def answering(folder: Path, handler: Handler) -> AsyncGenerator[Connection]:
    """A connection to a server that answers everything with `handler`."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    connection = await connect(str(a_kubeconfig(folder, f"http://{host}:{port}")), SilentObserver())
    try:
        yield connection
    finally:
        await connection.close()
        await runner.cleanup()


def a_status(code: int, reason: str = "", message: str = "", **details: object) -> web.Response:
    status = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    return web.json_response(status, status=code)


async def asked(folder: Path, answer: Callable[[], web.Response]) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return answer()

    async with answering(folder, handler) as connection:
        await KubernetesCluster(connection.client).apply(CONFIG)


@pytest.mark.parametrize(
    ("answer", "delay"),
    [
        pytest.param(lambda: a_status(401), 10, id="the token is being renewed"),
        pytest.param(lambda: a_status(404), 5, id="the namespace is not there yet"),
        pytest.param(lambda: a_status(409, "Conflict"), 1, id="a conflict"),
        pytest.param(
            lambda: a_status(403, "Forbidden", causes=[{"reason": "NamespaceTerminating"}]),
            5,
            id="the namespace is being deleted",
        ),
        pytest.param(lambda: a_status(429), 5, id="too many requests"),
        pytest.param(lambda: web.Response(status=429, headers={"Retry-After": "17"}), 17, id="and when to come back"),
        pytest.param(lambda: a_status(429, retryAfterSeconds=9), 9, id="in the answer"),
        pytest.param(lambda: web.Response(status=503, headers={"Retry-After": "86400"}), 300, id="in a day"),
        pytest.param(lambda: web.Response(status=503, headers={"Retry-After": "soon"}), 5, id="in no number"),
        pytest.param(lambda: a_status(500, "InternalError"), 5, id="an internal error"),
        pytest.param(lambda: web.Response(status=504, text="<html>"), 5, id="a page of a proxy"),
        pytest.param(lambda: web.Response(text="<html>"), 5, id="a page of a proxy that calls it a success"),
    ],
)
def test_what_will_pass_is_tried_again(tmp_path: Path, answer: Callable[[], web.Response], delay: float) -> None:
    with pytest.raises(NotReadyYet) as caught:
        asyncio.run(asked(tmp_path, answer))
    assert caught.value.delay_seconds == delay


@pytest.mark.parametrize("status", [400, 403, 405, 413, 415, 422])
def test_what_somebody_has_to_mend_is_a_refusal(tmp_path: Path, status: int) -> None:
    with pytest.raises(ClusterRefused, match="apply ConfigMap team/config: quota exceeded") as caught:
        asyncio.run(asked(tmp_path, lambda: a_status(status, "Because", "quota exceeded")))
    assert (caught.value.status, caught.value.reason) == (status, "Because")


def test_no_answer_is_tried_again(tmp_path: Path) -> None:
    async def story() -> None:
        connection = await connect(str(a_kubeconfig(tmp_path, "http://127.0.0.1:1")), SilentObserver())
        try:
            await KubernetesCluster(connection.client).get(REF)
        finally:
            await connection.close()

    with pytest.raises(NotReadyYet, match="does not answer"):
        asyncio.run(story())


def test_an_answer_that_does_not_come_in_time_is_not_waited_for(tmp_path: Path) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return a_status(500)

    async def story() -> None:
        async with answering(tmp_path, handler) as connection:
            await KubernetesCluster(connection.client, write_budget_seconds=lambda: 0.2).apply(CONFIG)

    with pytest.raises(NotReadyYet, match="does not answer"):
        asyncio.run(asyncio.wait_for(story(), timeout=10))


def test_a_list_is_read_to_its_last_page(tmp_path: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        first = "continue" not in request.query
        name = "b" if first else "a"
        page = {"metadata": {"continue": "more" if first else ""}, "items": [{"metadata": {"name": name}}]}
        return web.json_response(page)

    async def story() -> list[str]:
        async with answering(tmp_path, handler) as connection:
            found = await KubernetesCluster(connection.client).list(POD, "team")
            return [one["metadata"]["name"] for one in found]

    assert asyncio.run(story()) == ["a", "b"]


def test_all_namespaces_are_those_that_the_operator_works_in(tmp_path: Path) -> None:
    asked_for: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked_for.append(request.path)
        return web.json_response({"metadata": {}, "items": None})

    async def story() -> None:
        async with answering(tmp_path, handler) as connection:
            await KubernetesCluster(connection.client, namespaces=("a", "b")).list(POD, None)

    asyncio.run(story())
    assert asked_for == ["/api/v1/namespaces/a/pods", "/api/v1/namespaces/b/pods"]


def test_a_watch_of_metadata_begins_anew_when_its_version_is_too_old(tmp_path: Path) -> None:
    lists = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal lists
        kind = "PartialObjectMetadata" if "watch" in request.query else "PartialObjectMetadataList"
        assert f"as={kind};" in request.headers["Accept"]
        assert request.headers["Authorization"] == "Bearer secret-token"
        if "watch" not in request.query:
            lists += 1
            return web.json_response({"metadata": {"resourceVersion": "7"}, "items": [_named(f"listed-{lists}")]})
        assert request.query["resourceVersion"] == "7"
        response = web.StreamResponse()
        await response.prepare(request)
        for kind, item in (("ADDED", _named("added")), ("BOOKMARK", {"metadata": {"resourceVersion": "8"}})):
            await response.write(json.dumps({"type": kind, "object": item}).encode() + b"\n")
        await response.write(json.dumps({"type": "ERROR", "object": {"code": 410, "message": "too old"}}).encode())
        return response

    async def story() -> list[str]:
        told: list[str] = []
        enough = asyncio.Event()

        def changed(namespace: str, name: str) -> None:
            assert namespace == "team"
            told.append(name)
            if len(told) == 3:
                enough.set()

        async with answering(tmp_path, handler) as connection:
            watch = MetadataWatch(
                connection=connection, kind=SECRET, namespace="team", field_selector="", changed=changed
            )
            task = asyncio.create_task(watch.run())
            await asyncio.wait_for(enough.wait(), timeout=10)
            task.cancel()
            await asyncio.wait({task})
        return told

    assert asyncio.run(story()) == ["listed-1", "added", "listed-2"]


def _named(name: str) -> dict[str, object]:
    return {"metadata": {"namespace": "team", "name": name, "resourceVersion": "7"}}


def test_every_request_is_observed_with_its_answer(tmp_path: Path) -> None:
    seen: list[tuple[str, str, int]] = []

    class Observer(SilentObserver):
        def answered(self, request: Request, status: int, seconds: float) -> None:
            assert seconds >= 0
            seen.append((request.verb, request.resource, status))

    async def story() -> None:
        connection = await connect(str(a_kubeconfig(tmp_path, "http://127.0.0.1:1")), Observer())
        try:
            with pytest.raises(NotReadyYet):
                await KubernetesCluster(connection.client).get(REF)
        finally:
            await connection.close()

    asyncio.run(story())
    assert seen == [("get", "configmaps", 0)]


def test_a_kubeconfig_that_is_none_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="KUBECONFIG"):
        asyncio.run(connect(str(tmp_path / "missing"), SilentObserver()))
