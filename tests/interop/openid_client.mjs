// openid-client, one JSON line at a time: {"do": name, ...} in, {"done": …} or {"failed": …} out.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const AUTHENTICATION = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  client_secret_jwt: client.ClientSecretJwt,
  none: client.None,
};

// What the library is told to expect of an authorization response.
const RESPONSES = {
  signed: client.useJwtResponseMode,
  hybrid: client.useCodeIdTokenResponseType,
  implicit: client.useIdTokenResponseType,
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

// How a private key is imported that what comes is encrypted for.
const DECRYPTION = {
  "ECDH-ES+A256KW": [{ name: "ECDH", namedCurve: "P-256" }, ["deriveBits"]],
  "RSA-OAEP-256": [{ name: "RSA-OAEP", hash: "SHA-256" }, ["decrypt"]],
};

let config;
let pending;
let DPoP; // undefined until the client has a key

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

  // From here on every request of the client's own proves possession of one key.
  async prove({ algorithm }) {
    DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
    return DPoP.calculateThumbprint();
  },

  // What comes will be encrypted for `key`, by `alg` and `enc`; userinfo is signed as well.
  async decrypt({ key, alg, enc, userinfo }) {
    config.clientMetadata().userinfo_signed_response_alg = userinfo;
    const [how, uses] = DECRYPTION[alg];
    const imported = await crypto.subtle.importKey("jwk", key, how, false, uses);
    client.enableDecryptingResponses(config, [enc], { key: imported, alg, kid: key.kid });
  },

  // RFC 7591; the library insists on 201, and on an expiry beside every secret.
  async register({ issuer, metadata, token }) {
    config = await client.dynamicClientRegistration(
      new URL(issuer),
      metadata,
      AUTHENTICATION[metadata.token_endpoint_auth_method]?.(),
      {
        initialAccessToken: token,
        execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
      },
    );
    return config.clientMetadata();
  },

  expect: async ({ response }) => RESPONSES[response](config),

  // `how` is "PAR" or "JAR"; `key` is the client's private key, with which JAR signs.
  async request({ parameters, how, key }) {
    pending = {
      verifier: client.randomPKCECodeVerifier(),
      state: client.randomState(),
      nonce: client.randomNonce(),
    };
    const asked = {
      code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: "S256",
      state: pending.state,
      nonce: pending.nonce,
      ...parameters,
    };
    if (how === "PAR") {
      return (await client.buildAuthorizationUrlWithPAR(config, asked, { DPoP })).href;
    }
    if (how === "JAR") {
      const signer = { key: await imported(key), kid: key.kid };
      return (await client.buildAuthorizationUrlWithJAR(config, asked, signer)).href;
    }
    return client.buildAuthorizationUrl(config, asked).href;
  },

  // Whatever of what was sent should now be misremembered stands in `expected`.
  async finish({ url, form, expected = {}, maxAge }) {
    const arrived = form
      ? new Request(url, { method: "POST", body: new URLSearchParams(form) })
      : new URL(url);
    const checks = {
      pkceCodeVerifier: expected.verifier ?? pending.verifier,
      expectedState: expected.state ?? pending.state,
      expectedNonce: expected.nonce ?? pending.nonce,
      idTokenExpected: true,
      ...(maxAge === undefined ? {} : { maxAge }),
    };
    const tokens = await client.authorizationCodeGrant(config, arrived, checks, undefined, {
      DPoP,
    });
    return { tokens, claims: tokens.claims() };
  },

  // The implicit flow: an ID token, and nothing to exchange.
  implicit: ({ url }) =>
    client.implicitAuthentication(config, new URL(url), pending.nonce, {
      expectedState: pending.state,
    }),

  userinfo: ({ accessToken, subject }) =>
    client.fetchUserInfo(config, accessToken, subject, { DPoP }),

  async refresh({ refreshToken }) {
    const tokens = await client.refreshTokenGrant(config, refreshToken, undefined, { DPoP });
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

  leave: async ({ parameters }) => client.buildEndSessionUrl(config, parameters).href,
};

const imported = ({ kid, use, ...jwk }) =>
  crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);

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
