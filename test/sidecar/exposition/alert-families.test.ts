import { Readable } from 'node:stream';
import { alertFamilies, channelFamilies } from '../../../sidecar/exposition/alert-families';
import type { MetricFamily } from '../../../sidecar/exposition/metric-family';
import { renderFamilies } from '../../../sidecar/exposition/render-families';
import { Outbox } from '../../../sidecar/outbox/outbox';
import type { Alert } from '../../../sidecar/alert/alert';
import { captureLog } from '../../support/captured-log';
import { checkExposition } from '../../support/check-exposition';
import { ManualClock, settle } from '../../support/manual-clock';
import { acknowledgedAlert, ALERT_START_MS, firingAlert } from '../../support/sample-alerts';
import { sampleNotification } from '../../support/sample-notification';
import { kongUnreachableRule, latencyRule, targetUnhealthyRule } from '../../support/sample-rules';
import { parseSamples, sumOf, type ScrapedSample } from '../../support/samples';
import { REFUSED, RETRY, ScriptedChannel } from '../../support/scripted-channel';

function scraped(families: readonly MetricFamily[]): ScrapedSample[] {
  return parseSamples([...renderFamilies(families, 'text')].join(''));
}

describe('the metrics of alerts', () => {
  const OPERATION = firingAlert({
    rule: latencyRule(),
    scope: { level: 'operation', service: 'shop', operation: 'GET "cart"\\' },
    verdict: { ...firingAlert().verdict, value: 812 },
  });

  it('have what a rule measured, by rule and by whom it is about', () => {
    const values = scraped(alertFamilies([firingAlert(), OPERATION])).filter(
      ({ name }) => name === 'gatewatch_rule_value',
    );
    expect(values).toEqual([
      {
        name: 'gatewatch_rule_value',
        labels: { rule: 'errors', level: 'service', service: 'shop' },
        value: 0.123,
      },
      {
        name: 'gatewatch_rule_value',
        labels: { rule: 'slow', level: 'operation', service: 'shop', operation: 'GET "cart"\\' },
        value: 812,
      },
    ]);
  });

  it.each<[string, Alert, Record<string, string>]>([
    ['the gateway', firingAlert({ scope: { level: 'gateway' } }), { level: 'gateway' }],
    [
      'an error type',
      firingAlert({ scope: { level: 'error_type', service: '', errorType: 'upstream_timeout' } }),
      { level: 'error_type', service: '', error_type: 'upstream_timeout' },
    ],
    [
      'a Kong',
      firingAlert({ rule: kongUnreachableRule(), scope: { level: 'instance', instance: 'kong:8101' } }),
      { level: 'instance', instance: 'kong:8101' },
    ],
    [
      'a target',
      firingAlert({
        rule: targetUnhealthyRule(),
        scope: { level: 'target', instance: 'kong:8101', upstream: 'shop', target: 'shop:80' },
      }),
      { level: 'target', instance: 'kong:8101', upstream: 'shop', target: 'shop:80' },
    ],
  ])('have the labels of %s', (_, alert, labels) => {
    expect(scraped(alertFamilies([alert]))[0]?.labels).toEqual({ rule: alert.rule.name, ...labels });
  });

  it('have no value of a rule that has nothing to judge', () => {
    const verdict = {
      ...firingAlert().verdict,
      state: 'cannot_tell',
      doubt: 'no_requests',
      value: undefined,
    } as const;
    const samples = scraped(alertFamilies([firingAlert({ verdict, state: 'unknown' })]));
    expect(samples.some(({ name }) => name === 'gatewatch_rule_value')).toBe(false);
    expect(sumOf(samples, 'gatewatch_alert_state', { state: 'unknown' })).toBe(1);
  });

  it.each(['inactive', 'unknown', 'pending', 'firing', 'acknowledged', 'resolved'] as const)(
    'have 1 for the state %s and 0 for the others, with the severity',
    (state) => {
      const samples = scraped(alertFamilies([firingAlert({ state, severity: 'error' })])).filter(
        ({ name }) => name === 'gatewatch_alert_state',
      );
      expect(samples.map(({ labels }) => labels['state'])).toEqual([
        ...['inactive', 'unknown', 'pending', 'firing', 'acknowledged', 'resolved'],
      ]);
      expect(samples.filter(({ value }) => value === 1).map(({ labels }) => labels)).toEqual([
        { rule: 'errors', level: 'service', service: 'shop', severity: 'error', state },
      ]);
      expect(samples.filter(({ value }) => value === 0)).toHaveLength(5);
    },
  );

  it('count what fires by severity, acknowledged ones included, and have a 0 where nothing does', () => {
    const alerts = [
      firingAlert(),
      acknowledgedAlert(firingAlert({ scope: { level: 'gateway' } }), 'ada', ALERT_START_MS),
      firingAlert({ scope: { level: 'service', service: 'b' }, severity: 'warning' }),
      firingAlert({ scope: { level: 'service', service: 'c' }, state: 'pending' }),
      firingAlert({ scope: { level: 'service', service: 'd' }, state: 'resolved' }),
    ];
    const samples = scraped(alertFamilies(alerts)).filter(({ name }) => name === 'gatewatch_alerts_active');
    expect(samples.map(({ labels, value }) => [labels['severity'], value])).toEqual([
      ['info', 0],
      ['warning', 1],
      ['error', 0],
      ['critical', 2],
    ]);
  });

  it('are well-formed', async () => {
    const text = [...renderFamilies(alertFamilies([firingAlert(), OPERATION]), 'text')].map((chunk) =>
      Buffer.from(chunk),
    );
    const { faults, samples } = await checkExposition(Readable.from(text));
    expect([faults, samples]).toEqual([[], 2 + 2 * 6 + 4]);
  });
});

describe('the metrics of channels', () => {
  it('count how notifications ended, tries that are repeated, and what waits', async () => {
    const channel = new ScriptedChannel('a').answer(RETRY, REFUSED, 'hang');
    const clock = new ManualClock();
    const nothing = () => undefined;
    const parts = { clock, logger: captureLog().logger, random: () => 0.5, onTry: nothing, onEnd: nothing };
    const outbox = new Outbox(parts, [channel, new ScriptedChannel('b')]);
    outbox.post([sampleNotification(), sampleNotification(), sampleNotification({ channel: 'b' })]);
    outbox.release();
    await clock.advanceAndSettle(60_000);
    await settle();
    const samples = scraped(channelFamilies(outbox));
    const ended = (channel: string, outcome: string): number =>
      sumOf(samples, 'gatewatch_notifications_total', { channel, outcome });
    expect(
      ['sent', 'retried', 'refused', 'expired', 'dropped'].map((outcome) => ended('a', outcome)),
    ).toEqual([0, 1, 1, 0, 0]);
    expect(ended('b', 'sent')).toBe(1);
    expect(sumOf(samples, 'gatewatch_notifications_queued', { channel: 'a' })).toBe(1);
    expect(sumOf(samples, 'gatewatch_notifications_queued', { channel: 'b' })).toBe(0);
    expect(sumOf(samples, 'gatewatch_dead_letters')).toBe(1);

    // The counters of a channel that is gone do not go back.
    outbox.reconfigure([channel]);
    const after = scraped(channelFamilies(outbox));
    expect(sumOf(after, 'gatewatch_notifications_total', { channel: 'b', outcome: 'sent' })).toBe(1);
    expect(
      after.filter(({ name }) => name === 'gatewatch_notifications_queued').map(({ labels }) => labels),
    ).toEqual([{ channel: 'a' }]);
  });
});
