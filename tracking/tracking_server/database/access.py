"""How a database lets us in: certificates for TLS to MySQL, and a password that is kept outside of the URL."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from tracking_server.database.urls import DatabaseUrl
from tracking_server.errors import ConfigInvalid
from tracking_server.settings import SETTINGS, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseAccess:
    """Its fields have the names of their settings."""

    database_password_file: Path | None = None
    database_token_command: tuple[str, ...] = ()
    database_token_seconds: int = 300
    mysql_ssl_ca: str = ""
    mysql_ssl_cert: str = ""
    mysql_ssl_key: str = ""

    @property
    def mysql_tls(self) -> Mapping[str, str]:
        """By the names that a URL has for it."""
        given = {"ssl_ca": self.mysql_ssl_ca, "ssl_cert": self.mysql_ssl_cert, "ssl_key": self.mysql_ssl_key}
        return {name: value for name, value in given.items() if value}


def access_of(settings: Settings) -> DatabaseAccess:
    return DatabaseAccess(**{field.name: getattr(settings, field.name) for field in fields(DatabaseAccess)})


def access_from_environ(environ: Mapping[str, str]) -> DatabaseAccess:
    """For commands that have no other settings of a server. Raises ConfigInvalid."""
    names = {field.name for field in fields(DatabaseAccess)}
    variables = {setting.env for setting in SETTINGS if setting.name in names}
    return access_of(Settings.from_environ({name: text for name, text in environ.items() if name in variables}))


def refuse_doubt(url: DatabaseUrl, access: DatabaseAccess) -> None:
    """Raises ConfigInvalid when it is not plain which password is meant."""
    sources = [
        *(["TRACKPLANE_DATABASE_PASSWORD_FILE"] if access.database_password_file is not None else []),
        *(["TRACKPLANE_DATABASE_TOKEN_COMMAND"] if access.database_token_command else []),
    ]
    if not sources:
        return
    if url.dialect not in {"postgresql", "mysql"}:
        raise ConfigInvalid(
            f"{' and '.join(sources)} cannot be used with {url.masked}: only PostgreSQL, MySQL and MariaDB take a"
            " password that is not in the URL. Unset it."
        )
    if url.url.password is not None or "password" in url.url.query:
        sources.insert(0, "the URL")
    if len(sources) > 1:
        raise ConfigInvalid(f"The password of {url.masked} is given by {' and by '.join(sources)}: leave one.")
