import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Actor } from '@millrace/contracts/common';
import { gatewayEvents, type Token } from '@millrace/contracts/gateway';
import { FailedPrecondition, NotFound } from '@millrace/errors';
import { permissionsOfRole, type RoleName } from '@millrace/rest';
import { eventMessage, newId } from '@millrace/service-kit';
import type { Collection, DocumentStore } from '@millrace/store';
import { checkScopes, isActive, type Principal, parseToken, type StoredToken } from '../domain/access.ts';
import { viewToken } from './view-token.ts';

/** Milliseconds until what another process of the gateway changed is seen here. */
const freshMs = 2_000;
/** How exactly the last use is known, milliseconds: it is written down no oftener. */
const lastUseMs = 60_000;
const dayMs = 86_400_000;

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const isSame = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));

export interface TokensOptions {
  readonly store: DocumentStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The operator's own token, from the environment: an admin's, and never locked out. */
  readonly operatorToken: string | undefined;
  /** Whether the gateway listens on this machine only: nowhere else may it be open to everybody. */
  readonly onLoopback: boolean;
}

/** A token to be made. */
export interface TokenOrder {
  readonly owner: string;
  readonly description: string;
  readonly role: RoleName;
  readonly scopes: readonly string[];
  /** 0: it never ends. */
  readonly days: number;
  readonly actor: Actor;
}

interface Known {
  readonly token: StoredToken | undefined;
  readonly readAt: number;
}

/** The API tokens of this gateway: kept as hashes, looked up with every request. */
export class Tokens {
  readonly #tokens: Collection<StoredToken>;
  readonly #options: TokensOptions;
  readonly onLoopback: boolean;
  readonly #known = new Map<string, Known>();
  #open = { value: false, readAt: Number.NEGATIVE_INFINITY };

