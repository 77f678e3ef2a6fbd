"""What the servers of PostgreSQL and MariaDB have in common as processes of a test session: place, account, end."""

import os
import pwd
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.support.left_out import leave_out


def place() -> str | None:
    """Memory where there is plenty: thousands of small files are made and removed."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30 else None


def unprivileged(name: str) -> pwd.struct_passwd | None:
    """Whose server it is: neither is root's. None when this process is not root's itself."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get(name) or accounts["nobody"]


def as_account(account: pwd.struct_passwd | None, *, ends_with: str) -> Sequence[str]:
    """The words before a command, which gets the signal `ends_with` when this process has ended."""
    if shutil.which("setpriv") is None:
        if account is not None:
            leave_out("a database server, which does not run as root, and there is no setpriv (Debian: util-linux)")
        return ()
    command = ("setpriv", "--pdeathsig", ends_with)
    if account is None:
        return command
    return (*command, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
