"""Settings that change while the program runs, by the command."""

from tests.cli.command import Command


def test_set_listed_and_unset(idp: Command) -> None:
    assert idp.done("settings", "set", "site_name", "Orchard") == "site_name is changed.\n"
    listed = {one["name"]: one for one in idp.json("settings", "list")}
    assert (listed["site_name"]["value"], listed["site_name"]["source"]) == (
        "Orchard",
        "changed here",
    )
    assert listed["accent"]["source"] == "started with"
    idp.done("settings", "unset", "site_name")
    listed = {one["name"]: one for one in idp.json("settings", "list")}
    assert listed["site_name"]["value"] == "Gatehouse"


def test_what_will_not_do_is_refused_in_a_line(sqlite_idp: Command) -> None:
    assert "must be darker" in sqlite_idp.refused("settings", "set", "accent", "#ffff00")
    pinned = sqlite_idp.with_(IDP_SITE_NAME="Meadow")
    assert "IDP_SITE_NAME" in pinned.refused("settings", "set", "site_name", "Orchard")
    sqlite_idp.misused("settings", "set", "issuer", "https://evil.example")
