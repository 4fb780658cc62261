"""DeepSparse's pipeline: the call of its documentation, over the same boxes."""

import cases
from cases import LOW, MODEL, PICTURE, Case
from wisp_yolo import Detector, Pipeline


class Pipelines(Case):
    def test_as_documented(self):
        pipeline = Pipeline.create(task="yolo", model_path=str(MODEL))
        outputs = pipeline(images=[str(PICTURE)] * 2, iou_thres=0.6, conf_thres=LOW)
        result = Detector.open(MODEL).detect(PICTURE, confidence=LOW, iou=0.6)
        self.assertEqual(outputs.boxes, [result.corners.tolist()] * 2)
        self.assertEqual(outputs.scores, [[box.score for box in result.boxes]] * 2)
        self.assertEqual(outputs.labels, [[float(box.label) for box in result.boxes]] * 2)
        self.assertIsNone(outputs.intermediate_outputs)

    def test_one_picture_and_defaults(self):
        outputs = Pipeline.create(task="yolo", model_path=MODEL)(images=PICTURE)
        self.assertEqual(len(outputs.boxes), 1)
        result = Detector.open(MODEL).detect(PICTURE)
        self.assertEqual(outputs.boxes[0], result.corners.tolist())

    def test_names_and_size(self):
        names = Detector.open(MODEL).info.classes
        for class_names in ("coco", names, {str(i): name for i, name in enumerate(names)}):
            pipeline = Pipeline.create(task="yolo", model_path=MODEL, class_names=class_names, image_size=(96, 64))
            labels = pipeline(images=PICTURE, conf_thres=LOW).labels[0]
            with Detector.open(MODEL, size=(96, 64)) as detector:
                boxes = detector.detect(PICTURE, confidence=LOW).boxes
            self.assertEqual(labels, [box.name for box in boxes])

    def test_refusals(self):
        def creates(**options):
            return lambda: Pipeline.create(**{"task": "yolo", "model_path": MODEL, **options})

        wrong = "WISP_ERR_ARGUMENT"
        self.refuses(wrong, "task is \"yolo\", not the str 'qa'", creates(task="qa"))
        self.refuses(wrong, "class_names is", creates(class_names="voc"))
        self.refuses("WISP_ERR_FETCH", "no.wisp", creates(model_path=cases.FOLDER / "no.wisp"))
