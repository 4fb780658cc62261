// docs/serving: what it tells Kubernetes is what Kubernetes takes and what wisp serve has.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { root } from '../../tools/places.mjs';
import { environment } from '../../tools/python.mjs';
import { VERSION } from '../../web/src/version.js';
import { serveWisp } from './command.js';

const file = path.join(root, 'docs', 'serving', 'kubernetes.yaml');
const [deployment, service, scaler] = parseAllDocuments(readFileSync(file, 'utf8')).map(
  (one) => /** @type {any} */ (one.toJS()),
);
const { terminationGracePeriodSeconds: grace, containers } = deployment.spec.template.spec;
const [container] = containers;
const given = container.args.slice(1);

/** @type {Awaited<ReturnType<typeof serveWisp>>} a server as the container starts it */
let server;
before(async () => {
  server = await serveWisp(['yolo=models/codes.wisp', ...given], root);
});
after(() => server?.close());

test('the API of Kubernetes takes the manifests, to the letter', async (t) => {
  /** @type {string} */
  let python;
  try {
    python = await environment('python-kubernetes', ['kubernetes-validate==1.37.0']);
  } catch (thrown) {
    return t.skip(`no Python with kubernetes-validate: ${/** @type {Error} */ (thrown).message}`);
  }
  const command = path.join(path.dirname(python), 'kubernetes-validate');
  const { stdout } = await promisify(execFile)(command, ['--strict', file]);
  assert.equal(stdout.match(/passed/g)?.length, 4, stdout);
});

test('the probes are answered, and the autoscaler and the service look where something is', async () => {
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
    assert.equal((await fetch(server.url + container[probe].httpGet.path)).status, 200, probe);
  const { metric } = scaler.spec.metrics[0].pods;
  assert.match(
    await (await fetch(`${server.url}/metrics`)).text(),
    RegExp(`^${metric.name}\\{`, 'm'),
  );
  assert.equal(service.spec.ports[0].targetPort, container.ports[0].name);
  assert.deepEqual(service.spec.selector, deployment.spec.selector.matchLabels);
  assert.equal(container.image.split(':')[1], VERSION);
  assert.ok(grace > Number(given[given.indexOf('--deadline') + 1]));
});

test('the image starts the command on the port that Kubernetes is told', () => {
  const text = readFileSync(path.join(root, 'docs', 'serving', 'Containerfile'), 'utf8');
  const port = container.ports[0].containerPort;
  assert.match(text, RegExp(`^EXPOSE ${port}$`, 'm'));
  const { peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const libraries = Object.entries(peerDependencies).filter(([name]) => /fastify|prom/.test(name));
  for (const [name, range] of libraries)
    assert.ok(text.includes(` ${name}@${/\d+/.exec(range)?.[0]} `), name);
  const entry = parse(/^ENTRYPOINT (.+)$/m.exec(text)?.[1] ?? '');
  assert.deepEqual(entry.slice(1), [
    'node_modules/wisp-yolo/cli/wisp.js',
    'serve',
    '--host',
    '0.0.0.0',
  ]);
});
