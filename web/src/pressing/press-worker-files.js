// Where the press's worker is, for who starts it. Its own modules don't import this one: crew/start.js says why.

/** @type {import('../crew/start.js').WorkerFiles} */
export const PRESS_WORKER = {
  inPage: () =>
    new Worker(new URL('./press-worker.js', import.meta.url), {
      type: 'module',
      name: 'wisp press',
    }),
  inNode: '../pressing/press-worker-node.js',
  inPlace: () => import('./press-service-here.js'), // seldom needed
  otherwise: 'Press in a page, or under Node',
  inPackage: { page: 'dist/web/press-worker.js', node: 'web/src/pressing/press-worker-node.js' },
};
