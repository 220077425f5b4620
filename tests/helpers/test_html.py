from tests.helpers.html import find_object, parse

PAGE = """<!doctype html>
<html><head><title>Security &amp; you</title><style>p { color: red }</style>
<script type="application/json">{"a": [{"challenge": "x"}]}</script></head><body>
<svg><title>drawing</title></svg><h1>Your <em>account</em></h1>
<p>Read <a href="more">on <b>here</b></a>.</p>
<form action="?step=2" id="outer">
  <input name="name" value="Ana &amp; Bob"><input name="off" disabled value="x">
  <input type="checkbox" name="ticked" checked><input type="checkbox" name="unticked">
  <input type="radio" name="colour" value="red"><input type="radio" name="colour" value="blue" checked>
  <select name="size"><option value="s">S</option><option value="m" selected>M</option></select>
  <textarea name="note">
one
two</textarea>
  <button type="button">Show</button>
  <button formaction="/other" name="go" value="1"><svg><title>arrow</title></svg> Go on</button>
  <input type="submit" value="Save">
</form>
<form method="POST" action="/elsewhere"></form>
<input name="late" form="outer" value="z">
<div data-options='{"rpId": "idp.test"}' data-other="{broken"></div>
</body></html>"""  # noqa: E501

document = parse(PAGE, "https://idp.test/me/security?step=1")
form, elsewhere = document.forms


def test_text_is_what_a_reader_sees() -> None:
    assert document.title == "Security & you"
    assert document.headings == ["Your account"]
    assert document.text == "Your account Read on here . S M one two Show Go on"


def test_addresses_are_resolved() -> None:
    assert document.links == [("on here", "https://idp.test/me/more")]
    assert form.action == "https://idp.test/me/security?step=2"
    assert (elsewhere.action, elsewhere.method) == ("https://idp.test/elsewhere", "post")


def test_a_form_sends_what_a_browser_would() -> None:
    assert form.fields == {
        "name": "Ana & Bob",
        "ticked": "on",
        "colour": "blue",
        "size": "m",
        "note": "one\ntwo",
        "late": "z",
    }
    assert "unticked" in form.inputs
    assert "off" not in form.inputs


def test_only_buttons_that_submit_count() -> None:
    assert [(b.label, b.action, b.name) for b in form.buttons] == [
        ("Go on", "https://idp.test/other", "go"),
        ("Save", None, ""),
    ]
    assert form.button("Save").label == "Save"


def test_json_is_found_wherever_it_lies() -> None:
    assert find_object(document.data, "challenge") == {"challenge": "x"}
    assert find_object(document.data, "rpId") == {"rpId": "idp.test"}
    assert find_object(document.data, "nothing") is None
