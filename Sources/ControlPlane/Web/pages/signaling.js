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

/** Candidates are gathered for at most this long: host candidates come at once, and the server needs none. */
const gatheringMilliseconds = 300;

function gathered(pc) {
  if (pc.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise(resolve => {
    const timer = setTimeout(resolve, gatheringMilliseconds);
    pc.addEventListener('icegatheringstatechange', () => {
      if (pc.iceGatheringState === 'complete') { clearTimeout(timer); resolve(); }
    });
  });
}

/** The servers a viewer or publisher may relay through; none when the node has none to offer. */
export async function iceConfiguration(base) {
  try {
    const response = await fetch(new URL('/api/ice', base));
    return response.ok ? await response.json() : {};
  } catch {
    return {};
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
 */
export async function connect(pc, url, {token = '', signal} = {}) {
  await pc.setLocalDescription();
  await gathered(pc);
  const response = await offer(url, pc.localDescription.sdp, {token, signal});
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
  try {
    await pc.setRemoteDescription({type: 'answer', sdp: await response.text()});
  } catch (error) {
    session.close();
    throw error;
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
