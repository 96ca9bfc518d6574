import { ErrorCode } from '@millrace/errors';
import { apiPrefix, permissions, permissionsOfRole, type RoleName, roles, rpcRoutes } from '@millrace/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway } from '../src/service.ts';
import { eventually, Lab } from './fixture.ts';

const operator = 'the-operators-own-secret';
const tokens = `${apiPrefix}/tokens`;
const models = `${apiPrefix}/models`;
/** Of the collection that tokens are kept in. */
const definition = { name: 'tokens', indexes: [{ path: 'createdAt', type: 'text' }] } as const;
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

interface Created {
  readonly token: { readonly id: string; readonly role: string };
  readonly secret: string;
}

const labs: Lab[] = [];
const open = async (env = {}): Promise<Lab> => {
  const lab = await Lab.open(env);
  labs.push(lab);
  return lab;
};
afterAll(async () => {
  for (const lab of labs) await lab.stop();
});

const create = async (lab: Lab, fields: object, headers: Record<string, string> = {}): Promise<Created> => {
  const { status, body } = await lab.call('POST', tokens, { owner: 'ada', ...fields }, headers);
  expect([status, body?.error]).toEqual([200, undefined]);
  return body as Created;
};

const messageRole = (role: RoleName): string => `ROLE_${role.toUpperCase()}`;

describe('a gateway without tokens', () => {
  it('is open on loopback until there is one, which has to be an admin’s', async () => {
    const lab = await open();
    expect((await lab.call('GET', models)).status).toBe(200);
    for (const wrong of [{ role: 'ROLE_VIEWER' }, { role: 'ROLE_ADMIN', scopes: ['read'] }]) {
      const { body } = await lab.call('POST', tokens, { owner: 'ada', ...wrong });
      expect(body.error.code).toBe(ErrorCode.failedPrecondition);
    }
    const { secret } = await create(lab, { role: 'ROLE_ADMIN' });
    expect((await lab.call('GET', models)).status).toBe(401);
    expect((await lab.call('GET', models, undefined, bearer(secret))).status).toBe(200);
    expect((await lab.call('GET', '/health/live')).status).toBe(200);
  });

  it('listens beyond this machine once there is one, and keeps its last admin there', async () => {
    const lab = await open();
    const { token, secret } = await create(lab, { role: 'ROLE_ADMIN' });
    await lab.stopOne('gateway');
    await lab.start(gateway, { MILLRACE_HOST: '0.0.0.0' });
    const revoked = await lab.call('POST', `${tokens}/${token.id}/revoke`, {}, bearer(secret));
    expect(revoked.body.error.code).toBe(ErrorCode.failedPrecondition);
    expect((await lab.call('GET', models, undefined, bearer(secret))).status).toBe(200);
  });

  it('is open again on loopback when its only token is revoked, and never with others left', async () => {
    const lab = await open();
    const admin = await create(lab, { role: 'ROLE_ADMIN' });
    const viewer = await create(lab, { role: 'ROLE_VIEWER' }, bearer(admin.secret));
    const revoke = ({ token }: Created) =>
      lab.call('POST', `${tokens}/${token.id}/revoke`, { reason: 'gone' }, bearer(admin.secret));
    expect((await revoke(admin)).status).toBe(412);
    expect((await revoke(viewer)).status).toBe(200);
    expect((await revoke(admin)).status).toBe(200);
    expect((await lab.call('GET', models)).status).toBe(200);
  });
});

