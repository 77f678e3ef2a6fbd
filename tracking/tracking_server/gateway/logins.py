"""Who this server is to the one behind it: the address and the header Authorization, from the URI, the environment and
files. Nothing that is raised or logged here shows a secret."""

import base64
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracking_server.errors import ConfigInvalid
from tracking_server.gateway.addresses import Address, Backend, Databricks, Server
from tracking_server.gateway.databricks import WORKSPACE_VARIABLES, workspace_of
from tracking_server.gateway.options import GatewayOptions
from tracking_server.gateway.watched import Watched
from tracking_server.settings import Secret

_LIMIT_CHARACTERS: Final = 64 * 1024
_SECTION: Final = "mlflow"


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    address: Address
    authorization: Secret | None
    """The value of the header; None for a server that asks nobody who he is."""


def watched_login(backend: Backend, options: GatewayOptions) -> Watched[Login]:
    """Raises ConfigInvalid for what cannot be a login."""
    match backend:
        case Server():
            files = (options.password_file, options.token_file, _credentials_file(options))
            return Watched(lambda: _login_at(backend, options), [file for file in files if file is not None])
        case Databricks():
            file = databricks_file(options)
            return Watched(lambda: _databricks_login(backend, options), [file] if file is not None else [])


def databricks_file(options: GatewayOptions) -> Path | None:
    if options.databricks_file is not None:
        return options.databricks_file.expanduser()
    return options.home / ".databrickscfg" if options.home is not None else None


def _credentials_file(options: GatewayOptions) -> Path | None:
    return options.home / ".mlflow" / "credentials" if options.home is not None else None


def _login_at(server: Server, options: GatewayOptions) -> Login:
    """The URI wins, as it is closest to the command; then the environment, the files, and MLflow's credentials file."""
    kept_user, kept_password = _kept_login(_credentials_file(options))
    user = server.user or options.username or kept_user
    password = server.password or options.password or _secret_in(options.password_file, "password") or kept_password
    token = options.token or _secret_in(options.token_file, "token")
    if user and password is not None:
        return Login(address=server.address, authorization=_basic(user, password))
    if token is not None:
        return Login(address=server.address, authorization=_bearer(token))
    if user or password is not None:
        raise ConfigInvalid(
            f"The login for the tracking server at {server.address.shown} has a {'user' if user else 'password'} and no"
            f" {'password' if user else 'user'}: set MLFLOW_TRACKING_USERNAME, and MLFLOW_TRACKING_PASSWORD or"
            " TRACKPLANE_TRACKING_PASSWORD_FILE."
        )
    return Login(address=server.address, authorization=None)


def _databricks_login(backend: Databricks, options: GatewayOptions) -> Login:
    file = databricks_file(options)
    sections = _sections(file)
    workspace = workspace_of(
        backend.profile, options, sections, "the configuration file" if file is None else str(file)
    )
    if workspace.token is not None:
        authorization = _bearer(workspace.token)
    elif workspace.password is not None:
        authorization = _basic(workspace.user, workspace.password)
    else:
        raise ConfigInvalid(f"No login for {workspace.address.shown}: {WORKSPACE_VARIABLES}.")
    return Login(address=workspace.address, authorization=authorization)


def _basic(user: str, password: Secret) -> Secret:
    return Secret(f"Basic {base64.b64encode(f'{user}:{password.reveal()}'.encode()).decode()}")


def _bearer(token: Secret) -> Secret:
    text = token.reveal()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigInvalid("The token for the tracking server is no token: it has a blank, or what is not ASCII.")
    return Secret(f"Bearer {text}")


def _secret_in(file: Path | None, what: str) -> Secret | None:
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8").strip("\r\n")
    except OSError as error:
        raise ConfigInvalid(f"The file {file} with the {what} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable() or len(text) > _LIMIT_CHARACTERS:
        raise ConfigInvalid(f"The file {file} must have one line, the {what} for the tracking server.")
    return Secret(text)


def _kept_login(file: Path | None) -> tuple[str, Secret | None]:
    """MLflow keeps a user and a password in `~/.mlflow/credentials`. A home that is closed to us has none for us."""
    section = _sections(file, is_optional=True).get(_SECTION, {})
    password = section.get("mlflow_tracking_password", "")
    return section.get("mlflow_tracking_username", ""), Secret(password) if password else None


def _sections(file: Path | None, *, is_optional: bool = False) -> dict[str, dict[str, str]]:
    """Of an INI file; none of one that is not there. DEFAULT is a section like others: it gives nothing to them."""
    if file is None:
        return {}
    parser = ConfigParser(interpolation=None, default_section="", strict=False)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        if is_optional:
            return {}
        raise ConfigInvalid(f"The file {file} cannot be read: {error.strerror}.") from None
    except (ConfigError, UnicodeDecodeError):  # which show the lines, and with them the secrets
        raise ConfigInvalid(f"The file {file} is not an INI file of sections and `name = value`.") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}
