"""Registrations in files: applied, applied again, and found to have drifted."""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from idp.audit import Context
from idp.config import Settings
from idp.factors import FACTORS
from idp.models import db
from idp.protocol.capabilities import Capabilities
from idp.secrecy import Box
from idp.services.client_apply import Change, Difference, apply_client_files
from idp.services.client_export import exported, to_toml
from idp.services.client_files import ClientFile, ClientFilesRefused, read_client_file
from idp.services.client_listing import listed, shown
from idp.services.client_registry import ClientRegistry
from idp.services.client_rules import ClientRules
from idp.services.client_secrets import ClientSecrets, end_secrets
from idp.services.clients import Clients

SECRET = "s3cret-" + "x" * 36
SHOP: dict[str, Any] = {
    "client_id": "shop",
    "client_name": "Shop",
    "redirect_uris": ["https://shop.example.com/callback"],
    "client_secret": {"env": "SHOP_SECRET"},
}
SPA: dict[str, Any] = {
    "client_id": "spa",
    "redirect_uris": ["https://spa.example.com/"],
    "token_endpoint_auth_method": "none",
}


@pytest.fixture
def rules(settings: Settings) -> ClientRules:
    return ClientRules(settings, Capabilities(), ways=FACTORS)


@pytest.fixture
def secrets(box: Box) -> ClientSecrets:
    return ClientSecrets(box)


class Applier:
    def __init__(
        self, rules: ClientRules, secrets: ClientSecrets, context: Context, folder: Path
    ) -> None:
        self.rules, self.secrets, self.context, self.folder = rules, secrets, context, folder
        self.environ = {"SHOP_SECRET": SECRET}

    def __call__(self, *members: dict[str, Any], dry_run: bool = False) -> tuple[Change, ...]:
        files = [
            ClientFile(self.folder / f"{number}.toml", one) for number, one in enumerate(members)
        ]
        return apply_client_files(
            files,
            self.rules,
            self.secrets,
            self.context,
            environ=self.environ,
            dry_run=dry_run,
        )

    def accepts(self, client_id: str, secret: str | None) -> bool:
        clients = Clients()
        client = clients.get(client_id)
        return client is not None and clients.accepts(client, secret or "", self.context.at)


@pytest.fixture
def apply(
    app: Flask, rules: ClientRules, secrets: ClientSecrets, context: Context, tmp_path: Path
) -> Applier:
    return Applier(rules, secrets, context, tmp_path)


def test_a_file_makes_a_client_under_its_fixed_id(apply: Applier):
    assert apply(SHOP, SPA) == (Change("shop", "created"), Change("spa", "created"))
    assert [info.id for info in listed()] == ["shop", "spa"]
    assert shown("shop").managed_by == "file"
    assert apply.accepts("shop", SECRET)


def test_applying_again_changes_nothing(apply: Applier):
    apply(SHOP, SPA)
    revision = Clients().get("shop")
    assert apply(SHOP, SPA) == (Change("shop", "unchanged"), Change("spa", "unchanged"))
    assert Clients().get("shop") == revision


def test_a_dry_run_tells_the_drift_and_changes_nothing(apply: Applier):
    apply(SHOP)
    changed = {**SHOP, "client_name": "Store", "scope": "openid"}
    (change,) = apply(changed, dry_run=True)
    assert change.action == "changed"
    assert Difference("client_name", "Shop", "Store") in change.differences
    assert "scope" in [difference.member for difference in change.differences]
    assert shown("shop").name == "Shop"
    (made,) = apply(changed)
    assert made == change
    assert shown("shop").name == "Store"


def test_a_dry_run_makes_no_client_and_no_file(apply: Applier, tmp_path: Path):
    source = {"file": "shop.secret", "generate": True}
    apply({**SHOP, "client_secret": source}, dry_run=True)
    assert listed() == ()
    assert not (tmp_path / "shop.secret").exists()


def test_a_member_that_leaves_the_file_goes_back_to_its_default(apply: Applier):
    apply({**SHOP, "minimum_acr": "phr"})
    (change,) = apply(SHOP)
    assert change.differences == (Difference("minimum_acr", "phr", None),)
    assert shown("shop").metadata.minimum_acr is None


