"""What the server is told at start: options of the command line, then the environment, then defaults."""

import base64
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from tracking_server.errors import ConfigInvalid
from tracking_server.variables import FALSE, flag

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
EMBEDDED_DATABASE: Final = "sqlite:///mlflow.db"
PROXIED_ROOT: Final = "mlflow-artifacts:/"
LOCAL_ROOT: Final = "./mlruns"


_OTHER_NAMES: Final = {
    "backend_store_uri": ("MLFLOW_TRACKING_URI",),
    "default_artifact_root": ("ARTIFACT_ROOT",),
}
"""Variables that are read when the one of the setting is not set."""


class Secret:
    """A text that is not shown: neither in a log, nor in a message, nor in a traceback."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One setting, as code and documentation see it. `option` and `env` are empty where there is none."""

    name: str
    option: str
    env: str
    default: str
    meaning: str
    parse: Callable[[str], object]
    """Raises ValueError for what is no value; the message goes behind the name of the setting."""


_ABOUT: Final = "setting"


def _about(
    *, option: str = "", env: str = "", default: str = "", meaning: str, parse: Callable[[str], object]
) -> Mapping[str, Setting]:
    return {_ABOUT: Setting(name="", option=option, env=env, default=default, meaning=meaning, parse=parse)}


def _text(text: str) -> str:
    return text


def _off(text: str) -> bool:
    return not flag(text)


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError(f"must be a whole number, not {text!r}") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}, not {number}")
        return number

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.upper() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
        return text.upper()

    return parse


def _access(text: str) -> str:
    if text.lower() not in {"proxied", "presigned"}:
        raise ValueError(f"must be proxied or presigned, not {text!r}")
    return text.lower()


def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise ValueError(f"must be a regular expression: {error}") from None


def _fernet_key(text: str) -> Secret | None:
    """The message does not repeat the text: it may be nearly right."""
    if not text:
        return None
    try:
        is_key = len(base64.urlsafe_b64decode(text)) == 32
    except ValueError:
        is_key = False
    if not is_key:
        raise ValueError(
            "must be a Fernet key, 32 random bytes in URL-safe base64, as `openssl rand -base64 32 | tr +/ -_` makes it"
        )
    return Secret(text)


