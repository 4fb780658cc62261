// What is wrong with one picture and not with who looks at it: the others can do without it.

import { WispError } from '../error.js';

const CODES = ['WISP_ERR_SOURCE', 'WISP_ERR_FETCH', 'WISP_ERR_MEMORY'];

/** @param {unknown} thrown @returns {thrown is WispError} */
export const isOfPicture = (thrown) => thrown instanceof WispError && CODES.includes(thrown.code);
