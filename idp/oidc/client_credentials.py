"""A client that acts for itself (RFC 6749 section 4.4)."""

from idp.oidc.grants import Grant
from idp.protocol.resources import read_resource
from idp.services.clients import RegisteredClient
from idp.services.grants import Redeemed


class ClientCredentialsGrant(Grant):
    """RFC 6749 section 4.4.2: the client's authentication is all that there is to redeem.

    No registration that can be read has it for a public client (``metadata_rules``).
    """

    GRANT_TYPE = "client_credentials"
    IDENTIFIES = False

    def redeem(self, client: RegisteredClient) -> Redeemed:
        """An access token of the client's own."""
        return self.desk.client_tokens.issue(
            client,
            scope=self.scope(),
            resource=read_resource(self.request.parameters),
            context=self.request.direct.context,
            binding=self.binding,
        )
