import { Pool } from 'pg';
import type { Backend } from './backend';
import type { ServiceConfig } from './config';
import type { Logger } from './log';

export interface Note {
  readonly id: string;
  readonly body: string;
  readonly createdAt: string;
}

interface Row {
  readonly id: string;
  readonly body: string;
  readonly created_at: Date;
}
const toNote = (row: Row): Note => ({ id: row.id, body: row.body, createdAt: row.created_at.toISOString() });
const COLUMNS = 'id::text, body, created_at';

/** How node-postgres connects to a URL of libpq's form. */
export interface Connection {
  readonly connectionString: string;
  readonly ssl: false | { readonly rejectUnauthorized: boolean; readonly ca?: string };
}

/**
 * Reads `sslmode` as libpq does: `require` encrypts with whoever answers, `verify-ca` and `verify-full` check the certificate.
 * node-postgres takes all three for the last, so the word must not reach it.
 * @param authority PEM text of the authority that is trusted; the system's otherwise
 */
export function connectionOf(databaseUrl: string, authority?: string): Connection {
  const url = new URL(databaseUrl);
  const mode = url.searchParams.get('sslmode') ?? 'disable';
  url.searchParams.delete('sslmode');
  const connectionString = url.href;
  if (mode === 'verify-ca' || mode === 'verify-full') {
    return {
      connectionString,
      ssl: { rejectUnauthorized: true, ...(authority === undefined ? {} : { ca: authority }) },
    };
  }
  return { connectionString, ssl: mode === 'require' ? { rejectUnauthorized: false } : false };
}

/** Any number: replicas that start together must not create the table at the same moment. */
const SCHEMA_LOCK = 7_263_001;

/** PostgreSQL: the pool, its probe, and one table of notes that proves that writes survive. */
export class PostgresBackend implements Backend {
  readonly name = 'postgres';
  readonly pool: Pool;
  private schema: Promise<void> | undefined;

  constructor(config: ServiceConfig, databaseUrl: string, log: Logger) {
    this.pool = new Pool({
      ...connectionOf(databaseUrl, config.databaseAuthority),
      application_name: config.serviceName,
      max: config.databasePoolMax,
      connectionTimeoutMillis: config.checkTimeoutMs,
      idleTimeoutMillis: 30_000,
      statement_timeout: 10_000,
      query_timeout: 12_000,
      keepAlive: true,
    });
    // An idle connection that breaks (the server restarts) must not end the process; the pool opens another.
    this.pool.on('error', (err) => log.warn({ backend: this.name, err }, 'idle connection lost'));
  }

  async ping(): Promise<void> {
    await this.pool.query('select 1');
  }

  async addNote(body: string): Promise<Note> {
    await this.ensureSchema();
    const sql = `insert into reference_notes (body) values ($1) returning ${COLUMNS}`;
    const { rows } = await this.pool.query<Row>(sql, [body]);
    return toNote(rows[0] as Row);
  }

  /** The newest first, 50 at most. */
  async listNotes(): Promise<Note[]> {
    await this.ensureSchema();
    const { rows } = await this.pool.query<Row>(`select ${COLUMNS} from reference_notes order by id desc limit 50`);
    return rows.map(toNote);
  }

  async findNote(id: string): Promise<Note | undefined> {
    await this.ensureSchema();
    const { rows } = await this.pool.query<Row>(`select ${COLUMNS} from reference_notes where id = $1`, [id]);
    return rows[0] && toNote(rows[0]);
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** Made at first use, so that the service starts without its database; a failure is tried again at the next use. */
  private ensureSchema(): Promise<void> {
    this.schema ??= this.createSchema().catch((error: unknown) => {
      this.schema = undefined;
      throw error;
    });
    return this.schema;
  }

  private async createSchema(): Promise<void> {
    // Several statements in one message are one transaction.
    await this.pool.query(`
      select pg_advisory_xact_lock(${SCHEMA_LOCK});
      create table if not exists reference_notes (
        id bigint generated always as identity primary key,
        body text not null,
        created_at timestamptz not null default now()
      )`);
  }
}
