// The player: plays /?broadcast=NAME, muted until asked for sound, comes back by itself after any failure, and moves to
// another node without a gap when the one it watches at asks for it.
import {Watching} from './watching.js';
import {pause, sleep, whenChanged} from './network.js';
import {explain} from './states.js';
import {listBroadcasts} from './lobby.js';
import {Viewing} from './viewing.js';
import {chosenLayer, select, showLayers} from './layers.js';
import {Measurements, codec} from './measurements.js';
import {Panel} from './panel.js';
import {headers} from './signaling.js';
import {showWhereabouts, whereabouts} from './where.js';

const $ = id => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
const name = parameters.get('broadcast') ?? '';
// A token arrives in the fragment, which no server sees and no log keeps.
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

const backOff = {first: 500, factor: 1.7, most: 8_000};
// Not all viewers of a node that died come back in the same instant.
const jitter = milliseconds => milliseconds * (0.75 + 0.5 * Math.random());

function notice(title, detail = '') {
  $('notice').hidden = title === '';
  // The same words again would be read out again.
  if ($('notice-title').textContent !== title) $('notice-title').textContent = title;
  if ($('notice-detail').textContent !== detail) $('notice-detail').textContent = detail;
}

/** `state` is one of connecting, playing, waiting, and `reason` why there is no picture; style and tests read them. */
function show(state, {reason = '', title = '', detail = ''} = {}) {
  Object.assign(document.body.dataset, {state, reason});
  $('badge').hidden = state !== 'playing';
  viewing.isPlaying = state === 'playing';
  notice(title, detail);
}

const connecting = {reason: 'connecting', title: 'Connecting…'};
const reconnecting = {reason: 'reconnecting', title: 'Reconnecting…', detail: 'The connection was lost.'};
const paused = {reason: 'paused', title: 'The broadcast has paused', detail: 'It continues here when it comes back.'};

// MARK: - Where

/** The page's own node, and before it the one that this page was moved to. */
const home = new URL(`/whep/${encodeURIComponent(name)}`, location.href).href;
let moved = null;
let attempts = 0;
const nextAddress = () => (moved && attempts++ % 2 === 0 ? moved : home);

// MARK: - On screen

const screens = [$('video'), $('video-2')];
/** What people see, a `Watching`. Null before the first picture and between two sessions. */
let current = null;
/** The move under way, a promise that never rejects. */
let move = null;

/** The element that nothing plays in. */
function spareScreen() {
  const spare = current ? screens.find(screen => screen !== current.video) : screens[0];
  spare.muted = true;
  return spare;
}

/** Shows what plays in one element alone. */
function raise(screen) {
  screen.classList.remove('coming');
  for (const other of screens) other.hidden = other !== screen;
}

function present(watching) {
  const old = current;
  raise(watching.video);
  current = watching;
  window.cascade = {pc: watching.pc, video: watching.video};
  if (old) {
    setMuted(watching.video, old.video.muted);
    viewing.replaced();
    old.close();
  }
  watching.isPaused = false;
  watching.layers = [];
  watching.silent = 0;
  showLayers($('quality'), [], null);
  choose(watching);
  locate(watching);
  // What comes from now on is measured against this.
  watching.pc.getStats().then(reports => measurements.take(reports, watching)).catch(() => {});
  watching.follow({
    layers: event => {
      if (watching !== current) return;
      const layers = Object.values(event)[0] ?? [];
      watching.layers = layers;
      showLayers($('quality'), layers, quality);
      // A node may come to know the name only now.
      if (watching.chosen !== quality && layers.some(layer => layer.rid === quality)) choose(watching);
    },
    active: () => { watching.isPaused = false; },
    inactive: () => { watching.isPaused = true; if (watching === current) show('waiting', paused); },
    viewercount: ({viewercount}) => { if (watching === current) showCount(viewercount); },
    reconnect: ({url}) => { if (watching === current) move ??= follow(url).finally(() => { move = null; }); },
  });
}

function showCount(count) {
  $('viewers').textContent = Number.isInteger(count) ? `${count} watching` : '';
}

/** Sound may need a gesture on this very element: a picture without sound is better than none. */
function setMuted(video, muted) {
  video.muted = muted;
  video.play().catch(() => { video.muted = true; video.play().catch(() => {}); }).finally(showSound);
}

function showSound() {
  const muted = current?.video.muted ?? true;
  $('sound').textContent = muted ? 'Turn sound on' : 'Turn sound off';
  $('sound').classList.toggle('primary', muted);
}

// MARK: - Moving

/**
 * Make before break: watches at `url` in the other element, and leaves the old node only when the new picture runs. While
 * that fails and the old one plays, the page's own address is tried in turn: a node that drains redirects.
 */
async function follow(url) {
  const leaving = current;
  const abort = new AbortController();
  leaving.over.then(() => abort.abort());
  let wait = backOff.first;
  for (let address = new URL(url ?? home, leaving.endpoint).href; ; address = address === home ? url ?? home : home) {
    let next;
    try {
      const screen = spareScreen();
      screen.classList.add('coming');
      screen.hidden = false;
      next = await Watching.begin(address, screen, {token, signal: abort.signal});
      await next.picture();
      if (leaving !== current) throw new Error('Somebody was faster.');
      moved = next.endpoint;
      attempts = 0;
      return present(next);
    } catch {
      next?.close();
    }
    if (abort.signal.aborted) return;
    await Promise.race([sleep(jitter(wait)), leaving.over]);
    if (abort.signal.aborted) return;
    wait = Math.min(backOff.most, wait * backOff.factor);
  }
}

