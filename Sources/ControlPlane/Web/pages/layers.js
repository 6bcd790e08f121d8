// The layer selection extension of WHEP, and the control that uses it.
import {headers} from './signaling.js';
import {links} from './events.js';

const relation = 'urn:ietf:params:whep:ext:core:layer';

/** Asks for an encoding by name; null: whichever the server thinks best. Whether the server will. */
export async function select(session, rid) {
  const link = links(session.link).find(link => link.parameters.rel?.split(' ').includes(relation));
  if (!link) return false;
  const answer = await fetch(new URL(link.target, session.resource), {
    method: 'POST', signal: session.signal, headers: {...headers(session.token), 'content-type': 'application/json'},
    body: JSON.stringify(rid === null ? {} : {rid}),
  });
  return answer.ok;
}

/**
 * Shows in a <select> what there is to choose from; hidden where there is no choice. An encoding that does not come at
 * present can be chosen: it is taken when it comes.
 *
 * `layers`: entries of the `layers` event, [{rid, bitrate}]. `chosen`: a rid, or null.
 */
export function showLayers(control, layers, chosen) {
  control.hidden = layers.length < 2;
  const option = (value, text) => Object.assign(document.createElement('option'), {value, textContent: text});
  const rate = ({bitrate}) => (bitrate ? ` · ${(bitrate / 1e6).toFixed(1)} Mbit/s` : '');
  control.replaceChildren(
    option('', 'Automatic'),
    ...[...layers].sort((a, b) => (b.bitrate ?? 0) - (a.bitrate ?? 0))
      .map(layer => option(`rid:${layer.rid}`, `${layer.rid}${rate(layer)}`)));
  control.value = layers.some(layer => layer.rid === chosen) ? `rid:${chosen}` : '';
}

/** What is chosen in it: a rid, or null. */
export const chosenLayer = control => (control.value.startsWith('rid:') ? control.value.slice(4) : null);
