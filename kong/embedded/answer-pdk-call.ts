// In: the PDK method that a plugin calls in its log phase, and the request's log document. Out: the RPC method and the
// data with which the gateway steps on. `kong.log.serialize` and a few getters are answered; `kong.log.*` is printed;
// anything else is a StepError, which the plugin sees as a rejected call.

/** What the gateway sends next. */
export interface PdkStep {
  readonly method: 'plugin.Step' | 'plugin.StepError';
  /** Absent where Kong sends nil. */
  readonly data?: string | number;
}

/** What a plugin may ask about. */
export interface PdkContext {
  readonly serialized: string;
  readonly status: number;
  readonly method: string;
  readonly clientIp: string;
  readonly log: (line: string) => void;
}

const LOG_LEVELS = new Set(['debug', 'info', 'notice', 'warn', 'err', 'crit', 'alert', 'emerg']);

/** Never fails. */
export function answerPdkCall(name: string, args: unknown, context: PdkContext): PdkStep {
  const level = /^kong\.log\.([a-z]+)$/.exec(name)?.[1];
  if (level !== undefined && LOG_LEVELS.has(level)) {
    context.log(`[${level}] ${Array.isArray(args) ? args.map(plainText).join('') : plainText(args)}`);
    return { method: 'plugin.Step' };
  }
  switch (name) {
    case 'kong.log.serialize':
      return { method: 'plugin.Step', data: context.serialized };
    case 'kong.response.get_status':
      return { method: 'plugin.Step', data: context.status };
    case 'kong.request.get_method':
      return { method: 'plugin.Step', data: context.method };
    case 'kong.client.get_ip':
      return { method: 'plugin.Step', data: context.clientIp };
    default:
      return { method: 'plugin.StepError', data: `${name} is not supported by the embedded gateway` };
  }
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
