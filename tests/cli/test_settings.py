"""Settings that change while the program runs, by the command."""

from pathlib import Path

from tests.cli.command import Command


def test_set_listed_and_unset(idp: Command) -> None:
    assert idp.done("settings", "set", "site_name", "Orchard") == "site_name is changed.\n"
    listed = {one["name"]: one for one in idp.json("settings", "list")}
    assert (listed["site_name"]["value"], listed["site_name"]["source"]) == (
        "Orchard",
        "changed here",
    )
    assert listed["accent"]["source"] == "default"
    idp.done("settings", "unset", "site_name")
    listed = {one["name"]: one for one in idp.json("settings", "list")}
    assert listed["site_name"]["value"] == "Gatehouse"


def test_what_the_file_gives_is_told_from_what_nobody_gave(
    sqlite_idp: Command, tmp_path: Path
) -> None:
    config = tmp_path / "idp.toml"
    config.write_text('help_url = "https://help.example"', encoding="utf-8")
    listed = sqlite_idp.with_(IDP_CONFIG=str(config)).done("settings", "list").splitlines()
    told = {line.split()[0]: line for line in listed}
    assert told["help_url"].split()[1:] == ["https://help.example", "started", "with"]
    assert told["privacy_url"].split()[1:] == ["default"]


def test_what_will_not_do_is_refused_in_a_line(sqlite_idp: Command) -> None:
    assert "must be darker" in sqlite_idp.refused("settings", "set", "accent", "#ffff00")
    pinned = sqlite_idp.with_(IDP_SITE_NAME="Meadow")
    assert "IDP_SITE_NAME" in pinned.refused("settings", "set", "site_name", "Orchard")
    sqlite_idp.misused("settings", "set", "issuer", "https://evil.example")
