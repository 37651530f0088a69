import * as fs from 'node:fs';
import { performance } from 'node:perf_hooks';
import { stringify } from 'yaml';
import { render } from '../../bridge/render';
import { benchObjects, layeredApp } from '../platform';

/** Renders once and writes the YAML: `render.js <what> <objects>`. It tells how long that took without the start. */
const [what = '', count = '0'] = process.argv.slice(2);
const started = performance.now();
const objects =
  what === 'layered' ? render(layeredApp(10, Number(count) / 10)) : benchObjects({ objects: Number(count) });
const text = objects.map(({ manifest }) => `---\n${stringify(manifest, { lineWidth: 0 })}`).join('');
fs.writeFileSync('/dev/null', text);
process.stdout.write(JSON.stringify({ inside: (performance.now() - started) / 1000 }));
