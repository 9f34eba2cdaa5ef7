// kong-pdk's plugin server with another way to run an event: without a promise, a channel or an entry in a table for each
// one, so that an RPC that Kong never sends leaves nothing behind. The plugin is loaded, announced and started by kong-pdk.
//
// An event is two calls. HandleEvent is answered with the one PDK call that the plugin makes, Step brings its result, the
// plugin takes it, and the answer ends the event. The event's id is its instance's id, so Step needs nothing that
// HandleEvent kept; and an instance's id is made from its configuration, so after `kong reload`, when the two calls of one
// event can reach two hosts, both mean the same instance.
import { createHash } from 'node:crypto';
import KongPluginServer from 'kong-pdk/server';
import type { PluginLog } from '../plugin-log';
import { encodeValue, type RpcRequest } from './rpc-message';
import { MAX_INSTANCES, type InstanceStart } from './worker-messages';

/** What a plugin must offer to run here. Under the stock server its `log` phase does the same with a promise. */
export interface LogTaker {
  /**
   * Takes what `kong.log.serialize()` gave: text, or its bytes, which are there during the call only; undefined where Kong
   * could not give it.
   *
   * @throws Error where it has not taken it: it is then called again, with undefined
   */
  takeLog(log: unknown): void;
}

/** The phase that this host runs. */
const LOG_PHASE = 'log';
/** Ends an event. */
const RETURN = 'ret';
const SERIALIZE = { Method: 'kong.log.serialize', Args: [] };

/** kong-pdk's; gives the plugin's own object, and marks the instance as used. */
interface StartedInstance {
  resetExpireTs(): unknown;
}

/** What an event is answered with, encoded: always the same for an instance. */
interface EventAnswers {
  readonly serialize: Buffer;
  readonly end: Buffer;
}

/** Calls that are rare, and answered by kong-pdk. */
const RARE_METHODS = ['GetPluginInfo', 'StartInstance', 'CloseInstance'] as const;

export class PluginHostServer extends KongPluginServer {
  readonly #log: PluginLog;
  readonly #onStarted: (start: InstanceStart) => void;
  readonly #answers = new WeakMap<object, EventAnswers>();

  /** @param pluginDirectory absolute */
  constructor(
    pluginDirectory: string,
    log: PluginLog,
    onStarted: (start: InstanceStart) => void = () => undefined,
  ) {
    super(pluginDirectory, {
      debug: () => undefined,
      info: () => undefined,
      warn: (...words) => log('warn', words.join(' ')),
      error: (...words) => log('error', words.join(' ')),
    });
    // kong-pdk's own timer drops instances by age, 17 times a second.
    this.close();
    this.#log = log;
    this.#onStarted = onStarted;
  }

  /**
   * The result of a request: at once and encoded for what an event consists of, as a promise for the rest.
   *
   * @throws Error with the words that Kong is to read
   */
  answer({ method, argument }: RpcRequest): Buffer | Promise<unknown> {
    if (method === 'HandleEvent') return this.#handleEvent(argument);
    if (method === 'StepError') return this.#step(argument, true);
    if (method.startsWith('Step')) return this.#step(argument, false);
    const rare = RARE_METHODS.find((known) => known === method);
    if (rare === undefined) throw new Error(`method ${method} not implemented`);
    return (this[rare] as (argument: unknown) => Promise<unknown>)(argument);
  }

  /** The same configuration gives the same instance. @throws Error that Kong writes to its log */
  override async StartInstance(start: InstanceStart): Promise<{ Id: unknown }> {
    const id = instanceIdOf(start.Name, start.Config);
    this.instances.delete(id);
    this.instanceID = id;
    const started = await super.StartInstance(start);
    for (const oldest of this.instances.keys()) {
      if (this.instances.size <= MAX_INSTANCES) break;
      this.instances.delete(oldest);
    }
    this.#onStarted(start);
    return { ...started, Id: id };
  }

  #handleEvent(argument: unknown): Buffer {
    const { InstanceId: id, EventName: phase } = recordOf(argument);
    const instance = this.#instance(id);
    instance.resetExpireTs();
    const { serialize, end } = this.#answersOf(instance, id);
    return phase === LOG_PHASE ? serialize : end;
  }

  #step(argument: unknown, isError: boolean): Buffer {
    const { EventId: id, Data: log } = recordOf(argument);
    const instance = this.#instance(id);
    const plugin = instance.resetExpireTs() as LogTaker;
    // Kong has done its part, and can do nothing about a fault of the plugin: the event counts without its log.
    if (!this.#give(plugin, isError ? undefined : log) && !isError) this.#give(plugin, undefined);
    return this.#answersOf(instance, id).end;
  }

  /** @returns whether the plugin took it */
  #give(plugin: LogTaker, log: unknown): boolean {
    try {
      plugin.takeLog(log);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log('error', 'the plugin failed at an event', { reason, withLog: log !== undefined });
      return false;
    }
  }

  #instance(id: unknown): StartedInstance {
    const instance = this.instances.get(id);
    // Kong looks for these words: it then starts an instance and sends the event again. Nothing was taken of it yet.
    if (!instance) throw new Error(`no plugin instance #${String(id)}`);
    return instance;
  }

  #answersOf(instance: object, id: unknown): EventAnswers {
    let answers = this.#answers.get(instance);
    if (!answers) {
      answers = {
        serialize: encodeValue({ Data: SERIALIZE, EventId: id }),
        end: encodeValue({ Data: RETURN, EventId: id }),
      };
      this.#answers.set(instance, answers);
    }
    return answers;
  }
}

/** 48 bits of a hash: a whole number that Lua's doubles hold exactly. */
function instanceIdOf(name: string, config: string): number {
  return createHash('sha256').update(`${name}\n${config}`).digest().readUIntBE(0, 6);
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
