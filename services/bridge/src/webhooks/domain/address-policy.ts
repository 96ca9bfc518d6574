import { isIP } from 'node:net';
import { Invalid } from '@millrace/errors';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Networks that the library's registry counts as ordinary, or that carry another address inside. */
const alsoRefused: readonly (readonly [Address, number])[] = [
  // The host service of a public cloud, reachable from each of its machines only.
  ipaddr.parseCIDR('168.63.129.16/32'),
  // NAT64 of a network's own (RFC 8215), documentation (RFC 9637).
  ipaddr.parseCIDR('64:ff9b:1::/48'),
  ipaddr.parseCIDR('3fff::/20'),
];

/** All addresses of IPv6 that are given out for the public; what is outside is local, mapped or of no use yet. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

const within = (address: Address, [network, bits]: readonly [Address, number]): boolean =>
  address.kind() === network.kind() && address.match(network, bits);

/**
 * Why an address is none of the public internet (`loopback`, `private`, `linkLocal`, `carrierGradeNat`, `ipv4Mapped`,
 * `6to4`, …), or `undefined` when it is. Registries: RFC 6890 and its successors.
 */
export const notPublic = (text: string): string | undefined => {
  const address = ipaddr.parse(text);
  const range = address.range();
  if (range !== 'unicast') return range;
  if (address.kind() === 'ipv6' && !within(address, globalUnicast)) return 'not global';
  return alsoRefused.some((network) => within(address, network)) ? 'reserved' : undefined;
};

const hostGrammar = /^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/;

/** Receivers that may be reached although they are none of the public internet. */
export class AllowList {
  readonly #networks: readonly (readonly [Address, number])[];
  readonly #hosts: ReadonlySet<string>;

  private constructor(networks: readonly (readonly [Address, number])[], hosts: ReadonlySet<string>) {
    this.#networks = networks;
    this.#hosts = hosts;
  }

  /** From `127.0.0.0/8, 10.1.2.3, hooks.example.internal`. Throws `Invalid` naming the entry that is neither. */
  static parse(text: string, path = 'MILLRACE_WEBHOOK_ALLOW'): AllowList {
    const networks: (readonly [Address, number])[] = [];
    const hosts = new Set<string>();
    for (const entry of text.split(',').map((part) => part.trim().toLowerCase())) {
      if (entry === '') continue;
      if (ipaddr.isValidCIDR(entry)) networks.push(ipaddr.parseCIDR(entry));
      else if (isIP(entry) !== 0) networks.push(ipaddr.parseCIDR(`${entry}/${isIP(entry) === 4 ? 32 : 128}`));
      else if (hostGrammar.test(entry) && !/^[\d.]+$/.test(entry)) hosts.add(entry);
      else throw Invalid.field(path, `"${entry}" is neither an address, a network nor a host name`);
    }
    return new AllowList(networks, hosts);
  }

  /** Whether a host, as it stands in a URL, is named: a name of the list or an address of one of its networks. */
  names(host: string): boolean {
    return isIP(host) === 0 ? this.#hosts.has(host) : this.#holds(host);
  }

  /** Throws `Invalid` unless every address that a host has may be connected to. */
  check(host: string, addresses: readonly string[]): void {
    if (isIP(host) === 0 && this.#hosts.has(host)) return;
    for (const address of addresses) {
      const reason = notPublic(address);
      if (reason === undefined || this.#holds(address)) continue;
      const shown = address === host ? address : `${host} has the address ${address}, which`;
      throw Invalid.field('url', `${shown} is not of the public internet (${reason})`, {
        hint: 'Receivers of an internal network have to be named in MILLRACE_WEBHOOK_ALLOW.',
      });
    }
  }

  #holds(text: string): boolean {
    const address = ipaddr.parse(text);
    return this.#networks.some((network) => within(address, network));
  }
}
