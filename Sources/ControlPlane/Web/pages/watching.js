// One WHEP session and the video element it plays in.
import {connect, connected, iceConfiguration} from './signaling.js';
import {follow} from './events.js';

/** How long a session that was negotiated may take to its first picture before a move to it is given up. */
const firstFrameMilliseconds = 8_000;

/** Resolves when `video` shows a frame of `stream`; at once for sound alone. */
function firstFrame(video, hasVideo) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('No picture came.')), firstFrameMilliseconds);
    const done = () => { clearTimeout(timer); resolve(); };
    if (!hasVideo) done();
    else if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(done);
    else video.addEventListener('timeupdate', done, {once: true});
  });
}

export class Watching {
  /**
   * Negotiates and connects. `created` gets the peer connection before anything is sent.
   *
   * Throws what `connect` throws; nothing is left open then.
   */
  static async begin(url, video, {token, signal, created = () => {}}) {
    const pc = new RTCPeerConnection(await iceConfiguration(url));
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
      watching.session?.close();
      pc.close();
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
    this.over = new Promise(resolve => { this.end = resolve; });
    video.addEventListener('error', () => this.end(), {once: true});
    this.#watchTransport();
  }

  /** The URL that took the session. */
  get endpoint() { return this.session.endpoint; }

  /** Resolves with the first picture; rejects when none comes. */
  picture() {
    const video = this.pc.getTransceivers().find(t => t.receiver.track.kind === 'video');
    return Promise.race([
      firstFrame(this.video, video?.currentDirection === 'recvonly'),
      this.over.then(() => { throw new Error('The session ended before its first picture.'); }),
    ]);
  }

  /** Calls `handlers[event](data)` until the session ends. */
  follow(handlers) { follow(this.session, handlers).catch(() => {}); }

  close() {
    this.end();
    this.session.close();
    if (this.video.srcObject === this.stream) this.video.srcObject = null;
  }

  #watchTransport() {
    const {pc} = this;
    let grace;
    pc.addEventListener('connectionstatechange', () => {
      clearTimeout(grace);
      if (['failed', 'closed'].includes(pc.connectionState)) this.end();
      if (pc.connectionState === 'disconnected') grace = setTimeout(this.end, 4_000);
      // A server that says good-bye closes DTLS; the connection's own state does not show it for long.
      const transport = pc.getReceivers()[0]?.transport;
      transport?.addEventListener('statechange', () => {
        if (['failed', 'closed'].includes(transport.state)) this.end();
      });
    });
  }

  /** What has come so far. */
  async received() {
    const result = {bytes: 0, frames: 0, hasVideo: false, width: 0, height: 0, fps: 0};
    for (const report of (await this.pc.getStats()).values()) {
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
}
