"""/api/v1/people/import: people from another program, all of them or nobody."""

from typing import Any, Final

from idp.services.people_files import MAX_BYTES, FirebaseKey, Unreadable, records
from idp.services.people_import import Problem as FoundProblem
from idp.services.people_import import carry_out, plan
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.problems import Problem, wrong
from idp.web.api.registry import operation
from idp.web.api.schema import FLAG, members, number, text

MOST_TOLD: Final = 100
FIREBASE: Final = members(
    {"signer_key": text(), "salt_separator": text()},
    {"rounds": number(at_least=1, at_most=8), "mem_cost": number(at_least=1, at_most=14)},
)


@operation(
    "POST",
    "/people/import",
    Area.PEOPLE,
    body=members(
        {"file": text(at_most=MAX_BYTES, about="The file's text: CSV, JSON, or an object a line.")},
        {
            "firebase": FIREBASE,
            "dry_run": {**FLAG, "description": "Look at it, and make nobody."},
        },
    ),
    answer=members({"count": number(about="How many accounts were made, or would be.")}),
)
def import_people(call: Call) -> Answer:
    """Take people over with their passwords' hashes, as ``idp users import`` does."""
    key = FirebaseKey(**call.body["firebase"]) if "firebase" in call.body else None
    try:
        planned = plan(records(call.body["file"].encode(), firebase=key), call.context)
    except Unreadable as error:
        raise wrong("file", str(error)) from error
    if planned.problems:
        errors = [_error(one) for one in planned.problems[:MOST_TOLD]]
        raise Problem(422, "Nobody was imported: mend these first.", errors=errors)
    if call.body.get("dry_run"):
        return Answer(body={"count": len(planned.ready)})
    return Answer(body={"count": carry_out(planned, call.context)})


def _error(one: FoundProblem) -> dict[str, Any]:
    return {"field": f"file[{one.place}].{one.field}", "message": one.sentence}
