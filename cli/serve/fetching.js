// A picture from an address that a client names: of allowed hosts only, and never out of a private network.

import { lookup as resolve } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP } from 'node:net';
import { WispError } from '../../web/src/index.js';

/** What no address may lead to: this machine, its networks, and what IANA keeps for special purposes (RFC 6890). */
export const PRIVATE = new BlockList();
for (const [net, bits] of /** @type {[string, number][]} */ ([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]))
  PRIVATE.addSubnet(net, bits, 'ipv4');
/** Of IPv6 only what is routed in the world is allowed: 2000::/3, and of that no tunnel into IPv4. */
const WORLD = new BlockList();
WORLD.addSubnet('2000::', 3, 'ipv6');
PRIVATE.addSubnet('2001::', 23, 'ipv6');
PRIVATE.addSubnet('2001:db8::', 32, 'ipv6');
PRIVATE.addSubnet('2002::', 16, 'ipv6');

/** @param {string} ip @param {BlockList} refused */
function isRefused(ip, refused) {
  const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4';
  if (refused.check(ip, family)) return true;
  return refused === PRIVATE && family === 'ipv6' && !WORLD.check(ip, family);
}

/** @param {string} sentence @param {unknown} [cause] */
const failed = (sentence, cause) => new WispError('WISP_ERR_FETCH', sentence, { cause });

export class Fetcher {
  #hosts;
  #most;
  #refused;

  /**
   * @param {string[]} hosts whose pictures are fetched; `*` is any
   * @param {number} most bytes of a picture
   * @param {BlockList} [refused]
   */
  constructor(hosts, most, refused = PRIVATE) {
    this.#hosts = hosts.map((host) => host.toLowerCase());
    this.#most = most;
    this.#refused = refused;
  }

  /** @param {string} address @param {AbortSignal} signal @returns {Promise<File>} */
  async get(address, signal) {
    const url = this.#allowed(address);
    const { get } = url.protocol === 'https:' ? https : http;
    /** @type {import('node:net').LookupFunction} */
    const lookup = (host, options, done) =>
      resolve(host, { ...options, all: true }, (error, found) => {
        if (error) return done(error, '', 0);
        const bad = found.find((one) => isRefused(one.address, this.#refused));
        if (bad) return done(failed(`${host} is in a private network.`), '', 0);
        if (/** @type {any} */ (options).all) return done(null, /** @type {any} */ (found));
        done(null, found[0].address, found[0].family);
      });
    const response = await new Promise((resolve, reject) => {
      get(url, { lookup, signal, agent: false }, resolve).on('error', reject);
    }).catch((cause) => {
      if (signal.aborted) throw signal.reason;
      throw cause instanceof WispError ? cause : failed(`${address}: ${cause.message}.`, cause);
    });
    return this.#read(response, address, url);
  }

  /** @param {http.IncomingMessage} response @param {string} address @param {URL} url */
  async #read(response, address, url) {
    try {
      if (response.statusCode !== 200)
        throw failed(`${address} answers with ${response.statusCode}, not with a picture.`);
      const parts = [];
      let size = 0;
      for await (const part of response) {
        size += part.length;
        if (size > this.#most) throw failed(`${address} has more than ${this.#most} bytes.`);
        parts.push(part);
      }
      return new File(parts, url.pathname.split('/').at(-1) || url.host);
    } finally {
      response.destroy();
    }
  }

  /** @param {string} address */
  #allowed(address) {
    const url = URL.canParse(address) ? new URL(address) : null;
    if (!url || !/^https?:$/.test(url.protocol)) throw failed(`${address} is no http address.`);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (!this.#hosts.includes('*') && !this.#hosts.includes(host))
      throw failed(
        `Pictures of ${host} are not fetched here: start the server with --allow-fetch ${host}.`,
      );
    if (isIP(host) && isRefused(host, this.#refused))
      throw failed(`${host} is in a private network.`);
    return url;
  }
}
