"""YOLOv5, pruned and quantised to INT8, in WebAssembly: the same boxes, to the bit, as in browsers and Node."""

from .detector import Detector
from .error import WispError
from .pipeline import Pipeline, YOLOOutput
from .results import Box, Info, LayerInfo, Result, Times

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Detector",
    "Info",
    "LayerInfo",
    "Pipeline",
    "Result",
    "Times",
    "WispError",
    "YOLOOutput",
]
