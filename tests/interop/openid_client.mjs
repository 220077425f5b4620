// openid-client, one JSON line at a time: {"do": name, ...} in, {"done": …} or {"failed": …} out.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const AUTHENTICATION = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  client_secret_jwt: client.ClientSecretJwt,
  none: client.None,
};

const KEYS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  EdDSA: { name: "Ed25519" },
};

async function authenticationOf({ authentication, clientSecret, signingKey, signingAlgorithm }) {
  if (authentication !== "private_key_jwt") return AUTHENTICATION[authentication](clientSecret);
  const { kid, ...jwk } = signingKey;
  const key = await crypto.subtle.importKey("jwk", jwk, KEYS[signingAlgorithm], false, ["sign"]);
  return client.PrivateKeyJwt({ key, kid });
}

let config;
let pending;

const commands = {
  async discover({ issuer, clientId, algorithm, ...credentials }) {
    config = await client.discovery(
      new URL(issuer),
      clientId,
      { id_token_signed_response_alg: algorithm },
      await authenticationOf(credentials),
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
