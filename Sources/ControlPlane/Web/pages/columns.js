// What is measured: the one table that measurements, recordings, charts and comparisons are made from.

/**
 * In the order of a recording. `better`: which of two values viewers want, where that can be said. `counts`: it grows from
 * the beginning of watching; what of it falls into a time is a difference.
 */
export const columns = [
  {name: 'rtt', label: 'Round trip', unit: 'ms', digits: 1, better: 'low'},
  {name: 'audioBitrate', label: 'Audio', unit: 'kbit/s', digits: 1, better: 'high'},
  {name: 'videoBitrate', label: 'Video', unit: 'kbit/s', digits: 1, better: 'high'},
  {name: 'packetsReceived', label: 'Packets', unit: '/s', digits: 1},
  {name: 'fps', label: 'Frames', unit: '/s', digits: 1, better: 'high'},
  {name: 'keyframesDecoded', label: 'Keyframes decoded', counts: true, digits: 0},
  {name: 'pliCount', label: 'PLIs', counts: true, digits: 0, better: 'low'},
  {name: 'packetLoss', label: 'Packet loss', unit: '%', digits: 2, better: 'low'},
  {name: 'nackCount', label: 'NACKs', counts: true, digits: 0, better: 'low'},
  {name: 'avgJitter', label: 'Jitter buffer', unit: 'ms', digits: 1, better: 'low'},
  {name: 'freezeCount', label: 'Freezes', counts: true, digits: 0, better: 'low'},
  {name: 'freezeDuration', label: 'Frozen', unit: 's', counts: true, digits: 3, better: 'low'},
  {name: 'retransmitted', label: 'RTX packets', counts: true, digits: 0},
  {name: 'frameWidth', label: 'Width', unit: 'px', digits: 0, better: 'high'},
  {name: 'frameHeight', label: 'Height', unit: 'px', digits: 0, better: 'high'},
  {name: 'latency', label: 'Latency from the node', unit: 'ms', digits: 0, better: 'low'},
];

/** Numbers are rounded once, where they are made: whoever reads them later has the same. */
export const rounded = (value, digits) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : null);

export function text(value, {unit}) {
  if (value === null || value === undefined) return '–';
  const number = value.toLocaleString('en', {maximumFractionDigits: 3, useGrouping: false});
  return unit ? `${number}${unit.startsWith('/') || unit === '%' ? '' : ' '}${unit}` : number;
}
