"""Sender-constrained tokens: bound when they are issued, and checked when they are presented.

RFC 9449 (DPoP) and RFC 8705 section 3 (certificates), in the one place that knows both.
"""

from collections.abc import Collection
from typing import Final

from idp import audit
from idp.config import Settings
from idp.models import db
from idp.models.base import release
from idp.oidc.access_tokens import AccessTokens
from idp.oidc.direct import Direct
from idp.oidc.presented import DPOP, Presented, read_presented
from idp.protocol.errors import OAuthError
from idp.services import repeated
from idp.services.access import NOTHING_ELSE, LiveToken, Wanted
from idp.services.binding import Binding
from idp.services.clients import RegisteredClient
from idp.services.dpop import ALGORITHMS, Proof, Proofs, Replayed

ASKS_FOR_NONCE: Final = "use_dpop_nonce"
"""An error where nothing is wrong (RFC 9449 section 8): of no interest to the audit log."""


class Binder:
    """What the tokens that a request asks for are bound to."""

    def __init__(self, proofs: Proofs) -> None:
        self._proofs = proofs

    def __call__(self, direct: Direct, client: RegisteredClient) -> Binding:
        """The key and the certificate that the client showed with a direct request.

        A proof is used up in the caller's transaction. Raises ``OAuthError`` for a proof that
        does not hold, and where the client registered to be bound and showed nothing to bind to;
        these are audited and committed.
        """
        try:
            proof = self.proof_of(direct, client)
            binding = Binding(jkt=proof.jkt if proof else None, x5t=_x5t(direct, client))
            _insist(client, binding)
            self.spend(proof, direct)
        except OAuthError as error:
            _record_refusal(error, direct, client)
            raise
        return binding

    def proof_of(self, direct: Direct, client: RegisteredClient) -> Proof | None:
        """The proof that came with a direct request, if one came; it is not used up yet.

        Raises ``OAuthError``.
        """
        if direct.dpop is None:
            return None
        return _proof(self._proofs, direct, client.metadata.policy.algorithms)

    def spend(self, proof: Proof | None, direct: Direct) -> None:
        """Use up what ``proof_of`` found, in the caller's transaction. Raises ``Replayed``."""
        if proof is not None:
            self._proofs.spend(proof, direct.context.at)


def _x5t(direct: Direct, client: RegisteredClient) -> str | None:
    """RFC 8705 section 3.4: whoever shows a certificate is bound to it only where registered."""
    if not client.metadata.tls_client_certificate_bound_access_tokens:
        return None
    return direct.certificate.thumbprint if direct.certificate else None


def _insist(client: RegisteredClient, binding: Binding) -> None:
    # RFC 9449 section 5.2: no proof, no token, where the registration says so.
    if client.metadata.dpop_bound_access_tokens and binding.jkt is None:
        raise OAuthError("invalid_dpop_proof", "This client must send a DPoP proof.")
    if client.metadata.tls_client_certificate_bound_access_tokens and binding.x5t is None:
        raise OAuthError("invalid_request", "This client must show a certificate in TLS.")


def _record_refusal(error: OAuthError, direct: Direct, client: RegisteredClient) -> None:
    """Anybody can cause it who says a public client's id."""
    if error.error == ASKS_FOR_NONCE:
        return
    name = "dpop.replayed" if isinstance(error, Replayed) else "binding.refused"
    repeated.record(
        name,
        direct.context,
        alike=(client.id, error.error),
        client_id=client.id,
        reason=error.description,
    )
    db.session.commit()


class Holders:
    """Judges the access tokens that come to our own resources, and whoever brings them."""

    def __init__(self, settings: Settings, access_tokens: AccessTokens, proofs: Proofs) -> None:
        self._issuer = settings.issuer
        self._tls = settings.mtls_origin or settings.issuer
        self._access_tokens = access_tokens
        self._proofs = proofs

    def token(self, direct: Direct, wanted: Wanted = NOTHING_ELSE) -> LiveToken | None:
        """The token that a request brought, alive, for us, and of whoever sent it.

        None when it brought none. A DPoP proof is used up, and that is committed: before anything
        is done for it. Raises ``OAuthError`` by RFC 6750
        section 3.1 and RFC 9449 section 7.1.
        """
        presented = read_presented(direct)
        if presented is None:
            return None
        live = self._access_tokens.live(presented.token, direct.context.at, wanted)
        if live is None or self._issuer not in live.audience:
            raise _invalid_token("The access token is unknown, expired or revoked.")
        shown = direct.certificate.thumbprint if direct.certificate else None
        held = Binding(jkt=self._jkt(presented, live, direct), x5t=shown)
        if not held.covers(live.binding):
            reason, description = _misfit(live.binding, held, self._tls)
            _record(live, direct, "token.refused", reason=reason)
            raise _invalid_token(description)
        return live

    def _jkt(self, presented: Presented, live: LiveToken, direct: Direct) -> str | None:
        if presented.scheme != DPOP:
            return None  # a token that is bound to a key is then not covered: no downgrade
        if live.binding.jkt is None:
            raise _invalid_token("The access token is a bearer token.")
        try:
            proof = _proof(self._proofs, direct, ALGORITHMS, access_token=presented.token)
        except OAuthError as error:
            raise _unauthorized(error) from None
        if proof.jkt == live.binding.jkt:
            self._spend(proof, live, direct)
        return proof.jkt

    def _spend(self, proof: Proof, live: LiveToken, direct: Direct) -> None:
        try:
            self._proofs.spend(proof, direct.context.at)
        except Replayed as error:
            _record(live, direct, "dpop.replayed")
            raise _unauthorized(error) from None
        db.session.commit()


def _proof(
    proofs: Proofs,
    direct: Direct,
    algorithms: Collection[str],
    *,
    access_token: str | None = None,
) -> Proof:
    if direct.dpop is None:
        raise OAuthError("invalid_dpop_proof", "There must be one DPoP header with one proof.")
    return proofs.check(
        direct.dpop,
        method=direct.method,
        path=direct.path,
        now=direct.context.at,
        access_token=access_token,
        algorithms=[one for one in ALGORITHMS if one in algorithms],
    )


def _misfit(bound: Binding, held: Binding, asks: str) -> tuple[str, str]:
    """Why who holds ``held`` cannot use a token that is bound so: for the log, and for them.

    ``asks`` is the origin where certificates are asked for.
    """
    if bound.jkt is not None and held.jkt is None:
        does = "send it by the scheme DPoP, with a proof"
        return "without a proof", f"The access token is bound to a key: {does}."
    if bound.jkt not in (None, held.jkt):
        return "of another key", "The access token is bound to another key."
    if held.x5t is None:
        does = f"show it in TLS at {asks}"
        return "without its certificate", f"The access token is bound to a certificate: {does}."
    return "of another certificate", "The access token is bound to another certificate."


def _record(live: LiveToken, direct: Direct, name: str, **data: str) -> None:
    release()  # what was read may have been read only
    granted = live.granted
    audit.record(
        name,
        direct.context,
        user_id=granted.user_id,
        client_id=granted.client_id,
        session_id=granted.session_id,
        **data,
    )
    db.session.commit()


def _invalid_token(description: str) -> OAuthError:
    return OAuthError("invalid_token", description, status=401)


def _unauthorized(error: OAuthError) -> OAuthError:
    """The same at a resource, where RFC 9449 section 7.1 wants a 401."""
    return OAuthError(error.error, error.description, status=401)
