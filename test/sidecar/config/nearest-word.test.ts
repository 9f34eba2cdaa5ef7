import { nearestWord } from '../../../sidecar/config/nearest-word';

describe('the nearest word', () => {
  const keys = ['listen', 'token', 'token_file', 'series_cap'];

  it.each([
    ['lissten', 'listen'],
    ['sereis_cap', 'series_cap'],
    ['tokens', 'token'],
    ['tokenfile', 'token_file'],
  ])('of %s is %s', (text, word) => {
    expect(nearestWord(text, keys)).toBe(word);
  });

  it.each(['colour', '', 'interval'])('is none for %j', (text) => {
    expect(nearestWord(text, keys)).toBeUndefined();
  });
});
