// Which parts of the importers a call runs: V8's own count of blocks, through the inspector of this process.

import { Session } from 'node:inspector/promises';

const OURS = /\/web\/src\/(import|graph)\//;

export class Coverage {
  #session = new Session();

  static async start() {
    const coverage = new Coverage();
    coverage.#session.connect();
    await coverage.#session.post('Profiler.enable');
    await coverage.#session.post('Profiler.startPreciseCoverage', {
      callCount: true,
      detailed: true,
    });
    return coverage;
  }

  /**
   * Blocks that ran since the last call, with how often: once, some times, many times.
   * @returns {Promise<Set<string>>}
   */
  async take() {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const seen = new Set();
    for (const { url, functions } of result) {
      if (!OURS.test(url)) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0)
            seen.add(
              `${url} ${startOffset} ${endOffset} ${Math.min(4, Math.floor(Math.log2(count) / 2))}`,
            );
    }
    return seen;
  }
}
