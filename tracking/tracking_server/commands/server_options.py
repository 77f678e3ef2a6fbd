"""The options of `trackplane server`: one for each setting that has one, and one for each feature that is not built."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from tracking_server.settings import NOT_BUILT, SETTINGS, NotBuilt, Setting

Command = TypeVar("Command", bound=Callable[..., Any])

_SHORT: Final = {"--host": "-h", "--port": "-p", "--workers": "-w"}
_FLAGS: Final = frozenset({"true", "false"})


def with_options(command: Command) -> Command:
    for feature in reversed(NOT_BUILT):
        if feature.option:
            command = _option_of_feature(feature)(command)
    for setting in reversed(SETTINGS):
        if setting.option:
            command = _option_of_setting(setting)(command)
    return command


def given_options(options: Mapping[str, object]) -> Mapping[str, str]:
    """What was given on the command line: settings by their name, features that are not built by their option."""
    unbuilt = {_identifier(feature.option): feature.option for feature in NOT_BUILT}
    return {unbuilt.get(name, name): _as_text(value) for name, value in options.items() if value is not None}


def _option_of_setting(setting: Setting) -> Callable[[Command], Command]:
    names = [name for name in (setting.option, _SHORT.get(setting.option), setting.name) if name]
    default = f"; default: {setting.default}" if setting.default else ""
    about = f"{setting.meaning}  [env: {setting.env}{default}]"
    if setting.default in _FLAGS:
        return click.option(*names, is_flag=True, type=bool, default=None, help=about)
    return click.option(*names, metavar="TEXT", default=None, help=about)


def _option_of_feature(feature: NotBuilt) -> Callable[[Command], Command]:
    name = _identifier(feature.option)
    if feature.is_flag:
        declared = "/".join(filter(None, (feature.option, feature.off_option)))
        return click.option(declared, name, is_flag=True, type=bool, default=None, hidden=True)
    return click.option(feature.option, name, default=None, hidden=True)


def _identifier(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
