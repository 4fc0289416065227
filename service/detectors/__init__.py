import sys

# Importing openvino asks its telemetry package to call home; without that package it uses a stub of its own.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
