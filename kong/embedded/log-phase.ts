// The log phase of plugins that a plugin server runs, as Kong's bridge_loop drives it: HandleEvent, then a step for
// each PDK call, until the answer is "ret". Told "no plugin instance", it starts one and sends the event again.
// In: an ended exchange's document and its plugin instances. Out: counters, log lines. The client never waits for it.
import { answerPdkCall, type PdkContext } from './answer-pdk-call';
import { isPlainObject } from './field-schema';
import type { GatewayCounters } from './gateway-counters';
import type { PluginInstance } from './kong-entities';
import { PluginInstances } from './plugin-instances';
import {
  RpcBrokenError,
  RpcConnectError,
  RpcConnections,
  RpcRefusal,
  type FrameWatcher,
} from './rpc-connections';

/** Kong's lua_max_running_timers: each event is one timer. */
const EVENTS_AT_A_TIME = 4096;

/** The plugin servers that run plugins: plugin name to socket path. */
export type PluginSockets = ReadonlyMap<string, string>;

/** Runs events and counts what becomes of them. */
export class LogPhase {
  private readonly servers = new Map<string, { rpc: RpcConnections; instances: PluginInstances }>();
  private readonly sequences = new Map<string, number>();
  private inProgress = 0;
  private whenIdle: (() => void)[] = [];

  constructor(
    private readonly sockets: PluginSockets,
    private readonly all: readonly PluginInstance[],
    private readonly counters: GatewayCounters,
    private readonly log: (line: string) => void,
    private readonly watch?: FrameWatcher,
  ) {
    all.forEach((instance, index) => this.sequences.set(instance.id, index + 1));
  }

  /** Starts the events of one exchange; plugins that no plugin server runs are passed over. */
  run(plugins: readonly PluginInstance[], context: Omit<PdkContext, 'log'>): void {
    for (const instance of plugins) {
      const socketPath = this.sockets.get(instance.name);
      if (socketPath === undefined) continue;
      this.counters.eventsStarted += 1;
      if (this.inProgress >= EVENTS_AT_A_TIME) {
        this.counters.eventsOverLimit += 1;
        this.log(
          `${EVENTS_AT_A_TIME} lua_max_running_timers are not enough: an event of ${instance.name} is lost`,
        );
        continue;
      }
      this.inProgress += 1;
      setImmediate(() => void this.runEvent(instance, socketPath, context));
    }
  }

  get eventsInProgress(): number {
    return this.inProgress;
  }

  /** Resolves once no event is in progress. */
  idle(): Promise<void> {
    if (this.inProgress === 0) return Promise.resolve();
    return new Promise((resolve) => this.whenIdle.push(resolve));
  }

  /** Closes all connections; events in progress are broken off. */
  close(): void {
    for (const { rpc } of this.servers.values()) rpc.close();
  }

  private async runEvent(
    instance: PluginInstance,
    socketPath: string,
    context: Omit<PdkContext, 'log'>,
  ): Promise<void> {
    const server = this.serverAt(socketPath);
    const pdk: PdkContext = { ...context, log: (line) => this.log(`[${instance.name}] ${line}`) };
    let sent = false;
    let starting = true;
    try {
      for (;;) {
        starting = true;
        const id = await server.instances.idFor(instance, this.sequences.get(instance.id) ?? 0);
        starting = false;
        try {
          await this.bridge(server.rpc, id, pdk, () => {
            sent = true;
          });
          this.counters.eventsAnswered += 1;
          return;
        } catch (error) {
          if (!isInstanceUnknown(error)) throw error;
          this.log(error.message);
          // The plugin has seen nothing of it: the event is as good as not sent.
          sent = false;
          server.instances.reset(this.all, instance.name);
        }
      }
    } catch (error) {
      this.countLoss(instance.name, error, sent, starting);
    } finally {
      this.inProgress -= 1;
      if (this.inProgress === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
    }
  }

  /** Fails as an RPC fails. */
  private async bridge(
    rpc: RpcConnections,
    instanceId: unknown,
    pdk: PdkContext,
    onSent: () => void,
  ): Promise<void> {
    let answer = await callOnceSent(
      rpc,
      'plugin.HandleEvent',
      { InstanceId: instanceId, EventName: 'log' },
      onSent,
    );
    const eventId = isPlainObject(answer) ? answer.EventId : undefined;
    for (;;) {
      const data: unknown = isPlainObject(answer) ? answer.Data : undefined;
      if (data === 'ret') return;
      if (!isPlainObject(data) || typeof data.Method !== 'string') {
        throw new RpcBrokenError(`expected "ret" or a PDK call, found ${JSON.stringify(data)}`);
      }
      const step = answerPdkCall(data.Method, data.Args, pdk);
      const reply = step.data === undefined ? { EventId: eventId } : { EventId: eventId, Data: step.data };
      answer = await rpc.call(step.method, [reply]);
    }
  }

  private countLoss(name: string, error: unknown, sent: boolean, starting: boolean): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (!sent && error instanceof RpcConnectError) {
      this.counters.eventsLostAtConnect += 1;
      this.log(`failed to connect to the plugin server of ${name}: ${reason}; an event is lost`);
    } else if (!sent && starting) {
      this.counters.eventsWithoutInstance += 1;
      this.log(`starting an instance of ${name}: ${reason}; an event is lost`);
    } else {
      this.counters.eventsBrokenOff += 1;
      this.log(`an event of ${name} was broken off: ${reason}`);
    }
  }

  private serverAt(socketPath: string): { rpc: RpcConnections; instances: PluginInstances } {
    const known = this.servers.get(socketPath);
    if (known !== undefined) return known;
    const rpc = new RpcConnections(socketPath, this.watch);
    const server = { rpc, instances: new PluginInstances(rpc) };
    this.servers.set(socketPath, server);
    return server;
  }
}

/** Tells when the request has left: unless no connection could be made. */
async function callOnceSent(
  rpc: RpcConnections,
  method: string,
  argument: unknown,
  onSent: () => void,
): Promise<unknown> {
  try {
    const answer = await rpc.call(method, [argument]);
    onSent();
    return answer;
  } catch (error) {
    if (!(error instanceof RpcConnectError)) onSent();
    throw error;
  }
}

function isInstanceUnknown(error: unknown): error is RpcRefusal {
  return error instanceof RpcRefusal && error.message.toLowerCase().includes('no plugin instance');
}
