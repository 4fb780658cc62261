// Checkpoints that mean harm: nothing in them runs, nothing that they say makes the importer grow or hang.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { zipSync } from 'fflate';
import { importPt } from '../../web/src/import/pt.js';
import { Call, Name, Persistent, Thing, Tuple } from '../support/pickle-writer.js';
import { CheckpointWriter } from '../support/pt-writer.js';
import { TinyPt, tinyPt } from '../support/tiny-pt.js';

const FORMAT = 'WISP_ERR_FORMAT';
const TRUNCATED = 'WISP_ERR_TRUNCATED';
const UNSUPPORTED = 'WISP_ERR_UNSUPPORTED';

/** @param {Uint8Array} bytes @param {string} code @param {RegExp} message */
function refuses(bytes, code, message) {
  assert.throws(() => importPt(bytes), { name: 'WispError', code, message });
}

/** A checkpoint of anything. @param {any} value */
const saved = (value) => new CheckpointWriter().save(value);

/** An archive with one pickle of these bytes. @param {...(number | string | Iterable<number>)} parts */
function archiveOf(...parts) {
  const bytes = parts.flatMap((part) => {
    if (typeof part === 'number') return [part];
    return typeof part === 'string' ? Array.from(part, (c) => c.charCodeAt(0)) : [...part];
  });
  return zipSync({ 'best/data.pkl': Uint8Array.from([0x80, 2, ...bytes]) }, { level: 0 });
}

/** @param {(tiny: TinyPt) => any} middle */
const withMiddle = (middle) => tinyPt({ middle });

/** @type {Record<string, Call>} */
const ATTACKS = {
  'posix.system': new Call(new Name('posix', 'system'), ['true']),
  'os.system': new Call(new Name('os', 'system'), ['true']),
  'subprocess.Popen': new Call(new Name('subprocess', 'Popen'), [['true']]),
  'builtins.eval': new Call(new Name('builtins', 'eval'), ['1']),
  '__builtin__.exec': new Call(new Name('__builtin__', 'exec'), ['1']),
  'builtins.__import__': new Call(new Name('builtins', '__import__'), ['os']),
  'runpy.run_path': new Call(new Name('runpy', 'run_path'), ['x.py']),
  'urllib.request.urlopen': new Call(new Name('urllib.request', 'urlopen'), ['http://localhost/']),
};

for (const [name, attack] of Object.entries(ATTACKS)) {
  test(`a checkpoint that calls ${name} is refused, with a network or without`, () => {
    for (const protocol of [2, 4]) {
      const due = new RegExp(
        `calls ${name.replaceAll('.', '\\.')}, .*don't load this one in Python`,
        's',
      );
      refuses(
        tinyPt({ protocol }, (model) => ({ model, extra: attack })),
        UNSUPPORTED,
        due,
      );
      refuses(saved(attack), UNSUPPORTED, due);
    }
  });
}

test('names that no list knows are data, and do nothing', () => {
  const odd = new Call(new Name('mine', 'explode'), [new Call(new Name('mine', 'fuse'), [])]);
  assert.ok(
    importPt(tinyPt({}, (model) => ({ odd, model, more: new Thing(new Name('a', 'B'), odd) }))),
  );
});

/** @param {number} value @param {number} count */
const little = (value, count) =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 256 ** i) % 256);

/** Pickles that ask for more than there is. @type {[string, Uint8Array, string, RegExp][]} */
const HUNGRY = [
  ['a text', archiveOf('X', little(2 ** 32 - 1, 4), 'abc.'), TRUNCATED, /4294967295 bytes are due/],
  ['a long text', archiveOf(0x8d, little(2 ** 52, 8), 'abc.'), TRUNCATED, /bytes are due/],
  ['bytes', archiveOf('B', little(2 ** 32 - 1, 4), '.'), TRUNCATED, /bytes are due/],
  [
    'an integer',
    archiveOf(0x8b, little(2 ** 31, 4), '.'),
    FORMAT,
    /an integer of 2147483648 bytes/,
  ],
  ['a frame', archiveOf(0x95, little(5, 3), '.'), TRUNCATED, /bytes are due/],
  ['a name', archiveOf('c', 'a'.repeat(1000)), FORMAT, /does not end/],
  ['what was never there', archiveOf('h', 7, '.'), FORMAT, /recalls value 7/],
  ['an empty stack', archiveOf('0.'), FORMAT, /takes what is not there/],
  ['a mark that is not there', archiveOf('Nt.'), FORMAT, /takes what is not there/],
  ['an operation of protocol 0', archiveOf("S'text'\n."), FORMAT, /0x53, which torch\.save never/],
  ['an extension', archiveOf(0x82, 1, '.'), FORMAT, /0x82, which torch\.save never/],
  ['to call a number', archiveOf('K', 1, ')R.'), FORMAT, /calls something that is no function/],
  ['to make an object of a number', archiveOf('K', 1, ')', 0x81, '.'), FORMAT, /what is no class/],
  [
    'a class named by a number',
    archiveOf('K', 1, 'K', 2, 0x93, '.'),
    FORMAT,
    /whose name is no text/,
  ],
  ['to append to a number', archiveOf('K', 1, 'Na.'), FORMAT, /appends to what is no list/],
  ['to set an entry of a number', archiveOf('K', 1, 'NNs.'), FORMAT, /of what is no dictionary/],
  ['a storage that is none', archiveOf('NQ.'), FORMAT, /something beside it that is no storage/],
];

