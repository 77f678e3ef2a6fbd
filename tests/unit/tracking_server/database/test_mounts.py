from pathlib import PurePosixPath

import pytest

from tracking_server.database.mounts import NETWORK_FILE_SYSTEMS, file_system_of

MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /data rw,relatime - nfs4 server:/export rw,vers=4.2
31 30 8:17 / /data/local rw - xfs /dev/sdb1 rw
32 22 0:40 / /with\\040space rw master:3 - fuse.s3fs s3fs rw
33 22 8:33 / /again rw - ext4 /dev/sdc1 rw
34 22 0:50 / /again rw - cifs //server/share rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "file_system"),
    [
        ("/home/x.db", "ext4"),
        ("/data/x.db", "nfs4"),
        ("/data/local/deep/x.db", "xfs"),
        ("/database/x.db", "ext4"),
        ("/with space/x.db", "fuse.s3fs"),
        ("/again/x.db", "cifs"),
    ],
)
def test_the_deepest_and_latest_mount_holds_a_path(path: str, file_system: str) -> None:
    assert file_system_of(PurePosixPath(path), MOUNTINFO) == file_system


def test_nothing_is_known_without_mounts() -> None:
    assert file_system_of(PurePosixPath("/x"), "") is None


def test_local_file_systems_are_not_called_network() -> None:
    assert not {"ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "apfs"} & NETWORK_FILE_SYSTEMS
