"""Whom an application lets in, by the groups that it names."""

from idp.services.clients import RegisteredClient
from idp.services.profiles import names_of_groups


def is_for(client: RegisteredClient, user_id: str) -> bool:
    """Is the person in one of its ``allowed_groups``, if it names any?"""
    allowed = client.metadata.allowed_groups
    return not allowed or not names_of_groups(user_id).isdisjoint(allowed)
