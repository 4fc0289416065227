"""A rule is changed while an alert is open: it ends without evidence, or goes on, and fires no second one."""

from __future__ import annotations

import pytest

from service.safety.site import Requirement, Scene, Zone
from tests.safety.films import worker
from tests.worker.plays import Play
from tests.worker.stores import Noting

WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def asking(*equipment: str) -> Scene:
    require = tuple(Requirement(equipment=one) for one in equipment)  # type: ignore[arg-type]
    return Scene(camera="gate", zones=(Zone(id="yard", polygon=WHOLE, require=require),))


@pytest.mark.parametrize(
    ("after", "kinds"),
    [(("helmet", "vest"), ["fired"]), (("vest",), ["fired", "lost_sight"])],
    ids=["asks for more", "asks for less"],
)
def test_an_open_alert_under_a_changed_rule(after: tuple[str, ...], kinds: list[str]) -> None:
    store = Noting()
    before = Play(lambda _: worker(helmet="no-helmet"), store, scene=asking("helmet"))
    before.run(before.frames(0, 8))
    changed = Play(lambda _: worker(helmet="no-helmet"), store, scene=asking(*after), clock=before.clock)
    changed.run(changed.frames(8.2, 45))
    assert [change.kind for change in store.changes] == kinds
    assert len({change.alert.id for change in store.changes}) == 1
