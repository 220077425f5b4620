"""An application asked for more, or more often, than is taken from it at a time."""

from idp.protocol.errors import OAuthError
from idp.services.throttle import Wait


class NotNow(OAuthError):
    """Too many tries; ``retry_after`` says when there may be another.

    RFC 6585 section 4, and RFC 9126 section 2.3, which has the status for pushed requests.
    """

    def __init__(self, wait: Wait, description: str) -> None:
        super().__init__("temporarily_unavailable", description, redirectable=False, status=429)
        self.retry_after = wait.retry_after

    @property
    def header(self) -> tuple[str, str]:
        """``Retry-After``, in seconds; at least one."""
        return "Retry-After", str(max(1, int(self.retry_after.total_seconds())))
