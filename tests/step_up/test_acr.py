"""How strong must a sign-in be: ``acr_values``, the ``acr`` claim, floors, and the answers."""

import pytest

from tests.step_up.conftest import Welcome
from tests.step_up.issuer import Issuer
from tests.step_up.visit import Visit

UNMET = "unmet_authentication_requirements"
"""OpenID Connect Core Error Code unmet_authentication_requirements 1.0."""


def claim(*values: str, essential: bool) -> dict[str, object]:
    """The ``claims`` parameter that asks for one of these ``acr`` values (OIDC Core 5.5.1.1)."""
    wanted = {"value": values[0]} if len(values) == 1 else {"values": list(values)}
    return {"id_token": {"acr": {"essential": essential, **wanted}}}


@pytest.fixture
def names(issuer: Issuer) -> dict[str, str]:
    found = issuer.names
    return {
        "one": found.one_factor,
        "mfa": found.two_factors,
        "phr": found.phishing_resistant,
        "beyond": found.beyond,
        "unknown": found.unknown,
    }


def listed(names: dict[str, str], wanted: str) -> str:
    return " ".join(names[word] for word in wanted.split())


def test_discovery_lists_every_name(issuer: Issuer) -> None:
    found = issuer.names
    supported = issuer.client().metadata["acr_values_supported"]
    assert {found.one_factor, found.two_factors, found.phishing_resistant} <= set(supported)
    assert set(found.aliases) <= set(supported)


ANSWERS = {
    "nothing asked: the highest that holds": ("", "mfa"),
    "what was asked": ("mfa", "mfa"),
    "a weaker one, though more was shown": ("one", "one"),
    "the first that can be reached, by preference": ("phr mfa", "mfa"),
    "the preferred of two that hold": ("one mfa", "one"),
    "unknown ones are passed over": ("unknown mfa", "mfa"),
    "one out of reach is passed over": ("beyond mfa", "mfa"),
}


@pytest.mark.parametrize(("wanted", "answer"), ANSWERS.values(), ids=ANSWERS)
def test_acr_answers_in_the_words_of_the_question(
    welcome: Welcome, names: dict[str, str], wanted: str, answer: str
) -> None:
    visit = welcome("totp")
    visit.sign_in("password", "totp", acr_values=names["mfa"])
    asked = {"acr_values": listed(names, wanted)} if wanted else {}
    assert visit.again(**asked).claims["acr"] == names[answer]


def test_an_alias_is_answered_by_itself(welcome: Welcome) -> None:
    visit = welcome("totp")
    found = visit.issuer.names
    aliases = [alias for alias, name in found.aliases.items() if name == found.two_factors]
    if not aliases:
        pytest.skip("the issuer has no other name for two factors")
    visit.sign_in("password", "totp", acr_values=aliases[0])
    for alias in aliases:
        assert visit.again(acr_values=alias).claims["acr"] == alias
    assert visit.again(acr_values=found.two_factors).claims["acr"] == found.two_factors


