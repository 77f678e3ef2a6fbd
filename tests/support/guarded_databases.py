"""Servers of databases that let nobody in by the network without TLS and a password."""

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg import sql

from tests.support.certificates import write_key_and_certificate
from tests.support.client import free_port
from tests.support.databases import PostgreSql, running_postgresql
from tests.support.mariadb import running_mariadb

CERTIFIED: Final = "certified"
"""An account of MariaDB that needs a certificate, and no password."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guarded:
    dialect: str
    port: int
    authority: Path
    """Signed the certificate of the server; and the key for it."""
    set_password: Callable[[str], None]
    """Of the account `app`."""

    def url(self, *, user: str = "app", tls: str | None = None) -> str:
        """`tls`: in place of what makes the client check the server."""
        checks = {
            "postgresql": f"sslmode=verify-full&sslrootcert={self.authority}",
            "mysql": f"ssl_ca={self.authority}",
        }
        query = checks[self.dialect] if tls is None else tls
        return f"{self.dialect}://{user}@localhost:{self.port}/guarded{'?' if query else ''}{query}"


@contextmanager
def guarded_postgresql() -> Generator[Guarded]:
    port = free_port()
    with _certificate() as authority, running_postgresql(port=port) as server:
        _write(server, "server.pem", authority.read_text())  # the server wants it to be its own
        _write(server, "pg_hba.conf", "local all all trust\nhostssl guarded app all scram-sha-256\n")
        with server.connected("postgres") as admin:
            for statement in (
                "ALTER SYSTEM SET ssl_cert_file = 'server.pem'",
                "ALTER SYSTEM SET ssl_key_file = 'server.pem'",
                "ALTER SYSTEM SET ssl = on",
                "CREATE USER app",
                "CREATE DATABASE guarded OWNER app",
            ):
                admin.execute(statement.encode())
        server.postmaster.stop()
        server.postmaster.start()

        def set_password(password: str) -> None:
            with server.connected("postgres") as admin:
                admin.execute(f"ALTER USER app PASSWORD '{password}'".encode())

        yield Guarded(dialect="postgresql", port=port, authority=authority, set_password=set_password)


def _write(server: PostgreSql, name: str, content: str) -> None:
    """By the server, as the files are to be its own."""
    with server.connected("postgres") as admin:
        (folder,) = admin.execute("SHOW data_directory").fetchall()[0]
        copy = sql.SQL("COPY (SELECT unnest(string_to_array({}, E'\\n'))) TO PROGRAM {}")
        admin.execute(copy.format(content, f"umask 077; cat > {folder}/{name}"))


@contextmanager
def guarded_mariadb() -> Generator[Guarded]:
    port = free_port()
    with _certificate() as authority:
        tls = [f"--ssl-cert={authority}", f"--ssl-key={authority}", f"--ssl-ca={authority}"]
        with running_mariadb(f"--port={port}", "--bind-address=127.0.0.1", *tls) as server:

            def administer(statement: str) -> None:
                with server.connected() as admin, admin.cursor() as cursor:
                    cursor.execute(statement)

            server.create_database("guarded")
            for user, need in (("app", "SSL"), (CERTIFIED, "X509")):
                administer(f"CREATE USER {user}@'127.0.0.1' REQUIRE {need}")
                administer(f"GRANT ALL ON guarded.* TO {user}@'127.0.0.1'")
            yield Guarded(
                dialect="mysql",
                port=port,
                authority=authority,
                set_password=lambda password: administer(f"ALTER USER app@'127.0.0.1' IDENTIFIED BY '{password}'"),
            )


@contextmanager
def _certificate() -> Generator[Path]:
    """Where the account of any server may read it."""
    with tempfile.TemporaryDirectory(prefix="trackplane-certificate-") as name:
        Path(name).chmod(0o755)
        file = write_key_and_certificate(Path(name) / "server.pem", hosts=["localhost"], addresses=["127.0.0.1"])
        file.chmod(0o644)
        yield file
