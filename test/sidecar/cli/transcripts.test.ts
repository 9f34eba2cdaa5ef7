// What stands under docs/transcripts is what each kind of channel is sent: what fires and its end, as `gatewatch notify --preview`
// shows them. To write them anew after a change: GATEWATCH_WRITE_TRANSCRIPTS=1 npx jest transcripts
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { notifyCommand } from '../../../sidecar/cli/notify-command';
import { commandSurroundings } from '../../support/command-surroundings';

const FOLDER = join(__dirname, '../../../docs/transcripts');
const NOW_MS = Date.parse('2026-03-01T10:03:00Z');

const LINKS = {
  external_url: 'https://gatewatch.example.com',
  runbook_url: 'https://runbooks.example.com/{rule}',
};
const SENTRY = { dsn: 'https://0123456789abcdef0123456789abcdef@o1.ingest.example.com/7' };
const HOOK = { type: 'webhook', url: 'https://hooks.example.com/the-key-of-it' };

const CHANNELS: Readonly<Record<string, object>> = {
  alertmanager: { type: 'alertmanager', urls: ['http://alertmanager:9093'] },
  discord: { ...HOOK, format: 'discord' },
  email: {
    type: 'email',
    host: 'mail.example.com',
    tls: 'starttls',
    from: 'gatewatch@example.com',
    to: ['oncall@example.com'],
  },
  pagerduty: { type: 'pagerduty', routing_key: '0123456789abcdef0123456789abcdef' },
  sentry: { type: 'sentry', auth_token: 'sntrys_a-sample-token', organization: 'acme', project: 'gateway' },
  'slack-bot': { type: 'slack', bot_token: 'xoxb-a-sample-token', channel: 'C0123456789' },
  'slack-webhook': { type: 'slack', webhook_url: 'https://hooks.slack.com/services/T0/B0/the-key-of-it' },
  teams: { ...HOOK, format: 'teams' },
  webhook: { ...HOOK, signing_secrets: ['whsec_c2FtcGxlIHNlY3JldCBvZiAyNCBieXRlcw=='] },
};

const directory = mkdtempSync(join(tmpdir(), 'gatewatch-transcripts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function transcriptOf(name: string, channel: object): Promise<string> {
  const file = join(directory, `${name}.yml`);
  writeFileSync(
    file,
    stringify({ channels: [{ name: 'oncall', ...channel }], links: LINKS, sentry: SENTRY }),
  );
  let said = '';
  const surroundings = commandSurroundings((text) => void (said += text), {
    nowMs: () => NOW_MS,
    version: '1.0.0',
  });
  for (const sample of ['fired', 'resolved']) {
    const args = ['--preview', 'oncall', '--sample', sample];
    said += `${said === '' ? '' : '\n'}$ gatewatch notify ${args.join(' ')}\n`;
    await expect(notifyCommand(['--config', file, ...args], surroundings)).resolves.toBe(0);
  }
  return said;
}

describe('the transcripts in the documentation', () => {
  it.each(Object.entries(CHANNELS))('are what is sent: %s', async (name, channel) => {
    const transcript = await transcriptOf(name, channel);
    const file = join(FOLDER, `${name}.txt`);
    if (process.env['GATEWATCH_WRITE_TRANSCRIPTS'] === '1') writeFileSync(file, transcript);
    expect(transcript).toBe(readFileSync(file, 'utf8'));
    expect(transcript).not.toMatch(/the-key-of-it|sample-token|0123456789abcdef0123456789abcdef|c2FtcGxl/);
  });

  it('are of these channels and no others', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(
      Object.keys(CHANNELS)
        .map((name) => `${name}.txt`)
        .sort(),
    );
  });
});