def test_an_acr_is_no_constant(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp", "passkey")
    found = visit.issuer.names
    weak = visit.sign_in("password").claims
    assert (weak["acr"], set(weak["amr"])) == (found.one_factor, {"pwd"})
    strong = visit.sign_in("totp", acr_values=found.two_factors).claims
    assert (strong["acr"], set(strong["amr"])) == (found.two_factors, {"pwd", "otp", "mfa"})
    strongest = visit.sign_in("passkey", acr_values=found.phishing_resistant).claims
    assert strongest["acr"] == found.phishing_resistant
    assert {"pop", "mfa"} <= set(strongest["amr"])
    assert not {"pwd", "otp"} & set(strongest["amr"])


UNREACHABLE = {
    "only names that nobody knows": "unknown",
    "a known name that nobody can reach": "beyond",
    "both": "unknown beyond",
}


@pytest.mark.parametrize("wanted", UNREACHABLE.values(), ids=UNREACHABLE)
@pytest.mark.parametrize("how", ["acr_values", "an essential claim"])
def test_what_cannot_be_reached_is_an_error_and_no_loop(
    welcome: Welcome, names: dict[str, str], wanted: str, how: str
) -> None:
    """RFC 9470, 5; OIDC Core 5.5.1.1."""
    visit = welcome()
    visit.sign_in("password")
    values = listed(names, wanted)
    essential = claim(*values.split(), essential=True)
    asked = {"acr_values": values} if how == "acr_values" else {"claims": essential}
    assert visit.error(**asked) == UNMET


def test_names_that_nobody_knows_fail_before_anybody_signs_in(
    welcome: Welcome, names: dict[str, str]
) -> None:
    visit = welcome()
    assert visit.error(acr_values=names["unknown"]) == UNMET
    assert visit.asks(visit.ask(acr_values=f"{names['unknown']} {names['one']}"))  # the control


WISHES = {
    "acr_values of a client whose wishes they are": ("voluntary", "beyond", False),
    "names that nobody knows, of such a client": ("voluntary", "unknown", False),
    "a claim that is not essential": ("plain", "beyond", True),
    "such a claim of a name that nobody knows": ("plain", "unknown", True),
}


@pytest.mark.parametrize(("role", "wanted", "as_claim"), WISHES.values(), ids=WISHES)
def test_a_wish_that_cannot_be_granted_is_answered_with_what_is_true(
    welcome: Welcome, names: dict[str, str], role: str, wanted: str, as_claim: bool
) -> None:
    visit = welcome(role=role)
    value = names[wanted]
    asked = {"claims": claim(value, essential=False)} if as_claim else {"acr_values": value}
    assert visit.sign_in("password", **asked).claims["acr"] == names["one"]


@pytest.mark.parametrize("as_claim", [False, True], ids=["acr_values", "claim"])
def test_a_wish_that_can_be_granted_is_asked_for(
    welcome_simply: Welcome, names: dict[str, str], as_claim: bool
) -> None:
    visit = welcome_simply("totp", role="voluntary")
    visit.sign_in("password")
    mfa = names["mfa"]
    asked = {"claims": claim(mfa, essential=False)} if as_claim else {"acr_values": mfa}
    place = visit.ask(**asked)
    assert visit.asks(place) == ("totp",)
    assert visit.tokens(visit.answer(place, "totp")).claims["acr"] == mfa


def test_an_essential_claim_wins_over_acr_values(welcome: Welcome, names: dict[str, str]) -> None:
    visit = welcome("totp")
    visit.sign_in("password", "totp", acr_values=names["mfa"])
    essential = visit.again(
        acr_values=names["one"], claims=claim(names["phr"], names["mfa"], essential=True)
    )
    assert essential.claims["acr"] == names["mfa"]
    unmet = {"acr_values": names["mfa"], "claims": claim(names["beyond"], essential=True)}
    assert visit.error(**unmet) == UNMET
    wished = {"acr_values": names["mfa"], "claims": claim(names["beyond"], essential=False)}
    assert visit.again(**wished).claims["acr"] == names["mfa"]  # the control


def reaches_two_factors(visit: Visit, asked: dict[str, object]) -> list[str]:
    """Sign in with as little as will do; returns the ``amr`` that came of it."""
    place = visit.answer(visit.ask(**asked), "password")
    assert visit.asks(place) == ("totp",)
    return list(visit.tokens(visit.answer(place, "totp")).claims["amr"])


@pytest.mark.parametrize("role", ["two_factors", "defaults"])
@pytest.mark.parametrize("lower", ["acr_values", "a claim", "nothing"])
def test_no_parameter_lowers_a_clients_floor(
    welcome_simply: Welcome, names: dict[str, str], role: str, lower: str
) -> None:
    lowering: dict[str, dict[str, object]] = {
        "acr_values": {"acr_values": names["one"]},
        "a claim": {"claims": claim(names["one"], essential=True)},
        "nothing": {},
    }
    visit = welcome_simply("totp", role=role)
    control = visit.elsewhere().at("plain")
    assert control.sign_in("password", **lowering[lower]).claims["acr"] == names["one"]
    assert set(reaches_two_factors(visit, lowering[lower])) == {"pwd", "otp", "mfa"}


def test_a_floor_asks_for_more_than_another_applications_sign_in(
    welcome_simply: Welcome, names: dict[str, str]
) -> None:
    visit = welcome_simply("totp")
    visit.sign_in("password")
    strict = visit.at("two_factors")
    assert strict.silently(acr_values=names["one"]) == "interaction_required"
    assert visit.asks(strict.ask(acr_values=names["one"])) == ("totp",)
