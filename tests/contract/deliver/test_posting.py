"""One POST: where it goes, whom it trusts, how long it takes, and what it reads of the answer."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.receivers import CERTIFIED_NAME, Receiver, Reply, leads_to, make_certificate, running_receiver
from tracking_server.deliver.outcomes import Answered, Stopped, Unreached
from tracking_server.deliver.posting import KEPT_BYTES, Poster
from tracking_server.deliver.resolving import AddressRule
from tracking_server.errors import InvalidParameter

BODY = b'{"a":1}'
HERE = AddressRule(allows_private=True)
TO_THE_RECEIVER = AddressRule(allows_private=True, resolve=leads_to("127.0.0.1"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def a_poster(rule: AddressRule = HERE, timeout_seconds: float = 30.0, **more: ssl.SSLContext) -> Poster:
    return Poster(schemes=["https", "http"], addresses=rule, timeout_seconds=timeout_seconds, **more)


def test_a_post_carries_body_and_headers_and_reads_the_answer(receiver: Receiver) -> None:
    reply = (
        a_poster()
        .begin(receiver.url + "?q=1", {"Content-Type": "application/json", "X-Mine": "1"}, BODY, reads_body=True)
        .send()
    )
    assert isinstance(reply, Answered)
    assert (reply.status, reply.body) == (200, b"thanks")
    (request,) = receiver.received
    assert (request.path, request.body, request.headers["x-mine"]) == ("/hook?q=1", BODY, "1")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_no_more_of_an_answer_is_read_than_is_kept(receiver: Receiver) -> None:
    receiver.replies.append(Reply(status=500, body=b"x" * 10_000_000))
    reply = a_poster().begin(receiver.url, {}, BODY, reads_body=True).send()
    assert isinstance(reply, Answered)
    assert reply.body == b"x" * KEPT_BYTES


def test_who_wants_only_the_status_does_not_wait_for_a_body() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_in_part() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                while connection.recv(65536):  # until the other side has gone
                    pass

        answering = threading.Thread(target=answer_in_part)
        answering.start()
        reply = a_poster().begin(f"http://127.0.0.1:{listener.getsockname()[1]}", {}, BODY).send()
        answering.join()
    assert isinstance(reply, Answered)
    assert (reply.status, reply.body) == (200, b"")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.replies.append(Reply(status=302, headers={"Location": f"http://127.0.0.1:{receiver.port}/inside"}))
    reply = a_poster().begin(receiver.url, {}, BODY).send()
    assert isinstance(reply, Answered)
    assert reply.status == 302
    assert [request.path for request in receiver.received] == ["/hook"]


def test_the_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    assert isinstance(a_poster().begin(receiver.url, {}, BODY).send(), Answered)


def test_a_name_is_resolved_once_and_its_address_connected_to(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    url = f"http://hooks.example.com:{receiver.port}/x"
    assert isinstance(a_poster(AddressRule(allows_private=True, resolve=resolve)).begin(url, {}, BODY).send(), Answered)
    assert asked == ["hooks.example.com"]
    assert receiver.received[0].headers["host"] == f"hooks.example.com:{receiver.port}"


def test_a_name_that_turns_private_after_the_check_is_not_connected_to(receiver: Receiver) -> None:
    """Rebinding: the first answer of the name server is public, every later one is this machine."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]

    def resolve(_host: str, _port: int) -> Sequence[str]:
        return answers.pop(0)

    poster = a_poster(AddressRule(resolve=resolve))
    url = f"http://hooks.example.com:{receiver.port}/x"
    poster.check(url)
    reply = poster.begin(url, {}, BODY).send()
    assert reply == Unreached(
        why="Webhook URL must not resolve to a non-public IP address. 'hooks.example.com' resolves to 127.0.0.1.",
        is_final=True,
    )
    assert not receiver.received


