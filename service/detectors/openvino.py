"""Detect with OpenVINO: the default, on a CPU or an integrated GPU, without torch.

One compiled model per input shape (compiled when first needed, the least used one of more than four dropped), one
worker a stream, each with inference requests of its own. Nothing is batched: on a CPU a batch gains nothing.
"""

from __future__ import annotations

import ast
import copy
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import openvino as ov
from openvino.preprocess import ColorFormat, PrePostProcessor

from service.detectors.boxes import Raw, detections_from
from service.detectors.letterbox import Fit, Shape, best_shape, letterbox
from service.detectors.manifest import Weights, WeightsError, check_classes
from service.ports import DetectorClosed, Image, Model
from service.safety.detections import Detections

# OpenVINO fills its table of types when it is first asked; two threads that ask first at once wait for each other for
# ever, holding the interpreter. So it is asked here, while the module is imported.
ov.Type.u8.to_dtype()

Precision = Literal["auto", "f32", "bf16"]
Decode = Callable[[Raw, Fit, int, int], Detections]
"""From raw output, how the picture was placed, and its width and height (`boxes.detections_from`)."""
MOST_COMPILED: Final = 4


class OpenVinoDetector:
    """`ports.Detector` on an exported ONNX graph.

    Args:
        weights: verified weights with an ONNX file.
        device: OpenVINO's device name, such as CPU or GPU.
        precision: ``auto`` computes in bfloat16 where the CPU does so natively and in float32 elsewhere.
        threads: CPU threads; 0 takes all cores.
        streams: pictures in work at once.
        decode: makes detections of a picture's raw output.
        passed: is told of each pass of the model, with its seconds.

    Raises:
        WeightsError: the graph can't be read, or its classes are not the rules'.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        device: str = "CPU",
        precision: Precision = "auto",
        threads: int = 0,
        streams: int = 2,
        decode: Decode = detections_from,
        passed: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._model = weights.model
        self._shapes: tuple[Shape, ...] = weights.manifest.input_shapes
        self._decode = decode
        self._passed = passed
        self._core = ov.Core()
        self._device = device
        self._options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if precision != "auto":
            self._options["INFERENCE_PRECISION_HINT"] = precision
        if threads:
            self._options["INFERENCE_NUM_THREADS"] = threads
        self._graph = _graph(self._core, weights.path)
        self._compiled: OrderedDict[Shape, ov.CompiledModel] = OrderedDict()
        self._compiling = threading.Lock()
        self._requests = threading.local()
        self._workers = ThreadPoolExecutor(streams, thread_name_prefix="detect")
        self._closed = False

    @property
    def model(self) -> Model:
        """The weights that run."""
        return self._model

    def submit(self, image: Image) -> Future[Detections]:
        """Start detecting on `image` ((h, w, 3) uint8 BGR)."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"expected a (height, width, 3) uint8 picture, got {image.shape} {image.dtype}")
        try:
            return self._workers.submit(self._run, image)
        except RuntimeError as error:
            raise DetectorClosed("this detector was closed") from error

    def detect(self, image: Image) -> Detections:
        """Detect on `image` and wait for the answer."""
        return self.submit(image).result()

    def close(self) -> None:
        """Finish what runs, then refuse."""
        self._workers.shutdown(wait=True)
        with self._compiling:
            self._compiled.clear()

    def with_inputs(self, *shapes: Shape) -> OpenVinoDetector:
        """Return a detector for other inputs (height, width) that shares all else: engine, memory, workers, its end."""
        twin = copy.copy(self)
        twin._shapes = shapes
        return twin

    def _run(self, image: Image) -> Detections:
        height, width = image.shape[:2]
        shape = best_shape(width, height, self._shapes)
        placed, fit = letterbox(image, shape)
        request = self._request(shape)
        began = time.perf_counter()
        request.infer([placed[None]], share_inputs=True)
        self._passed(time.perf_counter() - began)
        raw: Raw = request.get_output_tensor(0).data[0]
        return self._decode(raw, fit, width, height)

    def _request(self, shape: Shape) -> ov.InferRequest:
        """Return this thread's inference request for a shape; anew when the shape was compiled again since."""
        compiled = self._compiled_for(shape)
        own: dict[Shape, tuple[ov.CompiledModel, ov.InferRequest]] = self._requests.__dict__.setdefault("own", {})
        for known in [known for known in own if known not in self._compiled]:
            del own[known]
        if shape not in own or own[shape][0] is not compiled:
            own[shape] = (compiled, compiled.create_infer_request())
        return own[shape][1]

    def _compiled_for(self, shape: Shape) -> ov.CompiledModel:
        with self._compiling:
            if shape not in self._compiled:
                graph = self._graph.clone()
                graph.reshape([1, *shape, 3])
                self._compiled[shape] = self._core.compile_model(graph, self._device, self._options)
                if len(self._compiled) > MOST_COMPILED:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(shape)
            return self._compiled[shape]


def _graph(core: ov.Core, path: Path) -> ov.Model:
    """Read the graph and put the pixel arithmetic into it: it takes (1, h, w, 3) uint8 BGR."""
    try:
        graph = core.read_model(path)
    except RuntimeError as error:
        raise WeightsError(f"{path}: OpenVINO can't read this graph; export the weights anew") from error
    check_classes(path, _names(graph))
    shape = graph.input().partial_shape
    if not (shape[2].is_dynamic and shape[3].is_dynamic):
        raise WeightsError(f"{path}: its input size is fixed; export it with dynamic axes (ppe export does)")
    steps = PrePostProcessor(graph)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).convert_color(ColorFormat.RGB).scale([255.0] * 3)
    return steps.build()


def _names(graph: ov.Model) -> dict[int, str]:
    """Read the class list that the exporter wrote into the graph."""
    try:
        names = graph.get_rt_info(["framework", "names"]).astype(str)
    except RuntimeError:
        return {}
    listed: dict[int, str] = ast.literal_eval(names)
    return listed
