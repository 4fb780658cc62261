// code-text.js - what a code says, as people read it.

/** @typedef {{text: string, format: string, binary: boolean}} Code text: of a binary one its bytes, in hexadecimal */

/** @param {import('../src/code-reading.js').Answer} answer @returns {Code} */
export function codeOf({ text, bytes, contentType, format }) {
  const binary = contentType === 'Binary';
  const hex = () => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return { text: binary ? hex() : text, format: FORMATS[format] ?? format, binary };
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
