"""How often one caller may call our API: so that a script that runs wild disturbs nobody else."""

from datetime import datetime, timedelta
from typing import Final

from idp.models import db
from idp.secrecy import digest
from idp.services import counters
from idp.services.counters import Bucket

CALLS: Final = 600
WINDOW: Final = timedelta(minutes=1)


def called(caller: str, now: datetime) -> timedelta | None:
    """Count one call; how long to wait, where it is one too many. Commits."""
    bucket = Bucket(f"api.{digest(caller)}", CALLS, WINDOW)
    count, ends = counters.count([bucket], now)[bucket.key]
    db.session.commit()
    return ends - now if count > CALLS else None
