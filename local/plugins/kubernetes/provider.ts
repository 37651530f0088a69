import type { Context, DiffRequest, DiffResponse, Provider } from '../shared/provider';
import type { PropertyMap } from '../shared/values';
import { hasUnknown, plain } from '../shared/values';
import { job } from './await/workloads';
import { check } from './check';
import { plan } from './diff';
import { KubernetesError, messageOf } from './errors';
import { connection } from './kubeconfig';
import { withoutBookkeeping } from './live-inputs';
import { annotationTrue, asObject, parseId } from './objects';
import type { Gvk } from './objects';
import { read, remove } from './read';
import { Session } from './session';
import { problems, readSettings, unknownKeys } from './settings';
import { fromState } from './state';
import { create, update } from './write';

/** The SDK whose types are served. */
const VENDOR_VERSION = '4.34.2';

const REPLACE_UNREADY = 'pulumi.com/replaceUnready';

async function diff(session: Session, request: DiffRequest, context: Context): Promise<DiffResponse> {
  session.redactor.learn(request.olds, request.news);
  const checkpoint = fromState(request.olds);
  const next = asObject(plain(request.news));
  const given = asObject(plain(request.oldInputs));
  const old = withoutBookkeeping(Object.keys(given).length > 0 ? given : checkpoint.inputs);
  const gvk = session.gvk(context, next);
  const live = parseId(request.id);
  const namespaced = await session.cluster.discovery.namespaced(gvk);
  const { mutability } = session.settings;
  // A patch owns some fields of an object; only another object makes it another patch.
  const planned = plan({
    gvk: session.isPatch(context, gvk) ? { ...gvk, kind: `${gvk.kind}Patch` } : gvk,
    namespaced,
    mutability,
    old,
    next,
    live,
    ignoreChanges: request.ignoreChanges,
  });
  if (keepsPods(gvk, planned.replaces)) session.keepPods.add(context.urn);
  const unready = await unreadyJob(session, request, context);
  const replaces = unready ? [...planned.replaces, `metadata.annotations["${REPLACE_UNREADY}"]`] : planned.replaces;
  return {
    changes: planned.changes || unready,
    replaces,
    detailed: planned.detailed,
    deleteBeforeReplace: replaces.length > 0 && planned.deleteBeforeReplace,
  };
}

/** Only what new pods would get differs: those that run go on under the StatefulSet's successor. */
const keepsPods = (gvk: Gvk, replaces: readonly string[]): boolean =>
  gvk.group === 'apps' &&
  gvk.kind === 'StatefulSet' &&
  replaces.length > 0 &&
  replaces.every((path) => path.startsWith('spec.volumeClaimTemplates'));

/** A Job that carries the annotation is made anew while it has not completed. */
async function unreadyJob(session: Session, request: DiffRequest, context: Context): Promise<boolean> {
  const next = asObject(plain(request.news));
  if (!annotationTrue(next, REPLACE_UNREADY)) return false;
  const gvk = session.gvk(context, next);
  if (gvk.kind !== 'Job' || gvk.group !== 'batch') {
    session.sayOnce(context, 'warning', `${REPLACE_UNREADY} has an effect on Jobs only, not on ${gvk.kind}`);
    return false;
  }
  const { namespace, name } = parseId(request.id);
  try {
    const live = await session.cluster.get(gvk, namespace, name, { patience: 3, signal: context.signal });
    if (live === undefined) return false;
    const { signal } = context;
    return !(await job(live, { cluster: session.cluster, gvk, elapsed: 0, signal })).ready;
  } catch {
    session.sayOnce(context, 'warning', `the cluster can't be reached; ${REPLACE_UNREADY} is not looked at`);
    return false;
  }
}

/** Another API server is another cluster: its objects have to be made there. */
function otherCluster(olds: PropertyMap, news: PropertyMap): boolean {
  const address = (inputs: PropertyMap): string | undefined => {
    try {
      return connection(readSettings(inputs, new Map())).server;
    } catch {
      // A kubeconfig that is gone or not known yet tells nothing about the cluster.
      return undefined;
    }
  };
  if (hasUnknown(news) || hasUnknown(olds)) return false;
  const [before, after] = [address(olds), address(news)];
  return before !== undefined && after !== undefined && before !== after;
}

function diffConfig(request: DiffRequest): DiffResponse {
  const olds = Object.keys(request.oldInputs).length > 0 ? request.oldInputs : request.olds;
  const text = (inputs: PropertyMap, key: string): string => JSON.stringify(plain(inputs)[key] ?? null);
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(request.news)])].filter((key) => key !== 'version');
  const changed = keys.filter((key) => text(olds, key) !== text(request.news, key));
  const replace = otherCluster(olds, request.news);
  const where = ['kubeconfig', 'context', 'cluster'].filter((key) => changed.includes(key));
  return { changes: changed.length > 0, replaces: replace ? where : [] };
}

/**
 * A small Kubernetes provider that takes the vendor's types, ids, inputs, state and annotations, so that a stack made with one
 * goes on with the other. It applies on the server, and knows neither Helm nor YAML files nor client-side apply.
 */
export function kubernetesProvider(): Provider {
  let session: Session | undefined;
  let refusal: KubernetesError | undefined;
  const configured = (): Session => {
    if (session !== undefined) return session;
    throw refusal ?? new KubernetesError('the Kubernetes provider is not configured');
  };
  /** Runs an operation; what it throws is shown without secrets. */
  const guarded =
    <Request, Response>(operation: (session: Session, request: Request, context: Context) => Promise<Response>) =>
    async (request: Request, context: Context): Promise<Response> => {
      const current = configured();
      try {
        return await operation(current, request, context);
      } catch (error) {
        throw current.refusal(error);
      }
    };
  return {
    name: 'kubernetes',
    version: VENDOR_VERSION,
    acceptSecrets: true,
    checkConfig: ({ news }, context) => {
      for (const key of unknownKeys(news))
        context.log('warning', `the Kubernetes provider knows no "${key}"; it is ignored`);
      return { inputs: news, failures: problems(news) };
    },
    diffConfig,
    configure: ({ args, variables }) => {
      const [first] = problems(args);
      if (first !== undefined) throw new KubernetesError(`${first.property}: ${first.reason}`);
      try {
        session = new Session(readSettings(args, variables));
      } catch (error) {
        // Told by the first operation that needs a cluster: a stack may bring its own later.
        refusal = error instanceof KubernetesError ? error : new KubernetesError(messageOf(error));
        throw refusal;
      }
    },
    check: guarded(check),
    diff: guarded(diff),
    create: guarded(create),
    read: guarded(read),
    update: guarded(update),
    delete: guarded(remove),
    invoke: ({ token }) => {
      throw new KubernetesError(
        `${token} is not served by the embedded Kubernetes plugin: Helm, YAML and Kustomize need the vendor's ` +
          '(pulumi-resource-kubernetes).',
      );
    },
  };
}
