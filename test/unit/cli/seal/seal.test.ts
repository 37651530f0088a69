import { constants, createDecipheriv, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { checkCertificate } from '../../../../cli/seal/certificate';
import { sealValue } from '../../../../cli/seal/encrypt';
import { sealStack } from '../../../../cli/seal/run';
import type { SealRequest } from '../../../../cli/seal/run';
import { ConfigurationError } from '../../../../stacks/validate';
import { parseSealed, readSealed } from '../../../../stacks/sealed-file';

const certificate = (name: string): string => path.join(__dirname, 'certificates', `${name}.pem`);
const CANARY = 'canary-4e1b-must-not-leak';

describe('a ciphertext', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

  /** Our own reading of the format; test/engine/sealed-secrets.test.ts has the controller's. */
  function opened(ciphertext: string, label: string): string {
    const bytes = Buffer.from(ciphertext, 'base64');
    const length = bytes.readUInt16BE(0);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const key = privateDecrypt(
      { key: privateKey, padding, oaepHash: 'sha256', oaepLabel: Buffer.from(label) },
      bytes.subarray(2, 2 + length),
    );
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12));
    decipher.setAuthTag(bytes.subarray(-16));
    return decipher.update(bytes.subarray(2 + length, -16)).toString() + decipher.final().toString();
  }

  it('opens with the key and for its Secret alone', () => {
    const ciphertext = sealValue(publicKey, 'wörd', 'a/db');
    expect(opened(ciphertext, 'a/db')).toBe('wörd');
    expect(() => opened(ciphertext, 'b/db')).toThrow();
  });

  it('is never the same twice', () =>
    expect(sealValue(publicKey, 'value', 'a/db')).not.toBe(sealValue(publicKey, 'value', 'a/db')));
});

describe('the certificate', () => {
  const now = Date.parse('2027-01-01');

  it('is one for RSA that is valid now', () =>
    expect(checkCertificate(certificate('rsa'), now)).toMatchObject({
      publicKey: { asymmetricKeyType: 'rsa' },
      problems: [],
    }));

  it.each([
    ['of another kind', 'ec', now, ["has a key for ec, and the controller's is for rsa"]],
    ['that is too weak', 'weak', now, ['has a key of 1024 bits; at least 2048 are safe']],
    ['of later', 'rsa', Date.parse('2020-01-01'), [expect.stringMatching(/^is not valid before 20\d\d-/)]],
    ['of before', 'rsa', Date.parse('2200-01-01'), [expect.stringMatching(/^has expired on 21\d\d-.*newer one$/)]],
    [
      'with two problems',
      'ec',
      Date.parse('2200-01-01'),
      [expect.stringContaining('for ec'), expect.stringContaining('expired')],
    ],
    ['that is missing', 'absent', now, ["can't be read: ENOENT"]],
  ])('%s is refused', (_, name, at, expected) => {
    const { publicKey, problems } = checkCertificate(certificate(name), at);
    expect(publicKey).toBeUndefined();
    expect(problems.map((problem) => problem.replace(`--cert ${certificate(name)}: `, ''))).toEqual(expected);
  });
});

describe('sealing', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-seal-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const targets = [{ id: 'a/db', secrets: [{ name: 'password', length: 32 }] }];
  const run = (request: Partial<SealRequest>, existing = {}): string => {
    const file = { name: 'sealed/dev.yaml', path: path.join(folder, 'sealed', 'dev.yaml') };
    const cert = certificate('rsa');
    return sealStack({ file, targets, existing }, { cert, rotate: [], given: undefined, ...request });
  };
  const everything = (): string =>
    fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
      .join('\n');

  it('writes ciphertexts that can be read again, and keeps them when it runs once more', () => {
    expect(run({})).toBe('sealed/dev.yaml: 1 sealed, 0 kept, 0 dropped\n  + password for a/db\n');
    const first = readSealed('sealed/dev.yaml', folder);
    expect(Object.keys(first)).toEqual(['a/db']);
    expect(run({}, first)).toBe('sealed/dev.yaml: 0 sealed, 1 kept, 0 dropped\n');
    expect(readSealed('sealed/dev.yaml', folder)).toEqual(first);
    run({ rotate: ['password'] }, first);
    expect(readSealed('sealed/dev.yaml', folder)).not.toEqual(first);
  });

  it('takes a value that exists, and neither shows nor writes it', () => {
    const said = run({ given: { name: 'password', value: CANARY } });
    for (const needle of [CANARY, Buffer.from(CANARY).toString('base64')]) {
      expect(said).not.toContain(needle);
      expect(everything()).not.toContain(needle);
    }
  });

  it('is refused with all problems at once, and nothing is written', () => {
    const given = { name: 'password', value: `${CANARY} {{` };
    let message = '';
    try {
      run({ cert: certificate('ec'), rotate: ['nope'], given });
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message.split('\n')).toEqual([
      'Nothing was sealed:',
      expect.stringContaining('has a key for ec'),
      "  - there is no secret 'nope'; there are: password",
      expect.stringContaining('--from-stdin password: the value has characters other than'),
    ]);
    expect(message).not.toContain(CANARY);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('a file of ciphertexts', () => {
  const problemsOf = (text: string): readonly string[] => {
    try {
      parseSealed('sealed/dev.yaml', text);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
    return [];
  };

  it('that is empty holds none', () => expect(parseSealed('x', '# nothing yet\n')).toEqual({}));

  it('is refused with all problems, and a value that was put there by mistake is not shown', () => {
    const text = `a/db: { password: ${CANARY}, short: QUJD, number: 1 }\nA_B: {}\nb/db: []\n`;
    expect(problemsOf(text)).toEqual([
      'a/db.password: is no ciphertext; seal it again with --rotate password',
      'a/db.short: is no ciphertext; seal it again with --rotate short',
      'a/db.number: is no ciphertext; seal it again with --rotate number',
      'A_B: must be the NAMESPACE/NAME of a Secret',
      'b/db: must map names of secrets to ciphertexts',
    ]);
  });

  it.each([
    ['- list', 'it must map NAMESPACE/NAME to ciphertexts'],
    [`a/db:\n  x: "${CANARY}\n`, expect.stringMatching(/^it is no YAML, in line \d$/)],
    [`a/db: {}\na/db: {}\n`, expect.stringMatching(/^it is no YAML, in line 2$/)],
  ])('that reads %j is refused', (text, problem) => expect(problemsOf(text)).toEqual([problem]));
});
