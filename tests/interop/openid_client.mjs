// openid-client, one JSON line at a time: {"do": name, ...} in, {"done": …} or {"failed": …} out.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const AUTHENTICATION = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  none: client.None,
};

let config;
let pending;

const commands = {
  async discover({ issuer, clientId, clientSecret, authentication, algorithm }) {
    config = await client.discovery(
      new URL(issuer),
      clientId,
      { id_token_signed_response_alg: algorithm },
      AUTHENTICATION[authentication](clientSecret),
      // Signatures are checked although the ID token comes straight from the provider.
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    );
    return config.serverMetadata();
  },

  async request({ parameters }) {
    pending = {
      verifier: client.randomPKCECodeVerifier(),
      state: client.randomState(),
      nonce: client.randomNonce(),
    };
    return client.buildAuthorizationUrl(config, {
      code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: "S256",
      state: pending.state,
      nonce: pending.nonce,
      ...parameters,
    }).href;
  },

  // Whatever of what was sent should now be misremembered stands in `expected`.
  async finish({ url, form, expected = {}, maxAge }) {
    const arrived = form
      ? new Request(url, { method: "POST", body: new URLSearchParams(form) })
      : new URL(url);
    const tokens = await client.authorizationCodeGrant(config, arrived, {
      pkceCodeVerifier: expected.verifier ?? pending.verifier,
      expectedState: expected.state ?? pending.state,
      expectedNonce: expected.nonce ?? pending.nonce,
      idTokenExpected: true,
      ...(maxAge === undefined ? {} : { maxAge }),
    });
    return { tokens, claims: tokens.claims() };
  },

  userinfo: ({ accessToken, subject }) => client.fetchUserInfo(config, accessToken, subject),

  async refresh({ refreshToken }) {
    const tokens = await client.refreshTokenGrant(config, refreshToken);
    return { tokens, claims: tokens.claims() };
  },

  async device({ parameters }) {
    pending = await client.initiateDeviceAuthorization(config, parameters);
    return pending;
  },

  // The library waits between polls for as long as it was told: the tests answer first.
  async poll() {
    const tokens = await client.pollDeviceAuthorizationGrant(config, { ...pending, interval: 1 });
    return { tokens, claims: tokens.claims() };
  },

  itself: ({ parameters }) => client.clientCredentialsGrant(config, parameters),

  exchange: ({ parameters }) =>
    client.genericGrantRequest(
      config,
      "urn:ietf:params:oauth:grant-type:token-exchange",
      parameters,
    ),

  introspect: ({ token }) => client.tokenIntrospection(config, token),

  revoke: ({ token }) => client.tokenRevocation(config, token),
};

function told(error) {
  const { name, message, code, error: registered, status } = error;
  return { name, message, code, error: registered, status, cause: error.cause?.message };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...details } = JSON.parse(line);
  const answer = await commands[name](details).then(
    (done) => ({ done: done ?? null }),
    (error) => ({ failed: told(error) }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
