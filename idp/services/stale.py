"""Lost updates: what somebody changed since a form showed it is not written over unseen."""


class Stale(Exception):
    """It was changed since it was looked at, and nothing was changed now: look again."""
