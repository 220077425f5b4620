// The peer's sign-in: a page with a form, and what becomes of the form. It hashes the password in
// a thread beside, as every server must, and at the least cost, because hashes are not what is
// compared here: the other provider does the same, with as much memory (8 KiB: 128 * N * r).

import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const page = (place) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head><body>
<h1>Sign in</h1>
<form method="post" action="${place}/password">
<label>Email <input name="username" type="email" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Sign in</button>
</form></body></html>`;

const read = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
};

const SALT = 'the same for all';

/** What is stored of a password, as hexadecimal digits. */
export const hashed = async (password) => {
  const hash = await promisify(scrypt)(password, SALT, 32, { N: 64, r: 1, p: 1 });
  return hash.toString('hex');
};

const same = (one, other) => timingSafeEqual(Buffer.from(one), Buffer.from(other));

const answered = async (ctx, provider, storage) => {
  const form = await read(ctx.req);
  const account = await storage.ask('login', [form.get('username')]);
  ctx.assert(account && same(await hashed(form.get('password')), account.password), 401);
  ctx.status = 303;
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, {
    login: { accountId: account.id },
  }));
};

/** Koa middleware for /healthz and /interaction/… */
export const interactions = (provider, storage) => async (ctx, next) => {
  if (ctx.path === '/healthz') {
    ctx.body = 'ok';
    return;
  }
  const [, uid] = /^\/interaction\/([\w-]+)/.exec(ctx.path) ?? [];
  if (!uid) {
    await next();
  } else if (ctx.method === 'POST') {
    await answered(ctx, provider, storage);
  } else {
    const { prompt } = await provider.interactionDetails(ctx.req, ctx.res);
    ctx.assert(prompt.name === 'login', 500, prompt.name);
    ctx.type = 'html';
    ctx.body = page(`/interaction/${uid}`);
  }
};
