// The measurements of the last minute as numbers and charts, and their recording. Drawn only while somebody looks.
import {columns, text} from './columns.js';
import {blank, draw} from './chart.js';
import {Recording, csv} from './recording.js';
import {fileName, save} from './files.js';

const $ = id => document.getElementById(id);
const minute = 60_000;

/** The browser and its version, as far as it says: `Chromium 156`. */
function browser() {
  const brands = navigator.userAgentData?.brands ?? [];
  const brand = brands.find(each => !/Not.A.Brand|^Chromium$/i.test(each.brand)) ?? brands.find(each => each.brand === 'Chromium');
  if (brand) return `${brand.brand} ${brand.version}`;
  const [, name, version] = navigator.userAgent.match(/(Firefox|Edg|Chrome|Version)\/([\d.]+)/) ?? [];
  if (!name) return 'unknown';
  return `${{Edg: 'Edge', Version: 'Safari'}[name] ?? name} ${version}`;
}

/** One number with its chart. */
class Card {
  constructor({label}) {
    this.term = Object.assign(document.createElement('dt'), {textContent: label});
    this.value = Object.assign(document.createElement('span'), {className: 'value', textContent: '–'});
    this.top = Object.assign(document.createElement('span'), {className: 'quiet top'});
    this.chart = blank();
    const definition = document.createElement('dd');
    definition.append(this.value, this.top, this.chart);
    this.element = document.createElement('div');
    this.element.append(this.term, definition);
  }
}

export class Panel {
  #rows = [];
  #recording = null;
  #isRecording = false;
  #where = {};
  #cards = new Map(columns.map(column => [column, new Card(column)]));
  #encoding = new Card({label: 'Encoding'});

  /** `broadcast`: its name, for the file. */
  constructor(broadcast) {
    this.broadcast = broadcast;
    $('cards').replaceChildren(...[...this.#cards.values(), this.#encoding].map(card => card.element));
    this.#encoding.chart.remove();
    for (const [column, card] of this.#cards) card.value.dataset.column = column.name;
    this.#encoding.value.dataset.column = 'rid';
    $('measure').addEventListener('click', () => this.#open($('measurements').hidden));
    $('record').addEventListener('click', () => (this.#isRecording ? this.#stop() : this.#record()));
    $('download').addEventListener('click', () => this.#download());
  }

  /** What is the case from now on: `node`, `region`, `codec`. A recording keeps each that it has seen. */
  note(where) {
    this.#where = {...this.#where, ...where};
    if (this.#isRecording) this.#remember();
  }

  /** A row of `Measurements`, or null in a second without a session. `now`: ms. */
  add(row, rid, now) {
    this.#rows = [...this.#rows.filter(({at}) => now - at < minute), {at: now, row: row ?? {}, rid}];
    if (this.#isRecording) {
      this.#recording.add(row ?? {}, now, rid);
      if (this.#recording.isFull) this.#stop();
      this.#showRecording();
    }
    if (!$('measurements').hidden) this.#draw();
  }

  #open(isOpen) {
    $('measurements').hidden = !isOpen;
    $('measure').setAttribute('aria-expanded', String(isOpen));
    if (isOpen) {
      this.#draw();
      $('measurements').scrollIntoView({block: 'nearest'});
    }
  }

  #draw() {
    const last = this.#rows.at(-1);
    if (!last) return;
    for (const [column, card] of this.#cards) {
      const points = this.#rows.map(({at, row}) => [at, row[column.name] ?? null]);
      card.value.textContent = text(last.row[column.name], column);
      const top = draw(card.chart, {
        series: [points], from: last.at - minute, to: last.at, label: `${column.label} over the last minute`});
      card.top.textContent = points.some(([, value]) => value !== null) ? `0–${text(top, column)}` : '';
    }
    this.#encoding.value.textContent = last.rid ?? '–';
  }

  // MARK: - Recording

  #record() {
    this.#recording = new Recording();
    this.#recording.circumstances = {broadcast: this.broadcast, started: new Date().toISOString(), browser: browser()};
    this.#isRecording = true;
    this.#remember();
    this.#showRecording();
  }

  #stop() {
    this.#isRecording = false;
    this.#showRecording();
  }

  #remember() {
    const {circumstances} = this.#recording;
    for (const [name, value] of Object.entries(this.#where)) {
      const seen = circumstances[name]?.split(', ') ?? [];
      if (value && !seen.includes(value)) circumstances[name] = [...seen, value].join(', ');
    }
  }

  #showRecording() {
    const seconds = this.#recording?.rows.length ?? 0;
    $('record').textContent = this.#isRecording ? 'Stop recording' : 'Record';
    $('download').disabled = seconds === 0;
    const full = this.#recording?.isFull ? ', the longest that is kept' : '';
    $('recorded').textContent = this.#recording ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} recorded${full}` : '';
  }

  #download() {
    const {circumstances} = this.#recording;
    circumstances['loss setting'] = $('loss-setting').value.trim() || 'none known';
    const parts = [circumstances.broadcast, circumstances.node ?? 'node', circumstances.started.replaceAll(':', '-')];
    save(`${parts.map(fileName).join('_')}.csv`, 'text/csv', csv(this.#recording));
  }
}
