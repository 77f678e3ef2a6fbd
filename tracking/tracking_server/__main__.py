"""The command line of `trackplane`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, NamedTuple

import click


class Lazy(NamedTuple):
    """A command or group. It is imported when it is called: a start is short, and a list of the commands shorter."""

    place: str
    """Its module, in which it has its own name or another after a colon."""
    summary: str


COMMANDS: Final[Mapping[str, Lazy]] = {
    "artifacts": Lazy("tracking_server.commands.artifacts", "Upload, download and list artifacts; try their store."),
    "backup": Lazy("tracking_server.commands.backup", "Write the database to an archive, and look after archives."),
    "db": Lazy("tracking_server.commands.db", "Check, upgrade and copy the database."),
    "export": Lazy(
        "tracking_server.commands.file_store:export_command", "Write the database into a folder of MLflow's FileStore."
    ),
    "gc": Lazy("tracking_server.commands.gc", "Remove for good what was deleted."),
    "import": Lazy(
        "tracking_server.commands.file_store:import_command", "Bring a folder of MLflow's FileStore into the database."
    ),
    "restore": Lazy("tracking_server.commands.restore", "Bring an archive back into a database."),
    "server": Lazy("tracking_server.commands.server", "Run the tracking server."),
    "ui": Lazy("tracking_server.commands.server", "Run the tracking server."),
}


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].place.partition(":")
        command = getattr(import_module(module), name or cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """As the class above would, without a look at the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in COMMANDS.items()])


@click.group(cls=Commands)
@click.version_option(package_name="trackplane")
def main() -> None:
    """Run a command of trackplane."""


if __name__ == "__main__":
    main()
