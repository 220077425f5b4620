"""Ways out of nothing: what is needed together, in an order in which it can be given."""

from idp.assurance import MAILBOX, PASSWORD, TOTP, Offer, Rung, ways


def test_what_opens_comes_first_however_it_was_offered() -> None:
    offers = [
        Offer("totp", TOTP.proves),
        Offer("magic_link", MAILBOX.proves),
        Offer("password", PASSWORD.proves),
    ]
    found = ways(Rung.SECOND_STEP, offers)
    assert found == (("magic_link", "totp"), ("password", "totp"))
    assert ways(Rung.ONE_FACTOR, offers) == (("magic_link",), ("password",))
