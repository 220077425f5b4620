"""Tables, one noun a file. Nothing here knows a rule; it only keeps."""

from idp.models.audit import AuditEvent
from idp.models.base import db, only_reads, reading, release
from idp.models.client import Client, ClientSecret, ClientWord, RegistrationToken
from idp.models.counter import Counter
from idp.models.credential import Credential
from idp.models.device_request import DeviceRequest
from idp.models.entry import Entry
from idp.models.fact import Fact
from idp.models.grant import AccessToken, Consent, Grant, RefreshToken
from idp.models.ids import new_id, new_id_at
from idp.models.key import SigningKey
from idp.models.outbox import OutboxMessage
from idp.models.picture import Picture
from idp.models.secret import StoredSecret
from idp.models.session import BrowserSession, EvidenceRow, SessionClient
from idp.models.setting import ChangedSetting
from idp.models.transaction import Transaction
from idp.models.user import Group, PersonWord, User, membership

__all__ = [
    "AccessToken",
    "AuditEvent",
    "BrowserSession",
    "ChangedSetting",
    "Client",
    "ClientSecret",
    "ClientWord",
    "Consent",
    "Counter",
    "Credential",
    "DeviceRequest",
    "Entry",
    "EvidenceRow",
    "Fact",
    "Grant",
    "Group",
    "OutboxMessage",
    "PersonWord",
    "Picture",
    "RefreshToken",
    "RegistrationToken",
    "SessionClient",
    "SigningKey",
    "StoredSecret",
    "Transaction",
    "User",
    "db",
    "membership",
    "new_id",
    "new_id_at",
    "only_reads",
    "reading",
    "release",
]
