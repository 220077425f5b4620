"""A session that was just begun is known without being looked for."""

from datetime import timedelta

import pytest

from idp.assurance import PASSWORD
from idp.audit import Context
from idp.factors.base import Proof
from idp.models import db
from idp.secrecy import new_secret
from idp.services import persons
from idp.services.live import shown_by
from tests.helpers.house import House
from tests.web.walking import newcomer


@pytest.mark.parametrize("persistent", [False, True], ids=["for now", "kept"])
@pytest.mark.parametrize("enrolled", [False, True], ids=["one step", "two steps"])
def test_it_is_what_its_token_would_find(town: House, persistent: bool, enrolled: bool) -> None:
    person = newcomer(town)
    if enrolled:
        town.totp(person)
    with town.app.app_context():
        services, now = town.services, town.clock()
        user = persons.the(person.id)
        known = services.weighing.known(user)
        proof = Proof(person.id, None, PASSWORD.proves, PASSWORD.amr)
        evidence = shown_by(proof, method="password", transaction_id="one", now=now)
        token = new_secret()
        session_id = services.sessions.start(
            person.id, persistent=persistent, context=Context(at=now), token=token
        )
        services.sessions.note(session_id, evidence)
        begun = services.sessions.begun(
            session_id, user, known.held, evidence, persistent=persistent, now=now
        )
        db.session.commit()
        assert begun == services.sessions.present(token, now)
        assert begun.has_second_step == enrolled
        assert services.sessions.present(token, now + timedelta(days=400)) is None
