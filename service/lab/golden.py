"""The golden picture of some weights: made of nothing but the model and a seed, so that it is nobody's.

Two plain figures are drawn, one with helmet and vest and one without, and then bent by gradient descent until the
model sees on them what they are meant to show, through noise and at other brightness, and much less with red and blue
exchanged. What the service's own detector then sees is kept in the manifest (`detectors.golden` compares with it).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from service.detectors.golden import CELL, enlarged
from service.detectors.manifest import Golden, GoldenBox, Weights, WeightsError, read_weights, write_manifest
from service.detectors.openvino import OpenVinoDetector
from service.lab.export import ExportError
from service.lab.train import go_offline
from service.ports import Image
from service.safety.equipment import CLASSES

NAME: Final = "golden.png"
SEED: Final = 7
STEPS: Final = 60
KEPT: Final = 0.3
"""Boxes under this confidence are not kept: they are the first to go or come with another arithmetic."""
LEAST_SURE: Final = 0.6
"""Every class must be seen at least so sure, or the picture is no good test of the weights."""
_WIDTH: Final = 640
_HEIGHT: Final = 384
_Corners = tuple[float, float, float, float]
_PERSON: Final[_Corners] = (70, 24, 250, 372)
_HEAD: Final[_Corners] = (126, 24, 194, 96)
_TORSO: Final[_Corners] = (96, 100, 224, 232)
_ASIDE: Final = 320.0
"""Pixels from the figure that wears everything to the one that wears nothing."""


class GoldenError(ExportError):
    """No golden picture can be made of these weights."""


def keep_golden(manifest: Path) -> Golden:
    """Put a golden picture beside some weights, and what they see on it into their manifest.

    A picture that lies there already is kept when these weights see every class on it, too; else one is made, which
    takes a minute or some, and the extra `train`.

    Raises:
        WeightsError: a file that the manifest names is not there or another one; torch or ultralytics is not there.
        GoldenError: the weights do not see every class on what was made for them.
    """
    weights = read_weights(manifest, "onnx")
    file = manifest.with_name(NAME)
    content = file.read_bytes() if file.is_file() else b""
    boxes = _boxes(weights, content) if content else ()
    if _lacking(boxes):
        picture = _made(read_weights(manifest, "pt").path)
        content = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
        boxes = _boxes(weights, content)
    if lacking := _lacking(boxes):
        raise GoldenError(f"these weights do not see {', '.join(lacking)} on a picture that was made for them")
    part = file.with_name(f"{NAME}.part")
    part.write_bytes(content)
    part.replace(file)
    golden = Golden(picture=NAME, sha256=hashlib.sha256(content).hexdigest(), boxes=boxes)
    write_manifest(weights.manifest.model_copy(update={"golden": golden}), manifest)
    return golden


def _lacking(boxes: tuple[GoldenBox, ...]) -> list[str]:
    """Return the classes of which no box is sure enough."""
    sure = {box.name for box in boxes if box.confidence >= LEAST_SURE}
    return [name for name in CLASSES if name not in sure]


def _boxes(weights: Weights, content: bytes) -> tuple[GoldenBox, ...]:
    """Return what the service's own detector sees on a golden picture, in float32."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return ()
    detector = OpenVinoDetector(weights, precision="f32")
    try:
        seen = detector.detect(enlarged(np.asarray(picture, np.uint8)))
    finally:
        detector.close()
    kept = seen.where(seen.confidence >= KEPT)
    rows = zip(kept.class_id, kept.confidence, kept.boxes, strict=True)
    return tuple(
        GoldenBox(
            name=CLASSES[int(index)],
            confidence=round(float(sure), 4),
            box=tuple(round(float(edge), 1) for edge in box),
        )
        for index, sure, box in rows
    )


