// One stable colour per class, bright enough for dark ink, far from its neighbours.

const GOLDEN_ANGLE = 137.508; // degrees: successive hues never come close to each other
const FIRST_HUE = 168;
const LIGHTNESS = [0.83, 0.76, 0.88];
const CHROMA = 0.15;

export const INK = '#0b1012';

/** @type {Map<number, string>} */
const known = new Map();

/**
 * The colour of a class as #rrggbb.
 * @param {number} label
 */
export function classColour(label) {
  let colour = known.get(label);
  if (!colour) {
    const hue = (FIRST_HUE + label * GOLDEN_ANGLE) % 360;
    colour = hex(inGamut(LIGHTNESS[label % LIGHTNESS.length], CHROMA, (hue * Math.PI) / 180));
    known.set(label, colour);
  }
  return colour;
}

/** The most colourful sRGB of this lightness and hue, at most `chroma`.
 * @param {number} lightness @param {number} chroma @param {number} hue radians */
function inGamut(lightness, chroma, hue) {
  for (let c = chroma; c > 0; c -= 0.005) {
    const rgb = linearRgb(lightness, c * Math.cos(hue), c * Math.sin(hue));
    if (rgb.every((v) => v >= 0 && v <= 1)) return rgb;
  }
  return linearRgb(lightness, 0, 0);
}

/** OKLab to linear sRGB (Björn Ottosson, 2020).
 * @param {number} lightness @param {number} a @param {number} b */
function linearRgb(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** @param {number[]} linear */
function hex(linear) {
  const bytes = linear.map((v) => {
    const encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, encoded)));
  });
  return `#${bytes.map((v) => v.toString(16).padStart(2, '0')).join('')}`;
}
