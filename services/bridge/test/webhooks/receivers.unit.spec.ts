import { Invalid } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { AllowList, notPublic } from '../../src/webhooks/domain/address-policy.ts';
import { parseReceiver } from '../../src/webhooks/domain/receiver.ts';

const nobody = AllowList.parse('');

describe('the address of a webhook', () => {
  it.each([
    ['https://hooks.example.org/millrace?tenant=7', 'hooks.example.org', 443],
    ['https://hooks.example.org:8443/', 'hooks.example.org', 8443],
    ['https://8.8.8.8/x', '8.8.8.8', 443],
    ['https://[2606:4700::1111]/x', '2606:4700::1111', 443],
    ['https://xn--bcher-kva.example/', 'xn--bcher-kva.example', 443],
  ])('may be %s', (url, host, port) => {
    expect(parseReceiver(url, nobody)).toMatchObject({ host, port });
  });

  it.each([
    '',
    'not a url',
    'http://hooks.example.org/',
    'http://127.1',
    'https://127.1',
    'https://2130706433',
    'https://0x7f000001',
    'https://0177.0.0.1',
    'https://0x08.8.8.8',
    'https://[::ffff:127.0.0.1]',
    'https://[::ffff:7f00:1]',
    'https://[::ffff:8.8.8.8]',
    'https://[fe80::1%25eth0]',
    'https://[fe80::1]',
    'https://[::1]',
    'https://[::]',
    'https://0.0.0.0',
    'https://localhost',
    'https://localhost.',
    'https://api.localhost',
    'https://hooks.example.org./',
    'https://%31%32%37.0.0.1',
    'https://hooks%2eexample.org/',
    'http://a@127.0.0.1',
    'https://user:password@hooks.example.org/',
    'https://@hooks.example.org/',
    'https://ok.test#@127.0.0.1',
    'https://hooks.example.org/#fragment',
    'https://１２７.０.０.１/',
    'https://ⓛocalhost/',
    'https://127。0。0。1/',
    'https://bücher.example/',
    'gopher://hooks.example.org/',
    'unix:/var/run/docker.sock',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'ftp://hooks.example.org/',
    'https:hooks.example.org',
    'https:///hooks.example.org',
    'https:\\\\hooks.example.org',
    'https://hooks.example.org\\@127.0.0.1/',
    'https://hooks.example.org/a\r\nHost: 127.0.0.1',
    'https://hooks.example.org/a%0d%0aHost:%20127.0.0.1',
    'https://hooks.example.org/a\tb',
    'https://hooks.example.org/a b',
    ' https://hooks.example.org/',
    'https://hooks.example.org\u0000/',
    'https://hooks.example.org:22/',
    'https://hooks.example.org:80/',
    'https://hooks.example.org:99999/',
    `https://hooks.example.org/${'a'.repeat(2048)}`,
  ])('may not be %j', (url) => {
    expect(() => parseReceiver(url, nobody)).toThrow(Invalid);
  });

  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['169.254.169.254', 'linkLocal'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['100.100.100.200', 'carrierGradeNat'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['192.0.2.1', 'reserved'],
    ['198.51.100.1', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['168.63.129.16', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1', 'linkLocal'],
    ['fd00:ec2::254', 'uniqueLocal'],
    ['ff02::1', 'multicast'],
    ['::ffff:10.0.0.1', 'ipv4Mapped'],
    ['2002:7f00:1::', '6to4'],
    ['64:ff9b::7f00:1', 'rfc6052'],
    ['2001::1', 'teredo'],
    ['2001:db8::1', 'reserved'],
  ])('%s is not public: %s', (address, reason) => {
    expect(notPublic(address)).toBe(reason);
  });

  it.each(['::7f00:1', '64:ff9b:1::1', 'fec0::1', '3fff::1', '5f00::1', '100::1', '198.18.0.1'])(
    '%s is not public',
    (address) => {
      expect(notPublic(address)).toBeDefined();
    },
  );

  it.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '93.184.216.34'])('%s is public', (address) => {
    expect(notPublic(address)).toBeUndefined();
  });
});

describe('a name', () => {
  it('is refused when one of its addresses is private, whatever the others are', () => {
    expect(() => nobody.check('rebind.test', ['8.8.8.8', '10.0.0.1'])).toThrow(/10\.0\.0\.1.*private/);
    expect(() => nobody.check('ok.test', ['8.8.8.8', '2606:4700::1111'])).not.toThrow();
  });
});

describe('the list of those allowed', () => {
  const allow = AllowList.parse('127.0.0.0/8, 10.1.2.3, hooks.example.internal, fd00::/8');

  it('lets networks, addresses and names be reached, by http and on any port', () => {
    expect(parseReceiver('http://127.0.0.1:4000/x', allow)).toMatchObject({ protocol: 'http:', port: 4000 });
    expect(parseReceiver('http://hooks.example.internal/x', allow).port).toBe(80);
    expect(parseReceiver('https://[fd00::7]:9000/x', allow).host).toBe('fd00::7');
    expect(() => allow.check('hooks.example.internal', ['192.168.1.1'])).not.toThrow();
    expect(() => allow.check('other.internal', ['10.1.2.3'])).not.toThrow();
  });

  it('opens nothing else', () => {
    expect(() => parseReceiver('http://10.1.2.4/x', allow)).toThrow(Invalid);
    expect(() => parseReceiver('http://x.hooks.example.internal/', allow)).toThrow(Invalid);
    expect(() => parseReceiver('http://127.1/', allow)).toThrow('must be written as "127.0.0.1"');
    expect(() => allow.check('other.internal', ['10.1.2.3', '10.1.2.4'])).toThrow(Invalid);
    expect(() => allow.check('mapped.test', ['::ffff:127.0.0.1'])).toThrow(Invalid);
  });

  it.each(['10.0.0.0/33', '300.1.1.1', 'a b', 'https://x', '*.example.org', '127.1'])(
    'may not hold %j',
    (entry) => {
      expect(() => AllowList.parse(entry)).toThrow('MILLRACE_WEBHOOK_ALLOW');
    },
  );
});
