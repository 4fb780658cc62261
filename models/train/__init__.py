"""Training of small, sparse, quantised YOLOv5 detectors for wisp."""
