// One alert, from batches to every kind of receiver at once, through a real sidecar: it fires, somebody acknowledges it, it resolves;
// and the news that Kong's configuration has changed. The Alertmanager is Debian's; the others are small servers that hold to what
// their vendors publish.
import { createHmac } from 'node:crypto';
import { AlertmanagerProgram } from '../support/alertmanager-program';
import { eventually } from '../support/eventually';
import { PagerDutyServer, ROUTING_KEY } from '../support/pagerduty-server';
import { Producer } from '../support/producer';
import { describeWith } from '../support/program';
import { parseSamples, sumOf } from '../support/samples';
import { ScriptedKong, statusText } from '../support/scripted-kong';
import { SidecarProcess } from '../support/sidecar-process';
import { SlackApiServer } from '../support/slack-api-server';
import { parseMail } from '../support/smtp-mail';
import { SmtpReceiver } from '../support/smtp-receiver';
import { WebhookReceiver } from '../support/webhook-receiver';

const SIGNING_KEY = Buffer.alloc(32, 5).toString('base64');
const NEW_HASH = 'a'.repeat(32);

jest.setTimeout(300_000);

describeWith('prometheus-alertmanager', 'an alert, told through every channel', (path) => {
  it('fires, is acknowledged and resolves everywhere', async () => {
    const [slack, pagerDuty, smtp, hook, teams, people, kong] = await Promise.all([
      SlackApiServer.start(),
      PagerDutyServer.start(),
      SmtpReceiver.start(),
      WebhookReceiver.start(),
      WebhookReceiver.start(),
      WebhookReceiver.start(),
      ScriptedKong.start(),
    ]);
    const alertmanager = await AlertmanagerProgram.start(path, people.url());
    const sidecar = await SidecarProcess.start(`
evaluation_interval: 1s
token: a-token-for-the-test
rules:
  - { name: error_rate, error_rate_threshold: 0.1, window: 10s, for: 0s, keep_firing_for: 0s, severity: critical, confidence: off }
notifications: { group_interval: 0s }
kong: { status_urls: ${kong.url}, interval: 1s }
channels:
  - { name: chat, type: slack, bot_token: xoxb-sample-bot-token, channel: ${slack.channel}, api_url: '${slack.url}' }
  - { name: phone, type: pagerduty, routing_key: ${ROUTING_KEY}, api_url: '${pagerDuty.url}' }
  - { name: mail, type: email, host: 127.0.0.1, port: ${smtp.port}, tls: none, from: gatewatch@example.com, to: [oncall@example.com] }
  - { name: hook, type: webhook, url: '${hook.url()}', signing_secrets: [whsec_${SIGNING_KEY}], allow_private_addresses: true }
  - { name: teams, type: webhook, format: teams, url: '${teams.url()}', allow_private_addresses: true }
  - { name: cluster, type: alertmanager, urls: ['${alertmanager.url}'], resend_interval: 5s }
`);
    const producer = new Producer({ sidecar_url: sidecar.url, sidecar_token: 'a-token-for-the-test' });
    const observe = (status: number): void => {
      for (let one = 0; one < 50; one++)
        producer.observe(
          status,
          status < 500 ? {} : { errorType: 'upstream_server_error', severity: 'error' },
        );
    };
    const states = async (): Promise<string[]> =>
      (await alertmanager.alerts()).map(({ status }) => status.state);
    try {
      observe(500);
      await eventually(() => expectEverywhere(1));
      expect(slack.roots[0]?.text).toMatch(/High error rate/);
      expect(pagerDuty.incidents).toMatchObject([{ status: 'triggered' }]);
      await eventually(async () => expect(await states()).toEqual(['active']));

      const alerts = await ask('GET', '/api/v1/alerts?state=firing');
      const [{ id }] = (alerts as { alerts: [{ id: string }] }).alerts;
      await ask('POST', `/api/v1/alerts/${id}/acknowledge`, { by: 'anna', comment: 'looking into it' });
      await eventually(() => expectEverywhere(2));
      await eventually(() => expect(pagerDuty.incidents).toMatchObject([{ status: 'acknowledged' }]));

      kong.status = (_request, response) =>
        void response.end(
          statusText().replace(/"configuration_hash":"\w+"/, `"configuration_hash":"${NEW_HASH}"`),
        );
      await eventually(() => expect(pagerDuty.changes).toHaveLength(1));

      // The window moves on, and what comes now is well.
      await eventually(async () => {
        observe(200);
        expect(sumOf(await scrape(), 'gatewatch_alerts_active')).toBe(0);
      });
      await eventually(() => expectEverywhere(3));
      expect(slack.roots).toHaveLength(1);
      expect(slack.roots[0]?.text).toMatch(/^Resolved/);
      expect(pagerDuty.incidents).toMatchObject([{ status: 'resolved' }]);
      await eventually(() => expect(people.requests.map(statusOf)).toEqual(['firing', 'resolved']));

      expect(hook.requests.map(statusOf)).toEqual(['firing', 'firing', 'resolved']);
      for (const { headers, body } of hook.requests) {
        const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
        const signature = createHmac('sha256', Buffer.from(SIGNING_KEY, 'base64'))
          .update(signed)
          .digest('base64');
        expect(headers['webhook-signature']).toBe(`v1,${signature}`);
      }
      const [first, ...replies] = smtp.mails.map(({ data }) => parseMail(data).headers);
      for (const reply of replies) expect(reply['references']).toContain(first?.['message-id']);
      expect([slack.faults, pagerDuty.faults]).toEqual([[], []]);

      const samples = await scrape();
      const sent = (channel: string): number =>
        sumOf(samples, 'gatewatch_notifications_total', { channel, outcome: 'sent' });
      expect(['chat', 'mail', 'hook', 'teams'].map(sent)).toEqual([3, 3, 3, 3]);
      // The change of Kong's configuration too.
      expect(sent('phone')).toBe(4);
      expect(sumOf(samples, 'gatewatch_notification_try_duration_seconds_count', { channel: 'phone' })).toBe(
        4,
      );
      expect(sumOf(samples, 'gatewatch_dead_letters')).toBe(0);
    } finally {
      await producer.close();
      await sidecar.remove();
      await alertmanager.stop();
      await Promise.all([slack, pagerDuty, smtp, hook, teams, people, kong].map((server) => server.close()));
    }

    function expectEverywhere(messages: number): void {
      const told = {
        chat: 1 + slack.repliesTo(slack.roots[0]?.ts ?? '').length,
        phone: pagerDuty.events.length - pagerDuty.changes.length,
        mail: smtp.mails.length,
        hook: hook.requests.length,
        teams: teams.requests.length,
      };
      expect(told).toEqual({
        chat: messages,
        phone: messages,
        mail: messages,
        hook: messages,
        teams: messages,
      });
    }

    async function scrape() {
      return parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text());
    }

    async function ask(method: string, address: string, body?: object): Promise<unknown> {
      const answer = await fetch(`${sidecar.url}${address}`, {
        method,
        headers: { authorization: 'Bearer a-token-for-the-test', 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      expect(answer.status).toBe(200);
      return answer.json();
    }
  });
});

function statusOf({ body }: { readonly body: string }): string {
  return (JSON.parse(body) as { status: string }).status;
}
