// Which side of an AVIF picture is up, for decoders that don't say.

import { Bytes, child, metaOf, propertiesOf } from './header.js';

/** EXIF's orientation by quarters turned anticlockwise, then mirrored not, top to bottom or left to right. */
const TURNS = [
  [1, 8, 3, 6],
  [4, 5, 2, 7],
  [2, 7, 4, 5],
];

/** Properties of the picture that is shown say it, EXIF doesn't count. @param {Uint8Array} bytes of an AVIF file */
export function orientationOf(bytes) {
  const file = new Bytes(bytes);
  const own = numbersOfOwn(file);
  let [quarters, mirror] = [0, 0];
  propertiesOf(file).forEach(({ type, body }, index) => {
    if (!own.has(index + 1)) return;
    if (type === 'irot') quarters = body.u8(0) & 3;
    if (type === 'imir') mirror = (body.u8(0) & 1) + 1;
  });
  return TURNS[mirror][quarters];
}

/** Numbers of the properties of the picture that is shown. @param {Bytes} file */
function numbersOfOwn(file) {
  const own = new Set();
  const meta = metaOf(file);
  const properties = meta && child(meta, 'iprp');
  const map = properties && child(properties, 'ipma');
  if (!meta || !map) return own;
  const primary = child(meta, 'pitm');
  const shown = primary ? (primary.u8(0) === 0 ? primary.u16(4) : primary.u32(4)) : 0;
  const [idLength, isWide] = [map.u8(0) === 0 ? 2 : 4, (map.u8(3) & 1) === 1];
  let at = 8;
  for (let i = 0; i < map.u32(4) && at < map.length; i++) {
    const id = idLength === 2 ? map.u16(at) : map.u32(at);
    const count = map.u8(at + idLength);
    at += idLength + 1;
    for (let k = 0; k < count && at < map.length; k++, at += isWide ? 2 : 1)
      if (id === shown) own.add(isWide ? map.u16(at) & 0x7fff : map.u8(at) & 0x7f);
  }
  return own;
}
