// What the fuzzer found to run new code in an importer is read again: refused with a code, or a sound graph.

import { test } from 'node:test';
import { corpusFiles, FORMATS, readAnything } from './fuzz-import.js';

for (const [name, format] of Object.entries(FORMATS)) {
  test(`the corpus of ${name}`, () => {
    for (const { entry, bytes } of corpusFiles(name)) {
      try {
        readAnything(format, bytes);
      } catch (cause) {
        throw new Error(JSON.stringify(entry), { cause });
      }
    }
  });
}
