// The publisher page: camera or screen and a microphone, sent by WHIP to this origin.
import {connect, connected, headers, Refused} from './signaling.js';

const $ = id => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
let media = null;
let live = null;
/** The attempt under way or on air; `stop` aborts it. */
let attempt = new AbortController();

function notice(title, detail = '') {
  $('notice').hidden = title === '';
  $('notice-title').textContent = title;
  $('notice-detail').textContent = detail;
}

function show(state) {
  document.body.dataset.state = state;
  $('badge').hidden = state !== 'live';
  $('start').disabled = state !== 'idle';
  $('stop').disabled = state === 'idle';
  for (const id of ['broadcast', 'token', 'picture', 'camera', 'microphone', 'codec', 'bitrate']) {
    $(id).disabled = state !== 'idle';
  }
}

async function listDevices() {
  if (!navigator.mediaDevices) {
    notice('No camera here', 'Browsers give cameras only to pages from https or localhost.');
    return;
  }
  const devices = await navigator.mediaDevices.enumerateDevices();
  const fill = (select, kind, none) => {
    const chosen = select.value;
    const options = devices.filter(device => device.kind === kind)
      .map((device, i) => new Option(device.label || `${none.slice(3)} ${i + 1}`, device.deviceId));
    select.replaceChildren(...options, new Option(none, 'none'));
    if ([...select.options].some(option => option.value === chosen && chosen !== '')) select.value = chosen;
  };
  fill($('camera'), 'videoinput', 'No camera');
  fill($('microphone'), 'audioinput', 'No microphone');
}

const exactly = id => id ? {deviceId: {exact: id}} : {};

async function capture(signal) {
  stopMedia();
  const tracks = [];
  const give = () => tracks.forEach(track => track.stop());
  signal.addEventListener('abort', give, {once: true});
  const picture = $('picture').value;
  if (picture === 'screen') {
    const screen = await navigator.mediaDevices.getDisplayMedia({video: {frameRate: 30}, audio: true});
    tracks.push(...screen.getTracks());
  } else if (picture === 'camera' && $('camera').value !== 'none') {
    const camera = await navigator.mediaDevices.getUserMedia({
      video: {...exactly($('camera').value), width: {ideal: 1280}, height: {ideal: 720}, frameRate: {ideal: 30}},
    });
    tracks.push(...camera.getVideoTracks());
  }
  if ($('microphone').value !== 'none' && !tracks.some(track => track.kind === 'audio')) {
    const microphone = await navigator.mediaDevices.getUserMedia({audio: exactly($('microphone').value)});
    tracks.push(...microphone.getAudioTracks());
  }
  if (tracks.length === 0) throw new Error('Choose a picture or a microphone.');
  if (signal.aborted) give();
  signal.throwIfAborted();
  media = new MediaStream(tracks);
  $('preview').srcObject = media;
  listDevices();
}

function stopMedia() {
  media?.getTracks().forEach(track => track.stop());
  media = null;
  $('preview').srcObject = null;
}

function send(pc, track) {
  const transceiver = pc.addTransceiver(track, {
    direction: 'sendonly', streams: [media],
    sendEncodings: track.kind === 'video' ? [{maxBitrate: Number($('bitrate').value)}] : [{}],
  });
  if (track.kind !== 'video' || !$('codec').value || !transceiver.setCodecPreferences) return;
  const wanted = `video/${$('codec').value.toLowerCase()}`;
  const codecs = RTCRtpSender.getCapabilities('video').codecs;
  const first = codecs.filter(codec => codec.mimeType.toLowerCase() === wanted);
  if (first.length === 0) throw new Error(`This browser cannot send ${$('codec').value}.`);
  transceiver.setCodecPreferences([...first, ...codecs.filter(codec => /rtx/i.test(codec.mimeType))]);
}

