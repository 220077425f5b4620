"""How sure we are of a person, and what would make us surer. Pure: no I/O and no clock.

Three values and one function. *Evidence* is the ledger: each proof that was given, with the traits
it showed. A *Demand* is everything that asks for more, made one. `decide` weighs the one against
the other: *Satisfied*, with what a token may say; or a *Challenge*, with what to ask for next and
nothing besides; or *Unmet*. There is no "logged in" and no "second factor done" to be stored, and
so none to be stale: both are read off the ledger each time.
"""

from idp.assurance.acr import (
    ACR_NAMES,
    Acr,
    canonical_name,
    ladder_names,
    resolve_acr_values,
    supported_acr_values,
)
from idp.assurance.choice import Choice, UserVerification
from idp.assurance.decision import Challenge, Decision, Satisfied, Unmet, decide
from idp.assurance.demand import Demand
from idp.assurance.evidence import Evidence
from idp.assurance.floor import account_floor, enrolment_demand
from idp.assurance.ladder import Rung, holds
from idp.assurance.offer import Offer
from idp.assurance.plan import ways
from idp.assurance.proofs import MAILBOX, PASSWORD, RECOVERY_CODE, TOTP, Shown, passkey
from idp.assurance.reason import Reason
from idp.assurance.request import (
    AssuranceRequest,
    ClientFloor,
    Terms,
    demand_for,
    oldest_allowed,
    since,
    terms_for,
)
from idp.assurance.trait import Trait, Traits

__all__ = [
    "ACR_NAMES",
    "MAILBOX",
    "PASSWORD",
    "RECOVERY_CODE",
    "TOTP",
    "Acr",
    "AssuranceRequest",
    "Challenge",
    "Choice",
    "ClientFloor",
    "Decision",
    "Demand",
    "Evidence",
    "Offer",
    "Reason",
    "Rung",
    "Satisfied",
    "Shown",
    "Terms",
    "Trait",
    "Traits",
    "Unmet",
    "UserVerification",
    "account_floor",
    "canonical_name",
    "decide",
    "demand_for",
    "enrolment_demand",
    "holds",
    "ladder_names",
    "oldest_allowed",
    "passkey",
    "resolve_acr_values",
    "since",
    "supported_acr_values",
    "terms_for",
    "ways",
]
