"""What the image is made of is written down, whole and by hash, and is what is asked for.

Mutations: a bound in pyproject.toml above what is locked; a package that leaves the file.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ASKED = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = ("redis", "otel")
FILES = ("requirements.lock", "build.lock")


def text_of(name: str) -> str:
    return (ROOT / "deploy" / name).read_text()


def locked(name: str) -> Mapping[str, Requirement]:
    """By name, what one file says; a marker tells where it is wanted."""
    lines = re.findall(r"^([a-z0-9].*?) \\$", text_of(name), flags=re.MULTILINE)
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


def asked(name: str) -> list[str]:
    if name == "build.lock":
        return list(ASKED["build-system"]["requires"])
    project = ASKED["project"]
    more = [one for extra in EXTRAS for one in project["optional-dependencies"][extra]]
    return [*project["dependencies"], *more]


def missing(name: str, wanted: list[str]) -> Iterator[str]:
    """What is not there, or not as it is wanted."""
    there = locked(name)
    for requirement in map(Requirement, wanted):
        found = there.get(canonicalize_name(requirement.name))
        this = next((one.version for one in found.specifier), None) if found else None
        if this is None or not requirement.specifier.contains(this, prereleases=True):
            yield f"{requirement} ({this})"


@pytest.mark.parametrize("name", FILES)
def test_what_is_asked_for_is_locked_within_its_bounds(name: str) -> None:
    assert list(missing(name, asked(name))) == [], "run `make lock`"
    assert list(missing(name, ["flask>=99", "stranger"])) != []


@pytest.mark.parametrize("name", FILES)
def test_so_is_whatever_those_need(name: str) -> None:
    """As far as it is installed here, that version or a later one; pip insists on the rest when the
    image is made."""
    for package, entry in locked(name).items():
        try:
            needs = requires(package) or []
        except PackageNotFoundError:
            continue
        if not SpecifierSet(str(entry.specifier).replace("==", ">=")).contains(version(package)):
            continue
        here = {**{name: str(value) for name, value in default_environment().items()}, "extra": ""}
        wanted = [
            one for one in map(Requirement, needs) if not one.marker or one.marker.evaluate(here)
        ]
        unlocked = {canonicalize_name(one.name) for one in wanted} - locked(name).keys()
        assert unlocked == set(), package


@pytest.mark.parametrize("name", FILES)
def test_each_is_one_version_by_its_hashes_and_nothing_says_where_from(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", text_of(name))[1:]
    assert len(entries) == len(locked(name)) > 0
    for entry in entries:
        first, *hashes = entry.replace("\\\n", "").split("--hash=")
        assert len(Requirement(first).specifier) == 1
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", one) for one in hashes), first
    assert "://" not in text_of(name)
    assert "index" not in text_of(name)


def test_the_image_is_made_of_nothing_else() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip [^&\n]*?\binstall [^&\n]*", dockerfile)
    assert len(installs) == 3
    for one in installs:
        assert "--require-hashes -r deploy/" in one or "--no-deps /tmp/made/" in one, one
    assert "pip wheel --no-deps --no-build-isolation" in dockerfile
