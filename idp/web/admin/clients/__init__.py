"""The console's applications: the list, the wizard, and one application's tabs."""

from idp.web.admin.clients import (
    access,
    claims,
    connect,
    danger,
    details,
    listing,
    overview,
    refused,
    secrets,
    trial,
    wizard,
)

__all__ = [
    "access",
    "claims",
    "connect",
    "danger",
    "details",
    "listing",
    "overview",
    "refused",
    "secrets",
    "trial",
    "wizard",
]
