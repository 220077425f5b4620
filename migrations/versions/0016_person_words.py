"""People found by how a word begins, however many there are."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

expands = True

BATCH = 1000
_WORD = re.compile(r"[^\W_]+")
_WEB = re.compile(r"https?://", re.IGNORECASE)

_users = sa.table(
    "users", sa.column("id"), sa.column("name"), sa.column("email"), sa.column("username")
)


_LEFT = """
DELETE FROM person_words
WHERE NOT EXISTS (SELECT FROM users WHERE users.id = person_words.user_id)
"""


def upgrade() -> None:
    word = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")
    is_shared = op.get_bind().dialect.name == "postgresql"
    words = op.create_table(
        "person_words",
        sa.Column("word", word, nullable=False),
        sa.Column("user_id", sa.String(length=22), nullable=False),
        *([] if is_shared else [_reference()]),
        sa.PrimaryKeyConstraint("word", "user_id", name=op.f("pk_person_words")),
    )
    for rows in _batches():
        op.bulk_insert(words, [row for one in rows for row in _rows(one)])
    op.create_index("ix_person_words_user_id", "person_words", ["user_id"])
    if is_shared:
        _refer()


def _reference() -> sa.ForeignKeyConstraint:
    name = op.f("fk_person_words_user_id")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE")


def _refer() -> None:
    """Last, for nobody can change an account meanwhile; and without whoever left before that."""
    op.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
    op.execute(_LEFT)
    name = op.f("fk_person_words_user_id")
    op.create_foreign_key(name, "person_words", "users", ["user_id"], ["id"], ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table("person_words")


def _batches() -> Iterator[list[Any]]:
    last = ""
    while True:
        some = sa.select(_users).where(_users.c.id > last).order_by(_users.c.id).limit(BATCH)
        rows = list(op.get_bind().execute(some))
        if not rows:
            return
        yield rows
        last = rows[-1].id


# As services.person_words and services.search_words had it when this was written: what they find
# later may be another matter, and theirs to bring about.


def _rows(user: Any) -> list[Mapping[str, str]]:
    found: dict[str, None] = {}
    for text in (user.email, user.username or "", user.name or ""):
        found |= dict.fromkeys(_words(text))
    return [{"user_id": user.id, "word": word} for word in list(found)[:200]]


def _words(text: str) -> Iterator[str]:
    apart = unicodedata.normalize("NFKD", _WEB.sub(" ", text))
    plain = "".join(one for one in apart if not unicodedata.combining(one)).casefold()
    folded = unicodedata.normalize("NFC", plain).strip()
    for word in _WORD.findall(folded) or [one for one in (folded,) if one]:
        yield word[:40]
        for place, letter in enumerate(word[1:], 1):
            if unicodedata.category(letter) == "Lo":
                yield word[place : place + 40]