def _drawn() -> Image:
    """Draw two figures, at the size of the small picture: yellow helmet and orange vest; dark hair and a grey shirt."""
    picture = np.full((_HEIGHT // CELL, _WIDTH // CELL, 3), (150, 150, 140), np.uint8)
    picture[-8:] = (110, 120, 125)
    skin, trousers = (130, 160, 210), (90, 60, 40)
    for aside, hat, top in ((0.0, (40, 220, 250), (30, 120, 250)), (_ASIDE, (30, 40, 50), (120, 110, 100))):
        _fill(picture, (_PERSON[0] + 40, _TORSO[3], _PERSON[2] - 40, _PERSON[3]), trousers, aside)
        _fill(picture, (_PERSON[0], _TORSO[1], _PERSON[2], _TORSO[1] + 90), skin, aside)
        _fill(picture, _TORSO, top, aside)
        _fill(picture, _HEAD, skin, aside)
        _fill(picture, (_HEAD[0], _HEAD[1], _HEAD[2], _HEAD[1] + 36), hat, aside)
    _fill(picture, (_TORSO[0], _TORSO[1] + 60, _TORSO[2], _TORSO[1] + 76), (230, 240, 240), 0.0)
    return picture


def _fill(picture: Image, corners: _Corners, colour: tuple[int, int, int], aside: float) -> None:
    x1, y1, x2, y2 = (round((edge + aside * (index % 2 == 0)) / CELL) for index, edge in enumerate(corners))
    picture[y1:y2, x1:x2] = colour


def _meant() -> list[tuple[int, _Corners]]:
    """Return what the figures are meant to show: class and corners, in pixels of the enlarged picture."""
    beside = [(x1 + _ASIDE, y1, x2 + _ASIDE, y2) for x1, y1, x2, y2 in (_PERSON, _HEAD, _TORSO)]
    named = zip(
        ("person", "helmet", "vest", "person", "no-helmet", "no-vest"), (_PERSON, _HEAD, _TORSO, *beside), strict=True
    )
    return [(CLASSES.index(name), corners) for name, corners in named]


def _made(pt: Path) -> Image:
    """Bend the drawn picture until the model sees what it is meant to show."""
    go_offline()
    try:
        import torch
        from ultralytics import YOLO
        from ultralytics.utils import IterableSimpleNamespace
        from ultralytics.utils.loss import v8DetectionLoss
    except ImportError as error:
        raise WeightsError("a golden picture needs the extra 'train' (pip install 'ppe-monitor[train]')") from error
    torch.manual_seed(SEED)
    model = YOLO(str(pt), task="detect").model.float().eval()
    for weight in model.parameters():
        weight.requires_grad_(False)
    model.args = IterableSimpleNamespace(box=7.5, cls=1.0, dfl=1.5)
    wanted, batch = v8DetectionLoss(model), _batch(torch)
    start = torch.from_numpy(_drawn()[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
    bent = torch.logit(start.clamp(0.02, 0.98)).requires_grad_()
    descent = torch.optim.Adam([bent], lr=0.15)
    for _ in range(STEPS):
        small = torch.sigmoid(bent)
        large = torch.nn.functional.interpolate(small, scale_factor=CELL, mode="bilinear", align_corners=False)
        light = 1 + 0.1 * (2 * torch.rand(()) - 1)
        shown = (large * light + 0.02 * torch.randn_like(large)).clamp(0, 1)
        seen = model(shown)
        loss = wanted(seen, batch)[0].sum()
        exchanged = model(large.flip(1))[0][:, 4:-1]  # people may stay people, in whatever colours
        rough = small.diff(dim=2).abs().mean() + small.diff(dim=3).abs().mean()
        descent.zero_grad()
        (loss + 0.5 * exchanged.amax(dim=2).sum() + 2.0 * rough).backward()
        descent.step()
    done = (torch.sigmoid(bent)[0].permute(1, 2, 0).detach() * 255).round().to(torch.uint8).numpy()
    return np.ascontiguousarray(done[..., ::-1])


def _batch(torch: Any) -> dict[str, Any]:
    """Return what is meant, as ultralytics' loss takes it."""
    meant = _meant()
    boxes = [
        ((x1 + x2) / 2 / _WIDTH, (y1 + y2) / 2 / _HEIGHT, (x2 - x1) / _WIDTH, (y2 - y1) / _HEIGHT)
        for _, (x1, y1, x2, y2) in meant
    ]
    return {
        "batch_idx": torch.zeros(len(meant)),
        "cls": torch.tensor([[float(index)] for index, _ in meant]),
        "bboxes": torch.tensor(boxes),
    }
