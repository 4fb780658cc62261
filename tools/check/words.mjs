// Words that stand nowhere, or not in some rooms: unfinished marks, machine paths, registries, side effects.
/** @typedef {import('./files.mjs').SourceFile} SourceFile */

/** @type {{what: string, where: RegExp, not: RegExp}[]} */
const RULES = [
  { what: 'marks unfinished work', where: /./, not: /\b(TO[D]O|FIXM[E]|XX[X]|HAC[K])\b/ },
  {
    what: 'names a place on one machine',
    where: /./,
    not: /(^|[^\w.])[/](?:work|home|root|Users)[/]\w/,
  },
  {
    what: 'names a registry or a mirror',
    where: /./,
    not: /npmjs[.]|pypi[.]org|pythonhos[t]ed|deb[.]debian[.]/,
  },
  {
    what: 'writes or ends the process',
    where: /^core\//,
    not: /\b(v?f?printf|puts|exit|abort|getenv)\s*\(/,
  },
  {
    what: 'allocates in the detect path',
    where: /^core\/src\/(kernels\/|(prep|run|decode|nms)\.c)/,
    not: /\b(m|c|re)alloc\s*\(/,
  },
];

/**
 * @param {SourceFile[]} files
 * @returns {string[]} findings
 */
export function words(files) {
  return RULES.flatMap(({ what, where, not }) =>
    files
      .filter(({ name }) => where.test(name))
      .flatMap((file) =>
        file.lines.flatMap((line, i) =>
          not.test(line) ? [`${file.name}:${i + 1} ${what}: ${line.trim()}`] : [],
        ),
      ),
  );
}

/**
 * It must install from whatever registry its reader uses, and on every system: a registry that carries packages for
 * one system only makes npm leave the others' entries out, and `npm ci` then refuses the file.
 * @param {string} text of package-lock.json
 * @returns {string[]} findings
 */
export function lockFile(text) {
  /** @type {Record<string, {resolved?: string, link?: boolean, optionalDependencies?: Record<string, string>}>} */
  const packages = JSON.parse(text).packages;
  const names = Object.keys(packages);
  return Object.entries(packages).flatMap(
    ([name, { resolved, link, optionalDependencies = {} }]) => [
      ...(resolved && !link
        ? [`package-lock.json: ${name} names a registry; .npmrc forbids it`]
        : []),
      ...Object.keys(optionalDependencies)
        .filter((needed) => !names.some((other) => other.endsWith(`node_modules/${needed}`)))
        .map(
          (needed) =>
            `package-lock.json: ${name} needs an entry for ${needed}, or npm ci refuses the file`,
        ),
    ],
  );
}

/** Everything in the library starts with wisp_. @param {string} listing of nm -g --defined-only */
export function symbols(listing) {
  const names = listing.split('\n').map((line) => line.split(' ').at(-1) ?? '');
  return names
    .filter((name) => /^\w+$/.test(name) && !/^(wisp_|_*(asan|odr_asan|ubsan))/.test(name))
    .map((name) => `the native library exports ${name}, without wisp_ before it`);
}
