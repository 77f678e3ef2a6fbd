"""Each object store behind a proxy that misbehaves: it works all the same, or says what is wrong and leaves nothing."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.artifact_stores import GROUP, REMOTE, content_of, names_of, put, store_through, unfinished_in
from tests.support.emulators import Emulator
from tests.support.faulty_proxy import Answer, Call, FaultyProxy, HangUp, Pass, Treatment, faulty_proxy
from tracking_server.artifacts.gcs import GcsBucket
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.store import ArtifactStore, StoreDenied, StoreUnavailable

PART = 5 * 1024 * 1024
LARGE = bytes(range(256)) * (2 * PART // 256) + b"end"
SMALL = bytes(range(256)) * 40

WRITES: dict[str, Callable[[ArtifactStore], None]] = {
    "small": lambda store: put(store, "run/file", SMALL),
    "large": lambda store: put(store, "run/file", LARGE),
}


@pytest.fixture(params=[pytest.param(name, marks=GROUP) for name in REMOTE])
def emulator(request: pytest.FixtureRequest) -> Emulator:
    request.getfixturevalue(f"{request.param}_bucket")  # credentials are those of the session
    found: Emulator = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def proxy(emulator: Emulator) -> Iterator[FaultyProxy]:
    with faulty_proxy(emulator.url.removesuffix("/devstoreaccount1")) as running:
        yield running


@pytest.fixture
def store(emulator: Emulator, proxy: FaultyProxy) -> Iterator[ObjectStore]:
    opened = store_through(emulator.name, emulator, proxy.url)
    yield opened
    opened.close()


def every_third(call: Call) -> Treatment:
    return Answer(status=503) if call.number % 3 == 0 else Pass()


def with_bytes(treatment: Treatment, least: int = 5000) -> Callable[[Call], Treatment]:
    """For calls that bring a part of a file; others pass."""
    return lambda call: treatment if call.body_bytes > least else Pass()


def once(treatment: Treatment, method: str) -> Callable[[Call], Treatment]:
    seen: list[Call] = []

    def treat(call: Call) -> Treatment:
        if call.method != method or seen:
            return Pass()
        seen.append(call)
        return treatment

    return treat


def read_all(store: ObjectStore) -> bytes:
    with store.open("run/file") as reader:
        return b"".join(iter(lambda: reader.read(512 * 1024), b""))


def everything(store: ObjectStore) -> None:
    put(store, "run/small", SMALL)
    put(store, "run/large", LARGE)
    for name, content in (("small", SMALL), ("large", LARGE)):
        assert store.stat(f"run/{name}").size_bytes == len(content)
        with store.open(f"run/{name}") as reader:
            assert b"".join(iter(lambda: reader.read(512 * 1024), b"")) == content
    assert names_of(store, "run") == ["large", "small"]
    deleted = store.delete_prefix("run")
    assert (deleted.files, tuple(deleted.leftovers)) == (2, ())
    assert names_of(store, "") == []
    assert unfinished_in(store) == []


def test_a_store_that_fails_every_third_call_is_used_to_the_end(store: ObjectStore, proxy: FaultyProxy) -> None:
    proxy.treat = every_third
    everything(store)
    assert len(proxy.calls) > 10


def test_a_store_that_is_slow_is_waited_for(store: ObjectStore, proxy: FaultyProxy) -> None:
    put(store, "run/file", LARGE[:3_000_000])
    proxy.treat = lambda _: Pass(bytes_per_second=4_000_000)
    assert store.stat("run/file").size_bytes == 3_000_000
    assert read_all(store) == LARGE[:3_000_000]


def test_a_download_that_is_cut_goes_on(store: ObjectStore, proxy: FaultyProxy) -> None:
    put(store, "run/file", LARGE)
    proxy.treat = once(Pass(cut_after=1_000_000), "GET")
    assert read_all(store) == LARGE


def test_a_download_that_is_always_cut_ends_as_an_error(store: ObjectStore, proxy: FaultyProxy) -> None:
    put(store, "run/file", SMALL)
    proxy.treat = lambda call: Pass(cut_after=0) if call.method == "GET" else Pass()
    with pytest.raises(StoreUnavailable):
        read_all(store)


def test_a_download_that_is_damaged_is_not_taken_for_whole(store: ObjectStore, proxy: FaultyProxy) -> None:
    put(store, "run/file", SMALL)
    proxy.treat = lambda call: Pass(corrupts_answer=call.method == "GET")
    with pytest.raises(StoreUnavailable, match=r"checksum|not what it should be"):
        read_all(store)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "treatment",
    [
        pytest.param(HangUp(), id="hang-up"),
        pytest.param(Answer(status=500), id="500"),
        pytest.param(Answer(status=503), id="503"),
        pytest.param(Pass(corrupts_request=True), id="damaged"),
    ],
)
def test_an_upload_that_never_comes_through_leaves_nothing(
    store: ObjectStore, proxy: FaultyProxy, treatment: Treatment, write: str
) -> None:
    proxy.treat = with_bytes(treatment)
    with pytest.raises(StoreUnavailable) as caught:
        WRITES[write](store)
    assert caught.value.http_status == 503
    proxy.treat = lambda _: Pass()
    assert names_of(store, "run") == []
    assert unfinished_in(store) == []


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "treatment", [pytest.param(HangUp(), id="hang-up"), pytest.param(Pass(cut_after=0), id="answer-lost")]
)
def test_an_upload_whose_call_is_lost_once_is_repeated(
    store: ObjectStore, proxy: FaultyProxy, treatment: Treatment, write: str
) -> None:
    seen: list[Call] = []

    def treat(call: Call) -> Treatment:
        if call.body_bytes > 5000 and not seen:
            seen.append(call)
            return treatment
        return Pass()

    proxy.treat = treat
    try:
        WRITES[write](store)
    except StoreUnavailable:
        # fake-gcs-server adds a piece that comes again to the one it has; the checksum tells, and nothing stays
        assert isinstance(store.bucket, GcsBucket)
        assert names_of(store, "run") == []
    else:
        assert read_all(store) == (SMALL if write == "small" else LARGE)
    assert unfinished_in(store) == []


@pytest.mark.parametrize("write", WRITES)
def test_whoever_is_refused_is_told_at_once(store: ObjectStore, proxy: FaultyProxy, write: str) -> None:
    put(store, "run/file", SMALL)
    proxy.treat = lambda _: Answer(status=403)
    calls: list[Callable[[], object]] = [
        lambda: WRITES[write](store),
        lambda: store.open("run/file"),
        lambda: store.stat("run/file"),
        lambda: store.list("run"),
        lambda: store.delete("run/file"),
    ]
    for call in calls:
        before = len(proxy.calls)
        with pytest.raises(StoreDenied) as caught:
            call()
        assert (caught.value.http_status, caught.value.error_code) == (403, "PERMISSION_DENIED")
        assert len(proxy.calls) - before <= 2
    proxy.treat = lambda call: Answer(status=403) if call.method in {"DELETE", "POST"} else Pass()
    try:
        deleted = store.delete_prefix("run")
    except StoreDenied:
        pass
    else:
        assert [leftover.is_lasting for leftover in deleted.leftovers] == [True]
    proxy.treat = lambda _: Pass()
    assert content_of(store, "run/file") == SMALL


def test_a_store_that_wants_fewer_calls_is_given_time(store: ObjectStore, proxy: FaultyProxy) -> None:
    proxy.treat = lambda _: Answer(status=503)
    with pytest.raises(StoreUnavailable) as caught:
        store.list("run")
    assert caught.value.retry_after_seconds >= 1
    assert len(proxy.calls) <= 10