  constructor(options: TokensOptions) {
    this.#options = options;
    this.onLoopback = options.onLoopback;
    this.#tokens = options.store.collection({
      name: 'tokens',
      indexes: [{ path: 'createdAt', type: 'text' }],
    });
  }

  get #now(): string {
    return new Date(this.#options.now()).toISOString();
  }

  /**
   * Whether everybody who reaches the gateway may do everything: there is neither an operator's token nor any that was
   * not revoked. One that has ended counts as one: running out must not open a gateway.
   */
  async isOpen(): Promise<boolean> {
    const known = this.knownOpen;
    if (known !== undefined) return known;
    this.#open = { value: (await this.#unrevoked()).length === 0, readAt: this.#options.now() };
    return this.#open.value;
  }

  /** `isOpen` where it need not be looked up: as with nearly every request. */
  get knownOpen(): boolean | undefined {
    if (this.#options.operatorToken !== undefined) return false;
    return this.#options.now() - this.#open.readAt > freshMs ? undefined : this.#open.value;
  }

  /** Who holds a token, `undefined` when nobody does (any more). `claimed` is whom the operator acts for. */
  async authenticate(text: string, claimed: string): Promise<Principal | undefined> {
    const { operatorToken } = this.#options;
    if (operatorToken !== undefined && isSame(hashOf(text), hashOf(operatorToken))) {
      return { user: claimed, permissions: permissionsOfRole.admin, scopes: [] };
    }
    const parsed = parseToken(text);
    if (parsed === undefined) return undefined;
    const token = await this.#find(parsed.id);
    if (token === undefined || !isSame(hashOf(parsed.secret), token.hash) || !isActive(token, this.#now)) {
      return undefined;
    }
    this.#noteUse(parsed.id, token);
    return { user: `user:${token.owner}`, permissions: permissionsOfRole[token.role], scopes: token.scopes };
  }

  /**
   * @throws Invalid naming the scope
   * @throws FailedPrecondition when it would be the only one and is no admin's
   */
  async create({
    actor,
    days,
    ...order
  }: TokenOrder): Promise<{ readonly token: Token; readonly secret: string }> {
    const scopes = checkScopes(order.scopes, order.role);
    if ((order.role !== 'admin' || scopes.length > 0) && (await this.isOpen())) {
      throw new FailedPrecondition('the first token of a gateway has to be an admin’s, without scopes', {
        hint: 'Create it with --role admin; from then on every request needs a token.',
      });
    }
    const id = newId('tok');
    const secret = randomBytes(32).toString('base64url');
    const now = this.#options.now();
    const token: StoredToken = {
      ...order,
      scopes,
      hash: hashOf(secret),
      createdBy: actor,
      createdAt: new Date(now).toISOString(),
      ...(days === 0 ? {} : { expiresAt: new Date(now + days * dayMs).toISOString() }),
    };
    const view = viewToken(id, token);
    await this.#tokens.insert(id, token, [
      eventMessage(gatewayEvents.tokenCreated, id, { token: view, actor }),
    ]);
    this.#forget(id);
    return { token: view, secret: `${id}.${secret}` };
  }

  /** Again changes nothing. @throws NotFound; FailedPrecondition when nobody could administer any more */
  async revoke(id: string, actor: Actor): Promise<Token> {
    await this.#keepAnAdmin(id);
    const stored = await this.#tokens.update(id, (current) => {
      if (current === undefined) throw new NotFound(`there is no token ${id}`);
      if (current.document.revokedAt !== undefined) return undefined;
      const document = { ...current.document, revokedAt: this.#now };
      const data = { token: viewToken(id, document), actor };
      return { document, messages: [eventMessage(gatewayEvents.tokenRevoked, id, data)] };
    });
    this.#forget(id);
    if (stored === undefined) throw new NotFound(`there is no token ${id}`);
    return viewToken(id, stored.document);
  }

  /** Newest first. */
  async list(
    includeInactive: boolean,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly tokens: readonly Token[]; readonly nextCursor: string }> {
    const sort = { field: 'createdAt', direction: 'desc' } as const;
    const { items, nextCursor = '' } = await this.#tokens.find({ sort, ...page });
    const now = this.#now;
    const shown = items.filter(({ document }) => includeInactive || isActive(document, now));
    return { tokens: shown.map(({ key, document }) => viewToken(key, document)), nextCursor };
  }

  async #unrevoked(): Promise<readonly { readonly key: string; readonly document: StoredToken }[]> {
    const found = [];
    for await (const stored of this.#tokens.scan()) {
      if (stored.document.revokedAt === undefined) found.push(stored);
    }
    return found;
  }

  /** Without an operator's token, the last admin can go only when nobody is left behind and only this machine is let in. */
  async #keepAnAdmin(id: string): Promise<void> {
    const { operatorToken, onLoopback } = this.#options;
    if (operatorToken !== undefined) return;
    const others = (await this.#unrevoked()).filter(({ key }) => key !== id);
    const now = this.#now;
    const admins = others.filter(
      ({ document }) => document.role === 'admin' && document.scopes.length === 0 && isActive(document, now),
    );
    if (admins.length > 0 || (others.length === 0 && onLoopback)) return;
    throw new FailedPrecondition('nobody could administer this gateway any more', {
      hint: 'Create another admin’s token first, or set MILLRACE_TOKEN.',
    });
  }

  async #find(id: string): Promise<StoredToken | undefined> {
    const now = this.#options.now();
    const known = this.#known.get(id);
    if (known !== undefined && now - known.readAt <= freshMs) return known.token;
    const token = (await this.#tokens.get(id))?.document;
    // Ids that somebody made up must not fill the memory.
    if (token !== undefined) this.#known.set(id, { token, readAt: now });
    return token;
  }

  #forget(id: string): void {
    this.#known.delete(id);
    this.#open = { value: false, readAt: Number.NEGATIVE_INFINITY };
  }

  /** Looking at a token must not fail a request that it allows. */
  #noteUse(id: string, token: StoredToken): void {
    const now = this.#options.now();
    if (token.lastUsedAt !== undefined && now - Date.parse(token.lastUsedAt) < lastUseMs) return;
    const lastUsedAt = new Date(now).toISOString();
    this.#known.set(id, { token: { ...token, lastUsedAt }, readAt: now });
    this.#tokens
      .update(id, (current) =>
        current === undefined ? undefined : { document: { ...current.document, lastUsedAt } },
      )
      .catch(() => {});
  }
}