for (const [what, bytes, code, message] of HUNGRY) {
  test(`a pickle that asks for ${what} is refused`, () => refuses(bytes, code, message));
}

test('tensors whose sizes are no sizes are refused', () => {
  const rebuild = new Name('torch._utils', '_rebuild_tensor_v2');
  const storage = new Persistent('storage', new Name('torch', 'FloatStorage'), '0', 'cpu', 4);
  for (const args of [
    [],
    [storage, 0, new Tuple(-1), new Tuple(1)],
    [storage, 0, new Tuple(0.5), new Tuple(1)],
    [storage, -4, new Tuple(1), new Tuple(1)],
    [storage, 0, new Tuple(...new Array(9).fill(1)), new Tuple(...new Array(9).fill(1))],
    [storage, 0, new Tuple(1, 1), new Tuple(1)],
  ])
    refuses(saved(new Call(rebuild, args)), FORMAT, /A tensor of the checkpoint/);
  const other = new Persistent('storage', new Name('torch', 'HalfStorage'), '0', 'cpu', 4);
  refuses(saved([storage, other]), FORMAT, /Storage "0" .* 4 × FloatStorage and 4 × HalfStorage/);
});

test('modules in modules, and those that hold themselves, are refused', () => {
  const nested = withMiddle((tiny) =>
    Array.from({ length: 40 }).reduce((inner) => tiny.sequential(inner), tiny.relu()),
  );
  refuses(nested, FORMAT, /lies in more modules than any YOLOv5/);
  const circle = withMiddle((tiny) => {
    const outer = tiny.sequential();
    outer.state._modules.set('0', outer);
    return outer;
  });
  refuses(circle, FORMAT, /lies in more modules than any YOLOv5/);
  const doubled = withMiddle((tiny) =>
    Array.from({ length: 18 }).reduce((inner) => tiny.sequential(inner, inner), tiny.relu()),
  );
  refuses(doubled, FORMAT, /joins more than 50000 feature maps/);
});

test('layers that read what is not there are refused', () => {
  const reads = (/** @type {any} */ f) =>
    tinyPt({}, (model) => {
      [...model.state._modules.get('model').state._modules.values()][5].state.f = f;
      return { model };
    });
  for (const f of [5, 99, -7, 'five', null, 0.5])
    refuses(
      reads(f),
      UNSUPPORTED,
      /"model\.5" \(models\.common\.Conv\) reads layer .*, which isn't there/,
    );
  refuses(reads([-1, -1]), UNSUPPORTED, /reads 2 feature maps/);
});

test('zip archives that unpack to more than they can hold are refused', () => {
  const zeros = {
    more: { 'best/data/9999': new Uint8Array(3e7) },
    level: /** @type {const} */ (9),
  };
  const storage = new Persistent('storage', new Name('torch', 'ByteStorage'), '9999', 'cpu', 3e7);
  const rebuild = new Name('torch._utils', '_rebuild_tensor_v2');
  const tensor = new Call(rebuild, [storage, 0, new Tuple(3e7), new Tuple(1)]);
  const bomb = tinyPt(zeros, (model) => {
    model.state.big = tensor;
    return { model };
  });
  refuses(
    bomb,
    UNSUPPORTED,
    /zip archive of \d+ bytes unpacks to 3\d{7}, and torch\.save packs nothing/,
  );
  assert.ok(importPt(tinyPt(zeros)), 'what no layer needs stays packed');
});

/** @param {Uint8Array} bytes @param {number} signature @param {(view: DataView, at: number) => void} change */
function changed(bytes, signature, change) {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 4 <= copy.length; at++)
    if (view.getUint32(at, true) === signature) change(view, at);
  return copy;
}

