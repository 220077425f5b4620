"""Consent: asked for once, widened, taken back."""

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit import Context
from idp.config import Settings
from idp.models import AuditEvent, db
from idp.services.consents import Consents
from idp.services.grants import Grants
from tests.helpers.clock import FakeClock
from tests.services.people import add_client, add_person, granted_to, request_of

ASKED = ("openid", "email", "profile")


@pytest.fixture
def consents(app: Flask, settings: Settings, clock: FakeClock, context: Context) -> Consents:
    add_person(clock())
    add_person(clock(), "bob")
    add_client(settings, context, "shop", client_name="Shop")
    add_client(settings, context, "rival")
    return Consents()


def give(consents: Consents, context: Context, *scopes: str) -> None:
    consents.give("ann", "shop", scopes, context=context)
    db.session.commit()


def test_at_first_everything_has_to_be_asked_for(consents: Consents):
    assert consents.missing("ann", "shop", ASKED) == ASKED


def test_what_was_allowed_is_not_asked_for_again(consents: Consents, context: Context):
    give(consents, context, *ASKED)
    assert consents.missing("ann", "shop", ASKED) == ()
    assert consents.missing("ann", "shop", ("openid",)) == ()


def test_only_what_is_new_has_to_be_asked_for(consents: Consents, context: Context):
    give(consents, context, "openid", "email")
    assert consents.missing("ann", "shop", ("openid", "phone", "email", "address")) == (
        "phone",
        "address",
    )


def test_allowing_more_keeps_what_was_allowed(consents: Consents, context: Context):
    give(consents, context, "openid", "email")
    give(consents, context, "openid", "phone")
    assert consents.missing("ann", "shop", ("openid", "email", "phone")) == ()


@pytest.mark.parametrize(
    ("user", "client"), [("bob", "shop"), ("ann", "rival")], ids=["another person", "another app"]
)
def test_consent_is_for_one_person_and_one_app(
    consents: Consents, context: Context, user: str, client: str
):
    give(consents, context, *ASKED)
    assert consents.missing(user, client, ASKED) == ASKED


def test_taking_it_back_ends_the_grants_that_rest_on_it(
    consents: Consents, settings: Settings, context: Context, clock: FakeClock
):
    give(consents, context, *ASKED)
    give_code = Grants(settings).issue_code
    give_code(granted_to("shop", clock()), request_of(), now=clock())
    give_code(granted_to("rival", clock()), request_of("rival"), now=clock())
    assert consents.revoke("ann", "shop", context=context)
    assert consents.missing("ann", "shop", ASKED) == ASKED
    grants = db.metadata.tables["grants"]
    ended = db.session.execute(select(grants.c.client_id).where(grants.c.ended_at.is_not(None)))
    assert ended.scalars().all() == ["shop"]
    assert not consents.revoke("ann", "shop", context=context)


def test_connected_apps_are_listed_by_name(consents: Consents, context: Context):
    give(consents, context, "openid", "email")
    consents.give("ann", "rival", ["openid"], context=context)
    assert [(one.client_name, one.scopes) for one in consents.listed("ann")] == [
        ("Shop", ("openid", "email")),
        ("rival", ("openid",)),
    ]
    assert consents.listed("bob") == ()


def test_giving_and_taking_back_is_audited(consents: Consents, context: Context):
    give(consents, context, "openid")
    consents.revoke("ann", "shop", context=context)
    names = db.session.scalars(select(AuditEvent.name).where(AuditEvent.user_id == "ann"))
    assert list(names) == ["consent.given", "consent.revoked"]
