"""YOLOv5, pruned and quantised to INT8, in WebAssembly: the same boxes, to the bit, as in browsers and Node."""

from .detector import Detector
from .error import WispError
from .pipeline import Pipeline, YOLOOutput
from .results import Bitmap, Box, Info, LayerInfo, Mask, Result, Times

__version__ = "0.1.0"
__all__ = [
    "Bitmap",
    "Box",
    "Detector",
    "Info",
    "LayerInfo",
    "Mask",
    "Pipeline",
    "Result",
    "Times",
    "WispError",
    "YOLOOutput",
]
