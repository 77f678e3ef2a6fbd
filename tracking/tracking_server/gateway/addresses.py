"""Backends that are tracking servers, as users write them; pure."""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Secret

_PORTS: Final = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*/?")
_PROFILE = re.compile(r"[^\s:/?#@\[\]]+")
EXAMPLES: Final = "https://mlflow.example.com, https://mlflow.example.com/prefix, databricks or databricks://profile"


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """`path` comes before every path of the API; no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def shown(self) -> str:
        """For messages: a user name and a password are no part of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """`user` and `password` are what the URI itself has of them."""

    address: Address
    user: str = ""
    password: Secret | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Databricks:
    """A workspace. Without a profile, the environment says which one."""

    profile: str = ""


Backend: TypeAlias = Server | Databricks


def parse_backend(text: str) -> Backend:
    """Raises ConfigInvalid, whose message shows nothing of a user name or a password."""
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "databricks":
        return Databricks(profile=_profile(rest))
    parts = _split(text)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return Server(
        address=_address(parts),
        user=unquote(user),
        password=Secret(unquote(password)) if password else None,
    )


def parse_address(text: str) -> Address:
    """Of what must not have a user name. A bare host means https. Raises ConfigInvalid."""
    parts = _split(text if "://" in text else f"https://{text}")
    if "@" in parts.netloc:
        raise ConfigInvalid("An address in a profile has no user name and no password in it.")
    return _address(parts)


def _profile(rest: str) -> str:
    name = rest.removeprefix("//").removesuffix("/")
    if not rest.strip("/"):
        return ""
    if not rest.startswith("//") or not _PROFILE.fullmatch(name):
        raise ConfigInvalid(
            f"databricks:{rest[:200]} does not name a profile of the Databricks configuration file. Write"
            " databricks://profile. A secret scope (databricks://scope:prefix) is for notebooks alone."
        )
    return name


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises ValueError for one that is no number
    except ValueError:
        raise ConfigInvalid(
            "The address of the tracking server cannot be read. A character such as @ or / in the password is written"
            f" as %40 or %2F. Examples: {EXAMPLES}."
        ) from None
    return parts


def _address(parts: SplitResult) -> Address:
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise ConfigInvalid(f"This is not the address of a tracking server: it names no host. Examples: {EXAMPLES}.")
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path) or {".", ".."} & {*parts.path.split("/")}:
        raise ConfigInvalid(
            f"The address of the tracking server at {host} has more behind the host than a plain path."
            f" Examples: {EXAMPLES}."
        )
    return Address(scheme=parts.scheme, host=host, port=parts.port or _PORTS[parts.scheme], path=parts.path.rstrip("/"))
