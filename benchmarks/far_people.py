"""What a second look and tiles give when people are far, and what they cost: nine evaluation pictures in one.

Pictures with truth, side by side in walls of three by three, each as large as it came: the model sees everybody a third
as tall. One look at the whole, with a second look, with tiles and with both, on the same walls in the same run. People
count from 100 pixels of the wall on; milliseconds are the median of one wall after the other.

python -m benchmarks.far_people --data FOLDER [--out FILE]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.figures import tell
from service.detectors.opening import open_detector, tiled
from service.lab.counting import Judged, tallies
from service.lab.dataset.cards import read_card
from service.lab.dataset.prepare import Source
from service.lab.looking import look
from service.lab.truth import TruthPerson, TruthPicture
from service.pictures.decode import PictureLimits, read_picture
from service.ports import Image
from service.safety.detections import Detections, empty
from service.safety.wearing import sightings
from service.settings import Settings, shipped

CARDS = ("construction-site-safety", "construction-safety-rf100")
SIDE = 3
VARIANTS = {"one look": (0, 1), "second look": (4, 1), "3 tiles": (0, 3), "3 tiles, second look": (4, 3)}
"""People looked at again (a tile, where there are tiles), tiles along the longer side."""


class Nothing:
    """Sees nothing: truth and pictures are all that is wanted of `look`."""

    def detect(self, image: Image) -> Detections:
        return empty(image.shape[1], image.shape[0])


def walls(data: Path) -> Iterator[tuple[TruthPicture, Image]]:
    """Yield walls of pictures with everybody on them; what fills no wall is left out."""
    for name in CARDS:
        source = Source(read_card(shipped("datasets") / f"{name}.toml"), data / name)
        truth = shipped("datasets") / "truth" / f"{name}.jsonl"
        seen = [one for split in ("valid", "test") for one in look(Nothing(), source, truth, split)]  # type: ignore[arg-type]
        for start in range(0, len(seen) - SIDE * SIDE + 1, SIDE * SIDE):
            yield _wall([(one.truth, one.path) for one in seen[start : start + SIDE * SIDE] if one.path])


def _wall(pictures: list[tuple[TruthPicture, Path]]) -> tuple[TruthPicture, Image]:
    width = max(truth.width for truth, _ in pictures)
    height = max(truth.height for truth, _ in pictures)
    image = np.full((SIDE * height, SIDE * width, 3), 114, np.uint8)
    people: list[TruthPerson] = []
    for index, (truth, path) in enumerate(pictures):
        left, top = index % SIDE * width, index // SIDE * height
        image[top : top + truth.height, left : left + truth.width] = read_picture(path.read_bytes(), PictureLimits())
        for person in truth.people:
            x1, y1, x2, y2 = person.box
            people.append(
                TruthPerson((x1 + left, y1 + top, x2 + left, y2 + top), person.helmet, person.vest, person.how)
            )
    first = pictures[0][0]
    wall = TruthPicture(first.picture, first.split, first.sha256, image.shape[1], image.shape[0], tuple(people))
    return wall, image


def measure(data: Path) -> dict[str, object]:
    shown = list(walls(data))
    results: dict[str, object] = {"walls": len(shown), "people": sum(len(truth.people) for truth, _ in shown)}
    for name, (again, across) in VARIANTS.items():
        detector = tiled(open_detector(Settings(second_look=again)), across)
        detector.detect(shown[0][1])
        judged, spent = [], []
        for truth, image in shown:
            began = time.perf_counter()
            detections = detector.detect(image)
            spent.append(time.perf_counter() - began)
            judged.append(Judged(truth, sightings(detections, detector.model.thresholds), 1.0))
        detector.close()
        results[name] = {"ms_a_frame": round(1000 * statistics.median(spent)), **tallies(judged, 100)}
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tell(measure(options.data), options.out)


if __name__ == "__main__":
    main()
