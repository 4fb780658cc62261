// bench.js - the bench page: reads the choices, runs them, shows what comes.
import { findPeers } from './bench-peers.js';
import { measure } from './bench-run.js';
import { linesOf, show } from './bench-view.js';
import { block, button, element, make, select } from './elements.js';
import { themeButton } from './theme.js';

/**
 * @typedef {import('./bench-run.js').Plan} Plan
 * @typedef {import('./bench-run.js').Field} Field
 * @typedef {import('./bench-peers.js').Peer} Peer
 * @typedef {import('./bench-view.js').Line} Line
 */

const cores = navigator.hardwareConcurrency || 1;
const start = button('start');
const bar = element('bar', HTMLProgressElement);

/** @type {AbortController | null} while something runs */
let running = null;
/** What the last run gave, and on which plan. @type {{plan: Plan, field: Field, lines: Line[]} | null} */
let measured = null;
/** @type {Peer[]} */
let peers = [];

themeButton(button('theme'), () => {});
offerThreads();
block('machine').textContent = machine();
for (const id of ['network', 'size']) select(id).addEventListener('change', offerPeers);
void findPeers().then((found) => {
  peers = found;
  offerPeers();
});

element('settings', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (running) running.abort(new DOMException('Stopped.', 'AbortError'));
  else run();
});
button('copy').addEventListener('click', copy);

/** One thread, and as many as wisp takes by itself. */
function offerThreads() {
  const many = Math.min(8, Math.max(cores - 1, Math.min(cores, 2)));
  for (const count of new Set([1, many])) {
    const choice = make('label', 'switch', String(count));
    const box = Object.assign(make('input'), { type: 'checkbox', value: String(count) });
    box.checked = count === 1 || crossOriginIsolated;
    choice.prepend(box);
    block('threads').append(choice);
  }
}

/** Those for which this server has the chosen network at the chosen size. */
function offerPeers() {
  const fitting = fittingPeers();
  block('peers').hidden = fitting.length === 0;
  for (const old of block('peers').querySelectorAll('label')) old.remove();
  for (const { id, title } of fitting) {
    const choice = make('label', 'switch', title);
    choice.prepend(Object.assign(make('input'), { type: 'checkbox', value: id, checked: true }));
    block('peers').append(choice);
  }
}

function fittingPeers() {
  const side = Number(select('size').value);
  return peers.filter(
    ({ network, width, height }) =>
      network === select('network').value && width === side && height === side,
  );
}

function machine() {
  const isolated = crossOriginIsolated
    ? ''
    : '; not cross-origin isolated, so one thread at a time';
  return `${browserName()}, ${cores} core${cores > 1 ? 's' : ''}${isolated}.`;
}

/** As people call it, from what it calls itself. */
function browserName() {
  const agent = navigator.userAgent;
  const known = [/Firefox\/[\d.]+/, /Edg\/[\d.]+/, /Chrome\/[\d.]+/, /Version\/[\d.]+ .*Safari/];
  const found = known.map((pattern) => pattern.exec(agent)?.[0]).find(Boolean) ?? agent;
  return found
    .replace(/^Version\/([\d.]+).*/, 'Safari $1')
    .replace('Edg/', 'Edge ')
    .replace('/', ' ');
}

/** @param {string} id of a fieldset @returns {string[]} */
const chosen = (id) =>
  [...block(id).querySelectorAll('input')].filter((box) => box.checked).map((box) => box.value);

/** @returns {Plan} */
function readPlan() {
  const [warmup, rounds] = select('rounds').value.split(',').map(Number);
  return {
    network: select('network').value,
    size: Number(select('size').value),
    tiers: /** @type {Plan['tiers']} */ (chosen('tiers')),
    peers: fittingPeers().filter(({ id }) => chosen('peers').includes(id)),
    sparsities: chosen('sparsities').map(Number),
    threads: chosen('threads').map(Number),
    ...{ warmup, rounds },
  };
}

async function run() {
  const plan = readPlan();
  if (!plan.tiers.length || !plan.sparsities.length || !plan.threads.length) {
    say('Choose at least one of each.');
    return;
  }
  running = new AbortController();
  start.textContent = 'Stop';
  bar.hidden = false;
  const keep = (/** @type {Field} */ field) => {
    measured = { plan, field, lines: linesOf(plan, field) };
    repaint();
  };
  try {
    const field = await measure(plan, running.signal, {
      onStep: (what, share) => {
        say(`${what} …`);
        bar.value = share;
      },
      onRound: keep,
    });
    keep(field);
    say(field.runners.length > 0 ? 'Done.' : 'None of these can run here.');
  } catch (thrown) {
    say(running.signal.aborted ? 'Stopped.' : /** @type {Error} */ (thrown).message);
  } finally {
    running = null;
    start.textContent = 'Measure';
    bar.hidden = true;
  }
}

function repaint() {
  if (!measured) return;
  const { plan, field, lines } = measured;
  button('copy').disabled = lines.length === 0;
  show(plan, lines, field);
}

/** @param {string} sentence */
function say(sentence) {
  block('state').textContent = sentence;
}

async function copy() {
  if (!measured) return;
  const { plan, field, lines } = measured;
  const where = { browser: navigator.userAgent, cores, isolated: crossOriginIsolated };
  const { choice, refusals } = field;
  const report = { unit: 'milliseconds a picture', ...where, choice, plan, lines, refusals };
  try {
    await navigator.clipboard.writeText(JSON.stringify(report, null, 2));
    say('Copied.');
  } catch {
    say('This browser did not let the page copy.');
  }
}
