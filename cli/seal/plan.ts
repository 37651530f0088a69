/** A secret that a Secret of the cluster holds, and its length where it is generated. */
export interface WantedSecret {
  readonly name: string;
  readonly length: number;
}

/** One Secret of the cluster: what its ciphertexts are bound to, and which it needs. */
export interface SealTarget {
  /** `NAMESPACE/NAME` */
  readonly id: string;
  readonly secrets: readonly WantedSecret[];
}

/** Ciphertexts by `NAMESPACE/NAME`, and then by the secret's name. */
export type Ciphertexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What one run has to do. */
export interface SealPlan {
  /** Secrets that get a value now, each with every Secret that it is sealed for. */
  readonly fresh: readonly (WantedSecret & { readonly targets: readonly string[] })[];
  /** What stays as it is. */
  readonly kept: Ciphertexts;
  /** Secrets that nobody needs any more. */
  readonly dropped: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Decides which secrets get a value: those that have none, and those that are named. A secret in two Secrets has one value in both, and
 * one that is sealed already can't be sealed for another Secret, since nobody here knows its value.
 */
export function planSeal(
  targets: readonly SealTarget[],
  existing: Ciphertexts,
  renewed: ReadonlySet<string>,
): SealPlan {
  const wanted = new Map<string, WantedSecret & { readonly targets: string[] }>();
  for (const { id, secrets } of targets) {
    for (const secret of secrets) {
      const known = wanted.get(secret.name);
      if (known === undefined) wanted.set(secret.name, { ...secret, targets: [id] });
      else known.targets.push(id);
    }
  }
  const problems = [...renewed]
    .filter((name) => !wanted.has(name))
    .map((name) => `there is no secret '${name}'; there are: ${[...wanted.keys()].sort().join(', ')}`);
  const has = (id: string, name: string): boolean => existing[id]?.[name] !== undefined;
  const fresh = [...wanted.values()].filter(({ name, targets: ids }) => {
    const sealed = ids.filter((id) => has(id, name));
    if (renewed.has(name) || sealed.length === 0) return true;
    const missing = ids.filter((id) => !has(id, name));
    if (missing.length > 0) {
      problems.push(
        `${name} is sealed for ${sealed.join(', ')} alone, and ${missing.join(', ')} needs it too: its value is known to the cluster only; give it a new one with --rotate ${name}`,
      );
    }
    return false;
  });
  const renewing = new Set(fresh.map(({ name }) => name));
  const kept = Object.fromEntries(
    targets.map(({ id, secrets }) => [
      id,
      Object.fromEntries(
        secrets.flatMap(({ name }) => {
          const ciphertext = existing[id]?.[name];
          return ciphertext === undefined || renewing.has(name) ? [] : [[name, ciphertext] as const];
        }),
      ),
    ]),
  );
  const dropped = Object.entries(existing).flatMap(([id, sealed]) =>
    Object.keys(sealed)
      .filter((name) => wanted.get(name)?.targets.includes(id) !== true)
      .map((name) => `${id}.${name}`),
  );
  return { fresh, kept, dropped, problems };
}
