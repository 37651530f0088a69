/**
 * Before each file of the unit tests: what a shell has for clusters and engines is none of theirs. `eval "$(./trellis env)"` sets such variables,
 * and so does whoever works with clusters.
 */
for (const name of Object.keys(process.env)) {
  if (/^(PULUMI_|DOCKER_|TRELLIS_|KUBECONFIG$)/.test(name)) delete process.env[name];
}