async function start() {
  attempt = new AbortController();
  const {signal} = attempt;
  show('connecting');
  notice('Going live…');
  await capture(signal);
  const pc = new RTCPeerConnection();
  signal.addEventListener('abort', () => pc.close(), {once: true});
  signal.throwIfAborted();
  window.cascade = {pc};
  for (const kind of ['video', 'audio']) {
    const track = media.getTracks().find(each => each.kind === kind);
    if (track) send(pc, track);
  }
  const name = $('broadcast').value;
  const session = await connect(
    pc, new URL(`/whip/${encodeURIComponent(name)}`, location.href), {token: $('token').value, signal})
    .catch(error => { pc.close(); throw error; });
  signal.addEventListener('abort', () => session.close(), {once: true});
  if (signal.aborted) session.close();
  signal.throwIfAborted();
  live = session;
  await connected(pc);
  pc.addEventListener('connectionstatechange', () => {
    if (['failed', 'closed'].includes(pc.connectionState) && live) stop('The connection was lost. Go live again?');
  });
  media.getTracks().forEach(track => track.addEventListener('ended', () => stop('The source was closed.')));
  show('live');
  notice('');
  $('watch').hidden = false;
  $('watch-link').href = `/?broadcast=${encodeURIComponent(name)}`;
  $('watch-link').textContent = new URL($('watch-link').href, location.href).href;
  measure(pc);
  watchWarnings(session, name);
}

function stop(reason = '') {
  attempt.abort();
  live = null;
  stopMedia();
  show('idle');
  notice(reason);
  $('numbers').textContent = '';
  $('warnings').hidden = true;
}

async function measure(pc) {
  let before = {bytes: 0, at: performance.now()};
  while (live && pc.connectionState !== 'closed') {
    await new Promise(resolve => setTimeout(resolve, 1_000));
    let [bytes, fps, width, height] = [0, 0, 0, 0];
    for (const report of (await pc.getStats()).values()) {
      if (report.type !== 'outbound-rtp') continue;
      bytes += report.bytesSent ?? 0;
      if (report.kind === 'video') {
        [fps, width, height] = [report.framesPerSecond ?? 0, report.frameWidth ?? 0, report.frameHeight ?? 0];
      }
    }
    const now = performance.now();
    const bits = (bytes - before.bytes) * 8_000 / (now - before.at);
    before = {bytes, at: now};
    if (live) {
      $('numbers').textContent =
        `${width ? `${width}×${height} · ${Math.round(fps)} fps · ` : ''}${(bits / 1e6).toFixed(1)} Mbit/s`;
    }
  }
}

/** What the server throws away of this stream, and what to change: on the page as it is in the server's log. */
async function watchWarnings(session, name) {
  while (live === session) {
    await new Promise(resolve => setTimeout(resolve, 2_000));
    const answer = await fetch(new URL('/api/broadcasts', session.resource), {headers: headers($('token').value)})
      .catch(() => null);
    const listed = answer?.ok ? await answer.json().catch(() => []) : [];
    if (live !== session) return;
    const warnings = listed.find(each => each.name === name)?.warnings ?? [];
    $('warnings').replaceChildren(...warnings.map(({message}) => {
      const item = document.createElement('li');
      item.textContent = message;
      return item;
    }));
    $('warnings').hidden = warnings.length === 0;
  }
}

function explain(error) {
  if (error instanceof Refused && error.status === 401) return 'The server wants a token.';
  if (error instanceof Refused && error.status === 403) return 'The token is not for this broadcast.';
  if (error instanceof Refused && error.status === 409) return 'Somebody else is live under this name.';
  if (error.name === 'NotAllowedError') return 'The browser may not use the camera, microphone or screen.';
  return error.message;
}

$('form').addEventListener('submit', event => {
  event.preventDefault();
  const run = start();
  const {signal} = attempt;
  // Whoever pressed Stop knows why it ended.
  run.catch(error => { if (!signal.aborted) stop(explain(error)); });
});
$('stop').addEventListener('click', () => stop());
$('picture').addEventListener('change', () => {
  $('camera').closest('label').hidden = $('picture').value !== 'camera';
});
addEventListener('pagehide', () => live?.close());
navigator.mediaDevices?.addEventListener?.('devicechange', listDevices);

$('broadcast').value = parameters.get('broadcast') ?? '';
show('idle');
notice('');
listDevices();
