import { parseAllDocuments } from 'yaml';
import { EXCEPTION_ANNOTATION } from '../../components/namespace-baseline';

interface Namespace {
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** What an exception may be for; everything else of `restricted` holds there too. */
const ACCEPTED = /: (hostPath volumes|restricted volume types): /;

/** Namespaces of the manifests that state why they admit more than Pod Security `restricted`. */
export const exceptedNamespaces = (manifests: string): ReadonlySet<string> =>
  new Set(
    parseAllDocuments(manifests)
      .map((document) => document.toJS() as Namespace | null)
      .filter((one) => one?.kind === 'Namespace' && one.metadata?.annotations?.[EXCEPTION_ANNOTATION])
      .flatMap((one) => one?.metadata?.name ?? []),
  );

/** Whether a finding of psa-check, `kind/namespace/name: check: detail`, is one that its namespace states. */
export const excepted = (finding: string, namespaces: ReadonlySet<string>): boolean =>
  namespaces.has(finding.split('/')[1] ?? '') && ACCEPTED.test(finding);
