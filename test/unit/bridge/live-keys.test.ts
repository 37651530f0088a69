import { App, Chart } from 'cdk8s';
import { contentRead, readableSources } from '../../../bridge/reads';
import { render } from '../../../bridge/render';
import { setReleaseOptions } from '../../../components/release-options';
import { container, deployment, object } from './objects';

/** What rolls a Deployment that reads two keys of a Secret. */
function read(liveKeys: readonly string[]): readonly string[] {
  const app = new App();
  const chart = new Chart(app, 'shop', { namespace: 'shop' });
  const secret = object(chart, 'passwords', 'v1', 'Secret', { stringData: { LOGINS: 'one', URL: 'two' } });
  if (liveKeys.length > 0) setReleaseOptions(secret, { liveKeys });
  const env = [{ name: 'URL', valueFrom: { secretKeyRef: { name: 'passwords', key: 'URL' } } }];
  const volumes = [{ name: 'logins', secret: { secretName: 'passwords', items: [{ key: 'LOGINS', path: 'logins' }] } }];
  deployment(chart, 'web', container({ env }), { volumes });
  const objects = render(app);
  const web = objects.find(({ kind }) => kind === 'Deployment');
  return web === undefined ? [] : [...contentRead(web, readableSources(objects)).keys()];
}

test('a key that its readers take over while they run rolls no pods; every other one does', () => {
  expect(read([])).toEqual(['Secret/passwords/LOGINS', 'Secret/passwords/URL']);
  expect(read(['LOGINS'])).toEqual(['Secret/passwords/URL']);
});
