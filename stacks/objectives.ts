import { ExternalSecretValue } from '../bridge/secret-source';
import type { ServiceLevelObjective } from '../components/monitoring';
import { isMonitored } from '../components/monitoring';
import { jobMatchers } from '../components/promql';
import { platformByTag, settingsIn } from './render';
import { RECEIVER_URL } from './secret-modes';
import { mapSecrets } from './secret-names';

/**
 * What a workload promises to its users, as its component says it, with the same selectors as the alerts.
 *
 * @param text of an environment's file, in which the workload has to be
 * @param file named in an error
 * @returns nothing where the workload has no metrics
 */
export function objectivesOf(
  text: string,
  file: string,
  namespace: string,
  workload: string,
): readonly ServiceLevelObjective[] {
  // Nothing is made of them here: no objective depends on a secret.
  const settings = settingsIn(text, file);
  const values = mapSecrets(settings, ({ name }) => new ExternalSecretValue(name));
  const receiverUrl = new ExternalSecretValue(RECEIVER_URL);
  const components = platformByTag(settings, { values, receiverUrl }).node.findAll().filter(isMonitored);
  const objectives = components.flatMap((component) => component.monitoring().objectives);
  return objectives.filter(({ selector }) => selector === jobMatchers(namespace, workload));
}
