// The player: plays /?broadcast=NAME, muted until asked for sound, and comes back by itself after any failure.
import {connect, connected, iceConfiguration, Refused} from './signaling.js';

const $ = id => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
const name = parameters.get('broadcast') ?? '';
// A token arrives in the fragment, which no server sees and no log keeps.
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

const backOff = {first: 500, factor: 1.7, most: 8_000};
const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

function notice(title, detail = '') {
  $('notice').hidden = title === '';
  $('notice-title').textContent = title;
  $('notice-detail').textContent = detail;
}

/** `state` is one of connecting, playing, waiting; style and tests read it. */
function show(state) {
  document.body.dataset.state = state;
  $('badge').hidden = state !== 'playing';
}

/** One attempt. Returns when the session is over; throws when it never began. */
async function play(video) {
  const pc = new RTCPeerConnection(await iceConfiguration(location.href));
  window.cascade = {pc, video};
  const stream = new MediaStream();
  pc.addTransceiver('video', {direction: 'recvonly'});
  pc.addTransceiver('audio', {direction: 'recvonly'});
  pc.addEventListener('track', event => stream.addTrack(event.track));
  const session = await connect(pc, new URL(`/whep/${encodeURIComponent(name)}`, location.href), {token})
    .catch(error => { pc.close(); throw error; });
  const leave = () => session.close();
  addEventListener('pagehide', leave, {once: true});
  try {
    await connected(pc);
    video.srcObject = stream;
    video.play().catch(() => {});
    await over(pc, video);
  } finally {
    removeEventListener('pagehide', leave);
    session.close();
  }
}

/** Resolves when the connection is lost, or nothing has come over it for too long. */
function over(pc, video) {
  return new Promise(resolve => {
    let bytes = -1;
    let frames = 0;
    let silent = 0;
    let started = performance.now();
    const timer = setInterval(async () => {
      const report = summary(await pc.getStats());
      if (report.bytes !== bytes) { bytes = report.bytes; silent = 0; } else { silent += 1; }
      const flows = silent < 2 && (report.frames > frames || !report.hasVideo);
      frames = report.frames;
      if (flows) { show('playing'); notice(''); backOff.wait = backOff.first; }
      // The server holds viewers while the source is away; then the session ends, and this page tries anew.
      if (silent >= 3) { show('waiting'); notice('The broadcast has paused', 'It continues here when it comes back.'); }
      $('numbers').textContent = flows ? describe(report, performance.now() - started) : '';
      started = performance.now();
    }, 1_000);
    const end = () => { clearInterval(timer); resolve(); };
    let grace;
    pc.addEventListener('connectionstatechange', () => {
      clearTimeout(grace);
      if (['failed', 'closed'].includes(pc.connectionState)) end();
      if (pc.connectionState === 'disconnected') grace = setTimeout(end, 4_000);
    });
    video.addEventListener('error', end, {once: true});
    // A server that says good-bye closes DTLS; the connection's own state does not show it for long.
    const transport = pc.getReceivers()[0]?.transport;
    transport?.addEventListener('statechange', () => {
      if (['failed', 'closed'].includes(transport.state)) end();
    });
  });
}

let lastBytes = 0;
function summary(stats) {
  const result = {bytes: 0, frames: 0, hasVideo: false, width: 0, height: 0, fps: 0};
  for (const report of stats.values()) {
    if (report.type !== 'inbound-rtp') continue;
    result.bytes += report.bytesReceived ?? 0;
    if (report.kind !== 'video') continue;
    result.hasVideo ||= (report.packetsReceived ?? 0) > 0;
    result.frames = report.framesDecoded ?? 0;
    result.width = report.frameWidth ?? 0;
    result.height = report.frameHeight ?? 0;
    result.fps = Math.round(report.framesPerSecond ?? 0);
  }
  return result;
}

function describe(report, milliseconds) {
  const bits = Math.max(0, report.bytes - lastBytes) * 8_000 / milliseconds;
  lastBytes = report.bytes;
  const picture = report.width ? `${report.width}×${report.height} · ${report.fps} fps · ` : '';
  return `${picture}${(bits / 1e6).toFixed(1)} Mbit/s`;
}

async function keepPlaying() {
  $('stage').hidden = false;
  $('name').textContent = name;
  document.title = `${name} · Cascade`;
  backOff.wait = backOff.first;
  for (;;) {
    let wait = backOff.wait;
    show('connecting');
    if ($('notice').hidden) notice('Connecting…');
    try {
      await play($('video'));
      notice('Connection lost', 'Trying again…');
    } catch (error) {
      show('waiting');
      if (error instanceof Refused && error.status === 409) {
        notice('Not live right now', 'The picture starts here by itself as soon as the broadcast does.');
        wait = Math.max(1_000, (error.retryAfter ?? 2) * 1_000);
      } else if (error instanceof Refused && [401, 403].includes(error.status)) {
        notice('You may not watch this', 'The link you got should carry a token.');
        return;
      } else if (error instanceof Refused && [404, 406, 422].includes(error.status)) {
        notice('This browser cannot play the broadcast', error.message);
        wait = 10_000;
      } else {
        notice('Cannot connect', `${error.message} Trying again…`);
        wait = Math.max(wait, ((error instanceof Refused && error.retryAfter) || 0) * 1_000);
      }
      backOff.wait = Math.min(backOff.most, backOff.wait * backOff.factor);
    }
    // Not all viewers of a node that died come back in the same instant.
    await sleep(wait * (0.75 + 0.5 * Math.random()));
  }
}

async function lobby() {
  $('lobby').hidden = false;
  for (;;) {
    try {
      const broadcasts = await (await fetch('/api/broadcasts')).json();
      const list = Array.isArray(broadcasts) ? broadcasts : broadcasts.broadcasts ?? [];
      $('lobby-empty').hidden = list.length > 0;
      $('broadcasts').replaceChildren(...list.map(entry => {
        const link = document.createElement('a');
        link.href = `/?broadcast=${encodeURIComponent(entry.name)}`;
        link.textContent = entry.title || entry.name;
        const viewers = document.createElement('span');
        viewers.className = 'quiet';
        viewers.textContent = `${entry.viewers ?? 0} watching`;
        const item = document.createElement('li');
        item.append(link, viewers);
        return item;
      }));
    } catch {
      $('lobby-empty').hidden = false;
    }
    await sleep(3_000);
  }
}

$('sound').addEventListener('click', () => {
  const video = $('video');
  video.muted = !video.muted;
  $('sound').textContent = video.muted ? 'Turn sound on' : 'Turn sound off';
  $('sound').setAttribute('aria-pressed', String(!video.muted));
  video.play().catch(() => {});
});
$('fullscreen').addEventListener('click', () => {
  const stage = $('stage');
  if (document.fullscreenElement) document.exitFullscreen();
  else if (stage.requestFullscreen) stage.requestFullscreen();
  else $('video').webkitEnterFullscreen?.();
});

// Another token in the address bar is another attempt.
addEventListener('hashchange', () => location.reload());

if (name) keepPlaying(); else lobby();
