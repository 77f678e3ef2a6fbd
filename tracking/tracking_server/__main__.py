"""The command line of `trackplane`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

COMMANDS: Final[Mapping[str, str]] = {
    "artifacts": "tracking_server.commands.artifacts",
    "backup": "tracking_server.commands.backup",
    "db": "tracking_server.commands.db",
    "export": "tracking_server.commands.file_store:export_command",
    "gc": "tracking_server.commands.gc",
    "import": "tracking_server.commands.file_store:import_command",
    "restore": "tracking_server.commands.restore",
    "server": "tracking_server.commands.server",
    "ui": "tracking_server.commands.server",
}
"""Each command or group, which has that name in its module, or another after a colon. It is imported when called: a
start is short."""


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), name or cmd_name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=Commands)
@click.version_option(package_name="trackplane")
def main() -> None:
    """Run a command of trackplane."""


if __name__ == "__main__":
    main()
