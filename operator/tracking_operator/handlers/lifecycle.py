"""The life of the process: find the API server, wait for the CRD and for the Lease, work as the leader, end in order.

Ending in order means: take nothing new, finish what is under way, then let go of the Lease, and only then of the rest.
A leader that lost its Lease, or whose watches fail for good, ends at once: another one goes on, or the kubelet starts
this one anew.
"""

import asyncio
import contextlib
import logging
import math
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import kopf

from tracking_operator.cluster.client import Cluster
from tracking_operator.cluster.connection import Connection, connect
from tracking_operator.cluster.events import Recorder
from tracking_operator.cluster.kubernetes_api import KubernetesCluster
from tracking_operator.cluster.lease import Elector, Terms
from tracking_operator.cluster.metadata_watch import MetadataWatch
from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.handlers.events import (
    CHILD_SELECTOR,
    CHILDREN,
    UNWATCHED_SECRETS,
    Recipients,
    make_registry,
    on_secret,
)
from tracking_operator.handlers.metrics import Metrics
from tracking_operator.handlers.probes import State, serving
from tracking_operator.handlers.references import References
from tracking_operator.handlers.work import Work
from tracking_operator.queue import Pace, Queue, Workers
from tracking_operator.resource.kinds import LEASE, SECRET, TRACKING_SERVER, Ref
from tracking_operator.resource.names import GROUP
from tracking_operator.settings import Settings

logger = logging.getLogger(__name__)

FINISH_SECONDS: Final = 15
"""How long the work under way may take to end. The pod's grace period is longer."""
LOGIN_SECONDS: Final = 5
"""The least time between two logins of kopf, which logs in again whenever it is told 401."""
WAIT_SECONDS: Final = 5


MakeWork: TypeAlias = Callable[[Cluster, Recorder], Work]


class Ended(Exception):
    """The process ends for a reason that is not a signal: the exit code is 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    settings: Settings
    connection: Connection
    metrics: Metrics
    queue: Queue
    state: State
    elector: Elector | None
    make_work: MakeWork


async def run(settings: Settings, make_work: MakeWork) -> None:
    """Until a signal ends it. Raises `Ended`, or `SettingsInvalid` when there is no way to an API server."""
    stop = asyncio.Event()
    _stop_on_signals(stop)
    metrics = Metrics()
    queue = Queue(Pace(resync_seconds=settings.resync_seconds))
    metrics.describe_queue(queue)
    state = State(metrics, queue)
    connection = await connect(settings.kubeconfig, metrics)
    parts = _Parts(
        settings=settings,
        connection=connection,
        metrics=metrics,
        queue=queue,
        state=state,
        elector=_make_elector(settings, connection),
        make_work=make_work,
    )
    try:
        async with serving(state, metrics, settings.probe_port):
            await _serve(parts, stop)
    finally:
        await connection.close()


async def _serve(parts: _Parts, stop: asyncio.Event) -> None:
    if not await _unless(stop, _until_served(parts)):
        return
    parts.state.unready_because = ""
    if parts.elector is not None:
        parts.state.lease_silence_seconds = parts.elector.silence_seconds
        if not await _unless(stop, parts.elector.acquire()):
            return
    parts.metrics.lead(leads=True)
    try:
        await _lead(parts, stop)
    finally:
        parts.metrics.lead(leads=False)


async def _lead(parts: _Parts, stop: asyncio.Event) -> None:
    """Everything that a leader runs at the same time. The first of them to end, ends them all."""
    settings, elector = parts.settings, parts.elector
    cluster = KubernetesCluster(
        parts.connection.client,
        namespaces=settings.watch_namespaces,
        write_budget_seconds=elector.write_budget_seconds if elector else lambda: math.inf,
    )
    work = parts.make_work(cluster, Recorder(cluster, _instance(settings)))
    workers = Workers(parts.queue, work, parts.metrics)
    recipients = Recipients(workers=workers, references=References(), servers=parts.metrics.servers)
    kopf_may_end = asyncio.Event()
    stopping = asyncio.create_task(stop.wait(), name="stop")
    leading = asyncio.create_task(elector.keep() if elector else stop.wait(), name="lease")
    working = asyncio.create_task(workers.run(settings.workers), name="workers")
    referring = asyncio.create_task(_watch_secrets(parts, recipients), name="watch of secrets")
    await asyncio.sleep(0)
    watching = asyncio.create_task(_watch(parts, recipients, stop, kopf_may_end), name="kopf")
    tasks = {stopping, leading, working, referring, watching}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        workers.stop()
        if not leading.done() or elector is None:
            await asyncio.wait({working}, timeout=FINISH_SECONDS)
        working.cancel()
        referring.cancel()
        await asyncio.wait({working, referring})
        if elector is not None:
            await elector.release()
        kopf_may_end.set()
        await asyncio.wait({watching}, timeout=FINISH_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
    _raise_reason(stop, leading, working, referring, watching)


def _raise_reason(stop: asyncio.Event, leading: asyncio.Task[Any], *others: asyncio.Task[Any]) -> None:
    """What ended the leader's work, if it was not a signal."""
    for task in others:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise Ended(f"{task.get_name()} failed: {error}") from error
    if not stop.is_set():
        raise Ended("the lease is lost" if leading.done() and not leading.cancelled() else "kopf ended by itself")


