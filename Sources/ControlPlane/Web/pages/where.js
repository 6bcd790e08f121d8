// Where the picture comes from, and from which other nodes the broadcast can be watched.

const $ = id => document.getElementById(id);
/** How often each node is asked; the shortest time counts, since the first ones open a connection. */
const tries = 4;

/**
 * What `/api/nodes` and `/api/broadcasts` of the node that serves say: {here, source, others}. `source`: the node that the
 * broadcast is published at, undefined where it is not known. `others`: edges by name, but for those that are
 * known not to be ready: of an edge of another region (kind `other`) a
 * node knows nothing, and /api/nodes calls it down.
 */
export function whereabouts(nodes, broadcasts, name) {
  const origin = broadcasts.find(each => each.name === name)?.origin;
  const others = nodes.filter(node => !node.self && node.role === 'edge' && (node.kind === 'other' || node.ready !== false) && node.url);
  return {
    here: nodes.find(node => node.self), source: nodes.find(node => node.name === origin),
    others: others.sort((a, b) => a.name.localeCompare(b.name, 'en')),
  };
}

/** Address of the page of a node, with the token that this page was opened by. */
export const pageAt = (node, name, fragment = '') => `${new URL(`/?broadcast=${encodeURIComponent(name)}`, node.url)}${fragment}`;

/** Milliseconds of the shortest of some small exchanges with a node; null: it did not answer. */
async function distance(node) {
  let shortest = null;
  for (let i = 0; i < tries; i++) {
    const began = performance.now();
    try {
      // Opaque will do: only the time counts.
      await fetch(new URL('/health', node.url), {mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(3_000)});
    } catch { return shortest; }
    const time = performance.now() - began;
    shortest = Math.min(shortest ?? time, time);
  }
  return shortest;
}

const place = node => (node ? `${node.name}${node.region ? ` (${node.region})` : ''}` : 'not known');

/** Shows it; `closest` asks the nodes only when somebody wants to know. */
export function showWhereabouts({here, source, others}, name) {
  $('here').textContent = place(here);
  $('source').textContent = place(source);
  $('others').replaceChildren(...others.map(node => {
    const link = Object.assign(document.createElement('a'), {href: pageAt(node, name, location.hash), textContent: place(node)});
    const item = document.createElement('li');
    item.append(link);
    return item;
  }));
  $('others').hidden = $('closest').hidden = others.length === 0;
  $('closest').onclick = async () => {
    $('closest').disabled = true;
    $('distances').textContent = 'Asking each node…';
    const times = await Promise.all([here, ...others].map(async node => ({node, time: await distance(node)})));
    $('distances').textContent = words(times);
    $('closest').disabled = false;
  };
}

/** `times`: [{node, time}], time in ms or null. */
export function words(times) {
  const known = times.filter(({time}) => time !== null).sort((a, b) => a.time - b.time);
  if (known.length === 0) return 'No node answered.';
  const list = known.map(({node, time}) => `${place(node)} ${time.toFixed(0)} ms`);
  const silent = times.filter(({time}) => time === null).map(({node}) => `${place(node)} did not answer`);
  return `Closest: ${[...list, ...silent].join(', ')}.`;
}
