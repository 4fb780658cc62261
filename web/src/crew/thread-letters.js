// What a worker and its page say to each other of the worker's threads.

/**
 * Of the thread with this number: what this side's worker or the other's program says to it.
 * @typedef {{thread: number, start?: string, message?: any, end?: boolean, fault?: Fault}} Letter
 * @typedef {Pick<ErrorEvent, 'message' | 'filename' | 'lineno'>} Fault
 */

/** @param {any} data @returns {data is Letter} */
export const isLetter = (data) => typeof data?.thread === 'number';
