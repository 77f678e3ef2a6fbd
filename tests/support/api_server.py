"""A real Kubernetes API server for contract tests: etcd, kube-apiserver and the garbage collector as local processes.

There are no nodes: nothing that is created ever runs. Objects, server-side apply, validation, CEL, watches, Leases and
RBAC are real.
"""

import asyncio
import contextlib
import json
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.certificates import self_signed
from tests.support.tools import binary
from tracking_operator.cluster import connection
from tracking_operator.resource.kinds import Kind, Manifest

ROOT: Final = Path(__file__).resolve().parents[2]
START_SECONDS: Final = 90
CONTROLLERS: Final = "garbage-collector-controller,namespace-controller"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiServer:
    """Requests are made as an administrator, unless a token says otherwise."""

    url: str
    folder: Path
    token: str

    @property
    def ca(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    def kubeconfig(self, name: str = "admin", token: str | None = None) -> Path:
        """A kubeconfig file for the administrator, or for whoever has the token."""
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "it",
                    "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                    "clusters": [
                        {"name": "it", "cluster": {"server": self.url, "certificate-authority": str(self.ca)}}
                    ],
                    "users": [{"name": "it", "user": {"token": token or self.token}}],
                }
            )
        )
        return path

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """The answer as JSON. Raises `urllib.error.HTTPError`."""
        request = Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": content_type},
        )
        context = ssl.create_default_context(cafile=str(self.ca))
        with urlopen(request, context=context, timeout=30) as response:
            return json.loads(response.read())

    def create(self, manifest: Mapping[str, Any], *, token: str | None = None) -> Manifest:
        answer: Manifest = self.request("POST", _collection(manifest), manifest, token=token)
        return answer

    def replace(self, manifest: Mapping[str, Any]) -> Manifest:
        path = f"{_collection(manifest)}/{manifest['metadata']['name']}"
        answer: Manifest = self.request("PUT", path, manifest)
        return answer

    def create_namespace(self, prefix: str = "test") -> str:
        name = f"{prefix}-{secrets.token_hex(4)}"
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def token_of(self, namespace: str, service_account: str) -> str:
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        answer = self.request("POST", path, body)
        return str(answer["status"]["token"])

    def audited(self, user: str) -> list[dict[str, Any]]:
        """The finished requests of one user so far, in order."""
        lines = self.audit_log.read_text().splitlines()
        events = (json.loads(line) for line in lines if line)
        return [event for event in events if event["user"]["username"] == user]


_IRREGULAR: Final = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies", "PriorityClass": "priorityclasses"}
_CLUSTER_SCOPED: Final = {"Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}


def kind_of(manifest: Mapping[str, Any]) -> Kind:
    """Any kind that a test writes, not only those that the operator knows."""
    kind = manifest["kind"]
    return Kind(
        api_version=manifest["apiVersion"],
        kind=kind,
        plural=_IRREGULAR.get(kind, f"{kind.lower()}s"),
        namespaced=kind not in _CLUSTER_SCOPED,
    )


def _collection(manifest: Mapping[str, Any]) -> str:
    kind = kind_of(manifest)
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
    place = f"/namespaces/{manifest['metadata']['namespace']}" if kind.namespaced else ""
    return f"{root}{place}/{kind.plural}"


@contextlib.contextmanager
def running_api_server(folder: Path) -> Generator[ApiServer]:
    """Starts everything in `folder`, with the CRDs of the project, and ends it."""
    programs = {name: binary(name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")}
    _write_certificate(folder)
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    (folder / "audit.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "audit.k8s.io/v1",
                "kind": "Policy",
                "omitStages": ["RequestReceived"],
                "rules": [{"level": "Metadata"}],
            }
        )
    )
    etcd_port, peer_port, port = free_ports(3)
    server = ApiServer(url=f"https://127.0.0.1:{port}", folder=folder, token=token)
    etcd = [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{etcd_port}",
        f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
        "--unsafe-no-fsync",
    ]
    api_server = [
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={folder / 'tls.crt'}",
        f"--tls-private-key-file={folder / 'tls.key'}",
        f"--service-account-key-file={folder / 'tls.key'}",
        f"--service-account-signing-key-file={folder / 'tls.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--audit-policy-file={folder / 'audit.yaml'}",
        f"--audit-log-path={server.audit_log}",
        "--profiling=false",
    ]
    controllers = [
        f"--kubeconfig={server.kubeconfig()}",
        f"--controllers={CONTROLLERS}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
    with (
        _running(programs["etcd"], etcd, folder),
        _running(programs["kube-apiserver"], api_server, folder) as process,
    ):
        _wait_until_ready(server, process)
        for path in sorted((ROOT / "crds").glob("*.yaml")):
            _install(server, yaml.safe_load(path.read_text()))
        with _running(programs["kube-controller-manager"], controllers, folder):
            yield server


class SilentObserver:
    """Hears about requests and keeps it to itself."""

    def answered(self, request: connection.Request, status: int, seconds: float) -> None:
        pass

    def heard(self, request: connection.Request, *, is_new: bool) -> None:
        pass


@contextlib.asynccontextmanager
async def connected(server: ApiServer, *, token: str | None = None) -> AsyncGenerator[connection.Connection]:
    """The operator's own connection, as an administrator or as whoever has the token."""
    kubeconfig = server.kubeconfig(f"connection-{secrets.token_hex(4)}", token)
    made = await connection.connect(str(kubeconfig), SilentObserver())
    try:
        yield made
    finally:
        await made.close()


class Administrator:
    """Somebody who writes under another name than the operator's: `cluster_contract.Others`."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    async def create(self, manifest: Manifest) -> Manifest:
        return await asyncio.to_thread(self._server.create, manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        return await asyncio.to_thread(self._server.replace, manifest)


@contextlib.contextmanager
def _running(program: Path, arguments: list[str], folder: Path) -> Generator[subprocess.Popen[bytes]]:
    with (folder / f"{program.name}.log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log, cwd=folder)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(server: ApiServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(URLError, OSError, ValueError):
            context = ssl.create_default_context(cafile=str(server.ca))
            request = Request(f"{server.url}/readyz", headers={"Authorization": f"Bearer {server.token}"})
            with urlopen(request, context=context, timeout=5) as response:
                if response.status == 200:
                    return
        time.sleep(0.2)
    tail = (server.folder / "kube-apiserver.log").read_text()[-3000:]
    raise AssertionError(f"kube-apiserver did not get ready:\n{tail}")


def _install(server: ApiServer, crd: Manifest) -> None:
    server.create(crd)
    version = crd["spec"]["versions"][0]["name"]
    path = f"/apis/{crd['spec']['group']}/{version}/{crd['spec']['names']['plural']}"
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.request("GET", path)
        except HTTPError as exc:
            if exc.code not in {404, 429} or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _write_certificate(folder: Path) -> None:
    """One self-signed certificate: the server's own and the authority that clients trust. Its key signs tokens too."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "tls.crt").write_bytes(self_signed(key, addresses=["127.0.0.1"]))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (folder / "tls.key").write_bytes(private)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
