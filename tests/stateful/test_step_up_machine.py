"""No sequence of requests yields an ``acr``, ``amr`` or ``auth_time`` that nobody proved."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.helpers.databases import Databases
from tests.stateful.machine import Machine
from tests.stateful.town import Town

RUNS = 30
STEPS = 40


def test_whatever_happens_only_what_was_proved_is_said(databases: Databases) -> None:
    with databases.fresh("sqlite") as careful, databases.fresh("sqlite") as content:
        Machine.towns = (Town(careful, careful=True), Town(content, careful=False))
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=RUNS,
                stateful_step_count=STEPS,
                suppress_health_check=list(HealthCheck),
            ),
        )
