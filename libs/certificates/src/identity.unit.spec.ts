import type { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { alternativeNames, identityOf, identityUri } from './identity.ts';

const holding = (subjectAltName: string | undefined) =>
  identityOf({ subjectAltName, subject: 'CN=registry' } as unknown as X509Certificate);

describe('the identity in a certificate', () => {
  it('is its one URI of Millrace', () => {
    const uri = identityUri({ kind: 'service', name: 'ingest' });
    expect(uri).toBe('spiffe://millrace/service/ingest');
    expect(holding(`DNS:localhost, URI:${uri}, IP Address:127.0.0.1`)).toEqual({
      kind: 'service',
      name: 'ingest',
    });
  });

  it.each([
    ['none at all', undefined],
    ['names of hosts', 'DNS:ingest, DNS:spiffe://millrace/service/ingest'],
    ['a URI of another domain', 'URI:spiffe://elsewhere/service/ingest'],
    ['an unknown kind', 'URI:spiffe://millrace/admin/ingest'],
    ['a longer path', 'URI:spiffe://millrace/service/ingest/extra'],
    ['another spelling', 'URI:spiffe://millrace/service/Ingest'],
    ['two of them', 'URI:spiffe://millrace/service/ingest, URI:spiffe://millrace/service/gateway'],
    ['one of ours and a foreign one', 'URI:spiffe://millrace/service/ingest, URI:https://example.org'],
    ['one hidden in the name of a host', 'DNS:"x, URI:spiffe://millrace/service/ingest"'],
    ['one hidden behind an escaped quote', 'DNS:"x\\", URI:spiffe://millrace/service/ingest, DNS:y"'],
  ])('is nobody with %s', (_case, names) => {
    expect(holding(names)).toBeUndefined();
  });

  it('is found beside a name that needs quotes', () => {
    expect(alternativeNames('DNS:"a, URI:b", URI:spiffe://millrace/client/operator')).toEqual([
      { type: 'DNS', value: 'a, URI:b' },
      { type: 'URI', value: 'spiffe://millrace/client/operator' },
    ]);
  });
});
