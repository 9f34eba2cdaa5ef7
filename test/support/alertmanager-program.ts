// A real Alertmanager of Debian on 127.0.0.1, alone or in a cluster, that tells a webhook at once of what it was told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually';
import { findFreePorts } from './free-ports';
import { RunningProgram } from './running-program';

/** What it says of an alert: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
export interface HeldAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly updatedAt: string;
  readonly generatorURL?: string;
  readonly status: { readonly state: string };
}

export class AlertmanagerProgram {
  readonly url: string;
  /** Where others of a cluster find it. */
  readonly peer: string;
  readonly #program: RunningProgram;
  readonly #folder: string;

  /** @param receiverUrl told of every alert, each in a group of its own @param peers to form a cluster with; `[]` for its first */
  static async start(
    path: string,
    receiverUrl: string,
    peers?: readonly string[],
  ): Promise<AlertmanagerProgram> {
    const started = new AlertmanagerProgram(path, await findFreePorts(2), receiverUrl, peers);
    await eventually(async () => {
      const answer = await fetch(`${started.url}/-/ready`);
      if (!answer.ok) throw new Error(`not ready: ${answer.status}`);
    }, 45_000);
    return started;
  }

  private constructor(path: string, port: number, receiverUrl: string, peers: readonly string[] | undefined) {
    this.url = `http://127.0.0.1:${port}`;
    this.peer = `127.0.0.1:${port + 1}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'gatewatch-alertmanager-'));
    const config = join(this.#folder, 'alertmanager.yml');
    writeFileSync(
      config,
      `
route: { receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: '${receiverUrl}', send_resolved: true }] }]
`,
    );
    this.#program = new RunningProgram(path, [
      `--config.file=${config}`,
      `--storage.path=${join(this.#folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--cluster.listen-address=${peers === undefined ? '' : this.peer}`,
      '--cluster.settle-timeout=1s',
      '--cluster.gossip-interval=50ms',
      ...(peers ?? []).map((peer) => `--cluster.peer=${peer}`),
    ]);
  }

  /** What fires, as it sees it. */
  async alerts(): Promise<HeldAlert[]> {
    return (await (await fetch(`${this.url}/api/v2/alerts`)).json()) as HeldAlert[];
  }

  /** Settles once it knows so many members, itself too. */
  async hasMembers(count: number): Promise<void> {
    await eventually(async () => {
      const status = (await (await fetch(`${this.url}/api/v2/status`)).json()) as {
        cluster: { status: string; peers?: unknown[] };
      };
      if (status.cluster.status !== 'ready' || status.cluster.peers?.length !== count)
        throw new Error(`the cluster is not ready: ${JSON.stringify(status.cluster)}`);
    }, 45_000);
  }

  async stop(): Promise<void> {
    await this.#program.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
