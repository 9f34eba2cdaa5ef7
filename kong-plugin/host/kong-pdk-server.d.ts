// The part of kong-pdk's plugin server that the host stands on; the package has no typings for it.
declare module 'kong-pdk/server' {
  interface Logger {
    debug(...words: unknown[]): void;
    info(...words: unknown[]): void;
    warn(...words: unknown[]): void;
    error(...words: unknown[]): void;
  }

  /** One started configuration of a plugin. */
  interface Instance {
    /** The plugin's own object; also marks the instance as used. */
    resetExpireTs(): unknown;
    close(): void;
  }

  /** A loaded plugin. */
  interface LoadedPlugin {
    new (config: unknown): Instance;
    getPhases(): string[];
  }

  class Server {
    constructor(pluginDirectory: string, logger: Logger);
    protected readonly instances: Map<unknown, Instance>;
    protected instanceID: unknown;
    getPlugins(): Map<string, LoadedPlugin>;
    GetPluginInfo(name: string): Promise<unknown>;
    StartInstance(start: { Name: string; Config: string }): Promise<{ Id: unknown }>;
    CloseInstance(id: unknown): Promise<unknown>;
    /** Ends the timer that throws instances away after a minute. */
    close(): void;
  }

  export = Server;
}