def test_one_private_address_among_public_ones_is_enough(receiver: Receiver) -> None:
    rule = AddressRule(resolve=leads_to("8.8.8.8", "::ffff:127.0.0.1"))
    reply = a_poster(rule).begin(f"http://hooks.example.com:{receiver.port}/x", {}, BODY).send()
    assert isinstance(reply, Unreached)
    assert reply.is_final
    assert not receiver.received


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"],
)
def test_this_machine_is_refused_however_it_is_written(receiver: Receiver, host: str) -> None:
    url = f"http://{host}:{receiver.port}/x"
    poster = a_poster(AddressRule())
    with pytest.raises(InvalidParameter, match=r"non-public IP address|Cannot resolve"):
        poster.check(url)
    assert isinstance(poster.begin(url, {}, BODY).send(), Unreached)
    assert not receiver.received


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver) -> None:
    rule = AddressRule(allows_private=True, resolve=leads_to("127.0.0.2", "127.0.0.1"))
    reply = a_poster(rule).begin(f"http://hooks.example.com:{receiver.port}/x", {}, BODY).send()
    assert isinstance(reply, Answered)


def test_a_name_server_that_is_slow_is_not_waited_for() -> None:
    may_end = threading.Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        may_end.wait(60)
        return ["8.8.8.8"]

    reply = a_poster(AddressRule(resolve=resolve), timeout_seconds=0.1).begin("http://x.example", {}, BODY).send()
    may_end.set()
    assert isinstance(reply, Unreached)
    assert not reply.is_final


def test_a_receiver_that_answers_a_byte_at_a_time_is_not_waited_for() -> None:
    """Each byte comes in time; the whole does not."""
    has_ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                try:
                    while not has_ended.wait(0.05):
                        connection.sendall(b"X: y\r\n")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        reply = a_poster(timeout_seconds=0.5).begin(f"http://127.0.0.1:{listener.getsockname()[1]}", {}, BODY).send()
        has_ended.set()
        dripping.join()
    assert reply == Unreached(why="no answer within 0.5 seconds")


def test_a_post_can_be_broken_off(receiver: Receiver) -> None:
    with receiver.held():
        post = a_poster().begin(receiver.url, {}, BODY)
        replies: list[object] = []
        sending = threading.Thread(target=lambda: replies.append(post.send()))
        sending.start()
        receiver.wait_for(1)
        post.stop()
        sending.join(60)
    assert replies == [Stopped()]


def test_who_does_not_speak_http_is_unreached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        talking = threading.Thread(target=babble)
        talking.start()
        reply = a_poster().begin(f"http://127.0.0.1:{listener.getsockname()[1]}", {}, BODY).send()
        talking.join()
    assert isinstance(reply, Unreached)
    assert not reply.is_final


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def test_over_tls_the_certificate_is_that_of_the_name(certificate: Path) -> None:
    with running_receiver(certificate) as receiver:
        poster = a_poster(TO_THE_RECEIVER, ssl_context=trusting(certificate))
        reply = poster.begin(f"https://{CERTIFIED_NAME}:{receiver.port}/hook", {}, BODY).send()
        assert isinstance(reply, Answered)
        assert receiver.received[0].headers["host"] == f"{CERTIFIED_NAME}:{receiver.port}"


@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
def test_over_tls_another_name_is_refused(certificate: Path, host: str) -> None:
    with running_receiver(certificate) as receiver:
        poster = a_poster(TO_THE_RECEIVER, ssl_context=trusting(certificate))
        reply = poster.begin(f"https://{host}:{receiver.port}/hook", {}, BODY).send()
        assert isinstance(reply, Unreached)
        assert "CERTIFICATE_VERIFY_FAILED" in reply.why
        assert not receiver.received


def test_over_tls_an_unknown_authority_is_refused(certificate: Path) -> None:
    with running_receiver(certificate) as receiver:
        reply = a_poster(TO_THE_RECEIVER).begin(f"https://{CERTIFIED_NAME}:{receiver.port}", {}, BODY).send()
        assert isinstance(reply, Unreached)
        assert "CERTIFICATE_VERIFY_FAILED" in reply.why
        assert not receiver.received


def test_a_handshake_that_never_ends_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reply = a_poster(timeout_seconds=0.3).begin(f"https://127.0.0.1:{listener.getsockname()[1]}", {}, BODY).send()
    assert isinstance(reply, Unreached)