// MARK: - Watching

const measurements = new Measurements();
const panel = new Panel(name);

let hasPlayed = false;

/** One session after the other without a gap, until one ends by itself; throws when the first never began. */
async function play() {
  const video = spareScreen();
  raise(video);
  const first = await Watching.begin(nextAddress(), video, {
    token, created: pc => { window.cascade = {pc, video}; },
  });
  present(first);
  setMuted(video, soundless);
  try {
    for (let watched = null; watched !== current;) {
      watched = current;
      await watched.over;
      // What has just ended may have asked for the move that is under way.
      await move;
    }
  } finally {
    current.close();
    current = null;
    showCount(null);
    $('numbers').textContent = '';
  }
}

/** Every second: what comes, and is it anything. */
async function measure() {
  const watching = current;
  if (!watching) return panel.add(null, null, performance.now());
  const reports = await watching.pc.getStats();
  if (watching !== current) return;
  const row = measurements.take(reports, watching);
  panel.note({codec: codec(reports)});
  panel.add(row, encoding(watching), performance.now());
  if (row.packetsReceived !== null) judge(watching, row);
}

function judge(watching, row) {
  watching.silent = row.packetsReceived > 0 ? 0 : watching.silent + 1;
  const flows = row.fps > 0 || (!row.frameWidth && row.packetsReceived > 0);
  $('numbers').textContent = flows ? describe(row) : '';
  if (flows && !watching.isPaused) {
    watching.isAnswered = false;
    show('playing');
    hasPlayed = true;
    backOff.wait = backOff.first;
    attempts = 0;
  }
  if (watching.silent < 3) return;
  // The server holds viewers while the source is away; then the session ends, and this page tries anew.
  if (watching.isPaused || watching.isAnswered) return show('waiting', paused);
  show('waiting', reconnecting);
  watching.recover().then(isAnswered => { watching.isAnswered = isAnswered; });
}

function describe({frameWidth, frameHeight, fps, audioBitrate, videoBitrate}) {
  const rate = `${((audioBitrate + videoBitrate) / 1_000).toFixed(1)} Mbit/s`;
  return frameWidth ? `${frameWidth}×${frameHeight} · ${Math.round(fps)} fps · ${rate}` : rate;
}

/** The name of what is watched; `auto` where the server chooses among several, null where encodings have no names. */
function encoding({chosen, layers}) {
  return chosen ?? (layers.length > 1 ? 'auto' : layers[0]?.rid ?? null);
}

/** Which node it is and which others there are, for recordings and for those who want to know. */
async function locate(watching) {
  const list = async path => {
    const answer = await fetch(new URL(path, watching.endpoint), {headers: headers(token)}).catch(() => null);
    return answer?.ok ? answer.json().catch(() => []) : [];
  };
  const found = whereabouts(...await Promise.all([list('/api/nodes'), list('/api/broadcasts')]), name);
  if (watching !== current) return;
  panel.note({node: found.here?.name ?? new URL(watching.endpoint).host, region: found.here?.region ?? ''});
  if (found.here) showWhereabouts(found, name);
}

async function keepPlaying() {
  $('stage').hidden = false;
  $('name').textContent = name;
  document.title = `${name} · Cascade`;
  viewing.name(name);
  backOff.wait = backOff.first;
  show('connecting', connecting);
  setInterval(measure, 1_000);
  for (;;) {
    let {wait} = backOff;
    try {
      await play();
      show('connecting', reconnecting);
    } catch (error) {
      const said = explain(error, {hasPlayed, isOnline: navigator.onLine});
      show('waiting', said);
      if (said.isFinal) return;
      wait = Math.max(wait, said.wait);
      backOff.wait = Math.min(backOff.most, backOff.wait * backOff.factor);
    }
    await pause(jitter(wait));
  }
}

addEventListener('pagehide', () => current?.close());
// What plays may have lost its way, though nobody has noticed yet.
whenChanged(() => current?.recover());

/** What the person at the page chose; sessions that come later keep it. */
let soundless = true;
function setSoundless(value) {
  soundless = value;
  if (current) setMuted(current.video, soundless);
}
const toggleSound = () => setSoundless(!(current?.video.muted ?? true));
$('sound').addEventListener('click', toggleSound);

const viewing = new Viewing({video: () => current?.video ?? null, toggleSound, hear: () => setSoundless(false)});

/** Also theirs: the name of an encoding, or null. */
let quality = null;
$('quality').addEventListener('change', () => {
  quality = chosenLayer($('quality'));
  if (current) choose(current);
});

/** Tells the server what is chosen; a session begins with the server's choice. */
async function choose(watching) {
  const rid = quality;
  if (rid === (watching.chosen ?? null)) return;
  if (await select(watching.session, rid).catch(() => false)) watching.chosen = rid;
}

// Another token in the address bar is another attempt.
addEventListener('hashchange', () => location.reload());

if (name) keepPlaying(); else listBroadcasts(token);
