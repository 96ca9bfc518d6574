import type { TokenServiceService } from '@millrace/contracts/gateway';
import { Invalid } from '@millrace/errors';
import { pageQuery, type RpcHandlers, requireMessage, requireText } from '@millrace/service-kit';
import type { Tokens } from '../application/tokens.ts';
import { roleName } from '../application/view-token.ts';

const ownerGrammar = /^[\w.@+-]{1,128}$/;
const longestDescription = 500;
const mostScopes = 50;
const mostDays = 3_650;

/** The gateway's own RPCs: checked here, decided by the tokens. */
export const tokenHandlers = (tokens: Tokens): RpcHandlers<typeof TokenServiceService> => ({
  createToken: async ({ owner, description, role, scopes, days, actor }) => {
    requireText('owner', owner);
    if (!ownerGrammar.test(owner)) {
      throw Invalid.field('owner', 'may have letters, digits, ".", "_", "@", "+" and "-", up to 128');
    }
    if (description.length > longestDescription) {
      throw Invalid.field('description', `must have at most ${longestDescription} characters`);
    }
    const name = roleName(role);
    if (name === undefined) throw Invalid.field('role', 'is required');
    if (scopes.length > mostScopes) throw Invalid.field('scopes', `must have at most ${mostScopes} entries`);
    if (days < 0 || days > mostDays) throw Invalid.field('days', `must be 0 (never ends) to ${mostDays}`);
    const order = { owner, description, role: name, scopes, days, actor: requireMessage('actor', actor) };
    return tokens.create(order);
  },
  listTokens: async ({ includeInactive, page }) => {
    const { tokens: found, nextCursor } = await tokens.list(includeInactive, pageQuery(page));
    return { tokens: [...found], page: { nextCursor } };
  },
  revokeToken: async ({ id, actor }) => ({
    token: await tokens.revoke(requireText('id', id), requireMessage('actor', actor)),
  }),
});
