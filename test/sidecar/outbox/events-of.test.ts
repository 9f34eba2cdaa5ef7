import type { ChangeNotice } from '../../../sidecar/notify/letter';
import { eventsOfDiscard, eventsOfEnd } from '../../../sidecar/outbox/events-of';
import type { OutboxEnd } from '../../../sidecar/outbox/outbox';
import {
  SAMPLE_STARTED_MS,
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolvedItem,
} from '../../support/sample-notification';

const CHANGE: ChangeNotice = {
  id: 'c',
  channel: 'a',
  kind: 'change',
  instance: '10.0.0.1:8007',
  before: 'aaaa',
  after: 'bbbb',
  externalLabels: {},
  atMs: SAMPLE_STARTED_MS,
  createdMs: SAMPLE_STARTED_MS,
};

function endOf(changes: Partial<OutboxEnd>): OutboxEnd {
  return {
    letter: sampleNotification(),
    how: 'sent',
    reason: undefined,
    failures: 0,
    fallback: undefined,
    next: undefined,
    delivery: undefined,
    tookMs: 5,
    ...changes,
  };
}

describe('the end of a letter', () => {
  it('is an event of each alert that it told of', () => {
    const letter = sampleGroup([sampleItem({ service: 'x' }), sampleResolvedItem({ service: 'y' })]);
    expect(eventsOfEnd(endOf({ letter }), 7)).toMatchObject([
      {
        kind: 'notification_sent',
        channel: 'a',
        occasion: 'fired',
        labels: { service: 'x' },
        messageId: letter.id,
        atMs: 7,
      },
      { kind: 'notification_sent', channel: 'a', occasion: 'resolved', labels: { service: 'y' } },
    ]);
  });

  it('says why it was not taken, and who is told in its place', () => {
    const reasonOf = (changes: Partial<OutboxEnd>): unknown => {
      const [event] = eventsOfEnd(endOf(changes), 7);
      return event && 'reason' in event ? [event.kind, event.reason] : event;
    };
    expect(reasonOf({ how: 'refused', reason: 'answered 404' })).toEqual([
      'notification_failed',
      'refused: answered 404',
    ]);
    expect(reasonOf({ how: 'expired', next: 'phone' })).toEqual([
      'notification_failed',
      'expired: no reason is known; phone is told in its place',
    ]);
  });

  it('is no event where the letter told of no alert, or is told again and again', () => {
    const standing = sampleNotification({ message: { kind: 'standing', groupKey: '' } });
    for (const letter of [CHANGE, standing]) {
      expect(eventsOfEnd(endOf({ letter, how: 'refused' }), 7)).toEqual([]);
      expect(eventsOfDiscard(letter, 'ada', 7)).toEqual([]);
    }
  });
});

describe('a dead letter that is discarded', () => {
  it('is an event of each of its alerts, with who did it', () => {
    expect(eventsOfDiscard(sampleNotification(), 'ada', 7)).toMatchObject([
      { kind: 'notification_discarded', by: 'ada', channel: 'a', occasion: 'fired', atMs: 7 },
    ]);
  });
});
