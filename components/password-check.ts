import { createHash } from 'node:crypto';
import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import type { EnvVar, Labels, NetworkPolicyPeer, PodSpec, Volume, VolumeMount } from './kube';
import { kubeObject } from './kube';
import { podsPeer, WorkloadPolicy } from './network';
import { compute, hardenedPod } from './pod';
import type { RotatingPassword } from './rotating-password';

const SUFFIX = '-logins';
/** Longest name of a server whose password rotates: its Job is called `<name>-logins-<8 digits>`, and pods of Jobs carry that in a label. */
export const ROTATING_NAME_MAX = 63 - `${SUFFIX}-12345678`.length;

// The kubelet brings a changed Secret into a running pod within two minutes, and the server looks every few seconds.
const DEADLINE = Duration.minutes(6);

/** What the Job knows about its servers. */
export interface PasswordCheckProps {
  /** Of the servers. */
  readonly name: string;
  readonly rotations: readonly RotatingPassword[];
  readonly labels: Labels;
  /** The server's image, and the user that it runs as. */
  readonly image: string;
  readonly user: number;
  /** Ends with 0 once all servers go by the passwords that are mounted. */
  readonly args: readonly string[];
  readonly env: readonly EnvVar[];
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
}

/**
 * A Job that ends once every server goes by the passwords of the definition, with those that are new and without those that are retired.
 * What depends on the servers depends on it, so that no client is given a password that is not accepted yet.
 */
export class PasswordCheck extends Construct {
  public readonly peer: NetworkPolicyPeer;
  private readonly name: string;
  private readonly selector: Labels;
  private readonly policy: WorkloadPolicy;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: PasswordCheckProps,
  ) {
    super(scope, id);
    this.name = `${props.name}${SUFFIX}`;
    this.selector = { 'app.kubernetes.io/name': this.name };
    this.peer = podsPeer(this, this.selector);
    const metadata = { name: this.name, labels: { ...props.labels, ...this.selector } };
    const account = kubeObject(this, 'ServiceAccount', 'v1/ServiceAccount', metadata, {
      automountServiceAccountToken: false,
    });
    this.policy = new WorkloadPolicy(this, this.name, this.selector);
    this.addJob(metadata).addDependency(account, this.policy.object);
  }

  /** Lets the Job reach servers. */
  public allowTo(servers: NetworkPolicyPeer, port: number): void {
    this.policy.allowTo(servers, port);
  }

  private addJob(metadata: { readonly name: string; readonly labels: Labels }) {
    // A Job's pods never change: other passwords are another Job.
    const numbers = JSON.stringify(this.props.rotations.map(({ accepted }) => accepted));
    const name = `${this.name}-${createHash('sha256').update(numbers).digest('hex').slice(0, 8)}`;
    const annotations = {
      'pulumi.com/timeoutSeconds': String(DEADLINE.toSeconds() + 60),
      // One that has failed is tried again by the next run.
      'pulumi.com/replaceUnready': 'true',
    };
    return kubeObject(this, 'Job', 'batch/v1/Job', { ...metadata, name, annotations }, () => ({
      spec: {
        backoffLimit: 2,
        activeDeadlineSeconds: DEADLINE.toSeconds(),
        template: { metadata: { labels: metadata.labels }, spec: this.pod() },
      },
    }));
  }

  private pod(): PodSpec {
    const { image, user, args, env, volumes, mounts } = this.props;
    const pod = hardenedPod({
      labels: this.selector,
      serviceAccount: this.name,
      user,
      grace: Duration.seconds(5),
      volumes,
      containers: [{ name: 'wait', image, args, env, resources: compute([10, 200], [16, 64]), mounts }],
    });
    return {
      ...pod,
      restartPolicy: 'Never',
      // The last lines of the log say in the pod's status what was waited for in vain.
      containers: pod.containers.map((one) => ({ ...one, terminationMessagePolicy: 'FallbackToLogsOnError' })),
    };
  }
}
