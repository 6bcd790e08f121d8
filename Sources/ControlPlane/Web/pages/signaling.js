// WHIP (RFC 9725) and WHEP over fetch: one offer, one answer, one session resource.

/** What a server said no with. `retryAfter` is in seconds, or null. */
export class Refused extends Error {
  constructor(status, detail, retryAfter) {
    super(detail || `The server answered ${status}.`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function headers(token, extra = {}) {
  return token ? {...extra, authorization: `Bearer ${token}`} : extra;
}

async function refusal(response) {
  let detail = '';
  try {
    const problem = await response.json();
    detail = problem.detail || problem.title || '';
  } catch { /* not every proxy answers with problem+json */ }
  const after = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  return new Refused(response.status, detail, Number.isFinite(after) ? after : null);
}

/** The servers a viewer or publisher may relay through; none when the node has none to offer. */
async function iceServers(base) {
  try {
    const response = await fetch(new URL('/api/ice', base), {signal: AbortSignal.timeout(1_000)});
    return response.ok ? (await response.json()).iceServers ?? [] : [];
  } catch {
    return [];
  }
}

/** POSTs an offer. Browsers drop Authorization when another host is redirected to: then it is asked once more. */
async function offer(url, sdp, {token, signal}) {
  const post = to => fetch(to, {
    method: 'POST', signal, headers: headers(token, {'content-type': 'application/sdp'}), body: sdp,
  });
  const response = await post(url);
  return response.status === 401 && response.redirected && token ? post(response.url) : response;
}

/**
 * Negotiates `pc`, whose transceivers are set up, with an endpoint. Returns the session: `endpoint` is the URL that took
 * it, which may be another node's, `link` its Link header, and `close()` ends it at the server.
 *
 * The offer leaves at once, without candidates: the server knows a client by its checks. What takes time on this side, the
 * servers to relay through and gathering, goes on meanwhile or after.
 */
export async function connect(pc, url, {token = '', signal} = {}) {
  const description = await pc.createOffer();
  const [response, servers] = await Promise.all([
    offer(url, description.sdp, {token, signal}), iceServers(url),
  ]);
  if (response.status !== 201) throw await refusal(response);
  const resource = new URL(response.headers.get('location'), response.url).href;
  const ended = new AbortController();
  const session = {
    resource, token, endpoint: response.url, link: response.headers.get('link') ?? '', signal: ended.signal,
    close() {
      if (ended.signal.aborted) return;
      ended.abort();
      pc.close();
      // keepalive: the DELETE survives the page that sends it.
      fetch(resource, {method: 'DELETE', headers: headers(token), keepalive: true}).catch(() => {});
    },
  };
  // The promises of a connection that is closed meanwhile never settle.
  const abandon = () => session.close();
  signal?.addEventListener('abort', abandon);
  try {
    if (servers.length && pc.setConfiguration) pc.setConfiguration({...pc.getConfiguration(), iceServers: servers});
    await pc.setLocalDescription(description);
    await pc.setRemoteDescription({type: 'answer', sdp: await response.text()});
  } catch (error) {
    session.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
  return session;
}

/** Resolves when `pc` is connected; rejects when it fails or takes too long. */
export function connected(pc, milliseconds = 10_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('No connection for media: is UDP blocked here?')), milliseconds);
    const look = () => {
      if (pc.connectionState === 'connected') { clearTimeout(timer); resolve(); }
      if (['failed', 'closed'].includes(pc.connectionState)) {
        clearTimeout(timer);
        reject(new Error('The media connection failed.'));
      }
    };
    pc.addEventListener('connectionstatechange', look);
    look();
  });
}
