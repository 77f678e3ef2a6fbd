"""A workspace of Databricks from its profile and the environment; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tracking_server.errors import ConfigInvalid
from tracking_server.gateway.addresses import Address, parse_address
from tracking_server.gateway.options import GatewayOptions
from tracking_server.settings import Secret

WORKSPACE_VARIABLES: Final = "set DATABRICKS_HOST and DATABRICKS_TOKEN, or name a profile, as databricks://profile"
_DEFAULT: Final = "DEFAULT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A token, or a user with a password."""

    address: Address
    token: Secret | None = None
    user: str = ""
    password: Secret | None = None


def workspace_of(
    profile: str, options: GatewayOptions, sections: Mapping[str, Mapping[str, str]], file: str
) -> Workspace:
    """A profile that is named is all that counts. Without one, the environment wins over the profile that it names.

    `sections`: those of the configuration file, `file` its name. Raises ConfigInvalid.
    """
    if profile:
        return _workspace(_section(profile, sections, file), f"The profile {profile!r} in {file}")
    named = options.databricks_profile
    section = _section(named, sections, file) if named else sections.get(_DEFAULT, {})
    what = f"The profile {named or _DEFAULT!r} in {file}, with DATABRICKS_* of the environment,"
    return _workspace(_overlaid(section, options), what)


def _section(profile: str, sections: Mapping[str, Mapping[str, str]], file: str) -> Mapping[str, str]:
    if profile not in sections:
        there = ", ".join(sorted(sections)) or "none"
        raise ConfigInvalid(f"There is no profile {profile!r} in {file}; there: {there}.")
    return sections[profile]


def _overlaid(section: Mapping[str, str], options: GatewayOptions) -> Mapping[str, str]:
    """A login of the environment takes the place of the whole login of the profile."""
    values = dict(section)
    if options.databricks_host:
        values["host"] = options.databricks_host
    given = {
        "token": options.databricks_token.reveal() if options.databricks_token else "",
        "username": options.databricks_username,
        "password": options.databricks_password.reveal() if options.databricks_password else "",
    }
    if any(given.values()):
        values |= given
    return values


def _workspace(values: Mapping[str, str], what: str) -> Workspace:
    host, token = values.get("host", ""), values.get("token", "")
    user, password = values.get("username", ""), values.get("password", "")
    if not host:
        raise ConfigInvalid(f"{what} has no host: {WORKSPACE_VARIABLES}.")
    has_login = bool(user and password)
    if bool(token) == has_login:
        others = ", ".join(sorted(values.keys() - {"host", "token", "username", "password"}))
        found = "both" if token else f"neither (there: {others})" if others else "neither"
        raise ConfigInvalid(f"{what} must have a token, or a username with a password, and has {found}.")
    address = parse_address(host)
    if token:
        return Workspace(address=address, token=Secret(token))
    return Workspace(address=address, user=user, password=Secret(password))
