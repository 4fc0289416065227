"""The composition root: settings and a site file become objects. The only package that knows every room.

Rooms are imported where they are needed: who serves pictures only must not pay for cameras, store and delivery.
"""

from service.wiring.cameras import bad_sources
from service.wiring.faults import WiringError
from service.wiring.judging import FilmError, judge_film, open_monitor, open_replay
from service.wiring.self_testing import self_test_of, self_tested
from service.wiring.serving import open_app, picture_limits
from service.wiring.watching import Running, limits, watching

__all__ = [
    "FilmError",
    "Running",
    "WiringError",
    "bad_sources",
    "judge_film",
    "limits",
    "open_app",
    "open_monitor",
    "open_replay",
    "picture_limits",
    "self_test_of",
    "self_tested",
    "watching",
]
