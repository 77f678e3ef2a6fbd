"""Key files of encrypted archives, as commands are told them: always by their path, never by what is in them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from tracking_server.database.archive.keys import KEY_FILE, BackupKey, is_open_to_all, read_key

Command = TypeVar("Command", bound=Callable[..., Any])


def key_files_option(name: str, meaning: str) -> Callable[[Command], Command]:
    """`key_files`, as many as there are; in the environment they are parted as paths are."""
    return click.option(
        name,
        "key_files",
        envvar=KEY_FILE,
        show_envvar=True,
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path),
        help=meaning,
    )


reading_keys_option = key_files_option(
    "--key-file", "File with the key of encrypted archives. May be given again: the one that fits is taken."
)


def read_keys(key_files: Iterable[Path]) -> tuple[BackupKey, ...]:
    """Raises ConfigInvalid. Tells a file that everybody may read."""
    keys: list[BackupKey] = []
    for path in key_files:
        keys.append(read_key(path))
        if is_open_to_all(path):
            click.echo(f"warning: everybody on this machine may read the key file {path}: chmod 600 {path}", err=True)
    return tuple(keys)
