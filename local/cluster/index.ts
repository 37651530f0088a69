export { startControlPlane } from './start-control-plane';
export type { ControlPlaneOptions, RunningControlPlane } from './start-control-plane';
export type { Resolve } from './supervise';
