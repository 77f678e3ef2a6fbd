"""What the operator is told at start: one frozen `Settings`, read from the environment in `__main__` only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, cast

from tracking_operator.errors import Fault, SettingsInvalid

_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})


def _setting(env: str, default: Any, about: str, **limits: Any) -> Any:
    """A field of `Settings`: the variable it is read from, its default, one sentence for the reference page."""
    return field(default=default, metadata={"env": env, "about": about, **limits})


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """`docs/reference/operator-settings.md` lists exactly these fields; a test compares."""

    server_image: str = _setting(
        "TRACKPLANE_SERVER_IMAGE",
        "trackplane-server:dev",
        "The image of a TrackingServer that does not name one.",
    )
    watch_namespaces: tuple[str, ...] = _setting(
        "TRACKPLANE_WATCH_NAMESPACES",
        (),
        "The namespaces to work in, separated by commas; empty means all.",
    )
    watch_references: bool = _setting(
        "TRACKPLANE_WATCH_REFERENCES",
        True,
        "Watch the metadata of Secrets, so that a rotated Secret acts at once; else it acts at the next resync.",
    )
    workers: int = _setting(
        "TRACKPLANE_WORKERS",
        8,
        "How many TrackingServers are reconciled at the same time.",
        least=1,
        most=100,
    )
    resync_seconds: int = _setting(
        "TRACKPLANE_RESYNC_SECONDS",
        600,
        "How often each TrackingServer is looked at when nothing happens (give or take a tenth).",
        least=10,
        most=86_400,
    )
    probe_port: int = _setting(
        "TRACKPLANE_PROBE_PORT",
        8080,
        "The port of `/livez`, `/readyz` and `/metrics`.",
        least=1,
        most=65_535,
    )
    lease: bool = _setting(
        "TRACKPLANE_LEASE",
        True,
        "Elect a leader through a Lease, so that more than one replica can run. Turn it off only for a single process.",
    )
    lease_namespace: str = _setting(
        "TRACKPLANE_LEASE_NAMESPACE",
        "",
        "The namespace of the Lease; `POD_NAMESPACE` when empty.",
    )
    lease_name: str = _setting(
        "TRACKPLANE_LEASE_NAME",
        "trackplane-operator",
        "The name of the Lease.",
    )
    lease_seconds: int = _setting(
        "TRACKPLANE_LEASE_SECONDS",
        15,
        "How long the Lease of a leader that died keeps the others waiting.",
        least=5,
        most=300,
    )
    pod_name: str = _setting(
        "POD_NAME",
        "",
        "Who we are in the Lease and in Events; the host's name when empty.",
    )
    pod_namespace: str = _setting(
        "POD_NAMESPACE",
        "",
        "Where this process runs.",
    )
    kubeconfig: str = _setting(
        "KUBECONFIG",
        "",
        "The kubeconfig file to use outside of a cluster.",
    )
    log_format: Literal["json", "text"] = _setting(
        "TRACKPLANE_LOG_FORMAT",
        "json",
        "`json` (one object a line) or `text`.",
        choices=("json", "text"),
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "TRACKPLANE_LOG_LEVEL",
        "info",
        "`debug`, `info`, `warning` or `error`.",
        choices=("debug", "info", "warning", "error"),
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """An empty variable counts as absent. Raises `SettingsInvalid` with every fault at once."""
        faults: list[Fault] = []
        values: dict[str, Any] = {}
        for known in fields(cls):
            env = known.metadata["env"]
            text = environ.get(env, "").strip()
            if not text:
                continue
            try:
                values[known.name] = _parse(text, known.default, known.metadata)
            except ValueError as exc:
                faults.append(Fault(path=env, message=f"{exc}, not {text!r}"))
        settings = cls(**values)
        if settings.lease and not settings.election_namespace:
            faults.append(
                Fault(
                    path="TRACKPLANE_LEASE_NAMESPACE",
                    message="must name a namespace (or POD_NAMESPACE), unless TRACKPLANE_LEASE=false",
                )
            )
        if faults:
            raise SettingsInvalid(tuple(faults))
        return settings

    @property
    def election_namespace(self) -> str:
        return self.lease_namespace or self.pod_namespace


def _parse(text: str, default: object, metadata: Mapping[str, Any]) -> object:
    """`text` as the type of the default. Raises ValueError that says what is allowed."""
    match default:
        case bool():
            return _parse_bool(text)
        case int():
            return _parse_int(text, least=cast("int", metadata["least"]), most=cast("int", metadata["most"]))
        case tuple():
            return _parse_namespaces(text)
        case _:
            choices: tuple[str, ...] = metadata.get("choices", ())
            if choices and text.lower() not in choices:
                raise ValueError(f"must be one of {', '.join(choices)}")
            return text.lower() if choices else text


def _parse_bool(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("must be true or false")


def _parse_int(text: str, *, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"must be a whole number from {least} to {most}")
    return int(text)


def _parse_namespaces(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not all(_NAMESPACE.fullmatch(name) for name in names):
        raise ValueError("must be names of namespaces, separated by commas")
    return tuple(sorted(set(names)))
