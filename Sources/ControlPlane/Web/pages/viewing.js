// What the screen and the keyboard do around a picture: full screen, picture in picture, the system's media controls, a
// screen that stays on.

const $ = id => document.getElementById(id);
/** In full screen the controls go away after so long without a hand on anything. */
const idleMilliseconds = 3_000;

export class Viewing {
  #idle;
  #lock = null;
  #isPlaying = false;

  /** `video()`: the element that people see, or null. `toggleSound()`: what the key m does; `hear()`: a tap on the picture. */
  constructor({video, toggleSound, hear}) {
    Object.assign(this, {video, toggleSound});
    const stage = $('stage');
    $('fullscreen').addEventListener('click', () => this.#toggleFullScreen());
    $('pip').hidden = !document.pictureInPictureEnabled;
    $('pip').addEventListener('click', () => this.#togglePictureInPicture());
    stage.querySelector('.screens').addEventListener('click', hear);
    document.addEventListener('fullscreenchange', () => this.#showFullScreen());
    for (const name of ['pointermove', 'pointerdown', 'keydown']) document.addEventListener(name, () => this.#wake());
    document.addEventListener('keydown', event => this.#key(event));
    // Browsers take the lock away from pages that nobody sees.
    document.addEventListener('visibilitychange', () => this.#keepAwake());
  }

  /** Names what plays to the system: lock screen, headset, media keys. */
  name(title) {
    if (!navigator.mediaSession) return;
    navigator.mediaSession.metadata = new MediaMetadata({title, artist: 'Live'});
  }

  set isPlaying(isPlaying) {
    if (isPlaying === this.#isPlaying) return;
    this.#isPlaying = isPlaying;
    if (navigator.mediaSession) navigator.mediaSession.playbackState = isPlaying ? 'playing' : 'none';
    this.#keepAwake();
  }

  /** Another element shows the picture now: what floats over other windows goes on with it. */
  replaced() {
    const floating = document.pictureInPictureElement;
    if (floating && floating !== this.video()) this.video().requestPictureInPicture().catch(() => {});
  }

  async #keepAwake() {
    if (!navigator.wakeLock) return;
    if (this.#isPlaying && document.visibilityState === 'visible') {
      if (!this.#lock || this.#lock.released) this.#lock = await navigator.wakeLock.request('screen').catch(() => null);
    } else {
      this.#lock?.release();
      this.#lock = null;
    }
  }

  #toggleFullScreen() {
    const stage = $('stage');
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => {});
    // Phones of Apple show single elements only.
    else this.video()?.webkitEnterFullscreen?.();
  }

  #showFullScreen() {
    $('fullscreen').textContent = document.fullscreenElement ? 'Leave full screen' : 'Full screen';
    this.#wake();
  }

  #togglePictureInPicture() {
    if (document.pictureInPictureElement) document.exitPictureInPicture();
    else this.video()?.requestPictureInPicture().catch(() => {});
  }

  #wake() {
    clearTimeout(this.#idle);
    $('stage').classList.remove('idle');
    if (!document.fullscreenElement) return;
    this.#idle = setTimeout(() => $('stage').classList.add('idle'), idleMilliseconds);
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest?.('input, select')) return;
    const action = {m: this.toggleSound, f: () => this.#toggleFullScreen(), p: () => this.#togglePictureInPicture()}[event.key];
    if (!action || (event.key === 'p' && $('pip').hidden)) return;
    event.preventDefault();
    action();
  }
}
