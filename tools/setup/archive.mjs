// Fetches packages of another Debian release and unpacks them into a folder of ours; nothing of it is installed.
// apt itself does the fetching, with lists and a cache of its own: same mirror as the system's, signatures checked.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, which } from '../command.mjs';
import { Refusal } from '../step.mjs';
import { aptGet } from './apt.mjs';

/** The release whose Emscripten and WasmEdge are new enough. */
export const RELEASE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * @typedef {object} Request
 * @property {string[]} packages `name` or `name=version`
 * @property {string} release
 * @property {string} [architecture] the machine's own by default
 */

/**
 * @param {string} folder an empty one, for everything apt writes
 * @param {Request} request
 * @param {import('../step.mjs').Say} say
 * @returns {Promise<(name: string) => string>} package name → the file that was fetched
 */
export async function fetchPackages(folder, request, say) {
  const env = await ownApt(folder, request);
  const debs = path.join(folder, 'debs');
  const names = request.packages.map((name) => name.split('=')[0]);
  const what = names.length > 4 ? `${names[0]} and ${names.length - 1} more` : names.join(', ');
  await aptGet(['update'], { env, say, what: `lists of ${request.release}` });
  const how = { env, cwd: debs, say, what };
  await aptGet(['download', ...request.packages], how).catch(() =>
    // a pinned version that the release no longer carries: its current one is close enough
    aptGet(['download', ...names], how),
  );
  const files = readdirSync(debs);
  return (name) =>
    path.join(debs, /** @type {string} */ (files.find((file) => file.startsWith(`${name}_`))));
}

/**
 * @param {string} folder
 * @param {Request} request
 * @returns {Promise<NodeJS.ProcessEnv>} the environment in which apt-get works in `folder` only
 */
async function ownApt(folder, { release, architecture }) {
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'sources', 'debs'])
    mkdirSync(path.join(folder, part), { recursive: true });
  writeFileSync(path.join(folder, 'status'), '');
  const source = `Types: deb\nURIs: ${await mirror()}\nSuites: ${release}\nComponents: main\nSigned-By: ${KEYRING}\n`;
  writeFileSync(path.join(folder, 'sources', `${release}.sources`), source);
  const settings = {
    'Dir::State': path.join(folder, 'state'),
    'Dir::State::status': path.join(folder, 'status'),
    'Dir::Cache': path.join(folder, 'cache'),
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': path.join(folder, 'sources'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
    'APT::Sandbox::User': '',
    ...(architecture && { 'APT::Architecture': architecture, 'APT::Architectures': architecture }),
  };
  const file = path.join(folder, 'apt.conf');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  return { ...process.env, APT_CONFIG: file };
}

/** The Debian archive that this machine's apt already uses, or DEBIAN_MIRROR. */
async function mirror() {
  if (process.env.DEBIAN_MIRROR) return process.env.DEBIAN_MIRROR;
  const text = which('apt-get')
    ? await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'])
    : '';
  const found = text.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (!found)
    throw new Refusal(
      'apt knows no Debian archive here: put Emscripten 3.1.60 or newer on PATH, or name one in DEBIAN_MIRROR.',
    );
  return found;
}

/**
 * @param {string} deb
 * @param {string} into
 * @param {{strip: number, only: string, without?: string[]}} what leading folders to drop; patterns
 */
export async function unpack(deb, into, { strip, only, without = [] }) {
  mkdirSync(into, { recursive: true });
  const excludes = without.map((pattern) => `--exclude=${pattern}`);
  const tar = ['-x', '-C', into, `--strip-components=${strip}`, '--wildcards', ...excludes, only];
  await run('sh', [
    '-c',
    'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar "$@"',
    'unpack',
    deb,
    ...tar,
  ]);
}
