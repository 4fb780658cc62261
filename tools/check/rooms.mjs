// The rooms of docs/ARCHITECTURE.md, as its tables tell them: which files each holds and which others it may know.

/**
 * @typedef {object} Room
 * @property {string} name
 * @property {string[]} patterns of its files, from the root: a file, a name with a star, or a folder with its slash
 * @property {string[]} knows names of the rooms that its files may include or import besides their own
 *
 * @typedef {{rooms: Room[], findings: string[]}} Plan
 */

const DOCUMENT = 'docs/ARCHITECTURE.md';
/** The last column says it of rooms above; tests know every room. */
const ANY = 'any';

/**
 * @param {string} text of docs/ARCHITECTURE.md
 * @param {'include' | 'import'} verb of the table: C includes, JavaScript imports
 * @returns {Plan} findings: what is wrong with the table itself
 */
export function readRooms(text, verb) {
  const rooms = /** @type {Room[]} */ ([]);
  const findings = /** @type {string[]} */ ([]);
  for (const [name, files, , words] of tableOf(text, [
    'room',
    'files',
    'what it does',
    `may ${verb}`,
  ])) {
    const above = rooms.map((room) => room.name);
    const named = /** @type {string[]} */ (words.match(/[\w-]+/g) ?? []);
    if (above.includes(name)) findings.push(`${DOCUMENT} has the room ${name} twice`);
    for (const word of named.filter((other) => other !== ANY && !above.includes(other)))
      findings.push(`${DOCUMENT} lets ${name} ${verb} ${word}, which is no room above it`);
    rooms.push({ name, patterns: patternsOf(files), knows: named.includes(ANY) ? above : named });
  }
  if (rooms.length === 0)
    findings.push(`${DOCUMENT} has no table of rooms that says who may ${verb} whom`);
  return { rooms, findings };
}

/**
 * The rows of the table with this head.
 * @param {string} text
 * @param {string[]} head
 */
function tableOf(text, head) {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => cellsOf(line).join('|') === head.join('|'));
  if (start < 0) return [];
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return lines.slice(start + 2, end < 0 ? undefined : end).map(cellsOf);
}

/** @param {string} line */
const cellsOf = (line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** A name without a slash stands in the folder of the one before it. @param {string} cell */
function patternsOf(cell) {
  let folder = '';
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => {
    if (!name.includes('/')) return folder + name;
    folder = name.slice(0, name.lastIndexOf('/') + 1);
    return name;
  });
}

/** How closely a pattern names a file; 0: not at all. @param {string} pattern @param {string} name */
function closeness(pattern, name) {
  if (pattern === name) return Number.POSITIVE_INFINITY;
  if (pattern.endsWith('/')) return name.startsWith(pattern) ? pattern.length : 0;
  const [, start, end] = /^(.*)\*(.*)$/.exec(pattern) ?? [];
  if (start === undefined || !name.startsWith(start) || !name.endsWith(end)) return 0;
  const between = name.slice(start.length, name.length - end.length);
  return name.length >= start.length + end.length && !between.includes('/') ? pattern.length : 0;
}

/**
 * The room of each file: the pattern that names it most closely decides.
 * @param {Room[]} rooms
 * @param {string[]} names of all files
 * @returns {{roomOf: Map<string, Room>, findings: string[]}} findings: files without a room, patterns without a file
 */
export function assign(rooms, names) {
  const roomOf = /** @type {Map<string, Room>} */ (new Map());
  const findings = /** @type {string[]} */ ([]);
  const claims = rooms.flatMap((room) => room.patterns.map((pattern) => ({ room, pattern })));
  for (const name of names) {
    let most = 0;
    for (const { room, pattern } of claims) {
      const close = closeness(pattern, name);
      if (close > 0 && close === most)
        findings.push(
          `${DOCUMENT} puts ${name} into two rooms: ${roomOf.get(name)?.name} and ${room.name}`,
        );
      if (close <= most) continue;
      most = close;
      roomOf.set(name, room);
    }
    if (most === 0) findings.push(`${name} is in no room: name it, or its folder, in ${DOCUMENT}`);
  }
  for (const { room, pattern } of claims)
    if (!names.some((name) => closeness(pattern, name) > 0))
      findings.push(`${DOCUMENT} names ${pattern} in ${room.name}, which is not there`);
  return { roomOf, findings };
}