const ENTRY = 0x02014b50;
const END = 0x06054b50;

test('the sizes in a zip archive are checked against the file', () => {
  const bytes = tinyPt();
  const sizes = changed(bytes, ENTRY, (view, at) => {
    view.setUint32(at + 20, 1e9, true);
    view.setUint32(at + 24, 1e9, true);
  });
  refuses(sizes, TRUNCATED, /its files take 1000000000 bytes, it has \d+/);
  const uneven = changed(bytes, ENTRY, (view, at) => view.setUint32(at + 24, 7, true));
  refuses(uneven, FORMAT, /has two sizes, \d+ and 7/);
  const away = changed(bytes, ENTRY, (view, at) => view.setUint32(at + 42, 1e9, true));
  refuses(away, TRUNCATED, /"best\/data\.pkl" has 0 of its \d+ bytes/);
  const many = changed(bytes, END, (view, at) => view.setUint16(at + 8, 65535, true));
  refuses(many, FORMAT, /lists more files than its \d+ bytes can hold/);
});

test('every storage of a claimed size is checked before it is read', () => {
  const claims = (/** @type {number} */ count, /** @type {boolean} */ legacy) => {
    const tiny = new TinyPt();
    const model = tiny.model();
    const [, stem] = [...model.state._modules.get('model').state._modules.values()];
    const tensor = stem.state._modules.get('conv').state._parameters.get('weight').args[0];
    tensor.args[0].id.items[4] = count;
    return tiny.writer.save({ model }, { legacy });
  };
  refuses(
    claims(2 ** 30, false),
    TRUNCATED,
    /has 576 of the 1073741824 numbers of "model\.1\.conv\.weight"/,
  );
  refuses(claims(500, false), FORMAT, /ends at number 576 of a storage that has 500/);
});

/** @param {Uint8Array[]} files @param {number} megabytes of memory that they may take */
function importInWorker(files, megabytes) {
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { importPt } from ${JSON.stringify(new URL('../../web/src/import/pt.js', import.meta.url).href)};
    parentPort.postMessage(workerData.map((bytes) => {
      try { importPt(bytes); return 'taken'; } catch ({ code, message }) { return code + ' ' + message; }
    }));`;
  const address = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new Worker(address, {
    workerData: files,
    resourceLimits: { maxOldGenerationSizeMb: megabytes },
  });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

test('pickles of a megabyte that only repeat themselves take little memory', async () => {
  const each = 1 << 20;
  const repeat = (/** @type {string} */ part) =>
    archiveOf('}q\x00', part.repeat(each / part.length), '.');
  const said = await importInWorker(
    [
      repeat('h\x00'), // the same value, recalled
      repeat('2'), // doubled on the stack
      repeat('('), // marks
      repeat('(]'), // lists in nothing
      repeat(')\x85\x85'), // tuples in tuples
      archiveOf(`]q\x00${'h\x00a'.repeat(each / 3)}.`), // a list of itself
      archiveOf(`]q\x00${'(h\x00h\x00h\x00h\x00e'.repeat(each / 10)}.`),
      archiveOf(`N${'\x85'.repeat(each)}.`), // as deep as it is long
      archiveOf(
        `X${String.fromCharCode(...little(each, 4))}${'a'.repeat(each)}${'q\x00h\x00'.repeat(1e5)}.`,
      ),
      archiveOf(
        `c_codecs\nencode\nq\x00X\x00\x00\x08\x00${'a'.repeat(1 << 19)}q\x01X\x06\x00\x00\x00latin1\x86q\x02`,
        `${'h\x00h\x02R'.repeat(1e5)}.`,
      ),
    ],
    160,
  );
  for (const sentence of said) assert.match(sentence, /^WISP_ERR_/);
});

test('a pickle may take four million steps', () => {
  refuses(archiveOf('N0'.repeat(2_000_001), '.'), UNSUPPORTED, /more than 4000000 steps/);
});

test('damaged checkpoints give an error with a code, never another one', () => {
  const seed = Date.now() % 1e6;
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  const files = [{}, { legacy: true }, { version: /** @type {const} */ ('lite'), protocol: 4 }].map(
    (options) => tinyPt(options),
  );
  for (let i = 0; i < 300; i++) {
    const bytes = files[i % files.length].slice();
    for (let k = 0; k < 3; k++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
    try {
      importPt(bytes);
    } catch (error) {
      const { code, stack } = /** @type {any} */ (error);
      assert.match(String(code), /^WISP_ERR_/, `seed ${seed}, round ${i}: ${stack}`);
    }
  }
});
