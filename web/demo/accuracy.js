// accuracy.js - what is known of how well the networks of the bench page find things once trained.

/**
 * AP on 543 images of COCO val2017 of the official YOLOv5n at 640 × 640, as README.md has it. Nothing is said of what
 * was not measured: pruned networks, other sizes, the peers' own integers.
 */
export const YOLOV5N = { float: 29.35, int8: 28.89 };

/**
 * @param {import('./bench-run.js').Plan} plan
 * @param {import('./bench-run.js').Lane} lane
 * @returns {number | null} null: unknown
 */
export function averagePrecision({ network, size }, { engine, sparsity }) {
  if (network !== 'yolov5n' || size !== 640 || sparsity > 0) return null;
  if (typeof engine === 'string') return YOLOV5N.int8;
  return engine.id === 'ort-web' ? YOLOV5N.float : null;
}
