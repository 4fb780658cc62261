"""DeepSparse's pipeline for YOLO, as its documentation has it, over a Detector."""

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Tuple, Union

from .detector import Detector, Model
from .error import WispError, naming


@dataclass(frozen=True)
class YOLOOutput:
    """A list a picture each."""

    boxes: List[List[List[float]]]
    """Corners x1, y1, x2, y2 in pixels of the picture, best first."""
    scores: List[List[float]]
    labels: List[List[Union[float, str]]]
    """Indices as floats, or names where the pipeline has class names."""
    intermediate_outputs: None = None


class Pipeline:
    """`Pipeline.create(task="yolo", model_path="best.wisp")(images=["street.jpg"], conf_thres=0.25)`."""

    def __init__(self, detector: Detector, class_names: Optional[Mapping[str, str]]) -> None:
        """Use Pipeline.create."""
        self._detector = detector
        self._class_names = class_names

    @classmethod
    def create(
        cls,
        task: str,
        model_path: Model,
        *,
        class_names: Union[str, Mapping[str, str], List[str], None] = None,
        image_size: Union[int, Tuple[int, int], None] = None,
    ) -> "Pipeline":
        """
        :param task: "yolo"
        :param model_path: a .wisp file
        :param class_names: names for labels: "coco" for those in the file, or a list, or by the index as text
        :param image_size: a side, or width and height; else the model's own
        """
        if task not in ("yolo", "yolov5"):
            raise _wrong(f'task is "yolo", not {naming(task)}.')
        detector = Detector.open(model_path, size=image_size)
        if class_names == "coco":
            class_names = detector.info.classes
        if isinstance(class_names, list):
            class_names = {str(label): name for label, name in enumerate(class_names)}
        if class_names is not None and not isinstance(class_names, Mapping):
            raise _wrong(f'class_names is "coco", a list or a dict, not {naming(class_names)}.')
        return cls(detector, class_names)

    def __call__(
        self,
        *,
        images: Any,
        iou_thres: Optional[float] = None,
        conf_thres: Optional[float] = None,
        multi_label: bool = False,
        bgr: bool = False,
    ) -> YOLOOutput:
        """
        :param images: what Detector.detect takes: one picture or a list
        :param iou_thres: default 0.45, as YOLOv5's detect
        :param conf_thres: default 0.25, as YOLOv5's detect
        :param multi_label: a box for each class that scores
        :param bgr: whether arrays are BGR, as OpenCV has them
        """
        sources = images if isinstance(images, (list, tuple)) else [images]
        results = self._detector.detect(sources, iou=iou_thres, confidence=conf_thres, multi_label=multi_label, bgr=bgr)
        return YOLOOutput(
            boxes=[result.corners.tolist() for result in results],
            scores=[[box.score for box in result.boxes] for result in results],
            labels=[[self._label(box.label) for box in result.boxes] for result in results],
        )

    def _label(self, label: int) -> Union[float, str]:
        if self._class_names is None:
            return float(label)
        return self._class_names[str(label)]


def _wrong(sentence: str) -> WispError:
    return WispError("WISP_ERR_ARGUMENT", sentence)
