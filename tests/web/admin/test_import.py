"""People imported in the console: looked at first, confirmed, and signed in with an old hash."""

import csv
import io

import pytest

from idp.services.people_files import MAX_BYTES
from idp.web.sizes import IMPORT_FORM
from tests.helpers.foreign_people import EXPORTS
from tests.helpers.house import House, Person
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events, newcomer, shown, signed_in, user_of


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


def upload(admin: UserAgent, content: bytes) -> Page:
    page = admin.page("/admin/people/import")
    answer = admin.client.post(
        page.url,
        data={"csrf_token": page.form("/import").fields["csrf_token"]},
        files={"file": ("people.json", content)},
        headers={"Origin": admin.home},
    )
    if answer.status_code != 303:
        return Page(answer)
    return admin.page(answer.headers["Location"])


def test_nothing_given_is_asked_for(admin: UserAgent) -> None:
    for content in (b"", b" \n"):
        page = upload(admin, content)
        assert page.status == 422
        assert "Choose a file or paste text." in page.document.text


def test_what_cannot_be_read_is_told_where_it_was_given(admin: UserAgent) -> None:
    assert 'href="#file"' in upload(admin, b"neither, nor").response.text
    page = admin.page("/admin/people/import")
    page = shown(admin.submit(page, page.form("/import"), {"people": "neither, nor"}))
    assert 'href="#people"' in page.response.text
    assert page.response.text.count("The first line must name columns") == 2
    assert page.form("/import").fields["people"] == "neither, nor"


def test_looked_at_confirmed_and_signed_in_with_an_old_hash(town: House, admin: UserAgent) -> None:
    export = EXPORTS["Django, PBKDF2 with SHA-256"]
    preview = upload(admin, export.content)
    assert "1 account will be made." in preview.document.text
    assert "pbkdf2" not in preview.response.text
    with town.app.app_context():
        assert town.services.accounts.find_by_login(export.email) is None
    done = shown(admin.submit(preview, preview.form("/import/confirm")))
    assert "1 account is made." in done.document.text
    with town.app.app_context():
        user = town.services.accounts.find_by_login(export.email)
        assert user is not None
        person = Person(user.id, user.email, export.password)
    signed_in(town, town.client(consent="never"), person)
    assert events(town, event="people.imported")[0].actor_id
    assert admin.page("/admin/people/import/preview").path == "/admin/people/import"


def test_problems_are_told_by_record_and_nobody_is_made(town: House, admin: UserAgent) -> None:
    rows = b"email,password_hash\nfine@example.com,\nbroken,\nx@example.com,md5$1\n"
    preview = upload(admin, rows)
    assert "2 problems are in the way." in preview.document.text
    assert 'data-label="Record"' in preview.response.text  # on a narrow screen there is no head
    assert "is of a kind that is not known here" in preview.document.text
    with pytest.raises(LookupError):
        preview.form("/import/confirm")
    with town.app.app_context():
        assert town.services.accounts.find_by_login("fine@example.com") is None


def test_what_others_took_since_it_was_looked_at_is_seen_when_it_is_confirmed(
    town: House, admin: UserAgent
) -> None:
    preview = upload(admin, b"email,name\nfirst@example.com,First\nlate@example.com,Late\n")
    assert "2 accounts will be made." in preview.document.text
    town.person("late@example.com")
    again = admin.page("/admin/people/import/preview")
    assert again.document.text == preview.document.text
    refused = shown(admin.submit(preview, preview.form("/import/confirm")))
    assert "1 problem is in the way." in refused.document.text
    assert "late@example.com" not in refused.document.text
    with town.app.app_context():
        assert town.services.accounts.find_by_login("first@example.com") is None


def test_what_is_no_file_of_people_is_refused(admin: UserAgent) -> None:
    refused = upload(admin, b"\xff\xfe")
    assert refused.status == 422
    assert "The file is not UTF-8 text." in refused.document.text


def test_everybody_is_exported_without_anything_secret(town: House, admin: UserAgent) -> None:
    eve = town.person("=2+5@example.com", groups=["a", "b"])
    newcomer(town)
    answer = admin.client.get("/admin/people.csv")
    rows = {row["email"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert rows[f"'{eve.email}"]["groups"] == "a;b"
    assert "argon2" not in answer.text + admin.client.get("/admin/people.json").text
    assert events(town, event="people.exported")[0].actor_id
    with town.app.app_context():
        assert user_of(town.services, eve).email in admin.client.get("/admin/people.json").text


def large_file() -> bytes:
    """As much as a file may have, nearly, in few records: names that are too long."""
    rows = [f"many{number}@example.com,{'é' * 60_000}" for number in range(MAX_BYTES // 121_000)]
    return "\n".join(["email,name", *rows]).encode()


def test_a_file_may_be_as_large_as_files_of_people_may(admin: UserAgent) -> None:
    content = large_file()
    assert MAX_BYTES * 0.8 < len(content) <= MAX_BYTES
    preview = upload(admin, content)
    assert "138 problems are in the way." in preview.document.text


def test_nobody_else_may_send_so_much(town: House) -> None:
    for agent, status in ((town.browser(), 413), (signed_in_as(town, "auditor"), 413)):
        files = {"file": ("people.json", large_file())}
        sent = agent.client.post("/admin/people/import", files=files)
        assert sent.status_code == status


def test_what_is_larger_still_is_refused(admin: UserAgent) -> None:
    refused = upload(admin, b"x" * (IMPORT_FORM + 1))
    assert refused.status == 413