async def _watch(parts: _Parts, recipients: Recipients, stop: asyncio.Event, may_end: asyncio.Event) -> None:
    """Runs kopf until `may_end`. It takes the signals for itself, so they are taken back."""
    namespaces = parts.settings.watch_namespaces
    for kind in (TRACKING_SERVER, *CHILDREN):
        for namespace in namespaces or ("",):
            parts.metrics.watches.expect(kind.plural, namespace)
    before = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=make_registry(recipients, _make_login(parts.connection)),
        settings=kopf_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=may_end,
    )
    _stop_on_signals(stop)
    await kopf.run_tasks(tasks, ignored=before)


async def _watch_secrets(parts: _Parts, recipients: Recipients) -> None:
    """Until it is cancelled."""
    if not parts.settings.watch_references:
        await asyncio.Event().wait()
    async with asyncio.TaskGroup() as group:
        for namespace in parts.settings.watch_namespaces or ("",):
            parts.metrics.watches.expect(SECRET.plural, namespace)
            watch = MetadataWatch(
                connection=parts.connection,
                kind=SECRET,
                namespace=namespace,
                field_selector=UNWATCHED_SECRETS,
                changed=on_secret(recipients),
            )
            group.create_task(watch.run(), name=f"watch of {SECRET.plural} in {namespace or 'all namespaces'}")


def _make_login(connection: Connection) -> Callable[..., Awaitable[kopf.AiohttpSession]]:
    """Gives kopf a session of ours. Told that the last one was refused, it takes its time: the token may be renewed."""
    last = -math.inf

    async def login(**_: Any) -> kopf.AiohttpSession:
        nonlocal last
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(0, last + LOGIN_SECONDS - clock()))
        last = clock()
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=connection.open_session())

    return login


def kopf_settings() -> kopf.OperatorSettings:
    """kopf watches and nothing else: no Events, no peering, no finalizer, no annotation, no observing of CRDs."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.persistence.finalizer = f"{GROUP}/kopf"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    settings.watching.server_timeout = 270
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 5
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.enforce_retry_after = True
    settings.networking.trust_env = True
    settings.queueing.idle_timeout = 1
    settings.execution.max_workers = 1
    settings.process.ultimate_exiting_timeout = None
    for kind in CHILDREN:
        settings.watching.label_selectors[kind.group, kind.version, kind.plural] = CHILD_SELECTOR
    return settings


def _make_elector(settings: Settings, connection: Connection) -> Elector | None:
    if not settings.lease:
        return None
    return Elector(
        KubernetesCluster(connection.client),
        Ref(kind=LEASE, namespace=settings.election_namespace, name=settings.lease_name),
        _instance(settings),
        terms=Terms(duration_seconds=settings.lease_seconds),
    )


def _instance(settings: Settings) -> str:
    """A pod's name is held by one process at a time, so a container that starts again takes up its own Lease."""
    return settings.pod_name or f"{socket.gethostname()}-{secrets.token_hex(4)}"


async def _until_served(parts: _Parts) -> None:
    cluster = KubernetesCluster(parts.connection.client)
    said = ""
    while True:
        try:
            if await cluster.serves(TRACKING_SERVER):
                return
            reason = (
                f"the API server does not serve {TRACKING_SERVER.plural}.{TRACKING_SERVER.group}: is the CRD installed?"
            )
        except (NotReadyYet, ClusterRefused) as exc:
            reason = str(exc)
        parts.state.unready_because = reason
        if reason != said:
            logger.warning("cannot begin yet", extra={"error": reason})
            said = reason
        await asyncio.sleep(WAIT_SECONDS)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Does the work, and says that it is done; when `stop` is set first, leaves it."""
    task = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        return task.done()
    finally:
        stopping.cancel()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
