// The list of what is live, where no broadcast is named.
import {headers} from './signaling.js';
import {sleep} from './network.js';

const $ = id => document.getElementById(id);

function item(entry) {
  const link = document.createElement('a');
  link.href = `/?broadcast=${encodeURIComponent(entry.name)}${location.hash}`;
  link.textContent = entry.title || entry.name;
  const viewers = document.createElement('span');
  viewers.className = 'quiet';
  viewers.textContent = `${entry.viewers ?? 0} watching`;
  const made = document.createElement('li');
  made.append(link, viewers);
  return made;
}

/** Lists, again every few seconds, for as long as the page is there. What is the same is not touched: a link keeps its focus. */
export async function listBroadcasts(token) {
  $('lobby').hidden = false;
  let shown = '';
  for (;;) {
    try {
      const answer = await fetch('/api/broadcasts', {headers: headers(token)});
      const list = answer.ok ? await answer.json() : [];
      // Where all broadcasts need a token, what is live is nobody's business without one.
      const isClosed = [401, 403].includes(answer.status);
      $('lobby-closed').hidden = !isClosed;
      $('lobby-empty').hidden = isClosed || list.length > 0;
      const items = list.map(item);
      const text = items.map(each => each.outerHTML).join();
      if (text !== shown) $('broadcasts').replaceChildren(...items);
      shown = text;
    } catch {
      $('lobby-empty').hidden = false;
    }
    await sleep(3_000);
  }
}
