// Recordings of measurements, and the CSV they are kept in. Text in, text out; no page.
import {columns} from './columns.js';

/** Rows of a second each: one hour. */
export const longest = 3_600;

/**
 * A recording: `circumstances`, what was the case, as {name: text}; `rows`, by the names of columns, with `time` in seconds
 * since its beginning and null for what is not known; `names` of the columns it has.
 */
export class Recording {
  constructor({circumstances = {}, names = columns.map(column => column.name), rows = []} = {}) {
    Object.assign(this, {circumstances, names, rows});
  }

  get isFull() { return this.rows.length >= longest; }

  /** `time` in ms, of any clock that goes on. */
  add(row, time, rid = null) {
    if (this.isFull) return;
    this.began ??= time;
    this.rows.push({...row, time: Math.round(time - this.began) / 1_000, rid});
  }
}

/** Circumstances as lines that begin with #, then names, then a row for each second. What is not known is empty. */
export function csv({circumstances, rows}) {
  const told = Object.entries(circumstances).map(([name, value]) => `# ${name}: ${String(value).replace(/\s+/g, ' ').trim()}`);
  const names = [...columns.map(column => column.name), 'time', 'rid'];
  const cell = value => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [...told, names.join(','), ...rows.map(row => names.map(name => cell(row[name])).join(',')), ''].join('\r\n');
}

/** Cells of one line (RFC 4180 §2, without line breaks in quotes, which no recording has). */
function cells(line) {
  const found = [];
  for (const [, quoted, bare] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    found.push(quoted === undefined ? bare.trim() : quoted.replaceAll('""', '"'));
  }
  return found;
}

/** What is wrong with a file, in a sentence for whoever chose it. */
export class Unreadable extends Error {}

/**
 * Reads what `csv` writes, and files that have a line of names and a row for each second without a time column. Throws
 * `Unreadable`.
 */
export function parse(text) {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/).map((line, index) => ({line, number: index + 1}))
    .filter(({line}) => line.trim() !== '');
  if (lines.length === 0) throw new Unreadable('The file is empty.');
  const circumstances = {};
  while (lines[0]?.line.startsWith('#')) {
    const [, name, value] = lines.shift().line.match(/^#\s*([^:]*?)\s*(?::\s*(.*))?$/);
    if (name && name !== '__proto__') circumstances[name] = (value ?? '').trim();
  }
  const names = cells(lines.shift()?.line ?? '');
  const known = columns.filter(column => names.includes(column.name)).map(column => column.name);
  if (known.length === 0) {
    throw new Unreadable(`This is no recording: its first line has none of the names that one has, such as ${columns[0].name} or ${columns[2].name}.`);
  }
  if (lines.length === 0) throw new Unreadable('The recording has no rows: it was stopped within its first second.');
  if (lines.length > longest) throw new Unreadable(`The file has ${lines.length} rows; a recording has ${longest} at most.`);
  const rows = lines.map(({line, number}, index) => rowOf(cells(line), names, known, number, index));
  const back = rows.findIndex((row, index) => index > 0 && row.time < rows[index - 1].time);
  if (back > 0) throw new Unreadable(`Line ${lines[back].number}: time goes back.`);
  return new Recording({circumstances, names: known, rows});
}

function rowOf(values, names, known, number, index) {
  if (values.length !== names.length) {
    throw new Unreadable(`Line ${number} has ${values.length} values where there are ${names.length} names.`);
  }
  const at = name => values[names.indexOf(name)];
  const numberAt = name => {
    const value = at(name);
    if (value === '') return null;
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)) {
      throw new Unreadable(`Line ${number}: “${value.slice(0, 40)}” is no number (${name}).`);
    }
    return Number(value);
  };
  const row = Object.fromEntries(known.map(name => [name, numberAt(name)]));
  row.time = names.includes('time') ? numberAt('time') ?? index : index;
  row.rid = (names.includes('rid') && at('rid')) || null;
  return row;
}
