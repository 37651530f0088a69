import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { overridden, overrideNote, setInCopy, withSettings } from '../../../cli/override';
import { setting, settingText } from '../../../cli/setting';
import { root } from '../../../local/paths';

const FILE = `# The dev environment.
config:
  trellis:shop:
    # Its pods.
    api: { source: "build:images/api", minReplicas: 1, hsts: false }
    size: "2"
encryptionsalt: v1:abc
`;
const withAll = (...texts: readonly string[]): string => withSettings(FILE, 'Pulumi.dev.yaml', texts.map(setting));
const shop = (text: string) => (parse(text) as { config: { 'trellis:shop': unknown } }).config['trellis:shop'];

test('a key is found by its path, with or without the project before it', () => {
  expect(setting('trellis:shop.api.source=image:r/x=y')).toEqual({
    keys: ['shop', 'api', 'source'],
    value: 'image:r/x=y',
  });
  expect(setting('shop.size=')).toEqual({ keys: ['shop', 'size'], value: '' });
  expect(settingText(setting('trellis:shop.size=3'))).toBe('shop.size=3');
});

test.each(['shop.api.source', '=x', 'shop..api=1', 'shop.api[0]=1', '1shop=2'])('%s is no setting', (text) => {
  expect(() => setting(text)).toThrow(
    `--set takes KEY=VALUE, such as noodleCore.runtime.minReplicas=2; got '${text}'.`,
  );
});

test('values have the type that the key has; comments and the salt stay', () => {
  const text = withAll('shop.api.source=image:r/api:2', 'shop.api.minReplicas=3', 'shop.api.hsts=true', 'shop.size=5');
  expect(shop(text)).toEqual({ api: { source: 'image:r/api:2', minReplicas: 3, hsts: true }, size: '5' });
  expect(text).toContain('# Its pods.');
  expect(text).toContain('encryptionsalt: v1:abc');
});

test.each([
  ['shop.api.minReplicas=many', "shop.api.minReplicas is a number, got 'many'"],
  ['shop.api.hsts=1', "shop.api.hsts is a boolean, got '1'"],
  ['shop.api.cpu=1', 'Pulumi.dev.yaml has no value at the key shop.api.cpu'],
  ['shop.api=1', 'Pulumi.dev.yaml has no value at the key shop.api'],
  ['cafe.size=1', 'Pulumi.dev.yaml has no value at the key cafe.size'],
])('%s is refused', (text, message) => expect(() => withAll(text)).toThrow(message));

describe('the file', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-set-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));
  const written = (): string => {
    const file = path.join(folder, 'Pulumi.dev.yaml');
    fs.writeFileSync(file, FILE);
    return file;
  };

  test('of the environment stays as it is: the update reads a copy, which only its owner reads', () => {
    const file = written();
    const copy = overridden('dev', [setting('shop.size=9')], folder) ?? '';
    expect(shop(fs.readFileSync(copy, 'utf8'))).toMatchObject({ size: '9' });
    expect(fs.readFileSync(file, 'utf8')).toBe(FILE);
    expect(path.relative(root, copy)).toBe(path.join('.trellis', 'set', 'Pulumi.dev.yaml'));
    expect(fs.statSync(copy).mode & 0o077).toBe(0);
    fs.rmSync(copy);
  });

  test('is read itself where nothing is set', () => {
    const file = written();
    expect(overridden('dev', [], folder)).toBeUndefined();
    setInCopy(file, []);
    expect(fs.readFileSync(file, 'utf8')).toBe(FILE);
  });

  test('of a rehearsal is a copy already', () => {
    const file = written();
    setInCopy(file, [setting('shop.size=9')]);
    expect(shop(fs.readFileSync(file, 'utf8'))).toMatchObject({ size: '9' });
  });
});

test('the end of an update says what the next one does', () => {
  expect(overrideNote('dev', [], './trellis up')).toBe('');
  expect(overrideNote('dev', [setting('shop.size=9')], './trellis up')).toBe(
    '\nDeployed with shop.size=9; Pulumi.dev.yaml says otherwise still, and ./trellis up without --set follows it again.\n',
  );
});
