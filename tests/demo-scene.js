// A street drawn by program, so that screenshots of the demo need nobody's photograph.

/**
 * Draws the street; runs in a page.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 */
export function drawStreet(context, width, height) {
  context.scale(width / 1200, height / 800);
  drawSky(context);
  drawHouses(context);
  drawRoad(context);
  drawClock(context, 602, 168, 62);
  drawStopSign(context, 300, 190);
  drawBus(context, 700, 330);
  drawCar(context, 70, 520, '#2d5f9e');
  drawTrafficLight(context, 520, 300);
}

/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Pen */

/**
 * @param {Pen} c @param {number} x @param {number} y @param {number} w @param {number} h
 * @param {string | CanvasGradient} fill @param {number} [radius]
 */
function box(c, x, y, w, h, fill, radius = 0) {
  c.fillStyle = fill;
  c.beginPath();
  c.roundRect(x, y, w, h, radius);
  c.fill();
}

/** @param {Pen} c @param {number} x @param {number} y @param {number} r @param {string | CanvasGradient} fill */
function disc(c, x, y, r, fill) {
  c.fillStyle = fill;
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
  c.fill();
}

/** @param {Pen} c @param {number} y0 @param {number} y1 @param {...string} colours */
function vertical(c, y0, y1, ...colours) {
  const gradient = c.createLinearGradient(0, y0, 0, y1);
  for (const [i, colour] of colours.entries())
    gradient.addColorStop(i / (colours.length - 1), colour);
  return gradient;
}

/** @param {Pen} c */
function drawSky(c) {
  box(c, 0, 0, 1200, 560, vertical(c, 0, 560, '#7fb2dd', '#cfe3ee', '#f3e6d2'));
  c.filter = 'blur(14px)';
  for (const [x, y, r] of [
    [150, 90, 46],
    [205, 80, 60],
    [270, 96, 44],
    [900, 60, 40],
    [955, 70, 52],
  ]) {
    disc(c, x, y, r, 'rgb(255 255 255 / 70%)');
  }
  c.filter = 'none';
}

/** @param {Pen} c */
function drawHouses(c) {
  const houses = [
    [-20, 150, 230, '#b98f74'],
    [210, 210, 220, '#a8a49a'],
    [430, 60, 340, '#c7a47e'],
    [770, 180, 210, '#8f8a86'],
    [980, 110, 240, '#b07f68'],
  ];
  for (const [x, y, w, colour] of /** @type {[number, number, number, string][]} */ (houses)) {
    box(c, x, y, w, 480, vertical(c, y, 560, colour, '#7b6a5e'));
    box(c, x - 6, y - 8, w + 12, 14, '#5e524b');
    for (let row = y + 40; row < 480; row += 74) {
      for (let at = x + 24; at < x + w - 40; at += 58) drawWindow(c, at, row);
    }
  }
}

/** @param {Pen} c @param {number} x @param {number} y */
function drawWindow(c, x, y) {
  box(c, x - 3, y - 3, 38, 52, '#e6ddd0');
  box(c, x, y, 32, 46, vertical(c, y, y + 46, '#5c7285', '#2f3d49'));
  box(c, x + 15, y, 2, 46, '#e6ddd0');
  box(c, x, y + 20, 32, 2, '#e6ddd0');
}

/** @param {Pen} c */
function drawRoad(c) {
  box(c, 0, 540, 1200, 60, vertical(c, 540, 600, '#b9b4ab', '#9d988f'));
  box(c, 0, 596, 1200, 8, '#7d7972');
  box(c, 0, 604, 1200, 200, vertical(c, 604, 800, '#5d5f63', '#44464a'));
  for (let x = 40; x < 1200; x += 190) box(c, x, 724, 110, 9, '#d9d6cc');
}

/** @param {Pen} c @param {number} x @param {number} y @param {number} r */
function drawClock(c, x, y, r) {
  disc(c, x, y + 4, r + 10, 'rgb(0 0 0 / 35%)');
  disc(c, x, y, r + 9, '#2e2a28');
  disc(c, x, y, r, '#f7f3e8');
  c.fillStyle = '#1d1b1a';
  c.font = `600 ${r * 0.26}px serif`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  for (let hour = 1; hour <= 12; hour++) {
    const angle = (hour * Math.PI) / 6;
    c.fillText(String(hour), x + Math.sin(angle) * r * 0.8, y - Math.cos(angle) * r * 0.8);
  }
  for (const [turn, length, w] of [
    [10.17 / 12, 0.45, 6],
    [10 / 60, 0.66, 4],
  ]) {
    const angle = turn * 2 * Math.PI;
    c.lineWidth = w;
    c.lineCap = 'round';
    c.strokeStyle = '#1d1b1a';
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(x + Math.sin(angle) * r * length, y - Math.cos(angle) * r * length);
    c.stroke();
  }
  disc(c, x, y, 5, '#1d1b1a');
}

/** @param {Pen} c @param {number} x @param {number} y @param {number} r */
function drawWheel(c, x, y, r) {
  disc(c, x, y, r, '#191a1c');
  disc(c, x, y, r * 0.58, '#9aa0a5');
  disc(c, x, y, r * 0.45, '#6d7378');
  disc(c, x, y, r * 0.16, '#c9cdd0');
}

