"""Of whom it is said that a recovery code would do."""

import pytest

from idp.assurance import Demand, Unmet
from idp.models import Transaction, User
from idp.services.standing_in import BY_CODE, WHOSE, said_of
from idp.services.weighing import Standing

ANN, BOB = (User(id=name, email=f"{name}@example.com") for name in ("ann", "bob"))
WANTED = {"floor": "PHR", BY_CODE: "MFA"}


@pytest.mark.parametrize(
    ("user", "whose", "expected"),
    [
        pytest.param(ANN, {WHOSE: "ann"}, True, id="the person at whom it was looked"),
        pytest.param(BOB, {WHOSE: "ann"}, False, id="another who took her place"),
        pytest.param(None, {WHOSE: "ann"}, False, id="nobody known yet"),
        pytest.param(ANN, {}, False, id="nobody in particular"),
    ],
)
def test_it_is_said_of_one_person(user: User | None, whose: dict[str, str], expected: bool) -> None:
    transaction = Transaction(id="t", state={"demand": WANTED | whose})
    standing = Standing(transaction, user, None, Demand(), Unmet("out_of_reach"))
    assert (BY_CODE in said_of(standing)) is expected
