// A place for each box's label, where it hides no other label and nothing small.

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Rect
 */

const CROWDED = 0.2; // share of a label that may lie on others before it is left out
const SMALL = 2; // labels: a box with less area than so many could disappear under one

/**
 * Places for the labels of `boxes`, first come, first served; null where it would be clutter.
 * Everything in canvas pixels.
 * @param {Rect[]} boxes
 * @param {{width: number, height: number}[]} sizes of the labels
 * @param {{width: number, height: number}} area
 * @returns {(Rect | null)[]}
 */
export function placeLabels(boxes, sizes, area) {
  const small = boxes.filter(
    (box, i) => box.width * box.height < SMALL * sizes[i].width * sizes[i].height,
  );
  /** @type {Rect[]} */
  const taken = [];
  return boxes.map((box, i) => {
    const free = candidates(box, sizes[i], area).filter((place) => covered(place, taken) < CROWDED);
    const place = leastCovered(free, [...taken, ...small]);
    if (place) taken.push(place);
    return place;
  });
}

/** The first of those that cover least. @param {Rect[]} places @param {Rect[]} others */
function leastCovered(places, others) {
  /** @type {Rect | null} */
  let best = null;
  let least = Number.POSITIVE_INFINITY;
  for (const place of places) {
    const hidden = covered(place, others);
    if (hidden >= least) continue;
    least = hidden;
    best = place;
  }
  return best;
}

/**
 * Above the box, in its upper edge, below it, in its lower edge; each at the left, then the right.
 * @param {Rect} box
 * @param {{width: number, height: number}} size
 * @param {{width: number, height: number}} area
 * @returns {Rect[]}
 */
function candidates(box, size, area) {
  const left = box.x;
  const right = box.x + box.width - size.width;
  const rows = [box.y - size.height, box.y, box.y + box.height, box.y + box.height - size.height];
  const places = rows.flatMap((y) => [left, right].map((x) => inside(x, y, size, area)));
  const above = rows[0] >= 0;
  return above ? places : [...places.slice(2), ...places.slice(0, 2)];
}

/** @param {number} x @param {number} y @param {{width: number, height: number}} size
 * @param {{width: number, height: number}} area */
function inside(x, y, size, area) {
  return {
    x: Math.max(0, Math.min(x, area.width - size.width)),
    y: Math.max(0, Math.min(y, area.height - size.height)),
    width: size.width,
    height: size.height,
  };
}

/**
 * The share of `place` that the others cover, counting overlaps twice.
 * @param {Rect} place
 * @param {Rect[]} taken
 */
function covered(place, taken) {
  let sum = 0;
  for (const other of taken) {
    const w = Math.min(place.x + place.width, other.x + other.width) - Math.max(place.x, other.x);
    const h = Math.min(place.y + place.height, other.y + other.height) - Math.max(place.y, other.y);
    if (w > 0 && h > 0) sum += w * h;
  }
  return sum / (place.width * place.height);
}