/** @param {Pen} c @param {number} x @param {number} y */
function drawBus(c, x, y) {
  c.filter = 'blur(8px)';
  box(c, x + 6, y + 318, 430, 22, 'rgb(0 0 0 / 55%)', 11);
  c.filter = 'none';
  box(c, x, y, 440, 312, vertical(c, y, y + 312, '#d8372f', '#c02721', '#8f1a17'), 22);
  box(c, x + 12, y + 6, 416, 10, 'rgb(255 255 255 / 35%)', 5);
  for (const row of [y + 36, y + 168]) {
    box(c, x + 14, row, 412, 84, '#20272c', 10);
    for (let i = 0; i < 5; i++) {
      const glass = vertical(c, row, row + 84, '#9fc0d2', '#53707f', '#33454f');
      box(c, x + 20 + i * 81, row + 6, 74, 72, glass, 6);
    }
  }
  box(c, x + 14, y + 136, 300, 22, '#f3efe6', 3);
  c.fillStyle = '#20272c';
  c.font = '600 17px sans-serif';
  c.textAlign = 'left';
  c.textBaseline = 'middle';
  c.fillText('24  City Centre · Harbour', x + 24, y + 148);
  box(c, x + 346, y + 168, 76, 136, '#181d20', 6);
  for (const at of [352, 388])
    box(c, x + at, y + 174, 30, 124, vertical(c, y, y + 300, '#8fb0c2', '#3c525e'), 4);
  box(c, x + 2, y + 268, 18, 14, '#ffe9b0', 4);
  box(c, x + 424, y + 268, 14, 14, '#ff5a48', 4);
  box(c, x, y + 296, 440, 16, '#2a2b2d', 6);
  drawWheel(c, x + 92, y + 308, 36);
  drawWheel(c, x + 310, y + 308, 36);
}

/** @param {Pen} c @param {number} x @param {number} y @param {string} colour */
function drawCar(c, x, y, colour) {
  c.filter = 'blur(8px)';
  box(c, x, y + 132, 380, 22, 'rgb(0 0 0 / 55%)', 11);
  c.filter = 'none';
  c.fillStyle = vertical(c, y, y + 140, '#5b8fd0', colour, '#173a68');
  c.beginPath();
  c.moveTo(x, y + 100);
  c.bezierCurveTo(x - 4, y + 70, x + 20, y + 62, x + 66, y + 54);
  c.bezierCurveTo(x + 110, y + 8, x + 140, y, x + 200, y);
  c.bezierCurveTo(x + 262, y, x + 282, y + 24, x + 312, y + 54);
  c.bezierCurveTo(x + 366, y + 60, x + 386, y + 74, x + 384, y + 112);
  c.lineTo(x + 380, y + 134);
  c.lineTo(x + 4, y + 134);
  c.closePath();
  c.fill();
  c.fillStyle = vertical(c, y, y + 56, '#b8d3e2', '#3d5564');
  for (const [a, b, d, e] of [
    [92, 124, 184, 184],
    [196, 196, 246, 286],
  ]) {
    c.beginPath();
    c.moveTo(x + a, y + 54);
    c.lineTo(x + b, y + 12);
    c.lineTo(x + d, y + 10);
    c.lineTo(x + e, y + 54);
    c.closePath();
    c.fill();
  }
  box(c, x + 188, y + 58, 2, 66, 'rgb(0 0 0 / 35%)');
  box(c, x + 150, y + 68, 26, 5, '#d7dde2', 2);
  box(c, x + 258, y + 68, 26, 5, '#d7dde2', 2);
  box(c, x + 4, y + 76, 26, 14, '#ff6a55', 5);
  box(c, x + 354, y + 76, 28, 15, '#fff3cf', 6);
  box(c, x + 2, y + 118, 382, 16, '#20262c', 6);
  drawWheel(c, x + 84, y + 132, 34);
  drawWheel(c, x + 298, y + 132, 34);
}

/** @param {Pen} c @param {number} x @param {number} y */
function drawTrafficLight(c, x, y) {
  box(c, x + 26, y + 120, 8, 190, '#3b4045');
  box(c, x, y, 60, 150, vertical(c, y, y + 150, '#2a2d30', '#17191b'), 10);
  for (const [i, colour] of ['#ff3b2f', '#4a3a12', '#12351f'].entries()) {
    disc(c, x + 30, y + 28 + i * 47, 19, '#050606');
    const glow = c.createRadialGradient(x + 26, y + 22 + i * 47, 2, x + 30, y + 28 + i * 47, 17);
    glow.addColorStop(0, i === 0 ? '#ffb3a8' : colour);
    glow.addColorStop(1, colour);
    disc(c, x + 30, y + 28 + i * 47, 16, glow);
  }
}

/** @param {Pen} c @param {number} x @param {number} y */
function drawStopSign(c, x, y) {
  box(c, x - 5, y + 70, 10, 330, vertical(c, y, y + 400, '#b5babd', '#7c8286'));
  for (const [r, fill] of /** @type {[number, string][]} */ ([
    [78, '#f4f1ee'],
    [71, '#bf1e2b'],
  ])) {
    c.fillStyle = fill;
    c.beginPath();
    for (let i = 0; i < 8; i++) {
      const angle = ((i + 0.5) * Math.PI) / 4;
      c.lineTo(x + Math.cos(angle) * r, y + Math.sin(angle) * r);
    }
    c.closePath();
    c.fill();
  }
  c.fillStyle = '#f8f5f2';
  c.font = '700 46px "Liberation Sans Narrow", "Arial Narrow", sans-serif';
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.fillText('STOP', x, y + 2, 118);
}
