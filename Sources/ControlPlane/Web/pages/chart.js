// Lines over time, as SVG: it takes its colours from the page's style, scales, prints, and can be written into a file.

const namespace = 'http://www.w3.org/2000/svg';
const size = {width: 300, height: 72};

function element(name, attributes) {
  const made = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** The least of some round numbers that is not below `value`. */
export function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factors = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  return factors.map(factor => Number((factor * power).toPrecision(3))).find(each => each >= value * (1 - 1e-9));
}

/** Path of points [time, value]; a value that is not known is a gap, and one alone between two gaps is a dot. */
export function path(points, {from, to, top}, {width, height} = size) {
  const x = time => ((time - from) / (to - from || 1) * width).toFixed(1);
  const y = value => (height - Math.min(value, top) / top * height).toFixed(1);
  let text = '';
  let open = false;
  for (const [time, value] of points) {
    if (value === null || value === undefined) { open = false; continue; }
    text += open ? `L${x(time)} ${y(value)}` : `M${x(time)} ${y(value)}h.1`;
    open = true;
  }
  return text;
}

/**
 * Draws into `svg`. `series`: [[time, value], …] each, of one unit; `from` and `to` are times. `label` is what a screen
 * reader says. The value axis begins at 0 and ends at what is returned.
 */
export function draw(svg, {series, from, to, label}) {
  const top = ceiling(Math.max(0, ...series.map(points => points.reduce((most, [, value]) => Math.max(most, value ?? 0), 0))));
  const grid = y => element('line', {class: 'grid', x1: 0, x2: size.width, y1: y, y2: y});
  const attributes = {
    viewBox: `0 -1 ${size.width} ${size.height + 2}`, preserveAspectRatio: 'none', class: 'chart', role: 'img', 'aria-label': label,
  };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  svg.replaceChildren(
    grid(0), grid(size.height),
    ...series.map((points, index) => element('path', {class: `series-${index % 8}`, d: path(points, {from, to, top})})));
  return top;
}

export const blank = () => element('svg', {});
