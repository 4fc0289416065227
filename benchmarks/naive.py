"""The endpoint that everybody writes first: a FastAPI handler that calls ultralytics on the .pt."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI, File, UploadFile

os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false")
from ultralytics import YOLO

app = FastAPI()
model = YOLO(sys.argv[1])


@app.get("/readyz")
def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/v1/detect")
def detect(image: Annotated[UploadFile, File()]) -> list[dict[str, Any]]:
    picture = cv2.imdecode(np.frombuffer(image.file.read(), np.uint8), cv2.IMREAD_COLOR)
    result = model.predict(picture, verbose=False)[0]
    return [{"class": int(box.cls), "confidence": float(box.conf), "box": box.xyxy[0].tolist()} for box in result.boxes]


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
