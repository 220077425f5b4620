"""The passkey as a factor: alone, as a second step, or both at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import update
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from idp.assurance import Offer, Trait, proofs
from idp.factors.base import (
    ANY_WAY,
    Answer,
    Ceremony,
    Enrolled,
    Proof,
    Refused,
    Task,
    Tools,
    Wish,
    of_kind,
)
from idp.factors.passkey.answer import FIELD
from idp.factors.passkey.assertion import Assertion
from idp.factors.passkey.attestation import AttestationPolicy
from idp.factors.passkey.credentials import KIND, descriptor, passkeys_of
from idp.factors.passkey.offers import anybodys, offers_of
from idp.factors.passkey.pending import Pending
from idp.factors.passkey.refusals import Deviation, Reason, refused
from idp.factors.passkey.registration import Registration
from idp.factors.passkey.signals import unknown_credential
from idp.models import Credential, User, db


class Passkey:
    """Any number of passkeys a person, each with a label of its own."""

    name: ClassVar[str] = KIND
    can_prove: ClassVar[frozenset[Trait]] = proofs.passkey(
        user_verified=True, backup_eligible=False, attested=True
    ).proves
    enrolable: ClassVar[bool] = True
    answer_fields: ClassVar[frozenset[str]] = frozenset({FIELD})
    names_its_user: ClassVar[bool] = True
    phrase: ClassVar[str] = "a passkey"
    on_request: ClassVar[bool] = False

    def __init__(self, tools: Tools, *, policy: AttestationPolicy | None = None) -> None:
        self._rp_id = tools.settings.rp_id
        self._lifetime = tools.settings.transaction_lifetime
        self._policy = policy or AttestationPolicy.from_settings(tools.settings)
        self._registration = Registration(tools.settings, self._policy)
        self._assertion = Assertion(tools.settings, self._policy)

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        """One for each sort of passkey she has, the best first; with no user, the most there is."""
        if user is None:
            return (Offer(self.name, anybodys(self._policy)),)
        return offers_of(of_kind(credentials, self.name), self._policy)

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        """Ask for one of ``user``'s passkeys, or for any that names its own user.

        ``public``: ``options`` (request options, JSON), and ``autofill`` where the same options
        also serve conditional mediation. Whoever merely typed a name is nobody yet: a list would
        tell who is known here (WebAuthn L3 §14.6.2), and a passkey is found without one.
        """
        proved = user if task.login_name is None else None
        allowed = _allowed(proved, task) if proved else []
        pending = Pending.start(
            "get",
            now=now,
            lifetime=self._lifetime,
            user_verification=task.user_verification,
            user_id=proved.id if proved else None,
            allowed=tuple(bytes_to_base64url(each.id) for each in allowed) or None,
            binding=task.binding,
        )
        public: dict[str, Any] = {"options": self._assertion.options(pending, allowed)}
        if proved is None and task.login_name is None:
            public["autofill"] = True
        return Ceremony(public, pending.dump())

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        """Judge ``passkey_response`` and use its challenge up, whatever comes of it.

        Whom the ceremony was begun for must own the passkey. Where it was begun for nobody the
        passkey alone says who it is, whatever name was typed beside it.
        """
        try:
            return self._assertion.finish(Pending.load(secret, "get"), answer, now)
        except Deviation as deviation:
            found = refused(deviation.reason, "get")
            if deviation.reason is not Reason.UNKNOWN_CREDENTIAL:
                return found
            unknown = unknown_credential(self._rp_id, answer)
            return replace(found, public={"unknown": unknown} if unknown else {})

    def begin_enrolment(
        self,
        user: User,
        now: datetime,
        wish: Wish = ANY_WAY,
    ) -> Ceremony:
        """Ask for a new passkey. ``public``: ``options`` (creation options, JSON), ``upgrade``.

        Only a ``conditional`` one may be made without a gesture.
        """
        pending = Pending.start(
            "create",
            now=now,
            lifetime=self._lifetime,
            user_verification=wish.user_verification,
            user_id=user.id,
            conditional=wish.conditional,
        )
        options = self._registration.options(user, pending, platform=wish.prompted)
        public = {"options": options} | ({"upgrade": True} if wish.conditional else {})
        return Ceremony(public, pending.dump())

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        """Judge ``passkey_response`` and add the passkey, named and numbered.

        Without a proof where it was made without a gesture: a device did that, not a person.
        """
        try:
            pending = Pending.load(secret, "create")
            if pending.user_id != user.id:
                raise Deviation(Reason.NOT_PENDING)
            return self._registration.finish(user, pending, answer, now)
        except Deviation as deviation:
            return refused(deviation.reason, "create")

    def corroborated(self, credential_id: str) -> None:
        """From now on the UV flag of this passkey counts (WebAuthn L3 §7.2 step 24.3).

        For a passkey made without user verification whose proof carried the signal
        ``awaits_corroboration``, once the same sign-in also showed something known.
        """
        passkey = db.session.get_one(Credential, credential_id)
        db.session.execute(
            update(Credential)
            .where(Credential.id == credential_id, Credential.kind == self.name)
            .values(data={**passkey.data, "uv": True})
            .execution_options(synchronize_session="fetch")
        )


def _allowed(user: User, task: Task) -> list[PublicKeyCredentialDescriptor]:
    passkeys = passkeys_of(user.id)
    if task.user_verification == "required" or task.binding:
        passkeys = [each for each in passkeys if each.data["uv"]] or passkeys
    return [descriptor(each) for each in passkeys]
