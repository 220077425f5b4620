"""How long a code is good: as the deployment says, and no longer than the client's profile says."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from idp.audit import Context
from idp.config import Settings
from idp.models import db
from idp.protocol.errors import OAuthError
from idp.protocol.policy import POLICIES
from idp.secrecy import new_secret
from idp.services.grants import Grants
from tests.helpers.clock import FakeClock
from tests.services.people import (
    CALLBACK,
    VERIFIER,
    add_client,
    add_person,
    agree,
    as_registered,
    granted_to,
    request_of,
)

LIMITS = {
    "the deployment's, without a profile": (300, None, 300),
    "the profile's, where the deployment's is longer": (300, "fapi2", 60),
    "the same with message signing": (300, "fapi2_message_signing", 60),
    "the deployment's, where that is shorter": (20, "fapi2", 20),
}


@pytest.mark.parametrize(("configured", "profile", "seconds"), LIMITS.values(), ids=LIMITS)
def test_a_code_dies(
    app: Flask,
    settings: Settings,
    context: Context,
    configured: int,
    profile: str | None,
    seconds: int,
):
    clock = FakeClock()
    add_person(clock())
    add_client(settings, context, "shop")
    agree("shop", clock())
    grants = Grants(replace(settings, code_lifetime=timedelta(seconds=configured)))
    begun = clock()

    def redeemed_after(passed: timedelta) -> bool:
        code = new_secret()
        grants.open(
            granted_to("shop", begun), request_of(), code=code, now=begun, policy=POLICIES[profile]
        )
        db.session.commit()
        try:
            grants.redeem_code(
                code,
                client=as_registered("shop"),
                redirect_uri=CALLBACK,
                code_verifier=VERIFIER,
                context=Context(at=begun + passed),
            )
        except OAuthError:
            return False
        return True

    assert redeemed_after(timedelta(seconds=seconds - 1))
    assert not redeemed_after(timedelta(seconds=seconds))
