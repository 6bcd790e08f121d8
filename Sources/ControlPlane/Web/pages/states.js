// What people read when there is no picture, for each reason that there is.
import {NoMedia, Refused} from './signaling.js';

/**
 * {reason, title, detail, wait, isFinal} for an error of beginning to watch. `wait`: least ms until the next try makes sense;
 * `isFinal`: no try will make a difference. `hasPlayed`: this page has shown the broadcast before.
 */
export function explain(error, {hasPlayed, isOnline}) {
  if (!isOnline) return {reason: 'offline', title: 'No network', detail: 'It continues when there is one again.', wait: 0};
  if (error instanceof NoMedia) {
    return {reason: 'no-udp', title: 'The picture cannot get through to here', detail:
      'This network seems to block UDP. Another network, or one without a VPN, may help. Trying again…', wait: 2_000};
  }
  if (!(error instanceof Refused)) {
    return {reason: 'unreachable', title: 'Cannot reach the server', detail: `${error.message}. Trying again…`, wait: 0};
  }
  const wait = Math.max(1_000, (error.retryAfter ?? 0) * 1_000);
  const known = refusals[error.cause] ?? refusals[error.status];
  if (known) return {wait, ...known({error, hasPlayed})};
  return {reason: 'refused', title: 'The server could not start the broadcast here', detail: `${error.message} Trying again…`, wait};
}

const ended = {
  reason: 'ended', title: 'The broadcast has ended', detail: 'It plays here by itself if it comes back.'};
const notLive = {
  reason: 'not-live', title: 'Not live yet', detail: 'The picture starts here by itself as soon as the broadcast does.'};
const notAllowed = detail => ({reason: 'not-allowed', title: 'You may not watch this', detail, isFinal: true});

/** By the problem's cause, or else by its status. */
const refusals = {
  'not-live': ({hasPlayed}) => (hasPlayed ? ended : notLive),
  'node-full': () => ({reason: 'full', title: 'Full at the moment', detail: 'There is no place left here. This page tries again by itself.'}),
  'address-share': () => ({reason: 'full', title: 'Full at the moment', detail:
    'As many watch from your network as one may. This page tries again by itself.'}),
  'rate-limited': () => ({reason: 'full', title: 'One moment…', detail: 'There were many requests from your network.'}),
  'draining': () => ({reason: 'full', title: 'One moment…', detail: 'The server here is being replaced. This page tries again by itself.'}),
  'no-origin': () => ({reason: 'unreachable', title: 'The source cannot be reached', detail: 'Trying again…'}),
  'no-viewers-here': () => notAllowed('This server takes no viewers.'),
  'token-rejected': () => notAllowed('The token in the link is not for this broadcast, or no longer.'),
  401: () => notAllowed('It takes a token: open it by the whole link that you were given.'),
  403: () => notAllowed('The server does not let this page watch.'),
  406: () => ({reason: 'codec', title: 'This browser cannot play the broadcast', detail:
    'It comes in a format that is not known here. Another browser may know it.', wait: 10_000}),
  409: ({hasPlayed}) => (hasPlayed ? ended : notLive),
  400: ({error}) => ({reason: 'refused', title: 'There is no such broadcast', detail: error.message, isFinal: true}),
};
