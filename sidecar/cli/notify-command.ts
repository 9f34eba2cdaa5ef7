// gatewatch notify: tries one channel of a configuration, or shows what it would be sent. Needs no sidecar, keeps nothing, and tries once.
// Exit codes: 0 sent, or shown; 1 not sent, or a template is at fault; 2 a wrong command line or configuration.
// Whatever it prints of a channel has gone through a mask that knows the channel's secrets. What a template has in it is shown as it is.
import { writeFileSync } from 'node:fs';
import type { Outcome, Thread } from '../channel/channel';
import { channelPartsOf } from '../channel/channel-parts-of';
import { createChannel } from '../channel/create-channels';
import { previewOf } from '../channel/preview';
import { systemClock, type Clock } from '../clock';
import type { ChannelSettings } from '../config/channel/channel-settings';
import type { Config } from '../config/config';
import { renderFault } from '../config/config-fault';
import { loadConfig } from '../config/load-config';
import { nearestWord } from '../config/nearest-word';
import { errorCodeOf } from '../error-code';
import { describeDuration } from '../notify/describe-duration';
import {
  SAMPLE_KINDS,
  SAMPLE_LASTED_MS,
  sampleNotification,
  testNotification,
  type SampleKind,
} from '../notify/sample-notification';
import { adviceFor } from './advice';
import { CommandFault, EXIT, UsageFault, readFlags, type Command, type Surroundings } from './command';
import { SecretMask } from './secret-mask';
import { paint, plainLine } from './terminal-text';
import { Transcript } from './transcript';

const DEFAULT_CONFIG_FILE = 'sidecar/gatewatch.yml';

export const NOTIFY_USAGE = `Usage: gatewatch notify --test CHANNEL [flags]      sends a message that is marked as a test, then its end
       gatewatch notify --preview CHANNEL [flags]   shows what would be sent, and sends nothing

  --config FILE       the configuration (${DEFAULT_CONFIG_FILE})
  --no-resolve        test: without the end, so that something stays open there
  --sample KIND       preview: ${SAMPLE_KINDS.join(', ')} (fired)
  --html FILE         preview: where the HTML of a mail goes
  --help              this page

What is said and heard is shown without secrets. No sidecar need run, and nothing is tried twice.
`;

