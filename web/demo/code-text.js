// code-text.js - what a code says, as people read it.

/** @typedef {{text: string, format: string, binary: boolean}} Code text: of a binary one its bytes, in hexadecimal */

/** @param {import('../src/code-reader.js').Code} read @returns {Code} */
export function codeOf({ text, bytes, contentType, format }) {
  const binary = contentType === 'Binary';
  const hex = () => Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const name = format ?? '';
  return { text: binary ? hex() : (text ?? ''), format: FORMATS[name] ?? name, binary };
}

/** Formats of zxing-wasm, as people write them where that is not the same. @type {Record<string, string>} */
const FORMATS = {
  QRCode: 'QR code',
  MicroQRCode: 'Micro QR',
  RMQRCode: 'rMQR',
  DataMatrix: 'Data Matrix',
  EAN13: 'EAN-13',
  EAN8: 'EAN-8',
  UPCA: 'UPC-A',
  UPCE: 'UPC-E',
  Code39: 'Code 39',
  Code93: 'Code 93',
  Code128: 'Code 128',
};

/** Where a text leads, if it is an address of the web and nothing else. @param {Code} code @returns {string | null} */
export function linkOf({ text, binary }) {
  if (binary || !/^https?:\/\/\S+$/i.test(text)) return null;
  try {
    return new URL(text).href;
  } catch {
    return null;
  }
}

/** A text with its control characters made visible. @param {string} text */
export const visible = (text) =>
  text.replaceAll(/[\0-\x1f]/g, (sign) =>
    sign === '\n' ? sign : String.fromCharCode(0x2400 + sign.charCodeAt(0)),
  );

/** Contents that programs open by their ending. @type {[RegExp, string, string][]} */
const KINDS = [
  [/^BEGIN:VCARD/i, 'vcf', 'text/vcard'],
  [/^BEGIN:VCALENDAR/i, 'ics', 'text/calendar'],
];

/** What a code says as a file. @param {Code} code @param {Uint8Array} bytes of a binary one */
export function fileOf({ text, binary }, bytes) {
  const own = KINDS.find(([beginning]) => beginning.test(text));
  const [, ending, type] = own ?? [null, 'txt', 'text/plain'];
  if (binary) return { name: 'code.bin', file: new Blob([new Uint8Array(bytes)]) };
  return { name: `code.${ending}`, file: new Blob([text], { type }) };
}
