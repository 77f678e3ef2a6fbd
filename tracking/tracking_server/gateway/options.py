"""What the environment says about the tracking server behind this one, under the names of MLflow and of Databricks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Secret
from tracking_server.variables import Reading, Variable, flag

_LONGEST_SECONDS: Final = 3600
_MOST_RETRIES: Final = 10


VARIABLES: Final = (
    Variable(name="MLFLOW_TRACKING_USERNAME", meaning="The user, when the URI names none."),
    Variable(name="MLFLOW_TRACKING_PASSWORD", meaning="The password, when the URI has none."),
    Variable(
        name="TRACKPLANE_TRACKING_PASSWORD_FILE",
        meaning="A file with the password. It is read again when it has changed.",
    ),
    Variable(name="MLFLOW_TRACKING_TOKEN", meaning="A bearer token, used when there is no user with a password."),
    Variable(
        name="TRACKPLANE_TRACKING_TOKEN_FILE",
        meaning="A file with the token. It is read again when it has changed.",
    ),
    Variable(name="MLFLOW_TRACKING_INSECURE_TLS", meaning="`true` takes any certificate of that server."),
    Variable(
        name="MLFLOW_TRACKING_SERVER_CERT_PATH",
        meaning="The file of the authorities that its certificate is checked with; those of the system if not set.",
    ),
    Variable(
        name="MLFLOW_TRACKING_CLIENT_CERT_PATH",
        meaning="The file with the certificate, and its key, by which that server knows this one.",
    ),
    Variable(
        name="MLFLOW_HTTP_REQUEST_TIMEOUT", meaning="Seconds that each step of a call to it may take, 120 if not set."
    ),
    Variable(
        name="MLFLOW_HTTP_REQUEST_MAX_RETRIES",
        meaning="How often a call that it did not answer is tried again where that is safe, 2 if not set, 10 at most.",
    ),
    Variable(
        name="DATABRICKS_CONFIG_FILE",
        meaning="The file with the profiles of Databricks, `~/.databrickscfg` if not set.",
    ),
    Variable(
        name="DATABRICKS_CONFIG_PROFILE", meaning="The profile that `databricks` alone means, `DEFAULT` if not set."
    ),
    Variable(name="DATABRICKS_HOST", meaning="For `databricks` alone: the workspace, in place of that of the profile."),
    Variable(name="DATABRICKS_TOKEN", meaning="For `databricks` alone: the token, in place of that of the profile."),
    Variable(
        name="DATABRICKS_USERNAME", meaning="For `databricks` alone: the user, in place of the token of the profile."
    ),
    Variable(name="DATABRICKS_PASSWORD", meaning="For `databricks` alone: the password of that user."),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayOptions:
    username: str = ""
    password: Secret | None = None
    password_file: Path | None = None
    token: Secret | None = None
    token_file: Path | None = None
    takes_any_certificate: bool = False
    authorities_file: Path | None = None
    client_certificate_file: Path | None = None
    timeout_seconds: float = 120.0
    max_retries: int = 2
    databricks_file: Path | None = None
    databricks_profile: str = ""
    databricks_host: str = ""
    databricks_token: Secret | None = None
    databricks_username: str = ""
    databricks_password: Secret | None = None
    home: Path | None = None
    """Where users keep `.databrickscfg` and `.mlflow/credentials`."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "GatewayOptions":
        """Raises ConfigInvalid, with all faults at once, none of which shows a secret."""
        read = Reading(environ)
        options = cls(
            username=read("MLFLOW_TRACKING_USERNAME", str, ""),
            password=read("MLFLOW_TRACKING_PASSWORD", _secret, None),
            password_file=read("TRACKPLANE_TRACKING_PASSWORD_FILE", Path, None),
            token=read("MLFLOW_TRACKING_TOKEN", _secret, None),
            token_file=read("TRACKPLANE_TRACKING_TOKEN_FILE", Path, None),
            takes_any_certificate=read("MLFLOW_TRACKING_INSECURE_TLS", flag, default=False),
            authorities_file=read("MLFLOW_TRACKING_SERVER_CERT_PATH", Path, None),
            client_certificate_file=read("MLFLOW_TRACKING_CLIENT_CERT_PATH", Path, None),
            timeout_seconds=read("MLFLOW_HTTP_REQUEST_TIMEOUT", _number(1, _LONGEST_SECONDS), 120),
            max_retries=read("MLFLOW_HTTP_REQUEST_MAX_RETRIES", _number(0, _MOST_RETRIES), 2),
            databricks_file=read("DATABRICKS_CONFIG_FILE", Path, None),
            databricks_profile=read("DATABRICKS_CONFIG_PROFILE", str, ""),
            databricks_host=read("DATABRICKS_HOST", str, ""),
            databricks_token=read("DATABRICKS_TOKEN", _secret, None),
            databricks_username=read("DATABRICKS_USERNAME", str, ""),
            databricks_password=read("DATABRICKS_PASSWORD", _secret, None),
            home=read("HOME", Path, None),
        )
        if faults := (*read.faults, *_contradictions(options)):
            raise ConfigInvalid("\n".join(faults))
        return options


def _contradictions(options: GatewayOptions) -> list[str]:
    """Two values for one thing: a guess could be the wrong one."""
    pairs = (
        (options.password, options.password_file, "MLFLOW_TRACKING_PASSWORD and TRACKPLANE_TRACKING_PASSWORD_FILE"),
        (options.token, options.token_file, "MLFLOW_TRACKING_TOKEN and TRACKPLANE_TRACKING_TOKEN_FILE"),
        (
            options.takes_any_certificate,
            options.authorities_file,
            "MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH",
        ),
    )
    return [f"{names} are both set: leave one." for one, other, names in pairs if one and other]


def _secret(text: str) -> Secret:
    if not text.isprintable():
        raise ValueError("must be one line of text")
    return Secret(text)


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {text[:200]!r}")
        return int(text)

    return parse