const FLAGS = {
  test: { type: 'string' },
  preview: { type: 'string' },
  config: { type: 'string', default: DEFAULT_CONFIG_FILE },
  'no-resolve': { type: 'boolean' },
  sample: { type: 'string' },
  html: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Values = ReturnType<typeof readFlags<typeof FLAGS>>['values'];

export const notifyCommand: Command = async (args, surroundings) => {
  const { values, positionals } = readFlags(args, FLAGS);
  if (values.help) {
    surroundings.out(NOTIFY_USAGE);
    return EXIT.ok;
  }
  const name = checkWords(positionals, values);
  const sample = sampleKindOf(values.sample);
  const loaded = loadConfig(values.config);
  if (!loaded.ok) {
    for (const fault of loaded.faults) surroundings.err(`${plainLine(renderFault(fault))}\n`);
    return EXIT.usage;
  }
  const { config } = loaded;
  const settings = channelNamed(name, config, values.config);
  return values.test === undefined
    ? preview(settings, sample, values.html, config, surroundings)
    : test(settings, values['no-resolve'] !== true, config, surroundings);
};

/** @returns the channel's name */
function checkWords(words: readonly string[], values: Values): string {
  const { test: tested, preview: previewed } = values;
  if (tested !== undefined && previewed !== undefined)
    throw new UsageFault('expected --test or --preview, found both');
  const name = tested ?? previewed;
  if (name === undefined) throw new UsageFault('expected --test or --preview, and the name of a channel');
  if (words.length > 0) throw new UsageFault(`expected one channel, found ${JSON.stringify(words[0])} too`);
  const foreign = (tested === undefined ? (['no-resolve'] as const) : (['sample', 'html'] as const)).find(
    (flag) => values[flag] !== undefined,
  );
  if (foreign !== undefined)
    throw new UsageFault(`--${foreign} says nothing with ${tested === undefined ? '--preview' : '--test'}`);
  return name;
}

function sampleKindOf(given = 'fired'): SampleKind {
  const kind = SAMPLE_KINDS.find((one) => one === given);
  if (kind) return kind;
  throw new UsageFault(`--sample: expected ${SAMPLE_KINDS.join(', ')}, found ${JSON.stringify(given)}`);
}

function channelNamed(name: string, { channels }: Config, file: string): ChannelSettings {
  const found = channels.find((channel) => channel.name === name);
  if (found) return found;
  const names = channels.map((channel) => channel.name);
  const meant = nearestWord(name, names);
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  throw new UsageFault(
    `${file} has no channel ${JSON.stringify(name)}${hint}: ${names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`}`,
  );
}

async function test(
  settings: ChannelSettings,
  resolves: boolean,
  config: Config,
  surroundings: Surroundings,
): Promise<number> {
  const { out, hasColors, version } = surroundings;
  const clock = clockOf(surroundings);
  const startMs = clock.nowMs();
  const send = async (heading: string, occasion: 'fired' | 'resolved', thread?: Thread) => {
    out(`${paint(heading, 'bold', hasColors)}\n\n`);
    const conversation = transcriptOf(settings, config, surroundings, { hasColors });
    const parts = channelPartsOf(config, { clock, version, conversation });
    const outcome = await createChannel(settings, parts).send(
      testNotification(occasion, startMs, {
        channel: settings.name,
        links: config.links,
        externalLabels: config.externalLabels,
        nowMs: clock.nowMs(),
      }),
      thread,
    );
    conversation.end();
    out(conversation.isEmpty ? '(nothing is said)\n\n' : '\n');
    return { outcome, isEmpty: conversation.isEmpty };
  };
  const { name } = settings;

  const { outcome: sent } = await send(`A test message to ${name} (${settings.type})`, 'fired');
  if (sent.result !== 'sent') return conclude(`Not sent: ${whyOf(sent, settings)}`, false, surroundings);
  const warning = sent.warning === undefined ? '' : ` But: ${sent.warning}.`;
  if (!resolves) {
    const stays = `Sent: ${name} has taken the test message, which stays open there.`;
    return conclude(`${stays}${warning}`, true, surroundings);
  }

  const { outcome: ended, isEmpty } = await send('Its end', 'resolved', sent.thread);
  if (ended.result === 'sent') {
    const what = isEmpty
      ? 'the test message. Its end is never told there: what it opened, close there.'
      : 'the test message and its end.';
    return conclude(`Sent: ${name} has taken ${what}${warning}`, true, surroundings);
  }
  // Sentry needs seconds until it knows an issue; a sidecar asks it again.
  if (settings.type === 'sentry' && ended.result === 'retry') {
    const open = `Its issue is still open: ${ended.reason}. Resolve it there.`;
    return conclude(`Sent: ${name} has taken the test message. ${open}`, true, surroundings);
  }
  const why = whyOf(ended, settings);
  return conclude(
    `The test message was sent, but not its end: ${why} What it opened, close there.`,
    false,
    surroundings,
  );
}

/** The reason, what to do about it, and what a sidecar would do. */
function whyOf(outcome: Exclude<Outcome, { result: 'sent' }>, settings: ChannelSettings): string {
  const { reason } = outcome;
  const advice = adviceFor(reason, settings);
  const sentences = [
    /[.?]$/.test(reason) ? reason : `${reason}.`,
    ...(advice === undefined ? [] : [advice]),
    ...(outcome.result === 'retry'
      ? [`A sidecar would try it again for ${describeDuration(settings.delivery.deadlineMs)}.`]
      : []),
  ];
  return sentences.join(' ');
}

function conclude(sentence: string, isDone: boolean, { out, hasColors }: Surroundings): number {
  out(`${paint(plainLine(sentence), isDone ? 'good' : 'error', hasColors)}\n`);
  return isDone ? EXIT.ok : EXIT.failed;
}

function preview(
  settings: ChannelSettings,
  kind: SampleKind,
  htmlFile: string | undefined,
  config: Config,
  surroundings: Surroundings,
): number {
  const { out, err, hasColors, version } = surroundings;
  if (htmlFile !== undefined && settings.type !== 'email')
    throw new UsageFault(`--html says nothing of ${settings.name}, which is no channel of the type email`);
  const clock = clockOf(surroundings);
  const sampleOf = (sample: SampleKind, nowMs: number) =>
    sampleNotification(sample, {
      channel: settings.name,
      links: config.links,
      externalLabels: config.externalLabels,
      nowMs,
    });
  const nowMs = clock.nowMs();
  const before = kind === 'resolved' ? sampleOf('fired', nowMs - SAMPLE_LASTED_MS) : undefined;
  const shown = previewOf(
    settings,
    sampleOf(kind, nowMs),
    before,
    channelPartsOf(config, { clock, version }),
  );
  if ('problem' in shown) throw new CommandFault(shown.problem);
  for (const [index, message] of shown.messages.entries()) {
    if (index > 0) out('\n');
    const transcript = transcriptOf(settings, config, surroundings, { hasColors, isPreview: true });
    for (const line of message) transcript.said(line);
    transcript.end();
  }
  const notes = [
    ...shown.notes,
    ...(shown.html !== undefined && htmlFile === undefined ? ['--html FILE writes the HTML of it.'] : []),
  ];
  for (const note of notes) err(`${paint(note, 'dim', hasColors)}\n`);
  if (htmlFile !== undefined && shown.html !== undefined) writeHtml(htmlFile, shown.html);
  return EXIT.ok;
}

function clockOf({ nowMs }: Surroundings): Clock {
  return { ...systemClock, nowMs };
}

function writeHtml(file: string, html: string): void {
  try {
    writeFileSync(file, html);
  } catch (error) {
    throw new CommandFault(
      `--html: expected a file that can be written, found one that cannot (${errorCodeOf(error)})`,
    );
  }
}

function transcriptOf(
  settings: ChannelSettings,
  config: Config,
  { out }: Surroundings,
  looks: { readonly hasColors: boolean; readonly isPreview?: boolean },
): Transcript {
  const mask = new SecretMask([settings, settings.type === 'sentry' ? config.sentry : undefined]);
  const secretHeaders = settings.type === 'webhook' ? Object.keys(settings.headers) : [];
  return new Transcript(mask, secretHeaders, (line) => out(`${line}\n`), looks);
}
