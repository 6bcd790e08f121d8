// Recordings beside each other: a table of what each comes to, and a chart for each column. Nothing is sent anywhere.
import {columns, text} from './columns.js';
import {Unreadable, parse} from './recording.js';
import {best, duration, series, summarize} from './summary.js';
import {blank, draw} from './chart.js';
import {save} from './files.js';

const $ = id => document.getElementById(id);
/** As many as there are colours that can be told apart. */
const most = 8;
/** A recording of an hour has less than half of it. */
const mostBytes = 2_000_000;

/** [{name, recording}] */
let entries = [];

function make(tag, content = [], attributes = {}) {
  const made = document.createElement(tag);
  made.append(...[content].flat());
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// MARK: - Files

async function take(files) {
  const problems = [];
  for (const file of files) {
    try {
      if (entries.length === most) throw new Unreadable(`No more than ${most} can be told apart: remove one first.`);
      if (file.size > mostBytes) throw new Unreadable('The file is too large for a recording.');
      entries.push({name: file.name.replace(/\.csv$/i, ''), recording: parse(await file.text())});
    } catch (error) {
      problems.push(`${file.name}: ${error instanceof Unreadable ? error.message : 'The file cannot be read.'}`);
    }
  }
  $('problems').replaceChildren(...problems.map(problem => make('li', problem)));
  $('problems').hidden = problems.length === 0;
  show();
}

// MARK: - What is shown

function show() {
  $('actions').hidden = $('result').hidden = entries.length === 0;
  $('status').textContent = entries.length === 1 ? 'Add another one to compare.' : `${entries.length} recordings`;
  const shown = columns.filter(({name}) => entries.some(({recording}) =>
    recording.rows.some(row => row[name] !== null && row[name] !== undefined)));
  $('result').replaceChildren(legend(), table(shown), charts(shown));
}

const swatch = index => make('span', [], {class: `swatch swatch-${index}`, 'aria-hidden': 'true'});

function legend() {
  const items = entries.map(({name, recording}, index) => {
    const facts = Object.entries(recording.circumstances).flatMap(([key, value]) => [make('dt', key), make('dd', value)]);
    const remove = make('button', 'Remove', {type: 'button', 'aria-label': `Remove ${name}`});
    remove.addEventListener('click', () => { entries.splice(index, 1); show(); $('files').focus(); });
    return make('li', [
      make('h2', [swatch(index), name]),
      make('p', `${Math.round(duration(recording))} s, ${recording.rows.length} rows`, {class: 'quiet'}),
      make('dl', facts), remove]);
  });
  return make('ul', items, {class: 'legend'});
}

/** A row for each number; the better one is marked in words too. */
function table(shown) {
  const head = make('tr', [
    make('th', 'Measurement', {scope: 'col'}),
    ...entries.map(({name}, index) => make('th', [swatch(index), name], {scope: 'col'}))]);
  const lines = shown.flatMap(column => {
    const sums = entries.map(({recording}) => summarize(recording, column));
    return column.counts
      ? [line(`${column.label}, total`, sums.map(sum => sum.total), column, null),
        line(`${column.label} a minute`, sums.map(sum => sum.perMinute), column, column.better)]
      : [line(`${column.label}, median`, sums.map(sum => sum.median), column, column.better),
        line(`${column.label}, 95 % ${column.better === 'high' ? 'at least' : 'at most'}`, sums.map(sum => sum.p95), column, column.better)];
  });
  const made = make('table', [make('thead', head), make('tbody', lines)]);
  return make('div', made, {class: 'scrolls', role: 'region', 'aria-label': 'Summary', tabindex: '0'});
}

function line(label, values, column, better) {
  const winners = best(values, better);
  const cells = values.map((value, index) => (winners.includes(index)
    ? make('td', [`${text(value, column)} `, make('span', 'better', {class: 'mark'})], {class: 'best'})
    : make('td', text(value, column))));
  return make('tr', [make('th', label, {scope: 'row'}), ...cells]);
}

function charts(shown) {
  const to = Math.max(1, ...entries.map(({recording}) => recording.rows.at(-1).time));
  const cards = shown.map(column => {
    const chart = blank();
    const top = draw(chart, {
      series: entries.map(({recording}) => series(recording, column)), from: 0, to,
      label: `${column.label} over time of ${entries.map(({name}) => name).join(', ')}`});
    return make('figure', [
      make('figcaption', [make('span', column.label), make('span', `0–${text(top, column)}`, {class: 'quiet'})]),
      chart, make('p', [make('span', '0 s'), make('span', `${Math.round(to)} s`)], {class: 'quiet axis'})]);
  });
  return make('div', cards, {class: 'figures'});
}

// MARK: - A file of it

/** One file that needs nothing else and runs nothing: what is shown, with the styles of this page. */
function standalone() {
  const shown = $('result').cloneNode(true);
  shown.querySelectorAll('button').forEach(button => button.remove());
  const styles = [...document.styleSheets].flatMap(sheet => [...sheet.cssRules].map(rule => rule.cssText)).join('\n');
  return [
    '<!doctype html>', '<html lang="en"><head><meta charset="utf-8">',
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Comparison of recordings · Cascade</title>', `<style>${styles}</style></head>`,
    `<body class="compare"><main>${shown.outerHTML}</main></body></html>`, ''].join('\n');
}

$('save').addEventListener('click', () => save('comparison.html', 'text/html', standalone()));
$('clear').addEventListener('click', () => { entries = []; $('problems').hidden = true; show(); $('files').focus(); });
$('files').addEventListener('change', () => { take([...$('files').files]).then(() => { $('files').value = ''; }); });
for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, event => {
    event.preventDefault();
    document.body.classList.toggle('dropping', name === 'dragenter' || name === 'dragover');
    if (name === 'drop') take([...event.dataTransfer.files]);
  });
}
