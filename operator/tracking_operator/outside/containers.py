"""A container of a pod as a local process: its words and its environment, worked out as the kubelet does. Pure.

Images are not run: a container has to name its command. Volumes are folders that are there already, because the places
that the manifest was rendered with are local ones.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tracking_operator.resource.kinds import Manifest

_VARIABLE: Final = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_OURS: Final = ("MLFLOW_", "TRACKPLANE_")

SecretData = Callable[[str], Mapping[str, str] | None]
"""The base64 data of the Secret of that name; None when there is none."""


class CannotStart(Exception):
    """`reason` is the kubelet's word for it, the text its message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folders: tuple[str, ...]
    """Where the volumes of the container are mounted."""
    files: Mapping[str, bytes]
    """What the volumes made of Secrets hold, by path."""


def invocation(pod: Manifest, secret_data: SecretData, environ: Mapping[str, str], report: str) -> Invocation:
    """`report` stands in for the termination message: a real kubelet mounts a file of the container's own there.

    Raises `CannotStart`.
    """
    container: Manifest = pod["spec"]["containers"][0]
    if not container.get("command"):
        image = container["image"]
        raise CannotStart("ErrImageNeverPull", f"{image} cannot be run without a cluster: give it a command")
    own = {variable["name"]: _value(variable, secret_data) for variable in container.get("env", ())}
    message_path = container["terminationMessagePath"]
    own = {name: report if value == message_path else value for name, value in own.items()}
    words = (*container["command"], *container.get("args", ()))
    return Invocation(
        argv=tuple(_expanded(word, own) for word in words),
        env={**inherited(environ), **own},
        folders=tuple(mount["mountPath"] for mount in container.get("volumeMounts", ())),
        files=dict(_files(pod["spec"].get("volumes", ()), container.get("volumeMounts", ()), secret_data)),
    )


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What a process gets from the person's shell: everything but what would configure the server beside the spec."""
    return {name: value for name, value in environ.items() if not name.startswith(_OURS)}


def _value(variable: Mapping[str, Any], secret_data: SecretData) -> str:
    if "valueFrom" not in variable:
        return str(variable.get("value", ""))
    reference = variable["valueFrom"]["secretKeyRef"]
    return _secret_value(reference["name"], reference["key"], secret_data).decode()


def _files(
    volumes: Iterable[Manifest], mounts: Iterable[Manifest], secret_data: SecretData
) -> Iterator[tuple[str, bytes]]:
    folders = {mount["name"]: mount["mountPath"] for mount in mounts}
    for volume in volumes:
        for item in volume.get("secret", {}).get("items", ()):
            content = _secret_value(volume["secret"]["secretName"], item["key"], secret_data)
            yield f"{folders[volume['name']]}/{item['path']}", content


def _secret_value(name: str, key: str, secret_data: SecretData) -> bytes:
    data = secret_data(name)
    if data is None:
        raise CannotStart("CreateContainerConfigError", f'secret "{name}" not found')
    if key not in data:
        raise CannotStart("CreateContainerConfigError", f"couldn't find key {key} in Secret {name}")
    return base64.b64decode(data[key])


def _expanded(word: str, env: Mapping[str, str]) -> str:
    """`$(NAME)` is the variable, when there is one, and `$$` a dollar."""
    return _VARIABLE.sub(lambda found: "$" if found[0] == "$$" else env.get(found[1], found[0]), word)
