// bench.js - the bench page: reads the choices, runs them, shows what comes.
import { measure } from './bench-run.js';
import { linesOf, show } from './bench-view.js';
import { block, button, element, make, select } from './elements.js';
import { themeButton } from './theme.js';

/**
 * @typedef {import('./bench-run.js').Plan} Plan
 * @typedef {import('./bench-view.js').Line} Line
 */

const cores = navigator.hardwareConcurrency || 1;
const start = button('start');
const bar = element('bar', HTMLProgressElement);

/** @type {AbortController | null} while something runs */
let running = null;
/** @type {{plan: Plan, lines: Line[]} | null} */
let measured = null;

themeButton(button('theme'), () => {});
offerThreads();
block('machine').textContent = machine();

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

function machine() {
  const isolated = crossOriginIsolated
    ? ''
    : '; not cross-origin isolated, so one thread at a time';
  return `${browserName()}, ${cores} cores${isolated}`;
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
  try {
    const { runners, refusals } = await measure(plan, running.signal, {
      onStep: (what, share) => {
        say(`${what} …`);
        bar.value = share;
      },
      onRound: (now, refused) => show(keep(plan, linesOf(now)), refused),
    });
    show(keep(plan, linesOf(runners)), refusals);
    say(runners.length > 0 ? 'Done.' : 'None of these can run here.');
  } catch (thrown) {
    say(running.signal.aborted ? 'Stopped.' : /** @type {Error} */ (thrown).message);
  } finally {
    running = null;
    start.textContent = 'Measure';
    bar.hidden = true;
  }
}

/** @param {Plan} plan @param {Line[]} lines @returns {Line[]} */
function keep(plan, lines) {
  measured = { plan, lines };
  button('copy').disabled = lines.length === 0;
  return lines;
}

/** @param {string} sentence */
function say(sentence) {
  block('state').textContent = sentence;
}

async function copy() {
  const where = { browser: navigator.userAgent, cores, isolated: crossOriginIsolated };
  const report = { ...where, ...measured, unit: 'milliseconds a picture' };
  try {
    await navigator.clipboard.writeText(JSON.stringify(report, null, 2));
    say('Copied.');
  } catch {
    say('This browser did not let the page copy.');
  }
}
