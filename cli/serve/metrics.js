// What a server counts, for Prometheus.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** @typedef {import('./crew.js').Crew} Crew */

export class Metrics {
  #registry = new Registry();
  #requests;
  #failures;
  #seconds;
  #stages;

  /** @param {Map<string, Crew>} crews by name of their model */
  constructor(crews) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'wisp_requests_total',
      help: 'Requests answered, by route and status.',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#failures = new Counter({
      name: 'wisp_failures_total',
      help: 'Requests that were not answered with boxes, by code.',
      labelNames: ['code'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'wisp_request_seconds',
      help: 'From the request to its answer.',
      labelNames: ['route'],
      buckets: SECONDS,
      registers,
    });
    this.#stages = new Histogram({
      name: 'wisp_stage_seconds',
      help: 'Of a picture: wait in the queue, pixels (decoding), prep, run, post.',
      labelNames: ['model', 'stage'],
      buckets: SECONDS,
      registers,
    });
    /** @param {string} name @param {string} help @param {(crew: Crew) => number} read */
    const gauge = (name, help, read) =>
      new Gauge({
        name,
        help,
        labelNames: ['model'],
        registers,
        collect() {
          for (const [model, crew] of crews) this.set({ model }, read(crew));
        },
      });
    gauge('wisp_queue_pictures', 'Pictures that wait.', (crew) => crew.waiting);
    gauge('wisp_busy_detectors', 'Detectors at work.', (crew) => crew.busy);
    gauge('wisp_detectors', 'Detectors of a model.', (crew) => crew.size);
    gauge('wisp_deaths', 'Detectors that died and were replaced.', (crew) => crew.deaths);
  }

  /** @param {string} route @param {number} status @param {number} ms */
  answered(route, status, ms) {
    this.#requests.inc({ route, status });
    this.#seconds.observe({ route }, ms / 1000);
  }

  /** @param {string} code */
  failed(code) {
    this.#failures.inc({ code });
  }

  /** @param {string} model @param {import('./crew.js').Answer[]} answers */
  looked(model, answers) {
    for (const { waited, times } of answers)
      for (const [stage, ms] of Object.entries({ wait: waited, ...times }))
        if (stage !== 'total') this.#stages.observe({ model, stage }, ms / 1000);
  }

  get type() {
    return this.#registry.contentType;
  }

  text() {
    return this.#registry.metrics();
  }
}