def test_a_client_registered_by_command_is_taken_over(
    apply: Applier, rules: ClientRules, secrets: ClientSecrets, context: Context
):
    members = {name: SHOP[name] for name in ("client_name", "redirect_uris")}
    ClientRegistry(rules, secrets).register(members, context, client_id="shop")
    (change,) = apply(SHOP)
    assert [difference.member for difference in change.differences] == [
        "managed_by",
        "client_secret",
    ]
    assert apply.accepts("shop", SECRET)


def test_a_disabled_client_stays_disabled(
    apply: Applier, rules: ClientRules, secrets: ClientSecrets, context: Context
):
    apply(SHOP)
    ClientRegistry(rules, secrets).disable("shop", context)
    apply({**SHOP, "client_name": "Store"})
    assert shown("shop").disabled_at == context.at


def test_another_secret_in_the_environment_replaces_the_first(apply: Applier):
    apply(SHOP)
    apply.environ["SHOP_SECRET"] = SECRET[::-1]
    (change,) = apply(SHOP)
    assert change.differences == (Difference("client_secret", "one", "another one"),)
    assert apply.accepts("shop", SECRET[::-1])
    assert not apply.accepts("shop", SECRET)


def test_a_secret_that_goes_on_for_a_while_beside_its_successor_does(apply: Applier):
    """As ``rotate-secret --overlap`` leaves them, once the new one is where the file says."""
    apply(SHOP)
    end_secrets("shop", apply.context.at + timedelta(hours=1))
    new = apply.secrets.make("shop", shown("shop").metadata, apply.context.at)
    db.session.commit()
    apply.environ["SHOP_SECRET"] = new
    assert apply(SHOP) == (Change("shop", "unchanged"),)
    assert apply.accepts("shop", SECRET)
    assert apply.accepts("shop", new)
    apply.environ["SHOP_SECRET"] = SECRET  # who names the old one means it
    assert apply(SHOP)[0].action == "changed"
    assert apply.accepts("shop", SECRET)
    assert not apply.accepts("shop", new)


def test_a_secret_may_lie_in_a_file_beside_it(apply: Applier, tmp_path: Path):
    (tmp_path / "shop.secret").write_text(SECRET + "\n")
    apply({**SHOP, "client_secret": {"file": "shop.secret"}})
    assert apply.accepts("shop", SECRET)


def test_a_generated_secret_is_told_once_and_kept(apply: Applier):
    generated = {**SHOP, "client_secret": {"generate": True}}
    (made,) = apply(generated)
    assert apply.accepts("shop", made.secret)
    assert apply(generated) == (Change("shop", "unchanged"),)
    assert apply.accepts("shop", made.secret)


def test_a_generated_secret_is_written_for_its_owner_only(apply: Applier, tmp_path: Path):
    generated = {**SHOP, "client_secret": {"file": "var/shop.secret", "generate": True}}
    apply(generated)
    file = tmp_path / "var" / "shop.secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert apply.accepts("shop", file.read_text().strip())
    assert apply(generated) == (Change("shop", "unchanged"),)


def test_a_secret_goes_on_where_its_file_is_not(apply: Applier, tmp_path: Path):
    """In another checkout, say, or in the demo, which keeps its secrets elsewhere."""
    source = {"file": "client.secret", "generate": True}
    apply(SHOP)
    told = Change("shop", "unchanged", not_in=tmp_path / "client.secret")
    assert apply({**SHOP, "client_secret": source}, dry_run=True) == (told,)
    assert apply({**SHOP, "client_secret": source}) == (told,)
    assert apply.accepts("shop", SECRET)
    assert not (tmp_path / "client.secret").exists()
    (change,) = apply({**SHOP, "client_name": "Store", "client_secret": source})
    assert (change.action, change.not_in) == ("changed", tmp_path / "client.secret")
    assert apply.accepts("shop", SECRET)


def test_one_is_made_where_its_file_is_not_and_none_is_used(apply: Applier, tmp_path: Path):
    public = {**SHOP, "token_endpoint_auth_method": "none"}
    del public["client_secret"]
    apply(public)
    (change,) = apply({**SHOP, "client_secret": {"file": "client.secret", "generate": True}})
    assert Difference("client_secret", None, "one") in change.differences
    assert change.not_in is None
    assert apply.accepts("shop", (tmp_path / "client.secret").read_text().strip())


