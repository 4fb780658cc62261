// The report of layers as text for a terminal.

import { table } from './columns.js';

/** @param {import('./layers.js').LayerReport} report */
export function showLayers({ id, peak, threads, layers, sums }) {
  const loops = Object.entries(peak.loops).map(([name, gmacs]) => `${name} ${gmacs.toFixed(1)}`);
  const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(0)} %`;
  const rows = layers.map((layer, i) => [
    ...[
      `${i} ${layer.isHead ? 'head' : layer.operation}`,
      layer.kernel,
      layer.channels,
      layer.size,
    ],
    layer.macs ? percent(layer.density) : '',
    layer.macs ? (layer.macs / 1e6).toFixed(1) : '',
    ...[layer.ms.toFixed(3), percent(layer.ms / sums.layers)],
    ...(layer.gmacs ? [layer.gmacs.toFixed(1), percent(layer.ofPeak)] : ['', '']),
  ]);
  const head = 'layer|kernel|channels|output|blocks|MMAC|ms|share|GMAC/s|of peak';
  return [
    '',
    `Layers of ${id}, ${threads} thread${threads > 1 ? 's' : ''}; ` +
      `peak of one: ${peak.gmacs.toFixed(1)} GMAC/s (${loops.join('; ')})`,
    ...table([head.split('|'), ...rows]),
    `all layers ${sums.layers.toFixed(2)} ms of a run of ${sums.run.toFixed(2)} ms; ` +
      `convolutions but heads at ${percent(sums.ofPeak)} of the peak, ` +
      `those with 64 input channels or more at ${percent(sums.wideOfPeak)}`,
  ].join('\n');
}
