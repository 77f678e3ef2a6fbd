from collections.abc import Mapping

import pytest

from tracking_server.errors import ConfigInvalid
from tracking_server.gateway.databricks import Workspace, workspace_of
from tracking_server.gateway.options import GatewayOptions
from tracking_server.settings import Secret

FILE = "~/.databrickscfg"
SECTIONS = {
    "DEFAULT": {"host": "https://default.example.com", "token": "dapi-default"},
    "dev": {"host": "dev.example.com/", "username": "me", "password": "50% off"},
    "oauth": {"host": "https://o.example.com", "client_id": "c", "client_secret": "hunter2"},
    "empty": {},
    "twice": {"host": "https://t.example.com", "token": "hunter2", "username": "u", "password": "hunter2"},
}


def workspace(
    profile: str = "",
    env: Mapping[str, str] | None = None,
    *,
    sections: Mapping[str, Mapping[str, str]] = SECTIONS,
) -> Workspace:
    return workspace_of(profile, GatewayOptions.from_environ(env or {}), sections, FILE)


def test_a_named_profile_is_all_that_counts() -> None:
    found = workspace("dev", {"DATABRICKS_HOST": "https://env.example.com", "DATABRICKS_TOKEN": "dapi-env"})
    assert found.address.shown == "https://dev.example.com"
    assert (found.token, found.user, found.password) == (None, "me", Secret("50% off"))


@pytest.mark.parametrize(
    ("env", "shown", "token"),
    [
        ({}, "https://default.example.com", "dapi-default"),
        ({"DATABRICKS_TOKEN": "dapi-env"}, "https://default.example.com", "dapi-env"),
        ({"DATABRICKS_HOST": "h", "DATABRICKS_TOKEN": "dapi-env"}, "https://h", "dapi-env"),
        ({"DATABRICKS_CONFIG_PROFILE": "dev", "DATABRICKS_TOKEN": "dapi-env"}, "https://dev.example.com", "dapi-env"),
    ],
)
def test_without_a_profile_the_environment_wins(env: dict[str, str], shown: str, token: str) -> None:
    found = workspace("", env)
    assert (found.address.shown, found.token, found.user) == (shown, Secret(token), "")


def test_a_user_of_the_environment_takes_the_place_of_the_token_of_the_profile() -> None:
    found = workspace("", {"DATABRICKS_USERNAME": "me", "DATABRICKS_PASSWORD": "secret"})
    assert (found.token, found.user, found.password) == (None, "me", Secret("secret"))


def test_the_environment_alone_will_do() -> None:
    assert workspace("", {"DATABRICKS_HOST": "h", "DATABRICKS_TOKEN": "t"}, sections={}).token == Secret("t")


@pytest.mark.parametrize(
    ("profile", "env", "told"),
    [
        ("none", {}, "no profile 'none' in ~/.databrickscfg; there: DEFAULT, dev, empty, oauth, twice"),
        ("", {"DATABRICKS_CONFIG_PROFILE": "none"}, "no profile 'none'"),
        ("oauth", {}, "neither (there: client_id, client_secret)"),
        ("twice", {}, "has both"),
        ("empty", {}, "has no host"),
    ],
)
def test_a_profile_that_cannot_serve_is_refused(profile: str, env: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        workspace(profile, env)
    assert told in refused.value.message
    assert "hunter2" not in refused.value.message


def test_nothing_at_all_names_what_to_set() -> None:
    with pytest.raises(ConfigInvalid, match="DATABRICKS_HOST and DATABRICKS_TOKEN"):
        workspace(sections={})
