import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { renderConfig } from '../../../sidecar/config/render-config';
import { configOf, faultsOf } from '../../support/read-config-text';

const SHIPPED = readFileSync(resolve(__dirname, '../../../sidecar/gatewatch.yml'), 'utf8');
const CHANNELS = [
  'channels:',
  '  - { name: oncall, type: webhook, url: "https://a.example" }',
  '  - { name: phone, type: webhook, url: "https://b.example" }',
  '',
].join('\n');

describe('notifications', () => {
  it('go to all channels at once where nothing is said of steps', () => {
    expect(configOf(CHANNELS).notifications).toMatchObject({
      groupBy: ['rule', 'service'],
      groupWaitMs: 0,
      escalation: [
        { afterMs: 0, channels: ['oncall', 'phone'], severities: ['info', 'warning', 'error', 'critical'] },
      ],
    });
  });

  it('are as the examples of the shipped file say when the comment is taken away', () => {
    const start = SHIPPED.indexOf('notifications:');
    const section = SHIPPED.slice(start, SHIPPED.indexOf('# Links in the messages.')).replace(
      /^#(?= {2})/gm,
      '',
    );
    const { notifications } = configOf(`${CHANNELS}${section}`);
    expect(notifications).toMatchObject({
      escalation: [
        { afterMs: 0, channels: ['oncall'], severities: ['info', 'warning', 'error', 'critical'] },
        { afterMs: 900_000, channels: ['phone'], severities: ['error', 'critical'] },
      ],
      maintenance: [
        {
          name: 'reports-at-night',
          matchers: [{ label: 'service', operator: '=', value: 'reports' }],
          times: { days: ['sat', 'sun'], fromMinute: 60, toMinute: 270, timeZone: 'Europe/Berlin' },
          untilDay: '2027-03-31',
          comment: 'the monthly reports are made then',
        },
      ],
      quietHours: { severities: ['info', 'warning'], times: { fromMinute: 1_320, toMinute: 420 } },
      digest: { severities: ['info'], everyMs: 3_600_000 },
    });
  });

  it('mean the same when they are read again', () => {
    const text = [
      CHANNELS,
      'notifications:',
      '  group_by: []',
      '  repeat_interval: 0s',
      '  escalation: [{ channels: [oncall] }, { after: 5m, channels: [phone], severities: [critical] }]',
      '  maintenance:',
      '    - { name: m, matchers: [\'service=~"a|\\"b"\'], from: "23:00", to: "01:00", until: 2027-02-28, comment: c }',
      '  quiet_hours: { severities: [info], days: [mon], from: "00:00", to: "06:30", time_zone: Asia/Tokyo }',
      '  digest: { severities: [info, warning], every: 2h }',
      'links:',
      '  dashboard_url: https://g.example/d/x?var-service={service}&from={from_ms}&to={to_ms}',
      'kong:',
      '  status_urls: "http://a.example:8101, http://b.example:8101/"',
      '  interval: 5s',
      '',
    ].join('\n');
    const config = configOf(text);
    expect(config.kong.statusUrls).toEqual(['http://a.example:8101', 'http://b.example:8101']);
    // Addresses of channels are not shown, so they are taken from here.
    const shown = renderConfig(config)
      .replace(/url: <secret>/, 'url: https://a.example')
      .replace(/url: <secret>/, 'url: https://b.example');
    const again = configOf(shown);
    expect(again.notifications).toEqual(config.notifications);
    expect(again.links).toEqual(config.links);
    expect(again.kong).toEqual(config.kong);
  });

  const faults: [text: string, fault: string][] = [
    [
      'escalation: [{ channels: [pager] }]',
      'notifications.escalation[0].channels[0]: expected the name of a channel, of oncall, phone, found "pager"',
    ],
    ['escalation: [{ channels: [] }]', 'notifications.escalation[0].channels: expected at least one channel'],
    ['group_by: [team]', 'notifications.group_by[0]: expected one of rule, kind, level, severity, service,'],
    [
      'maintenance: [{ name: a, matchers: ["service=x"], from: "1:00", to: "02:00", until: 2027-01-01, comment: c }]',
      'notifications.maintenance[0].from: expected a time of day in quotes, such as "22:30", found "1:00"',
    ],
    [
      'maintenance: [{ name: a, matchers: ["service=x"], from: "01:00", to: "02:00", comment: c }]',
      'notifications.maintenance[0].until: expected the last day on which it begins, such as 2027-03-31, found nothing',
    ],
    [
      'maintenance: [{ name: a, matchers: ["service=x"], from: "01:00", to: "02:00", until: 2027-02-29, comment: c }]',
      'notifications.maintenance[0].until: expected the last day on which',
    ],
    [
      'maintenance: [{ name: a, matchers: ["service=x"], from: "01:00", to: "02:00", until: 2027-02-28, comment: " " }]',
      'notifications.maintenance[0].comment: expected why, in a few words',
    ],
    [
      'maintenance: [{ name: a, matchers: [], from: "01:00", to: "02:00", until: 2027-02-28, comment: c }]',
      'notifications.maintenance[0].matchers: expected at least one matcher that does not match everything',
    ],
    [
      'maintenance: [{ name: a, matchers: ["service!=x"], from: "01:00", to: "02:00", until: 2027-02-28, comment: c }]',
      'notifications.maintenance[0].matchers: expected at least one matcher that does not match everything',
    ],
    [
      'maintenance: [{ name: a, matchers: ["service=x"], from: "01:00", to: "02:00", until: 2027-02-28, comment: c },' +
        ' { name: a, matchers: ["service=y"], from: "01:00", to: "02:00", until: 2027-02-28, comment: c }]',
      'notifications.maintenance[1].name: expected a name that no other has, found "a"',
    ],
    [
      'inhibit: [{ source: ["team=x"], target: ["kind=latency"] }]',
      'notifications.inhibit[0].source[0]: expected a matcher of one of rule, kind,',
    ],
    [
      'inhibit: [{ source: ["service=~(x"], target: ["kind=latency"] }]',
      'notifications.inhibit[0].source[0]: expected a regular expression',
    ],
    [
      'quiet_hours: { severities: [info], from: "22:00", to: "07:00", time_zone: "+01:00" }',
      'notifications.quiet_hours.time_zone: expected a time zone of the IANA list, such as Europe/Berlin or UTC, found "+01:00"',
    ],
    [
      'digest: { severities: [], every: 1h }',
      'notifications.digest.severities: expected a list of mild severities: info, warning or both',
    ],
    ['repeat: 1h', 'notifications.repeat: expected one of the keys group_by, group_wait,'],
  ];
  it.each(faults)('with %s are refused', (text, fault) => {
    const found = faultsOf(`${CHANNELS}notifications: { ${text} }\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(fault);
  });

  it.each([
    [
      'links: { dashboard_url: "https://g.example/{team}" }',
      'links.dashboard_url: expected an http or https address, in which {rule}',
    ],
    [
      'links: { dashboard_url: "javascript:alert(1)" }',
      'links.dashboard_url: expected an http or https address',
    ],
    ['kong: { status_urls: "kong:8101" }', 'kong.status_urls: expected a list of http addresses, or one'],
    [
      'kong: { status_urls: "http://me:secret@kong:8101" }',
      'kong.status_urls: expected a list of http addresses, or one',
    ],
  ])('beside %s are refused', (text, fault) => {
    const found = faultsOf(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(fault);
    expect(found[0]).not.toContain('secret');
  });
});
