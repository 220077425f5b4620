// The peer: oidc-provider with the same endpoints at the same addresses, over PostgreSQL.
// PEER_ISSUER, PEER_PORT, PEER_DATABASE; keys, clients and accounts come as JSON in PEER_WORLD.

import { Provider } from 'oidc-provider';

import { Storage, adapterOver } from './storage.mjs';
import { hashed, interactions } from './sign_in.mjs';

const { PEER_ISSUER, PEER_PORT, PEER_DATABASE, PEER_WORLD } = process.env;
const world = JSON.parse(PEER_WORLD);
const storage = new Storage(PEER_DATABASE);
await storage.prepare();
for (const { id, email, name, password } of world.accounts) {
  const row = [id, email, name, await hashed(password)];
  await storage.pool.query('INSERT INTO accounts VALUES ($1, $2, $3, $4)', row);
}

const provider = new Provider(PEER_ISSUER, {
  adapter: adapterOver(storage),
  jwks: { keys: world.keys },
  // Registrations stand in the configuration, so the peer asks its database nothing for them.
  clients: world.clients,
  cookies: { keys: ['keeps nothing that matters'] },
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  routes: {
    authorization: '/oauth/authorize',
    token: '/oauth/token',
    userinfo: '/oauth/userinfo',
    jwks: '/oauth/jwks',
    introspection: '/oauth/introspect',
    pushed_authorization_request: '/oauth/par',
  },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: async (_, id) => {
    const account = await storage.ask('account', [id]);
    return account && {
      accountId: id,
      claims: async () => ({
        sub: id, name: account.name, email: account.email, email_verified: true,
      }),
    };
  },
  // What was consented to once is not asked again: the recipe of the peer's own documentation.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const known = ctx.oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    if (known) return ctx.oidc.provider.Grant.find(known);
    const grant = new ctx.oidc.provider.Grant({
      clientId: client.clientId, accountId: session.accountId,
    });
    grant.addOIDCScope('openid profile email offline_access');
    await grant.save();
    return grant;
  },
  ttl: {
    AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 3600,
    RefreshToken: 30 * 86400, Session: 12 * 3600, Grant: 30 * 86400,
  },
});

provider.use(interactions(provider, storage));
provider.listen(Number(PEER_PORT), '127.0.0.1');
