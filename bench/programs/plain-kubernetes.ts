import * as k8s from '@pulumi/kubernetes';

/** The shortest program that imports the whole of the SDK: what ours stands beside. */
new k8s.core.v1.ConfigMap('plain', { metadata: { name: 'plain' }, data: { 'app.json': '{}' } });
