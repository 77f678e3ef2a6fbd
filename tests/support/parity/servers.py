"""A call sent to both servers, and what came back."""

import http.client
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tests.support.parity.answers import Json
from tests.support.parity.calls import Call, for_the_wire
from tests.support.parity.messages import told
from tests.support.parity.pairing import Clock, Difference, Pairing

TIMEOUT_SECONDS: Final = 120.0
_IDLE_SECONDS: Final = 2.0
"""After so long a server may be about to close the connection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a server answered: JSON where it is JSON, else text."""

    status: int
    content_type: str
    body: Json
    file_name: str | None = None

    @property
    def error_code(self) -> str:
        """Empty for an error that is not JSON, such as a page for people."""
        if self.status < 400 or not isinstance(self.body, dict):
            return ""
        return str(self.body.get("error_code", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", "")) if self.error_code and isinstance(self.body, dict) else ""

    @property
    def is_success(self) -> bool:
        return self.status < 300

    def __str__(self) -> str:
        return f"{self.status} {self.error_code} {self.message[:300]}" if not self.is_success else f"{self.status}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    call: Call
    ours: Said
    theirs: Said
    differences: list[Difference] = field(default_factory=list[Difference])


class Side:
    """One server, on a connection that is kept."""

    def __init__(self, url: str, clock: Clock, folder: str) -> None:
        self.url = url
        self._folder = folder
        self._clock = clock
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        self._last = 0.0
        self.ids: dict[str, str] = {}

    def play(self, call: Call) -> Said:
        wire = for_the_wire(call, self.ids)
        if time.monotonic() - self._last > _IDLE_SECONDS:
            self.close()
        began = self._next_millisecond()
        try:
            self._connection.request(wire.method, wire.target, body=wire.body, headers=dict(wire.headers))
            response = self._connection.getresponse()
            content = response.read()
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise RuntimeError(f"{self.url} did not answer {wire}: {error!r}") from error
        self._clock.note(began, _milliseconds())
        if response.status >= 500:  # uvicorn resets the connection some time after an application has failed
            self.close()
        self._last = time.monotonic()
        content_type = (response.getheader("content-type") or "").partition(";")[0]
        return Said(
            status=response.status,
            content_type=content_type,
            body=_parsed(content.replace(self._folder.encode(), b"/folder"), content_type),
            file_name=_file_name(response.msg),
        )

    def close(self) -> None:
        self._connection.close()

    def _next_millisecond(self) -> int:
        """Two calls never share one, so a time says in which call it was taken."""
        last = self._clock.ends[-1] if self._clock.ends else 0
        while (now := _milliseconds()) <= last:
            time.sleep(0.0002)
        return now


class Pair:
    """`folders`: in which the servers work; a path that is relative for a caller lies there."""

    def __init__(self, ours: str, theirs: str, folders: tuple[str, str]) -> None:
        self.pairing = Pairing()
        self.ours = Side(ours, self.pairing.clocks[0], folders[0])
        self.theirs = Side(theirs, self.pairing.clocks[1], folders[1])

    def play(
        self, call: Call, *, ours: Mapping[str, str] | None = None, theirs: Mapping[str, str] | None = None
    ) -> Exchange:
        """`ours` and `theirs`: ids for this call alone."""
        said: list[Said] = []
        for side, more in ((self.ours, ours), (self.theirs, theirs)):
            side.ids.update(more or {})
            said.append(side.play(call))
        exchange = Exchange(call=call, ours=said[0], theirs=said[1])
        if exchange.ours.is_success and exchange.theirs.is_success:
            for name, path in call.keep.items():
                self._keep(name, path, exchange)
        exchange.differences.extend(differences(exchange, self.pairing))
        return exchange

    def begin(self, names: Mapping[str, str]) -> None:
        """No other names are known any more; these stand for the same on both servers."""
        for side in (self.ours, self.theirs):
            side.ids = dict(names)

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()

    def _keep(self, name: str, path: str, exchange: Exchange) -> None:
        for side, said in ((self.ours, exchange.ours), (self.theirs, exchange.theirs)):
            side.ids[name] = _at(said.body, path)


def differences(exchange: Exchange, pairing: Pairing) -> list[Difference]:
    """Of errors the status and the code, and what a message has to say."""
    ours, theirs = exchange.ours, exchange.theirs
    if ours.is_success and theirs.is_success:
        found = list(pairing.differences(_in_order(exchange.call, ours.body), _in_order(exchange.call, theirs.body)))
        if ours.body and theirs.body:
            found += _unequal("content-type", ours.content_type, theirs.content_type)
            found += _unequal("file name", ours.file_name, theirs.file_name)
        return found
    found = [
        *_unequal("status", ours.status, theirs.status),
        *_unequal("error_code", _code(ours), _code(theirs)),
    ]
    wanted = told(theirs.message)
    if found or not wanted or wanted == told(ours.message):
        return found
    return list(pairing.differences(told(ours.message) or ours.message, wanted, ("message",)))


def _in_order(call: Call, body: Json) -> Json:
    """The contract gives the latest versions of a model no order, nor the datasets of experiments."""
    if isinstance(body, dict) and call.endpoint.endswith(("get-latest-versions", "search-datasets")):
        return {name: sorted(items, key=_place) for name, items in body.items() if isinstance(items, list)}
    return body or {}


def _place(item: Json) -> str:
    """Ids of experiments differ, but not in their order."""
    if not isinstance(item, dict):
        return ""
    names = [str(item.get(key)) for key in ("version", "name", "digest", "context")]
    return str([*names, str(item.get("experiment_id")).zfill(9)])


def _code(said: Said) -> str:
    """An unknown path need not be answered in JSON."""
    return "" if said.error_code == "ENDPOINT_NOT_FOUND" else said.error_code


def _unequal(place: str, ours: Json, theirs: Json) -> list[Difference]:
    return [] if ours == theirs else [Difference(place=place, ours=ours, theirs=theirs)]


def _file_name(headers: http.client.HTTPMessage) -> str | None:
    """The whole of it where there is a short form for old browsers as well."""
    whole = re.search(r"filename\*=UTF-8''([^;\s]+)", headers.get("content-disposition", ""))
    return unquote(whole.group(1)) if whole else headers.get_filename()


def _parsed(content: bytes, content_type: str) -> Json:
    if content_type == "application/json":
        try:
            document: Json = json.loads(content)  # takes a bare NaN, which MLflow's server writes in one place
        except ValueError:
            return content.decode("utf-8", "replace")
        return document
    return content.decode("utf-8", "backslashreplace")


def _at(document: Any, path: str) -> str:
    for key in path.split("."):
        document = document[key]
    return str(document)


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
