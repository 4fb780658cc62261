// What detects without a worker, for places that can start none and import nothing later, such as service workers.

// the mark at the end of an address keeps the type checker out of what is built
// @ts-expect-error
import wisp from '../../dist/wisp.mjs?';
// @ts-expect-error
import relaxed from '../../dist/wisp-relaxed.mjs?';
import { downloadKept } from './bytes/keep.js';
import { serve } from './detect/service-here.js';

/**
 * For Detector.open(model, { inPlace }). Whoever calls waits while it detects.
 * @type {import('./crew/here.js').InPlace}
 */
export const inPlace = { serve, glue: { wisp, 'wisp-relaxed': relaxed }, downloadKept };
