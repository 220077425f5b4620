"""Relying parties, registered and changed by command."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command, lines
from tests.helpers.signing import jwks, key_of, public

CALLBACK = "https://shop.example.com/callback"
ADD = ("clients", "add", "--name", "Shop", "--redirect-uri", CALLBACK)


@pytest.fixture
def shop(idp: Command) -> dict[str, Any]:
    """The shop's registration."""
    made: dict[str, Any] = idp.json(*ADD, "--id", "shop")
    return made


def accepts(idp: Command, client_id: str, secret: str) -> bool:
    """Does the secret count?"""
    with idp.services() as services:
        client = services.clients.get(client_id)
        return client is not None and services.clients.accepts(client, secret, services.clock())


def test_a_registration_is_printed_by_its_rfc_7591_names(idp: Command) -> None:
    made = idp.json(*ADD)
    assert made["client_name"] == "Shop"
    assert made["redirect_uris"] == [CALLBACK]
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert made["client_secret_expires_at"] == 0
    assert accepts(idp, made["client_id"], made["client_secret"])


def test_unless_it_says_otherwise_it_may_use_refresh_tokens(sqlite_idp: Command) -> None:
    assert sqlite_idp.json(*ADD)["grant_types"] == ["authorization_code", "refresh_token"]


def test_a_public_client_has_no_secret(sqlite_idp: Command) -> None:
    made = sqlite_idp.json(*ADD, "--public")
    assert "client_secret" not in made
    assert (made["token_endpoint_auth_method"], made["application_type"]) == ("none", "web")


def test_a_scheme_of_its_own_makes_it_native(sqlite_idp: Command) -> None:
    uri = "com.example.shop:/callback"
    made = sqlite_idp.json("clients", "add", "--public", "--redirect-uri", uri)
    assert made["application_type"] == "native"


def test_metadata_may_name_the_id_and_no_secret(sqlite_idp: Command, tmp_path: Path) -> None:
    file = tmp_path / "metadata.json"
    file.write_text('{"client_id": "given"}')
    assert sqlite_idp.json(*ADD, "--metadata", str(file))["client_id"] == "given"
    assert sqlite_idp.json(*ADD, "--id", "other", "--metadata", str(file))["client_id"] == "other"
    for text in ('{"client_id": "more", "client_secret": "mine"}', '{"client_id": 7}'):
        file.write_text(text)
        assert "client_" in sqlite_idp.refused(*ADD, "--metadata", str(file))
    assert len(sqlite_idp.json("clients", "list")) == 2


def test_metadata_comes_from_a_file_and_options_count_more(
    sqlite_idp: Command, tmp_path: Path
) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(
        json.dumps(
            {
                "client_name": "From the file",
                "redirect_uris": ["https://elsewhere.example.com/"],
                "grant_types": ["authorization_code"],
                "id_token_signed_response_alg": "ES256",
            }
        )
    )
    floor = ("--minimum-acr", "urn:idp:acr:mfa", "--max-auth-age", "3600")
    made = sqlite_idp.json(*ADD, "--metadata", str(file), *floor)
    assert made["client_name"] == "Shop"
    assert made["redirect_uris"] == [CALLBACK]
    assert made["grant_types"] == ["authorization_code"]
    assert made["id_token_signed_response_alg"] == "ES256"
    assert (made["minimum_acr"], made["max_auth_age"]) == ("urn:idp:acr:mfa", 3600)


WITHOUT_SECRET = {
    "private_key_jwt": {"jwks": jwks(public(key_of("ES256"), kid="1"))},
    "self_signed_tls_client_auth": {"jwks_uri": "https://shop.example.com/jwks"},
    "tls_client_auth": {"tls_client_auth_subject_dn": "CN=shop,O=Acme"},
}


@pytest.mark.parametrize(("method", "members"), WITHOUT_SECRET.items(), ids=WITHOUT_SECRET)
def test_a_client_with_a_key_or_a_certificate_has_no_secret(
    sqlite_idp: Command, tmp_path: Path, method: str, members: dict[str, Any]
) -> None:
    behind = sqlite_idp.with_(
        IDP_TRUSTED_PROXIES="10.0.0.1",
        IDP_CLIENT_CERTIFICATE_HEADER="Client-Cert",
        IDP_CLIENT_CERTIFICATE_VERIFIED="true",
    )
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps({"token_endpoint_auth_method": method, **members}))
    made = behind.json(*ADD, "--id", "shop", "--metadata", str(file))
    assert "client_secret" not in made
    assert made["token_endpoint_auth_method"] == method
    assert "does not authenticate with a secret" in behind.refused(
        "clients", "rotate-secret", "shop"
    )
    exported = behind.json("clients", "export", "shop")
    assert "client_secret" not in exported[0]


