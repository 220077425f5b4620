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


@pytest.mark.parametrize(
    ("mode", "state"),
    [(0o600, "ok"), (0o400, "ok"), (0o640, "warning"), (0o604, "warning"), (0o644, "warning")],
    ids=["600", "400", "640", "604", "644"],
)
def test_a_file_is_its_owners_only_where_neither_group_nor_others_read_it(
    open_folder: Path, mode: int, state: str
) -> None:
    file = open_folder / "idp.keys"
    file.write_text("")
    file.chmod(mode)
    assert who_reads(file, "")[0] == state


@pytest.mark.parametrize(
    ("mode", "state"),
    [(0o700, "ok"), (0o744, "ok"), (0o710, "warning"), (0o701, "warning")],
    ids=["700", "744", "710", "701"],
)
def test_a_folder_is_closed_where_neither_group_nor_others_get_into_it(
    open_folder: Path, mode: int, state: str
) -> None:
    within = open_folder / "conf" / "keys"
    within.mkdir(parents=True)
    file = within / "idp.keys"
    file.write_text("")
    for one, its_mode in ((file, 0o644), (within, 0o755), (within.parent, mode)):
        one.chmod(its_mode)
    assert who_reads(file, "")[0] == state


def test_a_link_in_a_closed_folder_closes_nothing(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    file = open_folder / "idp.keys"
    file.write_text("")
    file.chmod(0o644)
    link = closed / "idp.keys"
    link.symlink_to(file)
    assert who_reads(link, "")[0] == "warning"


@pytest.mark.parametrize(("how", "state"), [("ro", "ok"), ("rw", "warning")])
def test_a_mounted_file_has_the_mode_that_the_host_gave_it(
    open_folder: Path, how: str, state: str
) -> None:
    file = open_folder / "idp.keys"
    file.write_text("")
    file.chmod(0o644)
    mounts = f"22 20 0:32 / {file} {how},relatime - ext4 /dev/sda1 rw\n"
    assert who_reads(file, mounts)[0] == state
