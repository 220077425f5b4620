"""What several factors do with rows: keep a person's changes apart, and one row at most once."""

from collections.abc import Sequence
from typing import Final, cast

from sqlalchemy import Table, bindparam, delete, select

from idp.models import Credential, User, db
from idp.models.plain import Plain

_credentials: Final = cast("Table", Credential.__table__)
HELD: Final = Plain(select(_credentials).where(_credentials.c.user_id == bindparam("user")))
"""Everything that a person holds, as values: nothing that is done to them is stored."""


def held_by(user: User) -> Sequence[Credential]:
    """The same for ``user``, as it was read with her by whoever found her so (``persons``)."""
    found: Sequence[Credential] | None = getattr(user, "held", None)
    return HELD.all({"user": user.id}) if found is None else found


def hold(user_id: str) -> None:
    """Make other transactions that hold the same person wait until this one ends.

    For changes that must see each other whole, such as replacing a set of rows. On SQLite every
    writing transaction is alone already. NO KEY UPDATE, so that inserting a row which refers to
    the person does not wait.
    """
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def delete_all(user_id: str, kind: str) -> None:
    """Delete this person's credentials of one kind."""
    db.session.execute(
        delete(Credential)
        .where(Credential.user_id == user_id, Credential.kind == kind)
        .execution_options(synchronize_session="fetch")
    )
