import { SILENCE_USAGE } from '../../../sidecar/cli/silence-command';
import { isSelective, parseMatcher } from '../../../sidecar/config/matcher';

describe('the help of gatewatch silence', () => {
  /** Whether a silence of this matcher alone would be taken. */
  const isTakenAlone = (text: string): boolean => {
    const matcher = parseMatcher(text);
    return 'label' in matcher && isSelective(matcher);
  };

  it('names as examples only what a silence may have alone, or says that it may not', () => {
    const examples = SILENCE_USAGE.split('Labels are')[0]?.match(/\b[a-z_]+(?:=~|!=|=)[\w'|]+/g) ?? [];
    expect(examples).toEqual(['service=checkout', "severity=~'info|warning'", 'rule!=apdex']);
    const alone = examples.filter((example) => isTakenAlone(example.replaceAll("'", '')));
    expect(alone).toEqual(['service=checkout', "severity=~'info|warning'"]);
    expect(SILENCE_USAGE).toContain('beside another one rule!=apdex');
  });
});
