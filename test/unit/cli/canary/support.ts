import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../../cli/canary/controller';

/** A clock that runs only while somebody sleeps. */
export class FakeClock implements Clock {
  public readonly sleeps: number[] = [];
  private time = 0;

  /** @param onSleep called as each sleep begins, with the time */
  public constructor(private readonly onSleep: (time: number) => void = () => undefined) {}

  public now = (): number => this.time;

  public sleep = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> => {
    this.onSleep(this.time);
    if (signal?.aborted === true) return Promise.reject(new DOMException('aborted', 'AbortError'));
    this.sleeps.push(milliseconds);
    this.time += milliseconds;
    return Promise.resolve();
  };
}

/** What a simulated Prometheus answers to a query: values of a vector, or an error. */
export type Answers = (promql: string) => readonly string[] | { readonly error: string };

/** An HTTP server that stands in for an API server with Prometheus behind its service proxy; it evaluates nothing. */
export class SimulatedPrometheus {
  public readonly asked: { readonly path: string; readonly query: string }[] = [];
  private readonly server: http.Server;

  public constructor(public answers: Answers) {
    this.server = http.createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://x');
      const query = url.searchParams.get('query') ?? '';
      this.asked.push({ path: url.pathname, query });
      const answer = this.answers(query);
      if ('error' in answer) {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ status: 'error', errorType: 'bad_data', error: answer.error }));
        return;
      }
      const result = answer.map((value) => ({ metric: {}, value: [0, value] }));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
  }

  /** @returns a kubeconfig, as content, that leads to it */
  public async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    return JSON.stringify({
      contexts: [{ name: 'simulated', context: { cluster: 'c' } }],
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    });
  }

  public async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
