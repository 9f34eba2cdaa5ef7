import type { NotificationItem } from '../../../sidecar/notify/notification';
import { lastWords } from '../../../sidecar/notify/last-words';
import { sampleItem } from '../../support/sample-notification';

function items(...told: (readonly [NotificationItem['occasion'], string])[]): NotificationItem[] {
  return told.map(([occasion, service]) => sampleItem({ service, item: { occasion } }));
}

/** `acknowledged x, fired`: the last word on each alert, and the trouble of it that is told. */
function inShort(told: readonly NotificationItem[]): string[] {
  return lastWords(told).map(({ item, trouble }) => {
    const { scope } = item.alert;
    const name = 'service' in scope ? scope.service : '';
    return [`${item.occasion} ${name}`, ...(trouble === undefined ? [] : [trouble.occasion])].join(', ');
  });
}

describe('the last words of a message', () => {
  it('are one for each alert, in the order of the message', () => {
    expect(inShort(items(['fired', 'x'], ['resolved', 'x'], ['fired', 'y'], ['worsened', 'y']))).toEqual([
      'resolved x',
      'worsened y, worsened',
    ]);
  });

  it('tell by what it began, or got worse, of an alert that somebody has acknowledged since', () => {
    expect(inShort(items(['fired', 'x'], ['worsened', 'x'], ['acknowledged', 'x']))).toEqual([
      'acknowledged x, worsened',
    ]);
    expect(inShort(items(['acknowledged', 'x']))).toEqual(['acknowledged x']);
  });

  it('tell of no trouble that was over before', () => {
    expect(inShort(items(['fired', 'x'], ['resolved', 'x'], ['acknowledged', 'x']))).toEqual([
      'acknowledged x',
    ]);
  });
});