def test_a_client_that_signs_with_its_secret_gets_a_long_one(
    sqlite_idp: Command, tmp_path: Path
) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps({"token_endpoint_auth_method": "client_secret_jwt"}))
    made = sqlite_idp.json(*ADD, "--id", "shop", "--metadata", str(file))
    rotated = sqlite_idp.json("clients", "rotate-secret", "shop")
    assert [len(one["client_secret"]) for one in (made, rotated)] == [64, 64]
    assert rotated["client_secret"] not in sqlite_idp.done("clients", "show", "shop", "--json")


REFUSED = {
    "no address": (("clients", "add", "--name", "Shop"), "redirect_uris must list at least one"),
    "a wildcard": (
        ("clients", "add", "--redirect-uri", "https://*.example.com/"),
        "wildcards are off",
    ),
    "a rung that is not known": ((*ADD, "--minimum-acr", "gold"), "is not known here: gold"),
    "an id that is taken": ((*ADD, "--id", "shop"), "There is a client shop already."),
    "a client that is not there": (("clients", "show", "nobody"), "There is no client nobody."),
    "deleting nobody": (("clients", "delete", "nobody"), "There is no client nobody."),
    "a secret for nobody": (("clients", "rotate-secret", "nobody"), "There is no client nobody."),
    "exporting nobody": (("clients", "export", "nobody"), "There is no client nobody."),
}


