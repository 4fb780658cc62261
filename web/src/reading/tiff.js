// TIFF files under Node: the first page.

import { DamagedError } from './codec.js';

/** @typedef {Record<string, number[]> & {width: number, height: number}} Directory as UTIF reads it */

const STRIPS = ['t273', 't279'];
const TILES = ['t324', 't325'];

/** @type {import('./codec.js').Decode} */
export async function decodeTiff(bytes, _, place) {
  const { default: utif } = await import('utif2');
  const { buffer } = new Uint8Array(bytes); // a copy that begins at 0
  const [page] = /** @type {any} */ (utif.decode(buffer));
  if (!page) throw new DamagedError('it has no page');
  requireWhole(page, bytes.length);
  utif.decodeImage(buffer, page);
  const { width, height } = page;
  const data = utif.toRGBA8(page);
  if (data.length !== width * height * 4) throw new DamagedError('its pixels are not all there');
  place({ data, width, height });
}

/** Where bytes are missing UTIF takes zeros. @param {Directory} page @param {number} length of the file */
function requireWhole(page, length) {
  for (const [offsets, sizes] of [STRIPS, TILES])
    page[offsets]?.forEach((offset, i) => {
      if (offset + (page[sizes]?.[i] ?? 0) > length)
        throw new DamagedError('it ends before its pixels do');
    });
}
