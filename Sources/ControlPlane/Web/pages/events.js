// The server-sent events extension of WHEP. EventSource cannot send a token, so the stream is read with fetch.

const relation = 'urn:ietf:params:whep:ext:core:server-sent-events';
const pause = 1_000;

/** Links of a Link header field (RFC 8288 §3) as {target, parameters}; commas may be in quotes. */
export function links(field) {
  const found = [];
  for (const [, target, rest] of field.matchAll(/<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:"[^"]*"|[^\s";,]*))?)*)/g)) {
    const parameters = {};
    for (const [, name, quoted, bare] of rest.matchAll(/;\s*([^\s=;,]+)(?:\s*=\s*(?:"([^"]*)"|([^\s";,]*)))?/g)) {
      parameters[name.toLowerCase()] = quoted ?? bare ?? '';
    }
    found.push({target, parameters});
  }
  return found;
}

/** Takes a text/event-stream apart: push pieces of text, get whole events. */
export class EventReader {
  #rest = '';
  #event = '';
  #data = [];

  * push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length) yield {event: this.#event || 'message', data: this.#data.join('\n')};
        this.#event = '';
        this.#data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') this.#event = value;
      if (field === 'data') this.#data.push(value);
    }
  }
}

/**
 * Calls `handlers[event](data)` for the session's events until it ends. Returns at once when the server offers none of
 * them; a connection that breaks is made again while the server has the stream.
 */
export async function follow(session, handlers) {
  const link = links(session.link).find(link => link.parameters.rel?.split(' ').includes(relation));
  const offered = link?.parameters.events?.split(',').map(name => name.trim()) ?? Object.keys(handlers);
  const names = Object.keys(handlers).filter(name => offered.includes(name));
  if (!link || names.length === 0) return;
  const authorization = session.token ? {authorization: `Bearer ${session.token}`} : {};
  const {signal} = session;
  const created = await fetch(new URL(link.target, session.resource), {
    method: 'POST', signal, headers: {...authorization, 'content-type': 'application/json'}, body: JSON.stringify(names),
  });
  await created.arrayBuffer();
  if (created.status !== 201) return;
  const stream = new URL(created.headers.get('location'), created.url);
  while (!signal.aborted) {
    try {
      const response = await fetch(stream, {signal, headers: {...authorization, accept: 'text/event-stream'}});
      if (!response.ok) return;
      await read(response.body, handlers);
    } catch {
      // The connection broke, or the session is over.
    }
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}

async function read(body, handlers) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const events = new EventReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    for (const {event, data} of events.push(decoder.decode(value, {stream: true}))) {
      let parsed;
      try { parsed = JSON.parse(data); } catch { continue; }
      handlers[event]?.(parsed);
    }
  }
}
