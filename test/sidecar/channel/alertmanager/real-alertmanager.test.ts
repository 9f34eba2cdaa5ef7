// Against the real Alertmanager of Debian: what fires is there, stays while it is told, ends when it is said to or when nobody tells
// it, and reaches people through it.
import { alertmanagerChannel } from '../../../../sidecar/channel/alertmanager/alertmanager-channel';
import type { Channel, Outcome } from '../../../../sidecar/channel/channel';
import type { AlertmanagerDocument } from '../../../../sidecar/channel/webhook/alertmanager-document';
import type { Notification } from '../../../../sidecar/notify/notification';
import { AlertmanagerProgram, type HeldAlert } from '../../../support/alertmanager-program';
import { alertmanagerSettings } from '../../../support/channel-settings';
import { eventually } from '../../../support/eventually';
import { ManualClock } from '../../../support/manual-clock';
import { describeWith } from '../../../support/program';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  type SampleChanges,
} from '../../../support/sample-notification';
import { latencyRule } from '../../../support/sample-rules';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver } from '../../../support/webhook-receiver';

jest.setTimeout(120_000);

const STANDING = { kind: 'standing' } as const;

let clock: ManualClock;
let receiver: WebhookReceiver;
let members: AlertmanagerProgram[];

beforeEach(async () => {
  // Alertmanager looks at the time of day.
  clock = new ManualClock(Date.now());
  receiver = await WebhookReceiver.start();
  members = [];
});
afterEach(async () => {
  await Promise.all(members.map((member) => member.stop()));
  await receiver.close();
});

function channel(): Channel {
  const settings = alertmanagerSettings(members.map(({ url }) => url));
  return alertmanagerChannel(settings, { clock, project: NO_PROJECT, externalUrl: undefined });
}

const EXTERNAL_LABELS = { cluster: 'eu-1' };

/** Since a minute ago. */
function firing(changes: SampleChanges = {}): Notification {
  const alert = { sinceMs: clock.nowMs() - 60_000, ...changes.alert };
  const item = { externalLabels: EXTERNAL_LABELS, ...changes.item };
  return sampleNotification({ ...changes, alert, item, message: STANDING });
}

function over(changes: SampleChanges = {}): Notification {
  const alert = { sinceMs: clock.nowMs() - 60_000, ...changes.alert };
  const item = { externalLabels: EXTERNAL_LABELS, atMs: clock.nowMs() };
  return sampleResolved({ ...changes, alert, item, message: STANDING });
}

/** What people were told, in order. */
function told(): string[] {
  return receiver.requests.flatMap(({ body }) => {
    const { alerts } = JSON.parse(body) as AlertmanagerDocument;
    return alerts.map(
      ({ status, labels }) => `${status} ${labels['service'] ?? ''} ${labels['severity'] ?? ''}`,
    );
  });
}

