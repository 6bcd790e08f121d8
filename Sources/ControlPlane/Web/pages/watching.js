// One WHEP session and the video element it plays in.
import {Refused, connect, connected, restart} from './signaling.js';
import {pause, sleep} from './network.js';
import {follow} from './events.js';

/** How long a session that was negotiated may take to its first frame before a move to it is given up. */
const firstFrameMilliseconds = 8_000;
/** For so long after the network is there, ICE restarts try to take a session up again; then a new one is begun. */
const recoveryMilliseconds = 4_000;
/** A picture runs when so many frames in a row came no further apart than this; and after so long in any case. */
const steady = {frames: 8, apart: 150, most: 2_000};

/** Resolves when the picture of `video` runs; rejects when none comes. */
function running(video) {
  return new Promise((resolve, reject) => {
    let timer = setTimeout(() => reject(new Error('No picture came.')), firstFrameMilliseconds);
    if (!video.requestVideoFrameCallback) {
      video.addEventListener('timeupdate', () => { clearTimeout(timer); resolve(); }, {once: true});
      return;
    }
    let frames = 0;
    let last = 0;
    video.requestVideoFrameCallback(function look(now) {
      if (frames === 0) { clearTimeout(timer); timer = setTimeout(resolve, steady.most); }
      frames = frames && now - last > steady.apart ? 1 : frames + 1;
      last = now;
      if (frames > steady.frames) { clearTimeout(timer); resolve(); }
      else video.requestVideoFrameCallback(look);
    });
  });
}

export class Watching {
  /**
   * Negotiates and connects. `created` gets the peer connection before anything is sent.
   *
   * Throws what `connect` throws; nothing is left open then.
   */
  static async begin(url, video, {token, signal, created = () => {}}) {
    const pc = new RTCPeerConnection();
    const watching = new Watching(pc, video);
    created(pc);
    try {
      watching.session = await connect(pc, url, {token, signal});
      await connected(pc);
      signal?.throwIfAborted();
      video.srcObject = watching.stream;
      video.play().catch(() => {});
      return watching;
    } catch (error) {
      watching.close();
      throw error;
    }
  }

  constructor(pc, video) {
    this.pc = pc;
    this.video = video;
    this.stream = new MediaStream();
    pc.addTransceiver('video', {direction: 'recvonly'});
    pc.addTransceiver('audio', {direction: 'recvonly'});
    pc.addEventListener('track', event => this.stream.addTrack(event.track));
    this.isOver = false;
    this.over = new Promise(resolve => { this.end = () => { this.isOver = true; resolve(); }; });
    video.addEventListener('error', () => this.end(), {once: true});
    this.#watchTransport();
  }

  /** The URL that took the session. */
  get endpoint() { return this.session.endpoint; }

  /** Resolves when the picture runs, at once for sound alone; rejects when none comes. */
  async picture() {
    const video = this.pc.getTransceivers().find(t => t.receiver.track.kind === 'video');
    if (video?.currentDirection !== 'recvonly') return;
    await Promise.race([
      running(this.video),
      this.over.then(() => { throw new Error('The session ended before its first picture.'); }),
    ]);
  }

  /** Calls `handlers[event](data)` until the session ends. */
  follow(handlers) { follow(this.session, handlers).catch(() => {}); }

  close() {
    this.end();
    this.session?.close();
    this.pc.close();
    if (this.video.srcObject === this.stream) this.video.srcObject = null;
  }

  #watchTransport() {
    const {pc} = this;
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState === 'closed') this.end();
      // Before the first connection it is the beginner's to wait and to give up.
      if (['failed', 'disconnected'].includes(pc.connectionState)) this.recover();
      // A server that says good-bye closes DTLS; the connection's own state does not show it for long.
      const transport = pc.getReceivers()[0]?.transport;
      transport?.addEventListener('statechange', () => {
        if (['failed', 'closed'].includes(transport.state)) this.end();
      });
    });
  }

  /**
   * Nothing comes, or the network is another one: ICE restarts until the node answers again, or the session's end. Resolves
   * with whether it answers.
   */
  async recover() {
    if (!this.session || this.isOver) return false;
    this.recovery ??= this.#takeUp().catch(() => this.end()).finally(() => { this.recovery = null; });
    await this.recovery;
    return !this.isOver;
  }

  async #takeUp() {
    let since = Date.now();
    while (!this.isOver) {
      try {
        const before = await this.#answers();
        await restart(this.session);
        if (await this.#isAnswered(before)) return;
      } catch (error) {
        // The server knows the session no more, or the connection cannot be negotiated.
        if (error instanceof Refused || error.name === 'InvalidStateError') return this.end();
      }
      if (!navigator.onLine) since = Date.now();
      if (Date.now() - since > recoveryMilliseconds) return this.end();
      if (await pause(500)) since = Date.now();
    }
  }

  /** Of each candidate pair how often the node has answered: media may pause, the node's answers do not. */
  async #answers() {
    const pairs = [...(await this.pc.getStats()).values()].filter(report => report.type === 'candidate-pair');
    return new Map(pairs.map(pair => [pair.id, pair.responsesReceived ?? 0]));
  }

  async #isAnswered(before) {
    for (let i = 0; i < 20 && !this.isOver; i++) {
      await sleep(100);
      const now = await this.#answers();
      if (this.pc.connectionState === 'connected' && [...now].some(([id, count]) => count > (before.get(id) ?? 0))) return true;
    }
    return false;
  }
}
