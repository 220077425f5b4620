"""The seam every factor fits: one module, one template, one line in ``idp.factors.FACTORS``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, Protocol, runtime_checkable

from idp.assurance import Offer, Trait
from idp.clock import Clock
from idp.config import Settings
from idp.frozen import made_often
from idp.models import Credential, User
from idp.secrecy import Box

UserVerification = Literal["required", "preferred", "discouraged"]
Answer = Mapping[str, str]
"""What the person sent: form fields, or the members of a JSON body, as text."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a factor is built with."""

    settings: Settings
    box: Box
    clock: Clock


@made_often
@dataclass(frozen=True, slots=True)
class Task:
    """What the ceremony at hand has to achieve, and for whom it is shown.

    ``user_verification`` is what the decision asks of an authenticator. ``binding`` is the digest
    of an operation that the proof must cover, where one is being confirmed. ``login_name`` is the
    address typed before anybody was identified. ``app`` and ``user_agent`` go into mails.
    """

    transaction_id: str
    user_verification: UserVerification = "preferred"
    binding: str | None = None
    login_name: str | None = None
    app: str | None = None
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """How something new is to be set up.

    ``prompted``: we proposed it, so it is for this device. ``conditional``: it may come about
    along a sign-in, without a gesture of the person's.
    """

    user_verification: UserVerification = "preferred"
    prompted: bool = False
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to be sent: the template ``mail/<template>``, to whom, with what.

    A ``decoy`` costs the same work and is never sent: so an address that nobody has cannot be
    told from one that somebody has.
    """

    template: str
    to: str
    values: Mapping[str, Any] = field(default_factory=dict)
    not_after: datetime | None = None
    decoy: bool = False


UNIQUE: Final = "challenge"
"""A member of ``Ceremony.public``, at any depth, that is text and differs each time.

Pages pass it on and never look into it: the first page of a sign-in is rendered around it.
"""


@made_often
@dataclass(frozen=True, slots=True)
class Ceremony:
    """One round of asking: ``public`` goes to the page, ``secret`` stays with the transaction."""

    public: Mapping[str, Any] = field(default_factory=dict)
    secret: Mapping[str, Any] = field(default_factory=dict)
    mail: Mail | None = None


NOTHING: Final = Ceremony()
"""Of a factor that prepares nothing, so that there is nothing to be kept either."""


@made_often
@dataclass(frozen=True, slots=True)
class Proof:
    """What this attempt showed, of whom, by which credential; ``signals`` go to the audit log."""

    user_id: str
    credential_id: str | None
    proves: frozenset[Trait]
    amr: tuple[str, ...]
    signals: Mapping[str, Any] = field(default_factory=dict)
    notice: str | None = None
    """A sentence that the person is told by mail, where its use is rare enough to be told."""
    held: Sequence[Credential] | None = field(default=None, repr=False, compare=False)
    """All that she holds, where it was read as the proof was claimed, for nobody to look again."""


LEFT_EMPTY: Final = "missing"
"""The reason of a refusal where nothing was sent in the field."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The attempt failed. ``reason`` is for the audit log, ``message`` for the person.

    ``counts`` says whether it was a guess, which throttling must count, or only a mishap.
    ``at_field`` is the form field that the message belongs to. ``spent`` says that the ceremony
    is over with it, so that another attempt needs a new challenge.
    """

    reason: str
    message: str
    at_field: str | None = None
    counts: bool = True
    spent: bool = True
    public: Mapping[str, Any] = field(default_factory=dict)
    """What the page of another try is told beside the new ceremony's public part."""
    to_known: str | None = None
    """The message where the person is known already, so that no address was asked for."""
    alone: str | None = None
    """The message where the page offers no other way. None: it speaks of none anyway."""
    reference: str | None = None
    """Finds it in the audit log. The message has a gap of that name for it."""

    @property
    def was_tried(self) -> bool:
        """Was there an answer? What was left empty is no attempt: it is named, and not recorded."""
        return self.reason != LEFT_EMPTY


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A credential that now counts, what its making proved, and what to show once."""

    credential: Credential
    proof: Proof | None = None
    show_once: Mapping[str, Any] = field(default_factory=dict)


ANY_WAY = Wish()


class Factor(Protocol):
    """One way to prove it. It has no effect beyond its own credential rows.

    ``user`` is None when nobody has been identified: then a factor either names its own user (a
    discoverable passkey), or answers exactly as it would for a person it knows (a password).
    """

    name: ClassVar[str]
    """URL segment, template, credential kind and audit label."""
    can_prove: ClassVar[frozenset[Trait]]
    """The most it can ever show."""
    enrolable: ClassVar[bool]
    """May it be set up in the middle of a step-up?"""
    answer_fields: ClassVar[frozenset[str]]
    """The fields an answer comes in; a submission with none of them asks to begin."""
    names_its_user: ClassVar[bool]
    """Can it tell who somebody is without an address having been typed?"""
    phrase: ClassVar[str]
    """How a sentence calls it: "You signed in with …"."""
    on_request: ClassVar[bool]
    """Does beginning do something (send a mail)? Then only a POST begins it, never a page view."""

    def __init__(self, tools: Tools) -> None: ...

    def offers(self, user: User | None, credentials: Sequence[Credential]) -> tuple[Offer, ...]:
        """What it can show for this person now; ``credentials`` are all of hers, of every kind.

        One for each sort of credential, as what two keys show is shown by neither; none when she
        cannot use it. With no user: what anybody might show with it.
        """

    def begin(self, user: User | None, task: Task, now: datetime) -> Ceremony:
        """Start asking."""

    def verify(
        self, user: User | None, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Proof | Refused:
        """Judge one answer. A single use is claimed here, in the caller's transaction."""

    def begin_enrolment(self, user: User, now: datetime, wish: Wish = ANY_WAY) -> Ceremony:
        """Start setting it up."""

    def finish_enrolment(
        self, user: User, secret: Mapping[str, Any], answer: Answer, now: datetime
    ) -> Enrolled | Refused:
        """Finish setting it up; the credential is added to the caller's transaction."""


@runtime_checkable
class Corroborable(Protocol):
    """A factor whose proof may show a trait for the first time, and not be believed at once.

    Such a proof carries the signal ``awaits_corroboration``.
    """

    def corroborated(self, credential_id: str) -> None:
        """The same sign-in showed something known as well: from now on the trait counts."""


@runtime_checkable
class Correctable(Protocol):
    """A factor whose answer is long, so that a slip in it is mended and not typed all over."""

    corrected_field: ClassVar[str]
    """What stays as it was typed where it was refused."""


@runtime_checkable
class Laborious(Protocol):
    """A factor whose check takes so long that only so many are made at once."""

    @property
    def crowded(self) -> bool:
        """Would ``verify`` raise ``Busy`` for whoever comes now? Then it need not be called."""


def of_kind(credentials: Sequence[Credential], kind: str) -> list[Credential]:
    """Those of one kind that are still of use."""
    return [one for one in credentials if one.kind == kind and one.used_at is None]


__all__ = [
    "ANY_WAY",
    "LEFT_EMPTY",
    "NOTHING",
    "Answer",
    "Ceremony",
    "Correctable",
    "Corroborable",
    "Enrolled",
    "Factor",
    "Laborious",
    "Mail",
    "Proof",
    "Refused",
    "Task",
    "Tools",
    "UserVerification",
    "Wish",
    "of_kind",
]
