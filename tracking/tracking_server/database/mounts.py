"""On which file system a path lies, told from the text of /proc/self/mountinfo. Pure."""

import re
from pathlib import PurePosixPath
from typing import Final

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.blobfuse",
        "fuse.blobfuse2",
        "fuse.ceph",
        "fuse.ceph-fuse",
        "fuse.gcsfuse",
        "fuse.geesefs",
        "fuse.glusterfs",
        "fuse.juicefs",
        "fuse.mount-s3",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)
"""Locks on these are not kept, or memory is not shared between hosts: SQLite loses data on them."""

_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def file_system_of(path: PurePosixPath, mountinfo: str) -> str | None:
    """The type of the file system that holds an absolute path; None when the text names none."""
    best: tuple[int, str] | None = None
    for line in mountinfo.splitlines():
        fields, separator, rest = line.partition(" - ")
        parts = fields.split(" ")
        if not separator or len(parts) < 5:
            continue
        mount_point = PurePosixPath(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), parts[4]))
        depth = len(mount_point.parts)
        if path.is_relative_to(mount_point) and (best is None or depth >= best[0]):  # the later mount hides the earlier
            best = depth, rest.split(" ")[0]
    return best[1] if best else None
