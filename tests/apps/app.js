// An app of somebody who uses wisp: a folder of its own, with the package installed as it is published.

import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../tools/command.mjs';
import { relaxedNode, root } from '../../tools/places.mjs';
import { pack } from '../../tools/release.mjs';
import { PICTURE } from './look.js';

const TOO_LONG_MS = 480_000;
const START_MS = 120_000;

/** Tools that neither ask nor tell anybody anything. */
const QUIET = {
  CI: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  NG_CLI_ANALYTICS: 'false',
  WRANGLER_SEND_METRICS: 'false',
  BROWSER: 'none',
};

/** @type {Promise<string> | undefined} */
let packing;
const packed = mkdtempSync(path.join(tmpdir(), 'wisp-packed-'));
process.on('exit', () => rmSync(packed, { recursive: true, force: true }));

export class App {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-app-'));
  /** @type {NodeJS.ProcessEnv} */
  #env = {
    ...process.env,
    ...QUIET,
    PATH: [path.join(this.folder, 'node_modules', '.bin'), nodeFolder(), process.env.PATH].join(
      path.delimiter,
    ),
  };

  /** @param {Record<string, string | object>} files an object: JSON */
  write(files) {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(this.folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    }
  }

  /** The picture that is looked at. @param {string} folder of the app */
  putPicture(folder) {
    mkdirSync(path.join(this.folder, folder), { recursive: true });
    copyFileSync(PICTURE, path.join(this.folder, folder, 'ticket.png'));
  }

  /** @param {string[]} packages wisp-yolo: this one */
  async install(packages) {
    const words = ['install', '--no-audit', '--no-fund', '--prefer-offline'];
    const names = packages.map((name) => (name === 'wisp-yolo' ? packedWisp() : name));
    await this.#run('npm', [...words, ...(await Promise.all(names))]);
  }

  /** Of what npm fetches of a package. @param {string} name @returns {Promise<number>} bytes */
  async packedSize(name) {
    if (name === 'wisp-yolo') return statSync(await packedWisp()).size;
    const said = await this.run(`npm pack --json --dry-run ${name}@${this.version(name)}`);
    return JSON.parse(said.slice(said.indexOf('[')))[0].size;
  }

  /** @param {string} line for the shell @returns {Promise<string>} what it said */
  run(line) {
    return this.#run('sh', ['-c', line]);
  }

  /** @param {string} program @param {string[]} words */
  #run(program, words) {
    const how = { cwd: this.folder, env: this.#env, timeoutMs: TOO_LONG_MS };
    return run(program, words, how).catch((error) => {
      throw new Error(`${words.join(' ')}: ${error.message}\n${error.output.slice(-4000)}`);
    });
  }

  /**
   * A server of the app's own.
   * @param {string} line that starts it, on the port $PORT
   * @param {{isReady?: (response: Response) => boolean}} [options] isReady: whether it has started
   * @returns {Promise<{url: string, stop: () => void}>}
   */
  async start(line, { isReady = ({ ok }) => ok } = {}) {
    const port = await freePort();
    const env = { ...this.#env, PORT: `${port}` };
    const child = spawn('sh', ['-c', `exec ${line}`], { cwd: this.folder, env, detached: true });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => (said = `${said}${text}`.slice(-4000)));
    let ended = false;
    child.on('exit', () => (ended = true));
    const stop = () => {
      try {
        process.kill(-Number(child.pid), 'SIGKILL');
      } catch {} // it has ended
    };
    const url = `http://localhost:${port}/`;
    const limit = Date.now() + START_MS;
    while (!(await answers(url, isReady))) {
      if (!ended && Date.now() < limit) {
        await sleep(300);
        continue;
      }
      stop();
      throw new Error(`${line}: ${ended ? 'ended' : 'does not answer'}\n${said}`);
    }
    return { url, stop };
  }

  /** @param {string} name of a package that is installed here */
  version(name) {
    const file = path.join(this.folder, 'node_modules', name, 'package.json');
    return JSON.parse(readFileSync(file, 'utf8')).version;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function packedWisp() {
  packing ??= pack(packed);
  return packing;
}

/** Many tools want a newer Node than wisp does. */
function nodeFolder() {
  return path.dirname(relaxedNode() ?? path.join(root, 'node_modules', '.bin', 'node'));
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param {string} url @param {(response: Response) => boolean} isReady */
async function answers(url, isReady) {
  try {
    return isReady(await fetch(url));
  } catch {
    return false;
  }
}
