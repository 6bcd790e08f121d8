// WHIP (RFC 9725) and WHEP over fetch: one offer, one answer, one session resource.

/** What a server said no with. `cause`: last part of the problem's type; `retryAfter` is in seconds, or null. */
export class Refused extends Error {
  constructor(status, {detail = '', cause = '', retryAfter = null} = {}) {
    super(detail || `The server answered ${status}.`);
    Object.assign(this, {status, cause, retryAfter});
  }
}

/** Signaling worked, and no media came through. */
export class NoMedia extends Error {}

export function headers(token, extra = {}) {
  return token ? {...extra, authorization: `Bearer ${token}`} : extra;
}

async function refusal(response) {
  let problem = {};
  try { problem = await response.json(); } catch { /* not every proxy answers with problem+json */ }
  const after = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  return new Refused(response.status, {
    detail: problem.detail || problem.title, cause: String(problem.type ?? '').split(':').at(-1),
    retryAfter: Number.isFinite(after) ? after : null,
  });
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
    pc, resource, token, endpoint: response.url, link: response.headers.get('link') ?? '', signal: ended.signal,
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
    session.answer = await response.text();
    await pc.setRemoteDescription({type: 'answer', sdp: session.answer});
  } catch (error) {
    session.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
  return session;
}

/**
 * ICE restart (RFC 9725 §4.3.2): the session goes on over whatever network there is now. Throws `Refused` where the server
 * has no such session any more, and what fetch throws where it cannot be reached; the connection is as it was then.
 */
export async function restart(session, milliseconds = 2_000) {
  const {pc} = session;
  await pc.setLocalDescription(await pc.createOffer({iceRestart: true}));
  try {
    const response = await fetch(session.resource, {
      // Two requests in doubt: whichever came last counts.
      method: 'PATCH', headers: headers(session.token, {'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*'}),
      body: fragment(pc.localDescription.sdp), signal: AbortSignal.any([session.signal, AbortSignal.timeout(milliseconds)]),
    });
    if (response.status !== 200) throw await refusal(response);
    session.answer = withCredentials(session.answer, await response.text());
  } catch (error) {
    if (pc.signalingState === 'have-local-offer') await pc.setLocalDescription({type: 'rollback'});
    throw error;
  }
  await pc.setRemoteDescription({type: 'answer', sdp: session.answer});
}

const lineOf = (sdp, beginning) => sdp.match(new RegExp(`^${beginning}.*$`, 'm'))[0].trim();

/** Of an offer what a restart tells; candidates are not needed by a server that answers where checks come from. */
function fragment(sdp) {
  return ['a=ice-ufrag:', 'a=ice-pwd:', 'm=', 'a=mid:'].map(beginning => `${lineOf(sdp, beginning)}\r\n`).join('');
}

function withCredentials(answer, fragment) {
  return ['a=ice-ufrag:', 'a=ice-pwd:'].reduce(
    (sdp, beginning) => sdp.replace(new RegExp(`^${beginning}.*$`, 'gm'), lineOf(fragment, beginning)), answer);
}

/** Resolves when `pc` is connected; rejects when it fails or takes too long. */
export function connected(pc, milliseconds = 10_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoMedia('No connection for media: is UDP blocked here?')), milliseconds);
    const look = () => {
      if (pc.connectionState === 'connected') { clearTimeout(timer); resolve(); }
      if (['failed', 'closed'].includes(pc.connectionState)) {
        clearTimeout(timer);
        reject(new NoMedia('The media connection failed.'));
      }
    };
    pc.addEventListener('connectionstatechange', look);
    look();
  });
}
