"""Short-lived, single-use values: links in mails, codes, pushed requests, replay marks."""

from idp.state.store import mark, peek, put, supersede, take

__all__ = ["mark", "peek", "put", "supersede", "take"]