def test_a_client_that_becomes_public_loses_its_secrets(apply: Applier):
    apply(SHOP)
    public = {**SHOP, "token_endpoint_auth_method": "none"}
    del public["client_secret"]
    (change,) = apply(public)
    assert Difference("client_secret", "one", None) in change.differences
    assert shown("shop").secrets == ()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        pytest.param({"client_id": None}, "client_id must be there", id="no id"),
        pytest.param({"client_id": 7}, "client_id must be there", id="an id that is no text"),
        pytest.param({"redirect_urls": []}, "redirect_urls is not a member", id="a slip"),
        pytest.param({"redirect_uris": []}, "redirect_uris must list", id="nowhere to go"),
        pytest.param({"client_secret": None}, "client_secret is missing", id="no secret"),
        pytest.param({"client_secret": SECRET}, "must be a table", id="the secret itself"),
        pytest.param({"client_secret": {"vault": "x"}}, "must be a table", id="unknown source"),
        pytest.param({"client_secret": {"env": "NONE"}}, "$NONE is not there", id="no variable"),
        pytest.param({"client_secret": {"env": "SHORT"}}, "32 to 128", id="a short secret"),
        pytest.param({"client_secret": {"env": "ODD"}}, "32 to 128", id="a secret to be encoded"),
        pytest.param({"client_secret": {"file": "none"}}, "is not there", id="no file"),
        pytest.param({"client_secret": {"file": "."}}, "cannot be read", id="a folder"),
        pytest.param(
            {"client_secret": {"env": "SHOP_SECRET", "file": "x"}}, "a table", id="two places"
        ),
        pytest.param(
            {"client_secret": {"env": "SHOP_SECRET", "generate": True}},
            "a table",
            id="made as well",
        ),
        pytest.param({"client_secret": {"generate": False}}, "a table", id="made by nobody"),
        pytest.param({"client_secret": {"env": ""}}, "a table", id="a variable without a name"),
        pytest.param(
            {"token_endpoint_auth_method": "none"}, "must be left out", id="a public secret"
        ),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence_and_nothing_is_applied(
    apply: Applier, members: dict[str, Any], sentence: str
):
    apply.environ |= {"SHORT": "x" * 31, "ODD": "+" * 40}
    bad = {name: value for name, value in {**SHOP, **members}.items() if value is not None}
    with pytest.raises(ClientFilesRefused) as refused:
        apply(SPA, bad)
    (problem,) = refused.value.problems
    assert sentence in problem
    assert "1.toml" in problem
    assert SECRET not in problem
    assert listed() == ()
    assert apply(SPA, SHOP)


def test_two_files_may_not_claim_one_id(apply: Applier):
    with pytest.raises(ClientFilesRefused, match="another file"):
        apply(SHOP, SHOP)


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path):
    (tmp_path / "client.toml").write_text("= nonsense")
    with pytest.raises(ClientFilesRefused, match="cannot be read"):
        read_client_file(tmp_path / "client.toml")
    with pytest.raises(ClientFilesRefused, match="cannot be read"):
        read_client_file(tmp_path / "none.toml")


def test_what_is_exported_can_be_applied_and_is_no_drift(apply: Applier, tmp_path: Path):
    apply(
        {
            **SHOP,
            "client_name#ja": '店 "quoted" \\',
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "1"}]},
        }
    )
    text = to_toml(exported("shop"))
    assert SECRET not in text
    (tmp_path / "exported.toml").write_text(text, encoding="utf-8")
    read = read_client_file(tmp_path / "exported.toml")
    assert read.members == exported("shop") == tomllib.loads(text)
    assert apply(dict(read.members)) == (Change("shop", "unchanged"),)


def test_a_failure_to_write_the_secret_leaves_no_client(apply: Applier, tmp_path: Path):
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(OSError, match="folder"):
        apply({**SHOP, "client_secret": {"file": "folder/shop.secret", "generate": True}})
    db.session.rollback()
    assert listed() == ()
