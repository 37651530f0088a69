import { connectionOf } from '../../../images/reference-service/src/postgres';

const BASE = 'postgres://noa:secret@db.test:5432/noa';

describe('how the reference service connects to PostgreSQL', () => {
  test.each([
    ['no word of TLS: without', '', false],
    ['sslmode=disable: without', '?sslmode=disable', false],
    ['sslmode=require: with whoever answers', '?sslmode=require', { rejectUnauthorized: false }],
    [
      'sslmode=verify-full: with the authority that was given',
      '?sslmode=verify-full',
      { rejectUnauthorized: true, ca: 'PEM' },
    ],
  ])('%s', (_title, query, ssl) => {
    expect(connectionOf(`${BASE}${query}`, 'PEM')).toEqual({ connectionString: BASE, ssl });
  });

  test('verify-full without an authority trusts the system’s, and other parameters stay', () => {
    expect(connectionOf(`${BASE}?sslmode=verify-full&options=-c+a%3Db`)).toEqual({
      connectionString: `${BASE}?options=-c+a%3Db`,
      ssl: { rejectUnauthorized: true },
    });
  });
});
