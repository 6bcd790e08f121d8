// What a recording comes to, and which of several is better. Numbers in, numbers out.
import {rounded} from './columns.js';

/** The middle one, or of two the mean. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length === 0 ? null : (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}

/** The least of the values that at least 95 % are not above (nearest rank). */
export function percentile95(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[Math.ceil(0.95 * sorted.length) - 1];
}

/**
 * Of a column: [[seconds, value], …]. What counts is shown from the recording's beginning on; a count that falls has begun
 * anew, at zero.
 */
export function series(recording, {name, counts, digits}) {
  let [before, sum] = [null, 0];
  return recording.rows.map(({time, [name]: value}) => {
    if (!counts || value === null || value === undefined) return [time, value ?? null];
    if (before !== null) sum += value >= before ? value - before : value;
    before = value;
    return [time, rounded(sum, digits)];
  });
}

/** Seconds from the first row to the last. */
export const duration = ({rows}) => rows.at(-1).time - rows[0].time;

/**
 * Of a column, {median, p95} or, of what counts, {total, perMinute}; members that are not known are null. `p95` is of the
 * worse side: of what should be high, 95 % are not below it.
 */
export function summarize(recording, column) {
  const values = series(recording, column).map(([, value]) => value).filter(value => value !== null);
  if (column.counts) {
    const total = values.at(-1) ?? null;
    const minutes = duration(recording) / 60;
    return {total, perMinute: total === null || minutes === 0 ? null : rounded(total / minutes, 2)};
  }
  const p95 = column.better === 'high' ? percentile95(values.map(value => -value)) : percentile95(values);
  return {
    median: values.length ? rounded(median(values), column.digits) : null,
    p95: p95 === null ? null : column.better === 'high' ? -p95 || 0 : p95,
  };
}

/** Indexes of the best of `values`; none where not two are known, all are the same, or no side is better. */
export function best(values, better) {
  const known = values.filter(Number.isFinite);
  if (!better || known.length < 2 || known.every(value => value === known[0])) return [];
  const aim = better === 'high' ? Math.max(...known) : Math.min(...known);
  return values.flatMap((value, index) => (value === aim ? [index] : []));
}
