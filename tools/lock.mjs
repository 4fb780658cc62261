// Lets one process at a time set up or build; a lock whose owner died is taken over.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * @template T
 * @param {string} folder what is locked
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(folder, work) {
  const file = path.join(folder, '.lock');
  mkdirSync(folder, { recursive: true });
  let told = false;
  for (let owner = take(file); owner !== process.pid; owner = take(file)) {
    if (!told) console.log(`  waiting for process ${owner}, which does the same here`);
    told = true;
    await sleep(POLL_MS);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/**
 * Tries to write our process number into a file that does not exist yet.
 * @param {string} file
 * @returns {number} the process that holds the lock now
 */
function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return process.pid;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  const owner = ownerOf(file);
  if (owner && !isAlive(owner)) rmSync(file, { force: true });
  return owner;
}

/**
 * @param {string} file
 * @returns {number} 0 while the owner is still writing it, or has just removed it
 */
function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
