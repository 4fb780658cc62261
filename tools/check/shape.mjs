// The shape of files: a first line that names the job, lengths of files, of C functions and of lines, the dialect of C.
import { isC, isScript } from './files.mjs';

/** @typedef {import('./files.mjs').SourceFile} SourceFile */

const FILE_LINES = 400;
const FUNCTION_LINES = 60;
const KERNEL_LINES = 120;
const COLUMNS = 120;

/**
 * @param {SourceFile[]} files
 * @returns {string[]} findings
 */
export function shape(files) {
  return files.flatMap((file) => [
    ...firstLines(file),
    ...(isCode(file) ? fileLength(file) : []),
    ...(isC(file) ? functionLengths(file) : []),
    ...(isC(file) ? dialect(file) : []),
    ...(isCode(file) ? lineLengths(file) : []),
  ]);
}

/** @param {SourceFile} file */
const isCode = (file) => isC(file) || isScript(file) || file.name.endsWith('.css');

/** @param {SourceFile} file */
function firstLines(file) {
  const base = file.name.split('/').at(-1);
  if (isC(file)) {
    if (!file.lines[0].startsWith(`/* ${base} - `))
      return [`${file.name}:1 should begin with "/* ${base} - its job"`];
    if (
      !file.lines.slice(1, 5).some((line) => line.includes('SPDX-License-Identifier: Apache-2.0'))
    )
      return [`${file.name}:2 should name the licence`];
  }
  if (isScript(file) && !/^\/[/*]/.test(file.lines.find((line) => !line.startsWith('#!')) ?? ''))
    return [`${file.name}:1 should say the file's job in a comment`];
  return [];
}

/** @param {SourceFile} file */
function fileLength({ name, lines }) {
  return lines.length > FILE_LINES
    ? [`${name} has ${lines.length} lines, more than ${FILE_LINES}`]
    : [];
}

/** clang-format puts the brace that ends a function, and no other, in column 0. @param {SourceFile} file */
function functionLengths({ name, lines }) {
  const most = name.startsWith('core/src/kernels/') ? KERNEL_LINES : FUNCTION_LINES;
  const findings = [];
  for (let start = 0; start < lines.length; start++) {
    if (!/^[a-zA-Z_].*\(|^[a-z].*\) \{$/.test(lines[start]) || /[;}]$/.test(lines[start])) continue;
    const end = lines.findIndex(
      (line, i) => i > start && /^\}|;$/.test(line) && /^\}|^ {4,}.*\);$/.test(line),
    );
    if (end < 0 || lines[end] !== '}') continue;
    if (end - start + 1 > most)
      findings.push(
        `${name}:${start + 1} is a function of ${end - start + 1} lines, more than ${most}`,
      );
    start = end;
  }
  return findings;
}

/** How C is written here, beyond its format: line by line. */
const DIALECT = [
  {
    wrong: /\bif \(status\)|!status\b|&& status\b(?! [=!]=)|\bstatus \?|return status$/,
    advice: 'compares a status with nothing: say == or != WISP_OK',
  },
  {
    wrong: /^ +(const )?\w+ \*+$|^ *,$/,
    advice: 'breaks a declaration: its comment belongs on the line above',
  },
];

/** @param {SourceFile} file */
function dialect({ name, lines }) {
  return DIALECT.flatMap(({ wrong, advice }) =>
    lines.flatMap((line, i) => (wrong.test(line) ? [`${name}:${i + 1} ${advice}`] : [])),
  );
}

/** Formatters leave long strings and comments alone. @param {SourceFile} file */
function lineLengths({ name, lines }) {
  return lines.flatMap((line, i) =>
    line.length > COLUMNS
      ? [`${name}:${i + 1} has ${line.length} columns, more than ${COLUMNS}`]
      : [],
  );
}