def _webhook_schemes(text: str) -> tuple[str, ...]:
    schemes = _names(text.lower())
    if not schemes or set(schemes) - {"http", "https"}:
        raise ValueError(f"must be http, https or both, separated by a comma, not {text!r}")
    return schemes


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _command(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"must be a command as it is typed: {error}") from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _static_prefix(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/") or set(text) & set("{}?#%")):
        raise ValueError(f"must start with a slash, not end in one, and have none of {{}}?#%, unlike {text!r}")
    return text


_TRACKING_SCHEMES: Final = frozenset({"http", "https", "databricks"})


def is_tracking_server(uri: str) -> bool:
    """Whether a backend is another tracking server, and no database."""
    scheme, colon, _ = uri.strip().lower().partition(":")
    return scheme in _TRACKING_SCHEMES if colon else scheme == "databricks"


_NOT_OF_A_GATEWAY: Final = {
    "database_password_file": "TRACKPLANE_TRACKING_PASSWORD_FILE has the password for a tracking server",
    "database_token_command": "TRACKPLANE_TRACKING_TOKEN_FILE has the token for a tracking server",
    "default_artifact_root": "the tracking server behind this one says where new experiments keep their artifacts",
}
"""Settings that say nothing to a server that passes calls on to another, and what does instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Raises ConfigInvalid, with all faults at once."""

    backend_store_uri: Secret = field(
        metadata=_about(
            option="--backend-store-uri",
            env="MLFLOW_BACKEND_STORE_URI",
            default=EMBEDDED_DATABASE,
            meaning="URL of the database; or an mlruns folder, which is read into a database beside it; or another"
            " tracking server (http://, https://, databricks, databricks://profile), which calls are passed on to."
            " MLFLOW_TRACKING_URI is read when this is not set.",
            parse=Secret,
        )
    )
    database_uri_file: Path | None = field(
        metadata=_about(
            option="--database-uri-file",
            env="TRACKPLANE_DATABASE_URI_FILE",
            meaning="A file with the URL of the database, in place of --backend-store-uri, so that its password is"
            " neither in an argument nor in the environment.",
            parse=_path,
        )
    )
    database_password_file: Path | None = field(
        metadata=_about(
            env="TRACKPLANE_DATABASE_PASSWORD_FILE",
            meaning="A file with the password for the database, when the URL has none. It is read again for each new"
            " connection, so it may be replaced at any time.",
            parse=_path,
        )
    )
    database_token_command: tuple[str, ...] = field(
        metadata=_about(
            env="TRACKPLANE_DATABASE_TOKEN_COMMAND",
            meaning="A command that prints the password for the database, such as the token of a cloud identity. It is"
            " split into words as a shell does, and run without one.",
            parse=_command,
        )
    )
    database_token_seconds: int = field(
        metadata=_about(
            env="TRACKPLANE_DATABASE_TOKEN_SECONDS",
            default="300",
            meaning="How long a printed token serves for new connections; 0 runs the command for each.",
            parse=_number(0, 24 * 3600),
        )
    )
    mysql_ssl_ca: str = field(
        metadata=_about(
            env="MLFLOW_MYSQL_SSL_CA",
            meaning="MySQL and MariaDB: the file of the authority that signed the server's certificate. TLS is then"
            " required.",
            parse=_text,
        )
    )
    mysql_ssl_cert: str = field(
        metadata=_about(
            env="MLFLOW_MYSQL_SSL_CERT",
            meaning="MySQL and MariaDB: the file of the certificate by which they know this client.",
            parse=_text,
        )
    )
    mysql_ssl_key: str = field(
        metadata=_about(
            env="MLFLOW_MYSQL_SSL_KEY", meaning="MySQL and MariaDB: the file of its private key.", parse=_text
        )
    )
    creates_schema: bool = field(
        metadata=_about(
            option="--create-schema/--no-create-schema",
            env="TRACKPLANE_CREATE_SCHEMA",
            default="true",
            meaning="Whether an empty database gets its tables at start. A database with tables is never changed.",
            parse=flag,
        )
    )
    database_wait_seconds: int = field(
        metadata=_about(
            env="TRACKPLANE_DATABASE_WAIT_SECONDS",
            default="30",
            meaning="How long a start tries again while the database does not answer, until it ends with exit code 11.",
            parse=_number(0, 3600),
        )
    )
    default_artifact_root: str = field(
        metadata=_about(
            option="--default-artifact-root",
            env="MLFLOW_DEFAULT_ARTIFACT_ROOT",
            meaning="Where new experiments keep artifacts. ARTIFACT_ROOT is read when this is not set; if neither is,"
            f" it is {PROXIED_ROOT}, or {LOCAL_ROOT} when the server serves none.",
            parse=_text,
        )
    )
    artifacts_destination: str = field(
        metadata=_about(
            option="--artifacts-destination",
            env="MLFLOW_ARTIFACTS_DESTINATION",
            default="./mlartifacts",
            meaning="Where the server keeps the artifacts that it serves: a folder, a file: URI, or a place in an"
            " object store (s3://, gs://, wasbs://, abfss://, azure://). One with another tracking server behind it"
            " keeps artifacts only when this is set.",
            parse=_text,
        )
    )
    serves_artifacts: bool = field(
        metadata=_about(
            option="--serve-artifacts/--no-serve-artifacts",
            env="MLFLOW_SERVE_ARTIFACTS",
            default="true",
            meaning="Whether clients read and write artifacts through the server.",
            parse=flag,
        )
    )
    artifacts_access: str = field(
        metadata=_about(
            option="--artifacts-access",
            env="TRACKPLANE_ARTIFACTS_ACCESS",
            default="proxied",
            meaning="How clients reach the artifacts that the server serves. proxied: their bytes pass through the"
            " server. presigned: besides, the server signs addresses in the object store, by which clients send and"
            " take large files themselves.",
            parse=_access,
        )
    )
    presigned_download_seconds: int = field(
        metadata=_about(
            env="MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS",
            default="300",
            meaning="How long an address to download from is good, when the client does not say.",
            parse=_number(1, 7 * 24 * 3600),
        )
    )
    host: str = field(
        metadata=_about(
            option="--host", env="MLFLOW_HOST", default="127.0.0.1", meaning="The address to listen at.", parse=_text
        )
    )
    port: int = field(
        metadata=_about(
            option="--port",
            env="MLFLOW_PORT",
            default="5000",
            meaning="The port to listen at; 0 takes a free one.",
            parse=_number(0, 65535),
        )
    )
    workers: int = field(
        metadata=_about(
            option="--workers",
            env="MLFLOW_WORKERS",
            default="2",
            meaning="How many server processes share the work.",
            parse=_number(1, 256),
        )
    )
    static_prefix: str = field(
        metadata=_about(
            option="--static-prefix",
            env="MLFLOW_STATIC_PREFIX",
            meaning="Comes before every path, health checks included.",
            parse=_static_prefix,
        )
    )
    allowed_hosts: tuple[str, ...] = field(
        metadata=_about(
            option="--allowed-hosts",
            env="MLFLOW_SERVER_ALLOWED_HOSTS",
            meaning="Names, separated by commas, that requests may call the server by, besides local ones and private"
            " addresses. * stands for anything.",
            parse=_names,
        )
    )
    cors_allowed_origins: tuple[str, ...] = field(
        metadata=_about(
            option="--cors-allowed-origins",
            env="MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
            meaning="Origins, separated by commas, whose pages may use the API, besides the server's own and"
            " local ones. * stands for anything.",
            parse=_names,
        )
    )
    checks_requests: bool = field(
        metadata=_about(
            option="--disable-security-middleware",
            env="MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
            default="false",
            meaning="Checks neither Host nor Origin. Whatever page a user visits may then call the server.",
            parse=_off,
        )
    )
    x_frame_options: str = field(
        metadata=_about(
            option="--x-frame-options",
            env="MLFLOW_SERVER_X_FRAME_OPTIONS",
            default="SAMEORIGIN",
            meaning="The header of that name: SAMEORIGIN, DENY, or NONE for no header.",
            parse=_one_of("SAMEORIGIN", "DENY", "NONE"),
        )
    )
    max_connections: int = field(
        metadata=_about(
            env="TRACKPLANE_MAX_CONNECTIONS",
            default="4096",
            meaning="Connections of clients that each server process keeps. The one that has been idle longest gives"
            " way to a new one; when none is idle, the new one is answered 503.",
            parse=_number(1, 1_000_000),
        )
    )
    head_timeout_seconds: int = field(
        metadata=_about(
            env="TRACKPLANE_HEAD_TIMEOUT_SECONDS",
            default="30",
            meaning="How long the head of a request may take, from its first byte or from the connection.",
            parse=_number(1, 3600),
        )
    )
    idle_timeout_seconds: int = field(
        metadata=_about(
            env="TRACKPLANE_IDLE_TIMEOUT_SECONDS",
            default="60",
            meaning="How long a client may keep the server waiting in the middle of a body that it sends, or of an"
            " answer that it takes. After that it must keep up 1,024 bytes a second.",
            parse=_number(1, 3600),
        )
    )
    gunicorn_options: str = field(
        metadata=_about(
            option="--gunicorn-opts",
            env="MLFLOW_GUNICORN_OPTS",
            meaning="More options for gunicorn, such as '--timeout 120 --keep-alive 75'.",
            parse=_text,
        )
    )
    log_level: str = field(
        metadata=_about(
            env="MLFLOW_LOGGING_LEVEL",
            default="INFO",
            meaning="The least important lines that the log gets; requests are INFO.",
            parse=_one_of(*LOG_LEVELS),
        )
    )
    pool_size: int = field(
        metadata=_about(
            env="MLFLOW_SQLALCHEMYSTORE_POOL_SIZE",
            default="5",
            meaning="Connections to the database that each server process keeps.",
            parse=_number(0, 1000),
        )
    )
    max_overflow: int = field(
        metadata=_about(
            env="MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW",
            default="0",
            meaning="Connections that it may open beyond those.",
            parse=_number(-1, 1000),
        )
    )
    pool_recycle_seconds: int = field(
        metadata=_about(
            env="MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE",
            default="0",
            meaning="The age, in seconds, at which a connection is replaced; 0 for never.",
            parse=_number(-1, 10**9),
        )
    )
    echoes_statements: bool = field(
        metadata=_about(
            env="MLFLOW_SQLALCHEMYSTORE_ECHO", default="false", meaning="Logs every SQL statement.", parse=flag
        )
    )
    pool_class: str = field(
        metadata=_about(
            env="MLFLOW_SQLALCHEMYSTORE_POOLCLASS",
            meaning="The SQLAlchemy pool: QueuePool, NullPool, StaticPool, SingletonThreadPool, AssertionPool,"
            " AsyncAdaptedQueuePool or FallbackAsyncAdaptedQueuePool.",
            parse=_text,
        )
    )
    truncates_long_values: bool = field(
        metadata=_about(
            env="MLFLOW_TRUNCATE_LONG_VALUES",
            default="true",
            meaning="Whether a param or tag value that is too long is cut off; refused if not.",
            parse=flag,
        )
    )
    max_location_characters: int = field(
        metadata=_about(
            env="MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH",
            default="2048",
            meaning="The most characters that the artifact location of an experiment may have.",
            parse=_number(1, 100_000),
        )
    )
    model_source_pattern: re.Pattern[str] | None = field(
        metadata=_about(
            env="MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX",
            meaning="A regular expression that is found in the source of every new model version; others are refused.",
            parse=_pattern,
        )
    )
    allowed_host_schemes: frozenset[str] = field(
        metadata=_about(
            env="MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES",
            meaning="Schemes, separated by commas, whose artifact locations may name any host.",
            parse=lambda text: frozenset(_names(text)),
        )
    )

    webhook_senders: int = field(
        metadata=_about(
            env="MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS",
            default="10",
            meaning="Webhooks that each server process tells something at the same time.",
            parse=_number(1, 256),
        )
    )
    webhook_timeout_seconds: int = field(
        metadata=_about(
            env="MLFLOW_WEBHOOK_REQUEST_TIMEOUT",
            default="30",
            meaning="How long the receiver of a webhook may take to answer.",
            parse=_number(1, 600),
        )
    )
    webhook_max_retries: int = field(
        metadata=_about(
            env="MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES",
            default="3",
            meaning="How often a delivery is tried again that a receiver did not take, until it is given up.",
            parse=_number(0, 100),
        )
    )
    webhook_schemes: tuple[str, ...] = field(
        metadata=_about(
            env="MLFLOW_WEBHOOK_ALLOWED_SCHEMES",
            default="https",
            meaning="What the URL of a webhook may begin with: https, http, or both with a comma.",
            parse=_webhook_schemes,
        )
    )
    webhooks_reach_private: bool = field(
        metadata=_about(
            env="MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS",
            default="false",
            meaning="Whether webhooks may go to addresses that are not public. Whoever may create a webhook then"
            " reaches what the server reaches.",
            parse=flag,
        )
    )
    webhook_secret_key: Secret | None = field(
        metadata=_about(
            env="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
            meaning="The Fernet key that encrypts the secrets of webhooks, the same for all replicas. If not given, an"
            " embedded database keeps one in a file beside it; with any other, secrets are refused.",
            parse=_fernet_key,
        )
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], options: Mapping[str, str] | None = None) -> "Settings":
        """`options`: values given on the command line, by the name of their setting. Blank counts as not given."""
        given = {name: value for name, value in (options or {}).items() if value.strip()}
        values: dict[str, Any] = {}
        faults: list[str] = []
        for setting in SETTINGS:
            source, text = _given(setting, given, environ)
            try:
                values[setting.name] = setting.parse(text)
            except ValueError as refused:
                faults.append(f"{source} {refused}.")
        faults.extend(_wanted_too_early(given, environ))
        if "backend_store_uri" in values and is_tracking_server(values["backend_store_uri"].reveal()):
            faults.extend(_without_meaning(given, environ))
            values["artifacts_destination"] = _explicit("artifacts_destination", given, environ)[1]
        if faults:
            raise ConfigInvalid("\n".join(faults))
        if not values["default_artifact_root"]:
            values["default_artifact_root"] = PROXIED_ROOT if values["serves_artifacts"] else LOCAL_ROOT
        return cls(**values)

    @property
    def is_gateway(self) -> bool:
        """Whether calls are passed on to another tracking server. `artifacts_destination` is then empty if not set."""
        return is_tracking_server(self.backend_store_uri.reveal())


