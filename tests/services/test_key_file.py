"""Is it said of a key file that others may read it where they may, and nowhere else?"""

from pathlib import Path

import pytest

from idp.services.key_file import is_handed_in, who_reads

MOUNTS = """\
20 1 0:30 / / ro,relatime - overlay overlay rw
21 20 0:31 / /proc rw,nosuid - proc proc rw
22 20 0:32 / /run/secrets/idp_keys ro,relatime - ext4 /dev/sda1 rw
23 20 0:33 / /run/secrets/written rw,relatime - ext4 /dev/sda1 rw
24 20 0:34 / /etc/my\\040keys ro,relatime - tmpfs tmpfs rw
25 24 0:34 / /etc/my\\040keys/within rw,relatime - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "is_so"),
    [
        ("/run/secrets/idp_keys", True),
        ("/etc/my keys/idp.keys", True),
        ("/run/secrets/written", False),
        ("/etc/my keys/within/idp.keys", False),
        ("/srv/idp.keys", False),  # in the image, whose file system is read-only as a whole
    ],
)
def test_a_secret_is_mounted_read_only(path: str, is_so: bool) -> None:
    assert is_handed_in(Path(path), MOUNTS) is is_so
    assert is_handed_in(Path(path), "") is False


def test_neither_a_closed_file_nor_one_in_a_closed_folder_is_read_by_others(
    open_folder: Path,
) -> None:
    file = open_folder / "idp.keys"
    file.write_text("")
    file.chmod(0o444)
    assert who_reads(file) == ("warning", f"others may read {file}: chmod 600 {file}")
    linked = open_folder / "linked"
    linked.symlink_to(file)
    assert who_reads(linked)[0] == "warning"
    open_folder.chmod(0o700)
    assert who_reads(file) == ("ok", f"{file} is in a folder that is its owner's only")
    open_folder.chmod(0o755)
    file.chmod(0o600)
    assert who_reads(file) == ("ok", f"{file} is its owner's only")