describe('a token', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await open({ MILLRACE_TOKEN: operator });
  });
  const asOperator = bearer(operator);
  const make = (fields: object) => create(lab, fields, asOperator);

  it('is shown once and kept as a hash', async () => {
    const { token, secret } = await make({ role: 'ROLE_VIEWER', description: 'a dashboard' });
    expect(secret).toMatch(/^tok_[0-9a-z]{26}\.[\w-]{43}$/);
    const listed = await lab.call('GET', tokens, undefined, asOperator);
    expect(listed.body.tokens).toContainEqual(expect.objectContaining({ id: token.id, owner: 'ada' }));
    const random = secret.split('.')[1] ?? '';
    expect(listed.text).not.toContain(random);
    const stored = await lab.runtime('gateway').store.collection(definition).get(token.id);
    expect(JSON.stringify(stored)).not.toContain(random);
  });

  it('names its owner to the services, whatever the request says', async () => {
    const { secret } = await make({ owner: 'grace', role: 'ROLE_CONTRIBUTOR' });
    lab.asked.length = 0;
    await lab.call('POST', `${apiPrefix}/runs/r/cancel`, {}, { ...bearer(secret), 'millrace-user': 'ada' });
    expect(lab.asked.map(({ request }) => request.actor?.name)).toEqual(['user:grace']);
    await lab.call('POST', `${apiPrefix}/runs/r/cancel`, {}, { ...asOperator, 'millrace-user': 'ada' });
    expect(lab.asked.at(-1)?.request.actor?.name).toBe('user:ada');
  });

  it.each(roles)('of a %s opens what the role may, and nothing else', async (role) => {
    const { secret } = await make({ role: messageRole(role) });
    for (const permission of permissions) {
      const route = rpcRoutes.find((one) => one.permission === permission && one.method !== 'GET');
      if (route === undefined) continue;
      const path = `${apiPrefix}${route.path.replaceAll(/(?<=\/):\w+/g, 'x1')}`;
      const { status } = await lab.call(route.method, path, {}, bearer(secret));
      const refused = status === 403 || status === 401;
      expect([permission, refused]).toEqual([permission, !permissionsOfRole[role].includes(permission)]);
    }
    expect((await lab.call('GET', models, undefined, bearer(secret))).status).toBe(200);
  });

  it('with a scope does only that, and only at that endpoint', async () => {
    const { secret } = await make({ role: 'ROLE_CONTRIBUTOR', scopes: ['predict:flights'] });
    const status = async (method: 'GET' | 'POST', path: string) =>
      (await lab.call(method, path, method === 'POST' ? {} : undefined, bearer(secret))).status;
    expect(await status('GET', models)).toBe(403);
    for (const path of ['/endpoints/flights/invocations', '/v2/models/flights/infer']) {
      expect(await status('POST', path)).not.toBe(403);
      expect(await status('POST', path.replace('flights', 'trips'))).toBe(403);
    }
    expect(await status('POST', `${apiPrefix}/endpoints/flights/rollback`)).toBe(403);
  });

  it.each([
    [{ role: 'ROLE_VIEWER', scopes: ['predict'] }, 'scopes[0]'],
    [{ role: 'ROLE_ADMIN', scopes: ['read', 'everything'] }, 'scopes[1]'],
    [{ role: 'ROLE_ADMIN', owner: 'a b' }, 'owner'],
    [{ role: 'ROLE_ADMIN', days: -1 }, 'days'],
    [{}, 'role'],
  ])('is refused for %j, naming %s', async (fields, path) => {
    const { status, body } = await lab.call('POST', tokens, { owner: 'ada', ...fields }, asOperator);
    expect([status, body.error.violations[0].path]).toEqual([400, path]);
  });

  it('is refused once it is revoked, and its change is told', async () => {
    const { token, secret } = await make({ role: 'ROLE_ADMIN' });
    expect((await lab.call('GET', models, undefined, bearer(secret))).status).toBe(200);
    for (const _ of [1, 2]) {
      const { status, body } = await lab.call('POST', `${tokens}/${token.id}/revoke`, {}, asOperator);
      expect([status, typeof body.token.revokedAt]).toEqual([200, 'string']);
    }
    const { status, body } = await lab.call('GET', models, undefined, bearer(secret));
    expect([status, body.error.code]).toEqual([401, ErrorCode.unauthenticated]);
    const told = [];
    for await (const event of lab.runtime('registry').bus.readEvents({
      since: 'all',
      filterSubjects: ['millrace.evt.gateway.token.>'],
    })) {
      if (event.key !== token.id) continue;
      expect(JSON.stringify(event)).not.toContain(secret.split('.')[1]);
      if (told.push(event.type) === 2) break;
    }
    expect(told).toEqual(['millrace.gateway.token.created.v1', 'millrace.gateway.token.revoked.v1']);
  });

  it('is refused once it has ended, and with any letter changed', async () => {
    const { token, secret } = await make({ role: 'ROLE_ADMIN', days: 1 });
    const changed = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    expect((await lab.call('GET', models, undefined, bearer(changed))).status).toBe(401);
    const other = await make({ role: 'ROLE_ADMIN' });
    const crossed = `${token.id}.${other.secret.split('.')[1]}`;
    expect((await lab.call('GET', models, undefined, bearer(crossed))).status).toBe(401);
    const store = lab.runtime('gateway').store.collection<{ expiresAt?: string }>(definition);
    await store.update(token.id, (current) => ({
      document: { ...current?.document, expiresAt: new Date(Date.now() - 1).toISOString() },
    }));
    // It was looked up a moment ago.
    await eventually(async () =>
      expect((await lab.call('GET', models, undefined, bearer(secret))).status).toBe(401),
    );
  });
});

describe('a route', () => {
  it('without a permission keeps the gateway from starting', async () => {
    const lab = await open();
    await lab.stopOne('gateway');
    const forgetful = {
      ...gateway,
      setup: async (runtime: Parameters<typeof gateway.setup>[0]) => {
        const parts = await gateway.setup(runtime);
        return {
          ...parts,
          routes: async (app: Parameters<NonNullable<typeof parts.routes>>[0]) => {
            await parts.routes?.(app);
            app.get('/forgotten', async () => ({}));
          },
        };
      },
    };
    await expect(lab.start(forgetful)).rejects.toThrow('/forgotten declares no permission');
  });

  it('that changes something needs more than to read', () => {
    const reading = rpcRoutes.filter(({ method, permission }) => method !== 'GET' && permission === 'read');
    // It is asked by POST for the length of its list.
    expect(reading.map(({ rpc }) => rpc)).toEqual(['compareRuns']);
  });
});
