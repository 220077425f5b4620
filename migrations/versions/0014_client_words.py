"""Clients found by how a word begins, however many there are."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

expands = True

BATCH = 500
_WORD = re.compile(r"[^\W_]+")
_WEB = re.compile(r"https?://", re.IGNORECASE)

_clients = sa.table(
    "clients", sa.column("id"), sa.column("name"), sa.column("registration", sa.JSON())
)


def upgrade() -> None:
    word = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")
    words = op.create_table(
        "client_words",
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("word", word, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_words_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "word", name=op.f("pk_client_words")),
    )
    for rows in _batches():
        op.bulk_insert(words, [row for one in rows for row in _rows(one)])
    op.create_index("ix_client_words_word_client_id", "client_words", ["word", "client_id"])


def downgrade() -> None:
    op.drop_table("client_words")


def _batches() -> Iterator[list[Any]]:
    last = ""
    while True:
        some = sa.select(_clients).where(_clients.c.id > last).order_by(_clients.c.id).limit(BATCH)
        rows = list(op.get_bind().execute(some))
        if not rows:
            return
        yield rows
        last = rows[-1].id


# As services.client_words and services.search_words had it when this was written: what they find
# later may be another matter, and theirs to bring about.


def _rows(client: Any) -> list[Mapping[str, str]]:
    uris = client.registration.get("redirect_uris") or ()
    found: dict[str, None] = {}
    for text in (client.name, client.id, *uris):
        found |= dict.fromkeys(_words(text))
    return [{"client_id": client.id, "word": word} for word in list(found)[:200]]


def _words(text: str) -> Iterator[str]:
    apart = unicodedata.normalize("NFKD", _WEB.sub(" ", text))
    plain = "".join(one for one in apart if not unicodedata.combining(one)).casefold()
    folded = unicodedata.normalize("NFC", plain)
    for word in _WORD.findall(folded) or [folded]:
        yield word[:40]
        for place, letter in enumerate(word[1:], 1):
            if unicodedata.category(letter) == "Lo":
                yield word[place : place + 40]
