from collections.abc import Mapping
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tracking_server.commands.server_options import given_options, with_options
from tracking_server.errors import ConfigInvalid
from tracking_server.settings import NOT_BUILT, SETTINGS, Settings


def given(*arguments: str) -> Mapping[str, str]:
    taken: list[Mapping[str, str]] = []

    @click.command()
    @with_options
    def command(**options: Any) -> None:
        taken.append(given_options(options))

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return taken[0]


def test_nothing_given_is_nothing_set() -> None:
    assert given() == {}


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["-h", "0.0.0.0", "-p", "80", "-w", "4"], {"host": "0.0.0.0", "port": "80", "workers": "4"}),
        (["--no-create-schema"], {"creates_schema": "false"}),
        (["--create-schema", "--serve-artifacts"], {"creates_schema": "true", "serves_artifacts": "true"}),
        (["--disable-security-middleware"], {"checks_requests": "true"}),
        (["--backend-store-uri", "sqlite:///x.db"], {"backend_store_uri": "sqlite:///x.db"}),
        (["--app-name", "basic-auth", "--dev"], {"--app-name": "basic-auth", "--dev": "true"}),
        (["--disable-workspaces"], {"--enable-workspaces": "false"}),
    ],
)
def test_what_is_given_goes_by_the_name_of_its_setting(arguments: list[str], options: dict[str, str]) -> None:
    assert given(*arguments) == options


def test_turning_the_checks_off_and_a_feature_away() -> None:
    assert not Settings.from_environ({}, given("--disable-security-middleware")).checks_requests
    Settings.from_environ({}, given("--disable-workspaces"))
    with pytest.raises(ConfigInvalid, match="--enable-workspaces asks for workspaces"):
        Settings.from_environ({}, given("--enable-workspaces"))


def test_every_option_of_the_tables_is_one_of_the_command() -> None:
    @click.command()
    @with_options
    def command(**_: Any) -> None:
        """Never called."""

    declared = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for option in [*(each.option for each in SETTINGS), *(each.option for each in NOT_BUILT)]:
        assert {part for part in option.split("/") if part} <= declared
