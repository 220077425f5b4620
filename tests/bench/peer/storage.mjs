// The peer's storage: one table of JSON documents, as its adapters for PostgreSQL do it.
// Every statement is prepared once a connection, and stands alone: a commit for each.

import pg from 'pg';

const TABLES = `
CREATE TABLE IF NOT EXISTS oidc_documents (
  kind text NOT NULL,
  id text NOT NULL,
  payload jsonb NOT NULL,
  grant_id text,
  uid text,
  expires_at timestamptz,
  consumed_at timestamptz,
  PRIMARY KEY (kind, id)
);
CREATE INDEX IF NOT EXISTS oidc_documents_grant ON oidc_documents (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS oidc_documents_uid ON oidc_documents (uid) WHERE uid IS NOT NULL;
CREATE TABLE IF NOT EXISTS accounts (
  id text PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name text NOT NULL,
  password text NOT NULL
);
`;

const FIND = 'SELECT payload, consumed_at FROM oidc_documents WHERE';
const IN_TIME = 'AND (expires_at IS NULL OR expires_at > now())';

const STATEMENTS = {
  upsert: `INSERT INTO oidc_documents (kind, id, payload, grant_id, uid, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (kind, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
    uid = excluded.uid, expires_at = excluded.expires_at`,
  find: `${FIND} kind = $1 AND id = $2 ${IN_TIME}`,
  findByUid: `${FIND} kind = $1 AND uid = $2 ${IN_TIME}`,
  consume: 'UPDATE oidc_documents SET consumed_at = now() WHERE kind = $1 AND id = $2',
  destroy: 'DELETE FROM oidc_documents WHERE kind = $1 AND id = $2',
  revoke: 'DELETE FROM oidc_documents WHERE grant_id = $1',
  account: 'SELECT id, email, name FROM accounts WHERE id = $1',
  login: 'SELECT id, password FROM accounts WHERE email = $1',
};

export class Storage {
  constructor(url) {
    this.pool = new pg.Pool({ connectionString: url, max: 10 });
  }

  prepare() {
    return this.pool.query(TABLES);
  }

  async ask(name, values) {
    const { rows } = await this.pool.query({ name, text: STATEMENTS[name], values });
    return rows[0];
  }
}

/** The adapter that oidc-provider asks for, over one storage. */
export const adapterOver = (storage) => class Adapter {
  constructor(kind) {
    this.kind = kind;
  }

  async upsert(id, payload, expiresIn) {
    const ends = expiresIn ? new Date(Date.now() + expiresIn * 1000) : null;
    const { grantId = null, uid = null } = payload;
    await storage.ask('upsert', [this.kind, id, JSON.stringify(payload), grantId, uid, ends]);
  }

  find(id) {
    return this.found('find', id);
  }

  findByUid(uid) {
    return this.found('findByUid', uid);
  }

  async found(by, value) {
    const row = await storage.ask(by, [this.kind, value]);
    if (!row) return undefined;
    return row.consumed_at ? { ...row.payload, consumed: true } : row.payload;
  }

  async consume(id) {
    await storage.ask('consume', [this.kind, id]);
  }

  async destroy(id) {
    await storage.ask('destroy', [this.kind, id]);
  }

  async revokeByGrantId(grantId) {
    await storage.ask('revoke', [grantId]);
  }
};