@pytest.mark.parametrize(("arguments", "why"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_is_refused(idp: Command, arguments: tuple[str, ...], why: str) -> None:
    assert why in idp.refused(*arguments)
    assert [one["client_id"] for one in idp.json("clients", "list")] == ["shop"]


SEARCHES = {
    "--beginning": {"sho": True, "SHOP exa": True, "hop": False},
    "--containing": {"hop": True, "nothing": False},
}


@pytest.mark.usefixtures("shop")
def test_the_list_is_searched(idp: Command) -> None:
    for option, texts in SEARCHES.items():
        for text, is_found in texts.items():
            listed = idp.json("clients", "list", option, text)
            assert bool(listed) is is_found, (option, text)


@pytest.mark.parametrize(
    "text",
    ["[]", "{", "", "[" * 99_999, '{"colour": "red"}'],
    ids=["a list", "half of it", "empty", "deep", "a member that nobody knows"],
)
def test_metadata_that_is_none_is_refused(sqlite_idp: Command, tmp_path: Path, text: str) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(text)
    sqlite_idp.refused(*ADD, "--metadata", str(file))


def test_a_member_named_twice_is_refused(sqlite_idp: Command, tmp_path: Path) -> None:
    file = tmp_path / "metadata.json"
    file.write_text('{"consent": "always", "consent": "never"}')
    assert "consent is there twice" in sqlite_idp.refused(*ADD, "--metadata", str(file))


def test_the_secret_is_told_once(idp: Command, shop: dict[str, Any]) -> None:
    secret = shop["client_secret"]
    for shown in (
        idp.done("clients", "show", "shop"),
        idp.done("clients", "show", "shop", "--json"),
        idp.done("clients", "list", "--json"),
        idp.done("clients", "export", "shop"),
        idp.done("audit", "search", "--json"),
    ):
        assert secret not in shown
    assert idp.json("clients", "show", "shop")["secrets"][0]["prefix"] == secret[:6]


def test_a_new_secret_ends_the_old_one_or_lets_it_live_a_little(
    idp: Command, shop: dict[str, Any]
) -> None:
    first = shop["client_secret"]
    second = idp.json("clients", "rotate-secret", "shop", "--overlap", "600")["client_secret"]
    assert accepts(idp, "shop", first)
    assert accepts(idp, "shop", second)
    third = idp.json("clients", "rotate-secret", "shop")["client_secret"]
    assert [accepts(idp, "shop", one) for one in (first, second, third)] == [False, False, True]


@pytest.mark.usefixtures("shop")
def test_disabled_enabled_deleted(idp: Command) -> None:
    idp.done("clients", "disable", "shop")
    assert [row[3] for row in lines(idp.done("clients", "list"))] == ["disabled"]
    idp.done("clients", "enable", "shop")
    assert idp.json("clients", "list")[0]["disabled"] is False
    idp.done("clients", "delete", "shop")
    assert idp.json("clients", "list") == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two registrations in files."""
    for name in ("shop", "till"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "client.toml").write_text(
            f'client_id = "{name}"\nclient_name = "{name.title()}"\n'
            f'redirect_uris = ["https://{name}.example.com/callback"]\n'
            "[client_secret]\ngenerate = true\n"
        )
    return tmp_path


def test_files_are_applied_and_applied_again(idp: Command, folder: Path) -> None:
    dry = idp.json("clients", "apply", str(folder), "--dry-run")
    assert [one["action"] for one in dry] == ["created", "created"]
    assert all("client_secret" not in one for one in dry)
    assert idp.json("clients", "list") == []
    made = idp.json("clients", "apply", str(folder))
    assert [accepts(idp, one["client_id"], one["client_secret"]) for one in made] == [True, True]
    again = idp.json("clients", "apply", str(folder))
    assert [one["action"] for one in again] == ["unchanged", "unchanged"]


def test_drift_is_shown_and_then_repaired(idp: Command, folder: Path) -> None:
    file = folder / "shop" / "client.toml"
    idp.done("clients", "apply", str(file))
    file.write_text(file.read_text().replace('"Shop"', '"Shop of Wonders"'))
    told = idp.done("clients", "apply", str(file), "--dry-run")
    assert told.splitlines() == ["shop: would be changed", "  client_name: Shop -> Shop of Wonders"]
    assert idp.json("clients", "show", "shop")["client_name"] == "Shop"
    (change,) = idp.json("clients", "apply", str(file))
    assert change["differences"] == [
        {"member": "client_name", "registered": "Shop", "wanted": "Shop of Wonders"}
    ]
    assert idp.json("clients", "show", "shop")["client_name"] == "Shop of Wonders"


@pytest.mark.usefixtures("shop")
def test_a_secret_that_is_not_in_its_file_goes_on(idp: Command, tmp_path: Path) -> None:
    file = tmp_path / "client.toml"
    text = idp.done("clients", "export", "shop")
    file.write_text(text.replace("generate = true", 'file = "none", generate = true'))
    idp.done("clients", "apply", str(file))
    assert idp.done("clients", "apply", str(file)).splitlines() == [
        "shop: unchanged",
        f"  client_secret: goes on, and is not in {tmp_path / 'none'}",
        "  (`idp clients rotate-secret shop` makes another one)",
    ]
    (told,) = idp.json("clients", "apply", str(file), "--dry-run")
    assert told["client_secret_not_in"] == str(tmp_path / "none")


def test_a_group_that_is_not_there_yet_is_told_of(idp: Command, folder: Path) -> None:
    """Files may be applied before anybody is put into their groups."""
    file = folder / "shop" / "client.toml"
    file.write_text(f'allowed_groups = ["Staff", "Stuff"]\n{file.read_text()}')
    idp.done("groups", "create", "Staff")
    told = idp.done("clients", "apply", str(file), "--dry-run").splitlines()
    assert "  there is no group called Stuff: until there is, nobody is in it" in told
    assert not any("Staff" in line for line in told)
    (change,) = idp.json("clients", "apply", str(file))
    assert (change["action"], change["groups_not_there"]) == ("created", ["Stuff"])
    idp.done("groups", "create", "Stuff")
    (again,) = idp.json("clients", "apply", str(file))
    assert "groups_not_there" not in again


def test_one_bad_file_and_none_is_applied(idp: Command, folder: Path) -> None:
    bad = folder / "till" / "client.toml"
    bad.write_text('client_id = "till"\nredirect_uris = ["https://till.example.com/#x"]\n')
    told = idp.refused("clients", "apply", str(folder))
    assert str(bad) in told
    assert idp.json("clients", "list") == []


def test_a_folder_without_files_is_refused(sqlite_idp: Command, tmp_path: Path) -> None:
    assert "There is no client.toml in" in sqlite_idp.refused("clients", "apply", str(tmp_path))


@pytest.mark.usefixtures("shop")
def test_what_is_exported_can_be_applied(idp: Command, tmp_path: Path) -> None:
    text = idp.done("clients", "export")
    assert tomllib.loads(text)["client_id"] == "shop"
    idp.json(*ADD, "--id", "https://ledger.example.com")
    assert "--to FOLDER" in idp.refused("clients", "export")
    idp.done("clients", "export", "--to", str(tmp_path))
    changes = idp.json("clients", "apply", str(tmp_path), "--dry-run")
    assert {one["client_id"] for one in changes} == {"shop", "https://ledger.example.com"}
    differing = {diff["member"] for one in changes for diff in one["differences"]}
    assert differing == {"managed_by"}
