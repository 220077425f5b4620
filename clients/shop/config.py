"""What the shop has to be told: read from the environment, with what suits the demo for a rest."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Addresses are without a slash at the end. ``algorithm`` signs our ID tokens, as registered.

    ``resource`` is what the ledger's tokens are for (RFC 8707), ``ledger`` where it answers.
    ``account_url`` is where people look after their passkeys and passwords.
    """

    issuer: str
    client_id: str
    client_secret: str
    url: str
    ledger: str
    resource: str
    account_url: str
    algorithm: str = "ES256"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Config":
        """From the environment. Ends the program when there is no client secret."""
        url = f"http://localhost:{environ.get('PORT', '9000')}"
        issuer = environ.get("OIDC_ISSUER", "http://localhost:8000")
        return cls(
            issuer=issuer,
            client_id=environ.get("OIDC_CLIENT_ID", "shop"),
            client_secret=_read_secret(environ),
            url=environ.get("SHOP_URL", url),
            ledger=environ.get("LEDGER_URL", "http://localhost:9001"),
            resource=environ.get("LEDGER_AUDIENCE", "http://localhost:9001"),
            account_url=environ.get("OIDC_ACCOUNT_URL", f"{issuer}/me"),
            algorithm=environ.get("OIDC_ALGORITHM", "ES256"),
        )


def _read_secret(environ: Mapping[str, str]) -> str:
    if secret := environ.get("OIDC_CLIENT_SECRET"):
        return secret
    file = Path(environ.get("OIDC_CLIENT_SECRET_FILE", HERE / "client.secret"))
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        sys.exit(f"{file} cannot be read: `idp clients apply {HERE}/client.toml` writes it")
