// Where the detector's worker is, for who starts it. Its own modules don't import this one: crew/start.js says why.

/** @type {import('../crew/start.js').WorkerFiles} */
export const WORKER = {
  inPage: () =>
    new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'wisp' }),
  inNode: '../detect/worker-node.js',
  inPlace: () => import('./service-here.js'), // seldom needed
  otherwise:
    "Import { inPlace } from 'wisp-yolo/in-place' and open with Detector.open(model, { inPlace })",
  inPackage: { page: 'dist/web/worker.js', node: 'web/src/detect/worker-node.js' },
};
