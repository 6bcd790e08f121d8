// What viewers have, from one getStats() to the next: no page, no clock, no connection in here.
import {columns, rounded} from './columns.js';

/** Between the epochs of NTP (1900) and Unix, in ms: browsers tell the playout time in either. */
const ntpEpoch = 2_208_988_800_000;

/** What each column that counts adds up, of which streams. */
const counters = {
  keyframesDecoded: ['video', 'keyFramesDecoded'], pliCount: ['video', 'pliCount'], nackCount: ['video', 'nackCount'],
  freezeCount: ['video', 'freezeCount'], freezeDuration: ['video', 'totalFreezesDuration'],
  retransmitted: ['video', 'retransmittedPacketsReceived'],
};

/** The pair that media takes. Firefox has no transport reports, and marks the pair itself. */
function selectedPair(reports) {
  const named = reports.find(report => report.type === 'transport' && report.selectedCandidatePairId);
  const pairs = reports.filter(report => report.type === 'candidate-pair');
  return pairs.find(pair => (named ? pair.id === named.selectedCandidatePairId : pair.selected))
    ?? pairs.find(pair => pair.nominated && pair.state === 'succeeded');
}

/**
 * Milliseconds from the node's clock to the screen: its sender reports say what its clock shows now, and the browser which
 * moment of that clock it plays. The way from the publisher to the node is not in it. Null where a browser tells neither.
 */
function latency(video, reports, rtt) {
  const report = reports.find(each => each.type === 'remote-outbound-rtp' && each.ssrc === video?.ssrc);
  if (!Number.isFinite(video?.estimatedPlayoutTimestamp) || !Number.isFinite(report?.remoteTimestamp)) return null;
  const unix = time => (time > ntpEpoch ? time - ntpEpoch : time);
  const nodeNow = unix(report.remoteTimestamp) + (video.timestamp - report.timestamp) + (rtt ?? 0) / 2;
  const behind = nodeNow - unix(video.estimatedPlayoutTimestamp);
  return behind >= 0 && behind < 60_000 ? behind : null;
}

/** What `member` grew by over all of `streams`; null: none of them tells. */
function growth(streams, member) {
  const told = streams.filter(({before, now}) => Number.isFinite(now[member]) && Number.isFinite(before[member]));
  return told.length ? told.reduce((sum, {before, now}) => sum + now[member] - before[member], 0) : null;
}

const quotient = (a, b) => (a !== null && b > 0 ? a / b : null);

export class Measurements {
  #source = null;
  #last = new Map();
  #totals = {};

  /**
   * One row, by the names of `columns`, of what has come since the last call; null is *not known*. Rates are of streams
   * that were there at the last call already. What counts is of all connections together.
   *
   * `reports`: what getStats() has. `source`: any object that stands for the connection.
   */
  take(reports, source) {
    const all = [...reports.values()];
    if (source !== this.#source) this.#last = new Map();
    this.#source = source;
    const inbound = all.filter(report => report.type === 'inbound-rtp' && (report.kind === 'video' || report.kind === 'audio'));
    const going = inbound.flatMap(now => {
      const before = this.#last.get(now.id);
      return before && continues(before, now) ? [{before, now}] : [];
    });
    this.#count(inbound, going);
    this.#last = new Map(inbound.map(report => [report.id, report]));
    const row = {...this.#totals, ...rates(going), ...present(inbound, all)};
    return Object.fromEntries(columns.map(({name, digits}) => [name, rounded(row[name], digits)]));
  }

  /** A stream's first report counts whole: nothing of it was counted before. */
  #count(inbound, going) {
    for (const [name, [kind, member]] of Object.entries(counters)) {
      for (const report of inbound) {
        if (report.kind !== kind || !Number.isFinite(report[member])) continue;
        const before = going.find(stream => stream.now === report)?.before[member] ?? 0;
        this.#totals[name] = (this.#totals[name] ?? 0) + report[member] - before;
      }
    }
  }
}

/** The same stream, further on: not another one in its place, nor one that began anew. */
function continues(before, now) {
  return before.ssrc === now.ssrc && now.timestamp >= before.timestamp && now.packetsReceived >= before.packetsReceived
    && now.bytesReceived >= before.bytesReceived;
}

function rates(going) {
  const of = kind => going.filter(({now}) => now.kind === kind);
  const [audio, video] = [of('audio'), of('video')];
  const perSecond = (streams, member) => {
    const seconds = streams.length ? (streams[0].now.timestamp - streams[0].before.timestamp) / 1_000 : 0;
    return quotient(growth(streams, member), seconds);
  };
  const kilobits = streams => { const bytes = perSecond(streams, 'bytesReceived'); return bytes === null ? null : bytes / 125; };
  const received = growth(going, 'packetsReceived');
  // What comes late takes back a loss that was told before.
  const lost = growth(going, 'packetsLost');
  const delay = quotient(growth(video, 'jitterBufferDelay'), growth(video, 'jitterBufferEmittedCount'));
  return {
    audioBitrate: kilobits(audio), videoBitrate: kilobits(video), packetsReceived: perSecond(going, 'packetsReceived'),
    fps: perSecond(video, 'framesDecoded'), avgJitter: delay === null ? null : delay * 1_000,
    packetLoss: lost === null ? null : quotient(100 * Math.max(0, lost), Math.max(0, lost) + received),
  };
}

function present(inbound, all) {
  const video = inbound.find(report => report.kind === 'video');
  const seconds = selectedPair(all)?.currentRoundTripTime;
  const rtt = Number.isFinite(seconds) ? seconds * 1_000 : null;
  return {rtt, frameWidth: video?.frameWidth, frameHeight: video?.frameHeight, latency: latency(video, all, rtt)};
}

/** The name of the codec that the picture, or else the sound, comes in: `VP8`. Empty: not known. */
export function codec(reports) {
  const all = [...reports.values()];
  const inbound = all.filter(report => report.type === 'inbound-rtp' && report.codecId);
  const first = inbound.find(report => report.kind === 'video') ?? inbound[0];
  const mime = all.find(report => report.id === first?.codecId)?.mimeType ?? '';
  return mime.slice(mime.indexOf('/') + 1);
}