describeWith('prometheus-alertmanager', 'a real Alertmanager', (path) => {
  async function start(peers?: readonly string[]): Promise<AlertmanagerProgram> {
    const member = await AlertmanagerProgram.start(path, receiver.url(), peers);
    members.push(member);
    return member;
  }

  it('has what fires, keeps it while it is told again, tells people once, and ends it when it is over', async () => {
    const alertmanager = await start();
    const links = [{ name: 'prometheus', url: 'https://p.example/graph?g0.expr=up' }] as const;
    const notification = firing({ item: { links } });
    const told1 = clock.nowMs();
    await expect(channel().send(notification)).resolves.toEqual({ result: 'sent', thread: {} });
    const [alert, ...others] = await alertmanager.alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      labels: {
        alertname: 'slow',
        cluster: 'eu-1',
        kind: 'latency',
        level: 'service',
        service: 'slow',
        severity: 'critical',
      },
      annotations: {
        summary: 'CRITICAL: High p95 latency: 812 ms on service slow (cluster eu-1)',
        value: '812',
      },
      generatorURL: 'https://p.example/graph?g0.expr=up',
    });
    expect(Date.parse(alert?.startsAt ?? '')).toBe(told1 - 60_000);
    expect(Date.parse(alert?.endsAt ?? '')).toBe(told1 + 240_000);
    await receiver.received(1);

    clock.pass(60_000);
    await channel().send(notification);
    const [again, ...noOthers] = await alertmanager.alerts();
    expect(noOthers).toEqual([]);
    expect(Date.parse(again?.endsAt ?? '')).toBe(told1 + 300_000);
    expect(again?.startsAt).toBe(alert?.startsAt);

    clock.setBack(60_000);
    await expect(channel().send(over())).resolves.toMatchObject({ result: 'sent' });
    expect(await alertmanager.alerts()).toEqual([]);
    await receiver.received(2);
    // The end is told again, as all that ended lately; people hear of it once.
    await channel().send(over());
    await channel().send(firing({ service: 'another' }));
    await receiver.received(3);
    expect(told()).toEqual(['firing slow critical', 'resolved slow critical', 'firing another critical']);
  });

  it('ends what nobody tells it any more', async () => {
    const alertmanager = await start();
    const gone = new ManualClock(Date.now() - 240_000 + 4_000);
    const settings = alertmanagerSettings([alertmanager.url]);
    const parts = { clock: gone, project: NO_PROJECT, externalUrl: undefined };
    await alertmanagerChannel(settings, parts).send(firing({ alert: { sinceMs: gone.nowMs() } }));
    await receiver.received(1);
    await eventually(async () => expect(await alertmanager.alerts()).toEqual([]));
    await receiver.received(2);
    expect(told()).toEqual(['firing slow critical', 'resolved slow critical']);
  });

  it('has one alert of what got worse: that of the old severity ends', async () => {
    const alertmanager = await start();
    const rule = latencyRule({
      thresholds: [
        { severity: 'warning', value: 500 },
        { severity: 'critical', value: 800 },
      ],
    });
    const mild: Outcome = await channel().send(firing({ rule, alert: { severity: 'warning' } }), {});
    await receiver.received(1);
    const worse = await channel().send(firing({ rule }), mild.thread);
    expect(worse.result).toBe('sent');
    const severities = (await alertmanager.alerts()).map(({ labels }) => labels['severity']);
    expect(severities).toEqual(['critical']);
    await receiver.received(3);
    expect(told().sort()).toEqual(['firing slow critical', 'firing slow warning', 'resolved slow warning']);
  });

  it('takes hundreds of alerts, whatever their names hold', async () => {
    const alertmanager = await start();
    const alert = { sinceMs: clock.nowMs() - 60_000 };
    const names = ['"}\\{{ x }}', 'a\nb\u0000\u2028', '\ud800', 'München 👩‍👩‍👧', 'x'.repeat(5_000), ''];
    const items = Array.from({ length: 300 }, (_, index) =>
      sampleItem({ service: `${names[index % names.length] ?? ''}${index}`, alert }),
    );
    await expect(channel().send(sampleGroup(items, { message: STANDING }))).resolves.toMatchObject({
      result: 'sent',
    });
    const services = (await alertmanager.alerts()).map(({ labels }) => labels['service']);
    const sent = items.map((item) =>
      'service' in item.alert.scope ? item.alert.scope.service.toWellFormed() : '',
    );
    expect(services.sort()).toEqual(sent.sort());
  });

  it('in a cluster of two has it in both members, tells people once, and goes on with one of them', async () => {
    const one = await start([]);
    const two = await start([one.peer]);
    await Promise.all([one.hasMembers(2), two.hasMembers(2)]);
    await expect(channel().send(firing())).resolves.toEqual({ result: 'sent', thread: {} });
    const labelsOf = (held: readonly HeldAlert[]) => held.map(({ labels }) => labels['service']);
    expect([labelsOf(await one.alerts()), labelsOf(await two.alerts())]).toEqual([['slow'], ['slow']]);
    await receiver.received(1);
    await channel().send(over());
    await receiver.received(2);
    expect(told()).toEqual(['firing slow critical', 'resolved slow critical']);

    members = [two, one];
    const both = channel();
    await two.stop();
    members = [one];
    await expect(both.send(firing({ service: 'b' }))).resolves.toEqual({
      result: 'sent',
      warning: 'urls[0]: no answer (ECONNREFUSED)',
      thread: {},
    });
    await receiver.received(3);
    expect(told().at(-1)).toBe('firing b critical');
  });
});