def _explicit(name: str, options: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, str]:
    """As `_given`, with an empty value in place of the default."""
    (setting,) = (replace(setting, default="") for setting in SETTINGS if setting.name == name)
    return _given(setting, options, environ)


def _without_meaning(options: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    for name, instead in _NOT_OF_A_GATEWAY.items():
        source, value = _explicit(name, options, environ)
        if value:
            yield f"{source} has no meaning with another tracking server as the backend: {instead}."
    source, access = _explicit("artifacts_access", options, environ)
    if access.lower() == "presigned" and not _explicit("artifacts_destination", options, environ)[1]:
        yield f"{source} presigned needs --artifacts-destination: artifacts are passed on without it."


def _given(setting: Setting, options: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, str]:
    """Where the value comes from, in words, and the value."""
    if setting.name in options:
        return setting.option, options[setting.name].strip()
    for name in (setting.env, *_OTHER_NAMES.get(setting.name, ())):
        if value := environ.get(name, "").strip():
            return name, value
    return setting.option or setting.env, setting.default


def _wanted_too_early(options: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """An option that did nothing would be worse than one that is refused."""
    for feature in NOT_BUILT:
        for source, value in (
            (feature.option, options.get(feature.option, "")),
            (feature.env, environ.get(feature.env, "")),
        ):
            if value.strip() and value.strip().lower() not in FALSE:
                yield f"{source} asks for {feature.what}, which is not built yet."


SETTINGS: Final[tuple[Setting, ...]] = tuple(
    replace(each.metadata[_ABOUT], name=each.name) for each in fields(Settings)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NotBuilt:
    """What MLflow's server has and this one does not have yet. `is_flag`: the option takes no value."""

    option: str
    env: str
    what: str
    is_flag: bool = False
    off_option: str = ""
    """Says that the feature is not wanted, so it is taken."""


NOT_BUILT: Final = (
    NotBuilt(option="--read-replica-backend-store-uri", env="MLFLOW_READ_REPLICA_BACKEND_STORE_URI", what="a replica"),
    NotBuilt(option="--registry-store-uri", env="MLFLOW_REGISTRY_STORE_URI", what="a registry in its own database"),
    NotBuilt(option="--artifacts-only", env="MLFLOW_ARTIFACTS_ONLY", what="a server of artifacts alone", is_flag=True),
    NotBuilt(option="--uvicorn-opts", env="MLFLOW_UVICORN_OPTS", what="options for uvicorn (see --gunicorn-opts)"),
    NotBuilt(option="--waitress-opts", env="", what="options for waitress"),
    NotBuilt(option="--dev", env="", what="reloading code while it is edited", is_flag=True),
    NotBuilt(option="--expose-prometheus", env="MLFLOW_EXPOSE_PROMETHEUS", what="metrics for Prometheus"),
    NotBuilt(option="--app-name", env="", what="users and permissions"),
    NotBuilt(option="--trace-archival-config", env="MLFLOW_TRACE_ARCHIVAL_CONFIG", what="archiving of traces"),
    NotBuilt(option="--secrets-cache-ttl", env="", what="secrets of the gateway"),
    NotBuilt(option="--secrets-cache-max-size", env="", what="secrets of the gateway"),
    NotBuilt(option="--workspace-store-uri", env="MLFLOW_WORKSPACE_STORE_URI", what="workspaces"),
    NotBuilt(
        option="--enable-workspaces",
        env="MLFLOW_ENABLE_WORKSPACES",
        what="workspaces",
        is_flag=True,
        off_option="--disable-workspaces",
    ),
    NotBuilt(option="", env="MLFLOW_WORKSPACE", what="workspaces"),
)
