import * as fs from 'node:fs';
import * as path from 'node:path';

import { root } from '../../../local/paths';

const FOLDER = path.join(root, 'images');
const names = fs.readdirSync(FOLDER).filter((name) => fs.existsSync(path.join(FOLDER, name, 'Dockerfile')));

/** The instructions of each stage: the first is its FROM. */
function stages(name: string): readonly (readonly string[])[] {
  const text = fs.readFileSync(path.join(FOLDER, name, 'Dockerfile'), 'utf8').replace(/^#.*\n/gm, '');
  return text
    .split(/^(?=FROM )/m)
    .slice(1)
    .map((stage) => stage.split('\n').filter((line) => line !== ''));
}

describe('images that are built at once', () => {
  const [from = '', ...shared] = stages('base').find(([first]) => first?.endsWith(' AS root') === true) ?? [];

  test('find in the cache what the base made for their build stages', () => {
    expect(from).toBe('FROM base AS root');
    expect(shared).toEqual(['USER 0:0', 'ENV DEBIAN_FRONTEND=noninteractive']);
    expect(stages('base').at(-1)).toEqual(['FROM base']);
  });

  test.each(names.filter((name) => name !== 'base'))(
    '%s begins each stage with no layer that another makes too',
    (name) => {
      const onBase = stages(name).filter(([first]) => first?.startsWith('FROM ${BASE}') === true);
      expect(onBase).toHaveLength(2);
      const [install = [], result = []] = onBase;
      expect(install.slice(1, 3)).toEqual(shared);
      expect(install[3]).toMatch(/^(RUN|COPY|ARG) /);
      expect(result[1]).toBe(shared[0]);
      expect(result[2]).toBe('COPY --from=install /rootfs/ /');
    },
  );
});
